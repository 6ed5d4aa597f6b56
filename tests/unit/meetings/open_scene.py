"""An association as its open data are made of: bodies, who sits there, a meeting that people were told of."""

import json
from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any

from services.meetings.body.body import Body, BodyDetails, BodyKind, BodyRules
from services.meetings.body.membership import MemberRole, Membership, Seat
from services.meetings.meeting.meeting import Meeting, MeetingDetails, MeetingStatus
from services.meetings.notice.notice import Told
from services.meetings.oparl.keeping import Kept, settled
from services.meetings.oparl.oparl import Addresses, Called, Fields, Key, Published, Scene, open_things
from shared.events import BlobRef
from shared.events.notices import AgendaLine

AT = Addresses("https://justera.example/meetings/oparl", "https://justera.example/meetings")
NOW = datetime(2022, 9, 26, 8, tzinfo=UTC)
TODAY = date(2022, 9, 26)
DETAILS = MeetingDetails(
    body="Styrelsen",
    title="Styrelsen sammanträder om lön",
    place="Rum 3",
    starts=datetime(2022, 11, 25, 13),
    ends=datetime(2022, 11, 25, 15),
)
TOLD = Told(
    title="Styrelsen sammanträder",
    place="Sammanträdesrummet, Forsby",
    mode=None,
    starts=datetime(2022, 11, 25, 12),
    ends=datetime(2022, 11, 25, 15),
    agenda=(AgendaLine(title="Val av justerare"), AgendaLine(title="Budget", kind="decision", presenter="Maja Lind")),
    papers=None,
    people=("maja",),
)

PDF = BlobRef(sha256="0" * 64, size=4711, media_type="application/pdf")
MINUTES = Published(id="p", title="Protokoll styrelsen", language="sv", pdf=PDF)


def body(body_id: str = "board", *, public: bool = True, **rules: Any) -> Body:
    details = BodyDetails(name=f"Organ {body_id}", kind=BodyKind.BOARD, rules=BodyRules(public=public, **rules))
    return Body(id=body_id, key=body_id, version=1, details=details)


def seat(person: str, body_id: str = "board", role: MemberRole = MemberRole.MEMBER, **term: Any) -> Membership:
    return Membership(id=f"{person}-{body_id}", body_id=body_id, seat=Seat(person_id=person, role=role, **term))


def called(meeting_id: str = "m", body_id: str = "board", **more: Any) -> Called:
    status = more.pop("status", MeetingStatus.SCHEDULED)
    meeting = Meeting(id=meeting_id, body_id=body_id, version=1, status=status, details=DETAILS)
    return Called(meeting, **({"told": TOLD, "is_held": False} | more))


def scene(**more: Any) -> Scene:
    bodies = more.pop("bodies", [body()])
    whole: dict[str, Any] = {
        "organisation": "norrdalen",
        "name": "Norrdalens förbund",
        "license": "https://licences.example/open",
        "bodies": bodies,
        "memberships": [seat("maja", role=MemberRole.CHAIR, begins=date(2022, 1, 1), ends=date(2022, 12, 31))],
        "names": {"maja": "Maja Lind", "olof": "Olof Berg"},
        "meetings": [called(minutes=MINUTES, is_held=True)],
        "today": {one.id: TODAY for one in bodies},
    }
    return Scene(**(whole | more))


def kept(of: Scene, before: Mapping[Key, Kept] | None = None, at: datetime = NOW) -> dict[Key, Kept]:
    before = before or {}
    return {**before, **{one.key: one for one in settled(before, open_things(of, AT), AT, at)}}


def given_out(of: Scene) -> dict[Key, Fields]:
    return {key: one.given(AT) for key, one in kept(of).items()}


def said(of: Scene) -> str:
    return json.dumps(list(given_out(of).values()), ensure_ascii=False)
