"""The rules of agendas: what stands on a meeting's, in which order, and what becomes of an item over meetings. Pure.

Until somebody writes on it, an agenda is the standing items of its body; from then on it is what people make of it. An
item that leaves a meeting keeps where it was and why: it stands on another agenda then, or waits for one.
"""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field

from services.meetings.body.body import BodyRules, ItemKind
from services.meetings.meeting.meeting import YEARS, LocalTime, Meeting, MeetingStatus, WhichBody
from shared.errors import InvalidInput, Refused, says
from shared.events import ItemMoved
from shared.plain_text import lines_of, unfit
from shared.text import clean_line, clean_name, clean_reason

MOST_ITEMS = 200
"""On one agenda."""
MOST_WAITING = 500
"""Of one body."""
MAX_TEXT = 20_000  # characters
MAX_MINUTES = 24 * 60
PLANNED_BY = timedelta(days=30)
"""Before the day on which an item comes back: until then a meeting on that very day is waited for."""
MOST_STAYS = 100
"""Of one item: meetings that it left."""

# What a meeting ends with, one after the other, by the titles that Swedish and English agendas have for it.
_ENDINGS = (
    {"övriga frågor", "övriga ärenden", "övrigt", "other matters", "other business", "any other business"},
    {"nästa möte", "nästa sammanträde", "next meeting"},
    {
        *("mötets avslutande", "mötets avslutning", "mötet avslutas", "sammanträdets avslutande", "avslutning"),
        *("close of the meeting", "closing of the meeting", "end of the meeting", "closing"),
    },
)


class HowItLeft(StrEnum):
    """Why an item left a meeting."""

    MOVED = "moved"
    TABLED = "tabled"  # bordlagd: the meeting put off deciding
    REFERRED_BACK = "referred_back"  # återremitterad: it is to be prepared better first


