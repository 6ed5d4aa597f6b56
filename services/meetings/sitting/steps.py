"""What is recorded while a body sits, as people say it: one small model for each kind of step. Pure.

`at` is local wall time to the minute, where the meeting is; left out, it is when the step is recorded. People are named
by the register's ids, or by that of a guest. Where no item is named, a step is about the one that is up.
"""

from collections.abc import Callable
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field

from services.meetings.agenda.agenda import MAX_TEXT, clean_text
from services.meetings.body.body import ItemKind, Substitution
from services.meetings.body.membership import MemberRole
from services.meetings.meeting.meeting import LocalTime
from services.meetings.wall_time import is_skipped
from shared.errors import InvalidInput, says
from shared.text import clean_line, clean_name, clean_reason

MOST_PEOPLE = 500
MOST_PROPOSALS = 20
"""Of one item."""

Id = Annotated[str, Field(min_length=1, max_length=200)]
Text = Annotated[str, Field(max_length=8 * MAX_TEXT)]
Line = Annotated[str, Field(max_length=4000)]
Number = Annotated[int, Field(ge=1, le=MOST_PROPOSALS)]


class Choice(StrEnum):
    YES = "yes"
    NO = "no"
    ABSTAIN = "abstain"


class How(StrEnum):
    """How a decision was found."""

    ACCLAMATION = "acclamation"  # bifall: the chair finds that it is agreed to
    VOTE = "vote"


