"""A sitting (sammanträde): what happens while a body meets, from the roll call to its end. Pure.

The state is a fold over its steps, see `services.meetings.sitting.evolving`. *Places* are those of the members who
decide; in a place serves the member, or while they are away, or have no part in an item, the first substitute who can
by the body's rule. Who began to serve goes on until the member comes back.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from enum import StrEnum

from pydantic import BaseModel, ConfigDict

from services.meetings.body.body import ItemKind, Substitution
from services.meetings.body.membership import MEMBERS, MemberRole
from services.meetings.reply.substitutes import Places
from services.meetings.sitting.steps import Ballot, Choice, How
from shared.errors import NotFound, Refused

_PRESIDE = (MemberRole.CHAIR, MemberRole.FIRST_VICE_CHAIR, MemberRole.SECOND_VICE_CHAIR)


class SittingStatus(StrEnum):
    OPEN = "open"
    ADJOURNED = "adjourned"
    CLOSED = "closed"


class _State(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Movement(_State):
    """Someone came, or left: when, and which item was up."""

    at: datetime
    item_id: str | None
    came: bool


class Attendee(_State):
    """Someone of the body, there or not; or a guest, whose `role` is None and who is `what`."""

    person_id: str
    name: str
    role: MemberRole | None
    party: str | None = None
    municipality: str | None = None
    what: str | None = None
    present: bool = False
    stood_down: bool = False
    movements: tuple[Movement, ...] = ()

    @property
    def ever_present(self) -> bool:
        return bool(self.movements)


class Serving(_State):
    """Someone who decides; a substitute in whose place."""

    person_id: str
    instead_of: str | None = None


class Conflict(_State):
    person_id: str
    why: str | None = None


class Proposal(_State):
    number: int
    text: str
    person_id: str | None = None


class Vote(_State):
    """`result`: the proposal that won. `by`: votes, casting or lot."""

    yes: int
    no: int
    ballots: tuple[Ballot, ...]
    result: int
    by: str

    def count(self, choice: Choice) -> int:
        return sum(ballot.choice == choice for ballot in self.ballots)


class Decision(_State):
    """`deciding`: who took part in it."""

    text: str
    proposal: int | None
    how: How
    at: datetime
    deciding: tuple[Serving, ...]
    adjusted_at_once: bool = False


class Said(_State):
    """A reservation, or a statement for the minutes."""

    person_id: str
    text: str


class SittingItem(_State):
    """An item that was taken up. `deciding`: who did when it was begun."""

    id: str
    title: str
    kind: ItemKind
    begun_at: datetime
    ended_at: datetime | None = None
    deciding: tuple[Serving, ...] = ()
    conflicts: tuple[Conflict, ...] = ()
    proposals: tuple[Proposal, ...] = ()
    order: tuple[int, ...] = ()
    votes: tuple[Vote, ...] = ()
    decision: Decision | None = None
    reservations: tuple[Said, ...] = ()
    statements: tuple[Said, ...] = ()
    note: str = ""


class Pause(_State):
    begun: datetime
    ended: datetime | None = None


class Sitting(_State):
    """The state of one sitting; JSON by `model_dump_json`, back by `model_validate_json`. Stored without what is at its
    default: while pods roll, the version before reads it too. A default never changes.

    `places`: by the member's id, who serves there when nobody has a conflict of interest. `chosen_chair`: who took the
    chair. `speakers`: the first one has the floor.
    """

    status: SittingStatus = SittingStatus.OPEN
    rule: Substitution
    quorum: int
    adjusters_wanted: int
    opened_at: datetime
    closed_at: datetime | None = None
    pauses: tuple[Pause, ...] = ()
    attendees: tuple[Attendee, ...]
    roll_called: bool = False
    places: dict[str, str | None] = {}
    chosen_chair: str | None = None
    items: tuple[SittingItem, ...] = ()
    up: str | None = None
    adjusters: tuple[str, ...] = ()
    speakers: tuple[str, ...] = ()

    def attendee(self, person_id: str) -> Attendee:
        """Raises NotFound."""
        for one in self.attendees:
            if one.person_id == person_id:
                return one
        raise NotFound(f"nobody of the sitting is {person_id[:60]}", hint="name people by the ids of its roll")

    def name(self, person_id: str) -> str:
        return self.attendee(person_id).name

    def item(self, item_id: str) -> SittingItem:
        """Raises Refused."""
        for one in self.items:
            if one.id == item_id:
                return one
        raise Refused("the item has not been taken up", hint="begin it first")

    @property
    def item_up(self) -> SittingItem | None:
        return self.item(self.up) if self.up is not None else None

    @property
    def deciding(self) -> tuple[Serving, ...]:
        """Who decides now: of the item that is up, those without a conflict of interest."""
        item = self.item_up
        apart = {one.person_id for one in item.conflicts} if item else set()
        served = self._filled({member: by if by not in apart else None for member, by in self.places.items()}, apart)
        return tuple(
            Serving(person_id=by, instead_of=member if by != member else None) for member, by in served.items() if by
        )

    @property
    def adjusters_away(self) -> tuple[str, ...]:
        """Who were chosen to approve the minutes, and have left, or preside by now: others may have to be chosen."""
        there = {one.person_id for one in self.attendees if one.present} - {self.presiding}
        return tuple(one for one in self.adjusters if one not in there)

    @property
    def has_quorum(self) -> bool:
        return len(self.deciding) >= self.quorum

    @property
    def presiding(self) -> str | None:
        """Who took the chair, else the chair or a vice chair, while they are there and have a part in the item."""
        item = self.item_up
        apart = {one.person_id for one in item.conflicts} if item else set()
        there = {one.person_id for one in self.attendees if one.present} - apart
        if self.chosen_chair in there:
            return self.chosen_chair
        by_role = {one.role: one.person_id for one in self.attendees if one.person_id in there}
        return next((by_role[role] for role in _PRESIDE if role in by_role), None)

    def settled(self) -> "Sitting":
        """With everyone in the places where they serve, after someone came, left or stood down."""
        before, there = self.places, {one.person_id for one in self.attendees if one.present and not one.stood_down}
        kept: dict[str, str | None] = {}
        for one in self.attendees:
            if one.role in MEMBERS:
                by = before.get(one.person_id)
                kept[one.person_id] = (
                    one.person_id if one.present else by if by in there and by != one.person_id else None
                )
        return self.model_copy(update={"places": self._filled(kept, ())})

    def _filled(self, places: Mapping[str, str | None], apart: Iterable[str]) -> dict[str, str | None]:
        """Empty places taken by substitutes who are there and free, in the order of the body's rule."""
        order = self._order()
        taken, now = {by for by in places.values() if by}, dict(places)
        free = {one.person_id for one in self.attendees if one.present and not one.stood_down} - set(apart)
        for member, by in places.items():
            if by is None:
                found = next((one for one in order.callable_for(member) if one in free and one not in taken), None)
                if found is not None:
                    now[member] = found
                    taken.add(found)
        return now

    def _order(self) -> Places:
        return Places(
            self.rule,
            tuple(one.person_id for one in self.attendees if one.role in MEMBERS),
            tuple(one.person_id for one in self.attendees if one.role is MemberRole.SUBSTITUTE),
            {one.person_id: one.party for one in self.attendees},
        )
