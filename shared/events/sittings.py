"""Facts of meetings about its sittings (sammanträden): what happened while a body met, step by step.

Subject and key: the meeting's id. Nothing that was told is untold: a fact with `corrects` stands in the place of an
earlier one, a fact with `after` belongs behind one, and `StepWithdrawn` leaves a place empty. Whoever wants to know
what holds takes the steps in that order; `serving` and `item_id` are as they were when the fact was recorded.
"""

from typing import ClassVar

from pydantic import Field

from shared.events import topics
from shared.events.base import Event, Value


class _SittingEvent(Event):
    abstract: ClassVar[bool] = True
    service: ClassVar[str] = "meetings"
    topic: ClassVar[str] = topics.SITTINGS

    meeting_id: str
    step: int = Field(description="its number: how many were recorded of the sitting, with this one")
    at: str = Field(description="when it happened, local wall time to the minute, ISO 8601 without offset")
    corrects: int | None = Field(None, description="the step in whose place it stands")
    after: int | None = Field(None, description="the step behind which it belongs; absent: it is the next")
    reason: str | None = Field(None, description="why a step is corrected, or put behind another")


class RollPerson(Value):
    """Someone of the body on the day of the meeting."""

    person_id: str
    name: str
    role: str = Field(
        description="chair, first_vice_chair, second_vice_chair, member, substitute, secretary or co_opted"
    )
    party: str | None = None
    municipality: str | None = None


class ServingPerson(Value):
    """Someone who decides."""

    person_id: str
    instead_of: str | None = Field(None, description="of a substitute: the id of the member in whose place")


class RollBallot(Value):
    person_id: str
    choice: str = Field(description="yes, no or abstain")


class SittingOpened(_SittingEvent):
    """The chair opened the sitting; who is there is told by the roll call."""

    timezone: str = Field(description="IANA name: places the times of all steps")
    roll: tuple[RollPerson, ...]
    rule: str = Field(description="how substitutes are called: in_order, same_party or none")
    quorum: int = Field(description="how many must decide")
    adjusters: int = Field(description="how many are to be chosen")


class RollCalled(_SittingEvent):
    """Who was there when the sitting was opened."""

    present: tuple[str, ...] = Field(description="ids of people")
    serving: tuple[ServingPerson, ...] = ()


class _SittingPersonEvent(_SittingEvent):
    abstract: ClassVar[bool] = True

    person_id: str
    item_id: str | None = Field(None, description="the item that is up; absent: none")


class PersonArrived(_SittingPersonEvent):
    """Someone of the sitting came, or came back."""


class PersonDeparted(_SittingPersonEvent):
    """Someone left."""


class GuestArrived(_SittingPersonEvent):
    """Someone came who is not of the body; `person_id` names them within this sitting."""

    name: str
    what: str | None = None


class SubstituteStoodDown(_SittingPersonEvent):
    """A substitute who is there does not serve."""


class ChairTaken(_SittingPersonEvent):
    """Someone presides from now on."""


class _SittingItemEvent(_SittingEvent):
    abstract: ClassVar[bool] = True

    item_id: str


class ItemBegun(_SittingItemEvent):
    """An item of the agenda was taken up."""

    title: str
    kind: str = Field("information", description="information, decision, discussion or election")
    serving: tuple[ServingPerson, ...] = Field((), description="who decides")
    has_quorum: bool


class ItemEnded(_SittingItemEvent):
    """The sitting went on from the item."""


class ConflictDeclared(_SittingItemEvent):
    """Jäv: someone has no part in the item. `serving`: who decides then."""

    person_id: str
    why: str | None = None
    serving: tuple[ServingPerson, ...] = ()


class ProposalMade(_SittingItemEvent):
    """Something was proposed. `number`: among the item's proposals."""

    number: int
    text: str
    person_id: str | None = Field(None, description="absent: proposed in the papers")


class ProposalsOrdered(_SittingItemEvent):
    """The chair said in which order the proposals are put (propositionsordning)."""

    order: tuple[int, ...]


class VoteTaken(_SittingItemEvent):
    """A vote by roll between two proposals of the item."""

    yes: int
    no: int
    ballots: tuple[RollBallot, ...]
    result: int = Field(description="the proposal that won")
    by: str = Field(description="votes; or how a tie was decided: casting (by the chair) or lot")
    presiding: str | None = None


class ItemDecided(_SittingItemEvent):
    """The decision on an item."""

    text: str
    proposal: int | None = None
    how: str = Field(description="acclamation or vote")
    serving: tuple[ServingPerson, ...] = Field((), description="who took part")


class ReservationMade(_SittingItemEvent):
    """Someone who took part in a decision has a reservation against it."""

    person_id: str
    text: str = ""


class StatementMade(_SittingItemEvent):
    """Someone has a statement put in the minutes."""

    person_id: str
    text: str


class ItemNoted(_SittingItemEvent):
    """What minutes will say of the item beside the decision; in place of what was noted before."""

    text: str


class SpeakerListed(_SittingPersonEvent):
    """Someone asked for the floor."""


class SpeakerHeard(_SittingPersonEvent):
    """Someone has spoken, or wants to no more."""


class SittingAdjourned(_SittingEvent):
    """There is a pause."""


class SittingResumed(_SittingEvent):
    """The sitting goes on."""


class AdjustersChosen(_SittingEvent):
    """Who approves the minutes beside who presides."""

    people: tuple[str, ...] = Field(description="ids")


class ItemAdjustedAtOnce(_SittingItemEvent):
    """The decision is to be approved on its own, before the rest of the minutes (omedelbar justering)."""


class SittingClosed(_SittingEvent):
    """The sitting is over; what comes now corrects it."""


class StepWithdrawn(_SittingEvent):
    """The step that it corrects was a mistake, and nothing stands in its place."""
