"""The rules of striking a meeting: what becomes of its items, and of the meeting that takes them. Pure."""

import hashlib
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from services.meetings.agenda.agenda import MOST_ITEMS, Item, ItemDetails, require_open
from services.meetings.meeting.meeting import LocalTime, Meeting, MeetingDetails, Mode
from services.meetings.plan.clashes import Clash
from services.meetings.register.changes import FieldChange
from shared.errors import Refused

MOST_ADDED = 20
"""Items that are added to the other meeting in one go."""


class Strike(BaseModel):
    """What someone asks for. `items`: ids of those that go along; None: all but standing ones that nobody wrote on, and
    those that left the struck meeting to wait. `add`: new items of the other meeting.

    `ends`, `mode`, `place`: what becomes of the other meeting; left out, it stays. `note`: to its notice.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    to_meeting_id: str = Field(max_length=200)
    reason: str = Field(max_length=4000)
    items: tuple[str, ...] | None = Field(None, max_length=2 * MOST_ITEMS)
    add: tuple[ItemDetails, ...] = Field((), max_length=MOST_ADDED)
    ends: LocalTime | None = None
    mode: Mode | None = None
    place: str | None = Field(None, max_length=1000)
    note: str | None = Field(None, max_length=4000)


class StruckItem(BaseModel):
    """`how`: moved (from the struck meeting), taken_up (it waited) or added."""

    id: str
    title: str
    how: Literal["moved", "taken_up", "added"]


class StrikeTold(BaseModel):
    """Somebody who gets a mail: that the meeting is struck, or what is otherwise with the other one."""

    news: Literal["struck", "changed"]
    email: str
    name: str | None


class StrikeOutlook(BaseModel):
    """Exactly what striking comes to. `stays`: titles of items that stay with the struck meeting; `changes`: of the
    other one; `clashes`: that it did not have before; `digest`: of all this, for doing just this."""

    digest: str
    meeting: Meeting
    to: Meeting
    items: list[StruckItem]
    stays: list[str]
    changes: list[FieldChange]
    clashes: list[Clash]
    told: list[StrikeTold]


def require_two(struck: Meeting, to: Meeting, now: datetime) -> None:
    """Two meetings of one body that are both to come. Raises Refused."""
    if struck.id == to.id:
        raise Refused("to_meeting_id: is the meeting that is struck", hint="name another one of its body")
    for meeting in (struck, to):
        require_open(meeting, now)
    if not struck.which_body.is_same(to.which_body):
        raise Refused(
            f"to_meeting_id: is a meeting of {to.details.body}, not of {struck.details.body}",
            hint="name another meeting of the same body",
        )


def chosen(wanted: Sequence[str] | None, there: Sequence[Item], waiting: Sequence[Item], struck: Meeting) -> list[Item]:
    """Which of the items `there`, on the struck meeting's agenda, and of those `waiting` go along, in that order.

    Raises Refused for an id that is of neither.
    """
    if wanted is None:
        mine = [one for one in there if not (one.standing and one.version == 1)]
        return mine + [one for one in waiting if is_of(one, struck)]
    unknown = set(wanted) - {one.id for one in (*there, *waiting)}
    if unknown:
        raise Refused(
            f"items: {min(unknown)[:60]} is neither on the agenda of the struck meeting nor does it wait",
            hint="look at the agenda again",
        )
    return [one for one in (*there, *waiting) if one.id in wanted]


def is_of(item: Item, struck: Meeting) -> bool:
    """Whether it is on the struck meeting's agenda, or left it to wait."""
    at = item.meeting_id or (item.stays[-1].meeting_id if item.stays else None)
    return at == struck.id


def extended(to: Meeting, strike: Strike) -> MeetingDetails:
    """What becomes of the other meeting."""
    given = {"ends": strike.ends, "mode": strike.mode, "place": strike.place}
    return to.details.model_copy(update={name: value for name, value in given.items() if value is not None})


def differences(before: MeetingDetails, after: MeetingDetails) -> list[FieldChange]:
    return [
        FieldChange(field=name, before=_shown(getattr(before, name)), after=_shown(getattr(after, name)))
        for name in ("ends", "mode", "place")
        if getattr(before, name) != getattr(after, name)
    ]


def digest_of(strike: Strike, struck: Meeting, to: Meeting, parts: Iterable[BaseModel | str]) -> str:
    """Of what was shown. `struck`, `to`: as they were."""
    seen = hashlib.sha256()
    for part in (strike, struck, to, *parts):
        seen.update(
            (part if isinstance(part, str) else part.model_dump_json()).encode("utf-8", "surrogatepass") + b"\0"
        )
    return seen.hexdigest()


def _shown(value: object) -> str | None:
    if isinstance(value, datetime):
        return value.isoformat(timespec="minutes")
    return None if value is None else str(value)
