"""The steps of a board's year in a scenario: what each is given, read and checked; `year` drives the services with it.

A further step is a model here, with a line in `YEAR_STEPS`, and a method of `year.YearSteps` under the same name. A
meeting is named by its body's key and its day, `styrelsen 2023-10-27`, with `T09:00` behind when it has two that day.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, Self

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from services.embedded.fields import known, mapping, printable, read_file
from services.meetings.agenda.agenda import HowItLeft, ItemDetails
from services.meetings.meeting.meeting import Mode, Occasion
from services.meetings.plan.plan import MAX_PLAN
from services.meetings.register.commands import Format
from services.meetings.register.register import MAX_REGISTER
from services.meetings.reply.reply import Answer
from shared.errors import InvalidInput


@dataclass(frozen=True, slots=True)
class MeetingName:
    """`body`: its key. `at`: the hour, when the day alone does not tell."""

    body: str
    day: date
    at: datetime | None = None

    @classmethod
    def read(cls, given: object) -> "MeetingName":
        """Raises ValueError."""
        words = given.split() if isinstance(given, str) else []
        try:
            body, when = words
            at = datetime.fromisoformat(when)
        except ValueError:
            raise ValueError("is no meeting like styrelsen 2023-10-27") from None
        return cls(body, at.date(), at if "T" in when else None)

    def __str__(self) -> str:
        return f"{self.body} {self.at.isoformat(timespec='minutes') if self.at else self.day}"


Named = Annotated[MeetingName, BeforeValidator(MeetingName.read)]


class YearStep(BaseModel):
    """What a step is given. `subject`: the field that names it in an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)
    subject: ClassVar[str | None] = None

    @classmethod
    def read(cls, given: Mapping[str, Any], folder: Path) -> Self:
        """`folder`: the scenario's, from which files are named. Raises InvalidInput."""
        known(given, cls.model_fields)
        try:
            return cls.model_validate(given)
        except ValidationError as error:
            raise _refusal(error) from None


class Register(YearStep):
    """A register (docs/register.md): a file, or its text among the step's fields."""

    subject: ClassVar[str | None] = "file"
    text: str
    form: Format

    @classmethod
    def read(cls, given: Mapping[str, Any], folder: Path) -> Self:
        text, name = _document(given, folder, ("people", "bodies"), MAX_REGISTER)
        return cls(text=text, form="csv" if name.endswith(".csv") else "yaml")


class Plan(YearStep):
    """A plan (docs/plan.md): a file, or its text among the step's fields. `mail`: whether members are told."""

    subject: ClassVar[str | None] = "file"
    text: str
    despite_clashes: bool
    mail: bool

    @classmethod
    def read(cls, given: Mapping[str, Any], folder: Path) -> Self:
        options = ("despite_clashes", "mail")
        rest = {name: value for name, value in given.items() if name not in options}
        text, _ = _document(rest, folder, ("plan", "year", "bodies"), MAX_PLAN)
        return cls(
            text=text,
            despite_clashes=_yes(given, "despite_clashes", False),
            mail=_yes(given, "mail", True),
        )


class ScheduleMeeting(YearStep):
    """A meeting of a body, by its key. Local wall time."""

    subject: ClassVar[str | None] = "body"
    body: str
    title: str
    place: str
    starts: datetime
    ends: datetime
    mode: Mode = Mode.PHYSICAL
    occasion: Occasion = Occasion.ORDINARY
    despite_clashes: bool = False


class ChangeMeeting(YearStep):
    """What is left out stays."""

    subject: ClassVar[str | None] = "meeting"
    meeting: Named
    title: str | None = None
    place: str | None = None
    starts: datetime | None = None
    ends: datetime | None = None
    mode: Mode | None = None
    occasion: Occasion | None = None
    despite_clashes: bool = False


class CancelMeeting(YearStep):
    subject: ClassVar[str | None] = "meeting"
    meeting: Named
    reason: str


class AddItems(YearStep):
    """To the end of the agenda, which is begun when it was not. An item is a title, or has the fields of one."""

    subject: ClassVar[str | None] = "meeting"
    meeting: Named
    items: tuple[Annotated[ItemDetails, BeforeValidator(lambda given: _titled(given))], ...] = Field(min_length=1)


