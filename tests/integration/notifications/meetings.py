"""Facts of meetings about a notice, as Kafka would bring them."""

from datetime import datetime
from typing import Any

from shared.events import Envelope, Event, MembershipBegun, NoticeIssued, NoticeReminded, NoticeWithdrawn, event_type
from shared.events.envelope import kafka_headers
from shared.events.notices import AgendaLine, AskedMember
from shared.ids import new_id
from shared.messaging.message import RawMessage
from tests.integration.notifications.post import OLOF, ORGANISATION, START, SVEN

BOARD = "body-1"
BOARDS_MEETING = "01a2235c-37b5-7303-9bfc-e1d05ccd5961"
OLOF_BERG = AskedMember(person_id="olof", email=OLOF, name="Olof Berg")
SVEN_DAHL = AskedMember(person_id="sven", email=SVEN, name="Sven Dahl", language="en")
AGENDA = (
    AgendaLine(title="Val av justerare", kind="election", minutes=5),
    AgendaLine(title="Budget 2023", kind="decision", presenter="Maja Lind", came_from="2022-10-28"),
)
MEETING_FACTS: dict[str, Any] = {
    "meeting_id": BOARDS_MEETING,
    "body_id": BOARD,
    "body": "Styrelsen",
    "title": "Styrelsen sammanträder",
    "place": "Digitalt",
    "mode": "digital",
    "starts": "2022-11-25T13:00",
    "ends": "2022-11-25T15:30",
    "timezone": "Europe/Stockholm",
    "sequence": 1,
    "people": (OLOF_BERG, SVEN_DAHL),
}


def told(event: Event, key: str = BOARDS_MEETING, at: datetime = START) -> RawMessage:
    envelope = Envelope(
        id=new_id(),
        source="/services/meetings",
        type=event_type(event),
        subject=key,
        time=at,
        organisation=ORGANISATION,
        sequence=1,
        correlation_id=key,
        key=key,
        data=event.to_json(),
    )
    return RawMessage(event.topic, 0, 0, key, tuple(kafka_headers(envelope.attributes())), envelope.data.encode())


def membership(person: str, body_id: str = BOARD) -> MembershipBegun:
    return MembershipBegun(body_id=body_id, membership_id=f"seat-{person}", person_id=person, role="member")


def member(person: str) -> RawMessage:
    return told(membership(person), BOARD)


MEMBERS = (member("olof"), member("sven"))


def issued(kind: str = "notice", **facts: Any) -> RawMessage:
    return told(NoticeIssued(**{**MEETING_FACTS, "agenda": AGENDA, "answer_by": "2022-11-18", **facts}, kind=kind))


def withdrawn(**facts: Any) -> RawMessage:
    return told(NoticeWithdrawn(**{**MEETING_FACTS, "reason": "För få kan komma", "sequence": 2, **facts}))


def reminded(**facts: Any) -> RawMessage:
    return told(NoticeReminded(**{**MEETING_FACTS, "answer_by": "2022-11-18", **facts}))