class ItemDetails(BaseModel):
    """What people write of an item. `minutes`: how long it may take."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    title: str = Field(max_length=4000)
    kind: ItemKind = ItemKind.INFORMATION
    presenter: str | None = Field(None, max_length=2000)
    background: str = Field("", max_length=8 * MAX_TEXT)
    proposal: str = Field("", max_length=8 * MAX_TEXT)
    minutes: int | None = Field(None, ge=1, le=MAX_MINUTES)


class Stay(BaseModel):
    """A meeting that an item left: which it was, how and why, and where to (None: it waited for one)."""

    model_config = ConfigDict(frozen=True)

    meeting_id: str
    body: str
    starts: LocalTime
    how: HowItLeft
    reason: str | None
    at: datetime
    to_meeting_id: str | None


class Item(BaseModel):
    """An item's state. `version` counts its changes. `meeting_id`: on whose agenda it stands; None while it waits.

    `body`: whose it is, with its id when the register knows it; `stays`: the meetings it left, the first one first.
    `back_on`: of one that waits, the day on which it comes back.
    """

    model_config = ConfigDict(frozen=True)

    id: str
    version: int
    body: str
    body_id: str | None = None
    meeting_id: str | None
    details: ItemDetails
    standing: bool = False
    stays: tuple[Stay, ...] = ()
    back_on: date | None = None

    @property
    def which_body(self) -> WhichBody:
        return WhichBody(self.body_id, self.body)

    def stay_at(self, meeting_id: str) -> Stay | None:
        """How it last left that meeting."""
        return next((stay for stay in reversed(self.stays) if stay.meeting_id == meeting_id), None)


def standing_items(rules: BodyRules) -> list[ItemDetails]:
    """What an agenda begins with, in order."""
    return [ItemDetails(title=item.title, kind=item.kind) for item in rules.standing_items]


def add(item_id: str, meeting: Meeting, there: int, details: ItemDetails, now: datetime) -> Item:
    """`there`: how many items the agenda has. Raises Refused, InvalidInput."""
    require_open(meeting, now)
    _require_room(there)
    return Item(
        id=item_id,
        version=1,
        body=meeting.details.body,
        body_id=meeting.body_id,
        meeting_id=meeting.id,
        details=clean_details(details),
    )


def change(item: Item, meeting: Meeting | None, details: ItemDetails, now: datetime) -> Item:
    """`meeting`: where it stands. The same item when nothing changes. Raises Refused, InvalidInput."""
    if meeting is not None:
        require_open(meeting, now)
    cleaned = clean_details(details)
    return item if cleaned == item.details else _stepped(item, details=cleaned)


def require_removable(item: Item, meeting: Meeting | None, now: datetime) -> None:
    """One that came from another meeting has a trace, which is not wiped out. Raises Refused."""
    if item.stays:
        raise Refused(
            "the item comes from another meeting, and cannot be removed",
            hint="deal with it, or move it",
            says=says("item_came"),
        )
    if meeting is not None:
        require_open(meeting, now)


def is_as_it_came(item: Item, meeting: Meeting | None, now: datetime, *, told: bool, papers: int) -> bool:
    """Whether one that came by itself may go by itself: nobody wrote in it, moved it or put one of `papers` to it, and
    nobody was `told` of its agenda by a notice."""
    try:
        require_removable(item, meeting, now)
    except Refused:
        return False
    return item.version == 1 and not told and not papers


def move(
    item: Item,
    left: Meeting | None,
    to: Meeting | None,
    there: int,
    *,
    how: HowItLeft,
    reason: str | None,
    now: datetime,
    back_on: date | None = None,
) -> tuple[Item, ItemMoved]:
    """From `left` (None: it waits) to another agenda, which has `there` items, or (None) to wait, until `back_on`.

    A meeting that was held or cancelled can be left, and not moved to. Raises Refused, InvalidInput.
    """
    cleaned = clean_reason(reason) if reason else None
    if how is HowItLeft.REFERRED_BACK and cleaned is None:
        raise InvalidInput("reason: say what has to be prepared better")
    if to is None and (left is None or how is HowItLeft.MOVED):
        raise InvalidInput("to_meeting_id: say to which meeting")
    if back_on is not None and (to is not None or back_on.year not in YEARS or back_on <= now.date()):
        raise InvalidInput("back_on: is the day to come on which an item that waits comes back")
    if to is not None:
        if left is not None and to.id == left.id:
            raise Refused("the item is on that agenda already", hint="name another meeting, or leave it where it is")
        require_open(to, now)
        _require_room(there)
    stays = item.stays
    if left is not None:
        stays = (*stays, _stay(left, how, cleaned, now, to))
    elif to is not None:
        stays = (*stays[:-1], stays[-1].model_copy(update={"to_meeting_id": to.id}))
    if len(stays) > MOST_STAYS:
        raise Refused(f"the item has left {MOST_STAYS} meetings", hint="decide it at this one")
    of = to.which_body if to is not None else item.which_body
    moved = _stepped(item, stays=stays, meeting_id=to.id if to else None, body=of.name, body_id=of.id, back_on=back_on)
    return moved, _moved(moved, left, to, how, cleaned)


def comes_back(item: Item, meetings: Sequence[Meeting], today: date) -> Meeting | None:
    """The meeting that an item that waits comes back at, as `meeting_of` says. None: not yet."""
    if item.meeting_id is not None or item.back_on is None:
        return None
    return meeting_of(item.back_on, meetings, today)


def meeting_of(wanted: date, meetings: Sequence[Meeting], today: date) -> Meeting | None:
    """That of the day; where none is planned a month before it, the first one after. None: not yet. `meetings`: those
    of the body that are to come."""
    after = sorted(
        (one for one in meetings if one.details.starts.date() >= wanted),
        key=lambda one: (one.details.starts, one.id),
    )
    if not after or (after[0].details.starts.date() > wanted and today < wanted - PLANNED_BY):
        return None
    return after[0]


def placed(there: Sequence[Item], item: Item) -> list[str]:
    """The ids in order with an item that is new there: the last one, but for those that a meeting ends with.

    Only what stands at the very end is passed: who put something behind it by hand has it so.
    """
    mine, place = _ending(item), len(there)
    while place and _ending(there[place - 1]) > mine:
        place -= 1
    ids = [one.id for one in there]
    return [*ids[:place], item.id, *ids[place:]]


def ordered(there: Sequence[str], wanted: Sequence[str], seen: Sequence[str] | None) -> list[str]:
    """Ids in a new order: the same ones. `seen`: the order it was made from; None does not ask. Raises Refused."""
    if (seen is not None and list(seen) != list(there)) or sorted(wanted) != sorted(there):
        raise Refused(
            "the agenda was changed by someone else meanwhile",
            hint="look at it again, then order it",
            says=says("changed_meanwhile"),
        )
    return list(wanted)


def stepped_aside(there: Sequence[str], item_id: str, steps: int) -> list[str]:
    """An item so many steps later, or earlier when negative; it stops at the ends."""
    others = [one for one in there if one != item_id]
    place = max(0, min(len(others), list(there).index(item_id) + steps))
    return [*others[:place], item_id, *others[place:]]


def require_open(meeting: Meeting, now: datetime) -> None:
    """Raises Refused for a meeting whose agenda stands: it is cancelled, or was held."""
    day = f"{meeting.details.starts:%Y-%m-%d}"
    if meeting.status is MeetingStatus.CANCELLED:
        raise Refused(
            f"the meeting of {day} is cancelled",
            hint="choose a meeting that is to come",
            says=says("called_off", day=meeting.details.starts.date()),
        )
    if meeting.is_over(now):
        raise Refused(
            f"the meeting of {day} was held",
            hint="choose a meeting that is to come",
            says=says("held", day=meeting.details.starts.date()),
        )


def clean_details(details: ItemDetails) -> ItemDetails:
    """Raises InvalidInput that names the field."""
    return details.model_copy(
        update={
            "title": clean_line(details.title, "title"),
            "presenter": clean_name(details.presenter) if details.presenter else None,
            "background": clean_text(details.background, "background"),
            "proposal": clean_text(details.proposal, "proposal"),
        }
    )


def clean_text(text: str, field: str) -> str:
    """Some paragraphs, or nothing. Raises InvalidInput that names the field."""
    lines = [line.rstrip() for line in lines_of(text)]
    cleaned = "\n".join(lines).strip("\n")
    if len(cleaned) > MAX_TEXT:
        raise InvalidInput(f"{field}: is longer than {MAX_TEXT} characters")
    for line in lines:
        if found := unfit(line):
            raise InvalidInput(f"{field}: holds {found}")
    return cleaned


def _ending(item: Item) -> int:
    """How near to the meeting's end it belongs; 0 when it may stand anywhere."""
    title = item.details.title.casefold().rstrip(" .:")
    return next((place for place, titles in enumerate(_ENDINGS, start=1) if title in titles), 0)