class MoveItems(YearStep):
    """Items by their titles, to another meeting, or, tabled or referred back and without `to`, to wait for one.

    Without `meeting` they are such as wait, of the body of the meeting they are taken up at.
    """

    subject: ClassVar[str | None] = "meeting"
    meeting: Named | None = None
    items: tuple[str, ...] = Field(min_length=1)
    to: Named | None = None
    how: HowItLeft = HowItLeft.MOVED
    reason: str | None = None


class Notice(YearStep):
    """The date alone (`preliminary`), the notice proper (`issue`), or what is otherwise since (`update`)."""

    subject: ClassVar[str | None] = "meeting"
    meeting: Named
    what: Literal["preliminary", "issue", "update"] = "issue"
    note: str | None = None


class Reply(YearStep):
    """What someone of the register, by their key, told the secretary."""

    subject: ClassVar[str | None] = "person"
    meeting: Named
    person: str
    answer: Answer
    comment: str | None = None


class StrikeMeeting(YearStep):
    """It is called off and `to` takes its items: those of these titles, else all that go along by themselves.

    `add`: new items of the other one; `ends`, `mode`, `place`: what becomes of it.
    """

    subject: ClassVar[str | None] = "meeting"
    meeting: Named
    to: Named
    reason: str
    items: tuple[str, ...] | None = None
    add: tuple[Annotated[ItemDetails, BeforeValidator(lambda given: _titled(given))], ...] = ()
    ends: datetime | None = None
    mode: Mode | None = None
    place: str | None = None
    note: str | None = None
    despite_clashes: bool = False


class DeliverAll(YearStep):
    """The mail server takes every mail that waits."""


YEAR_STEPS: Mapping[str, type[YearStep]] = {
    "register": Register,
    "plan": Plan,
    "schedule_meeting": ScheduleMeeting,
    "change_meeting": ChangeMeeting,
    "cancel_meeting": CancelMeeting,
    "add_items": AddItems,
    "move_items": MoveItems,
    "notice": Notice,
    "reply": Reply,
    "strike": StrikeMeeting,
    "deliver_all": DeliverAll,
}


def _document(given: Mapping[str, Any], folder: Path, names: tuple[str, ...], limit: int) -> tuple[str, str]:
    """The text and the file's name, which is empty for one that stands in the scenario."""
    if "file" not in given:
        if not given:
            raise InvalidInput(f"needs a file, or {' and '.join(names)}")
        known(given, names)
        return yaml.safe_dump(dict(given), allow_unicode=True, sort_keys=False), ""
    known(given, ("file",))
    name = given["file"]
    if not isinstance(name, str) or not name:
        raise InvalidInput("file needs a text")
    return read_file(folder / name, limit), name


def _yes(given: Mapping[str, Any], name: str, usual: bool) -> bool:
    value = given.get(name)
    if value not in (None, "yes", "no", "true", "false"):
        raise InvalidInput(f"{name}: is yes or no")
    return usual if value is None else value in ("yes", "true")


def _titled(given: object) -> object:
    return {"title": given} if isinstance(given, str) else given


def _refusal(error: ValidationError) -> InvalidInput:
    """The first thing that is wrong, with its field."""
    first = error.errors()[0]
    field = ", ".join(str(part + 1) if isinstance(part, int) else part for part in first["loc"])
    if first["type"] == "missing":
        return InvalidInput(f"{field} is missing")
    if first["type"].startswith("datetime"):
        return InvalidInput(f"{field}: is no local time like 2023-10-27T09:00")
    if first["type"] in ("too_short", "tuple_type"):
        return InvalidInput(f"{field}: needs a list with at least one")
    what = str(first.get("ctx", {}).get("error", "")) or first["msg"]
    return InvalidInput(f"{field}: {printable(what)}")


def read_step(kind: str, given: Any, folder: Path) -> YearStep:
    """Raises InvalidInput."""
    return YEAR_STEPS[kind].read(mapping(given, "its arguments"), folder)