class _Step(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    at: LocalTime | None = None


class RollEntry(BaseModel):
    """Someone of the body on that day. Those who decide in the order of their roles, substitutes as they are called."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    person_id: str
    name: str
    role: MemberRole
    party: str | None = None
    municipality: str | None = None


class Opened(_Step):
    """The chair opens. `quorum`: how many must decide; `adjusters`: how many are to be chosen."""

    do: Literal["opened"] = "opened"
    roll: tuple[RollEntry, ...] = Field(max_length=MOST_PEOPLE)
    rule: Substitution = Substitution.IN_ORDER
    quorum: int = Field(ge=1)
    adjusters: int = Field(1, ge=0, le=20)


class RollCalled(_Step):
    """Who answered when the sitting was opened: all of them."""

    do: Literal["roll_called"] = "roll_called"
    present: tuple[Id, ...] = Field(max_length=MOST_PEOPLE)


class Arrived(_Step):
    do: Literal["arrived"] = "arrived"
    person_id: Id


class Departed(_Step):
    do: Literal["departed"] = "departed"
    person_id: Id


class GuestArrived(_Step):
    """Someone who is not of the body. `what` they are: ekonom, say. `person_id`: an id that who records has made."""

    do: Literal["guest_arrived"] = "guest_arrived"
    person_id: Id
    name: Line
    what: Line | None = None


class StoodDown(_Step):
    """A substitute who is there does not serve, whoever is away."""

    do: Literal["stood_down"] = "stood_down"
    person_id: Id


class ChairTaken(_Step):
    """Someone presides from now on: chosen for it, or since who should is away or has a conflict of interest."""

    do: Literal["chair_taken"] = "chair_taken"
    person_id: Id


class ItemBegun(_Step):
    """`title` and `kind` are the agenda's, whatever is said."""

    do: Literal["item_begun"] = "item_begun"
    item_id: Id
    title: Line = ""
    kind: ItemKind = ItemKind.INFORMATION


class ItemEnded(_Step):
    do: Literal["item_ended"] = "item_ended"


class ConflictDeclared(_Step):
    """Jäv: the person has no part in the item that is up. Who had to serve for them does, if a substitute can."""

    do: Literal["conflict_declared"] = "conflict_declared"
    person_id: Id
    why: Line | None = None


class ProposalMade(_Step):
    """Of the item that is up; they are counted from 1. `person_id`: absent for what was proposed in the papers."""

    do: Literal["proposal_made"] = "proposal_made"
    text: Text
    person_id: Id | None = None


class ProposalsOrdered(_Step):
    """Propositionsordning: the order in which the chair puts the proposals, all of them."""

    do: Literal["proposals_ordered"] = "proposals_ordered"
    order: tuple[Number, ...] = Field(min_length=1, max_length=MOST_PROPOSALS)


class Ballot(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    person_id: Id
    choice: Choice


class VoteTaken(_Step):
    """By roll: `yes` and `no` are the proposals that stand against each other; everyone who decides answers once.

    `casting`: how the chair decides a tie; left out, as the chair voted. `lot`: how a tie of an election fell.
    """

    do: Literal["vote_taken"] = "vote_taken"
    yes: Number
    no: Number
    ballots: tuple[Ballot, ...] = Field(min_length=1, max_length=MOST_PEOPLE)
    casting: Literal[Choice.YES, Choice.NO] | None = None
    lot: Literal[Choice.YES, Choice.NO] | None = None


class Decided(_Step):
    """The decision on the item that is up. `text`: as minutes give it. `proposal`: what it follows."""

    do: Literal["decided"] = "decided"
    text: Text
    proposal: Number | None = None
    how: How = How.ACCLAMATION


class Reserved(_Step):
    """A reservation against a decision, by who took part in it, before the sitting is closed."""

    do: Literal["reserved"] = "reserved"
    item_id: Id | None = None
    person_id: Id
    text: Text = ""


class Stated(_Step):
    """What someone has put in the minutes (protokollsanteckning)."""

    do: Literal["stated"] = "stated"
    item_id: Id | None = None
    person_id: Id
    text: Text


class Noted(_Step):
    """What minutes will say of the item beside the decision: the whole text, in place of an earlier one."""

    do: Literal["noted"] = "noted"
    item_id: Id | None = None
    text: Text


class SpeakerListed(_Step):
    """Someone asks for the floor; who is first on the list has it."""

    do: Literal["speaker_listed"] = "speaker_listed"
    person_id: Id


class SpeakerHeard(_Step):
    """Someone has spoken, or wants to no more."""

    do: Literal["speaker_heard"] = "speaker_heard"
    person_id: Id


class Adjourned(_Step):
    do: Literal["adjourned"] = "adjourned"


class Resumed(_Step):
    do: Literal["resumed"] = "resumed"


class AdjustersChosen(_Step):
    """Who approves the minutes, beside who presides: as many as the body's rules want."""

    do: Literal["adjusters_chosen"] = "adjusters_chosen"
    people: tuple[Id, ...] = Field(min_length=1, max_length=20)


class AdjustedAtOnce(_Step):
    """Omedelbar justering: the decision is to be approved on its own, before the rest."""

    do: Literal["adjusted_at_once"] = "adjusted_at_once"
    item_id: Id | None = None


class Closed(_Step):
    do: Literal["closed"] = "closed"


class Withdrawn(_Step):
    """A step was a mistake, and nothing stands in its place."""

    do: Literal["withdrawn"] = "withdrawn"


SaidStep = Annotated[
    RollCalled
    | Arrived
    | Departed
    | GuestArrived
    | StoodDown
    | ChairTaken
    | ItemBegun
    | ItemEnded
    | ConflictDeclared
    | ProposalMade
    | ProposalsOrdered
    | VoteTaken
    | Decided
    | Reserved
    | Stated
    | Noted
    | SpeakerListed
    | SpeakerHeard
    | Adjourned
    | Resumed
    | AdjustersChosen
    | AdjustedAtOnce
    | Closed
    | Withdrawn,
    Field(discriminator="do"),
]
"""What people say; how a sitting is opened follows from the register."""

Step = Annotated[Opened | SaidStep, Field(discriminator="do")]


def cleaned(step: Step, now: datetime, zone: str) -> Step:
    """Its texts in the one form, its time to the minute. `now`: local wall time, in `zone`. Raises InvalidInput."""
    at = (step.at or now).replace(second=0, microsecond=0)
    if at.tzinfo is not None:
        raise InvalidInput(
            "at: is local wall time, without an offset", hint="write 2026-09-24T13:05", says=says("sitting.time")
        )
    if _instant(at, zone) > _instant(now, zone):
        raise InvalidInput("at: is still to come", hint="leave it out for now", says=says("sitting.time"))
    if is_skipped(at, zone):
        raise InvalidInput(
            f"at: {at:%H:%M} does not exist on {at.date()} in {zone}: the clocks are put forward then",
            hint="choose another time",
            says=says("sitting.skipped"),
        )
    update: dict[str, Any] = {"at": at}
    for field, clean in _TEXTS.get(step.do, {}).items():
        text: str | None = getattr(step, field)
        try:
            update[field] = clean(text) if text else text
        except InvalidInput as error:
            raise InvalidInput(error.message, hint=error.hint, says=says("sitting.text")) from error
    for field in ("name", "title", "text"):
        if field in update and not update[field] and step.do not in ("reserved", "noted"):
            raise InvalidInput(f"{field}: is empty", says=says("sitting.empty"))
    return step.model_copy(update=update)


def _instant(at: datetime, zone: str) -> float:
    """Wall times do not tell the order in the hour that comes twice when clocks are put back: of them, the first is
    meant, but by the clock itself, which says which (`fold`)."""
    return at.replace(tzinfo=ZoneInfo(zone)).timestamp()


def _text(text: str) -> str:
    return clean_text(text, "text")


_TEXTS: dict[str, dict[str, Callable[[str], str]]] = {
    "guest_arrived": {"name": clean_name, "what": lambda text: clean_line(text, "what")},
    "item_begun": {"title": lambda text: clean_line(text, "title")},
    "conflict_declared": {"why": clean_reason},
    "proposal_made": {"text": _text},
    "decided": {"text": _text},
    "reserved": {"text": _text},
    "stated": {"text": _text},
    "noted": {"text": _text},
}