def _stay(left: Meeting, how: HowItLeft, reason: str | None, now: datetime, to: Meeting | None) -> Stay:
    return Stay(
        meeting_id=left.id,
        body=left.details.body,
        starts=left.details.starts,
        how=how,
        reason=reason,
        at=now,
        to_meeting_id=to.id if to else None,
    )


def _moved(item: Item, left: Meeting | None, to: Meeting | None, how: HowItLeft, reason: str | None) -> ItemMoved:
    """One that waited comes from the meeting it left last."""
    last = item.stays[-1]
    return ItemMoved(
        item_id=item.id,
        title=item.details.title,
        kind=item.details.kind,
        how=how if left is not None else last.how,
        reason=reason,
        waited=left is None,
        from_meeting_id=last.meeting_id,
        from_body=last.body,
        from_starts=last.starts.isoformat(timespec="minutes"),
        to_meeting_id=to.id if to else None,
        to_body=to.details.body if to else None,
        to_starts=to.details.starts.isoformat(timespec="minutes") if to else None,
        back_on=item.back_on.isoformat() if item.back_on else None,
    )


def _require_room(there: int) -> None:
    if there >= MOST_ITEMS:
        raise Refused(
            f"the agenda has {MOST_ITEMS} items, and takes no more",
            hint="remove some, or take it up at another meeting",
            says=says("agenda_full", most=MOST_ITEMS),
        )


def _stepped(item: Item, **changed: object) -> Item:
    return item.model_copy(update={"version": item.version + 1, **changed})
