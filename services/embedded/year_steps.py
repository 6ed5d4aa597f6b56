"""The steps of a board's year up to a meeting: what each is given, read and checked; `year` drives them."""

from collections.abc import Mapping
from datetime import date, datetime
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, Self

import yaml
from pydantic import AfterValidator, BeforeValidator, Field

from services.embedded.fields import known, read_bytes, read_file, text_of
from services.embedded.step_base import Named, YearStep
from services.meetings.agenda.agenda import MAX_MINUTES, HowItLeft, ItemDetails
from services.meetings.body.body import ItemKind
from services.meetings.meeting.meeting import Mode, Occasion
from services.meetings.plan.plan import MAX_PLAN
from services.meetings.poll.poll import Can, TimeAsked
from services.meetings.register.commands import Format
from services.meetings.register.register import MAX_REGISTER
from services.meetings.reply.reply import Answer
from shared.errors import InvalidInput
from shared.text import clean_email

MAX_FILE = 20 * 1024 * 1024
"""Bytes of a file that a step attaches; the system has its own limit below it."""


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


class CloseBody(YearStep):
    """A body, by its key, ceases: `last_day`, by default the present one, is its last, and its memberships end."""

    subject: ClassVar[str | None] = "body"
    body: str
    last_day: date | None = None


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


class ChangeItem(YearStep):
    """What people write of an item, by its title (`item`); what is left out stays."""

    subject: ClassVar[str | None] = "item"
    meeting: Named
    item: str
    title: str | None = None
    kind: ItemKind | None = None
    presenter: str | None = None
    background: str | None = None
    proposal: str | None = None
    minutes: int | None = Field(None, ge=1, le=MAX_MINUTES)


class RemoveItems(YearStep):
    """Items by their titles, that came from no other meeting."""

    subject: ClassVar[str | None] = "meeting"
    meeting: Named
    items: tuple[str, ...] = Field(min_length=1)


class OrderItems(RemoveItems):
    """All items of an agenda by their titles, as they are to be taken up."""


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
    back_on: date | None = None


class Notice(YearStep):
    """The date alone (`preliminary`), the notice proper, now (`issue`) or on its day (`approve`), or what is otherwise
    since (`update`)."""

    subject: ClassVar[str | None] = "meeting"
    meeting: Named
    what: Literal["preliminary", "issue", "approve", "update"] = "issue"
    note: str | None = None


class RemindUnanswered(YearStep):
    """Those who have not said whether they come are asked again."""

    subject: ClassVar[str | None] = "meeting"
    meeting: Named


class Timers(YearStep):
    """What is due in meetings by now happens: approved notices go out, and near a meeting silence counts."""


class Reply(YearStep):
    """What someone of the register, by their key, told the secretary, or said themselves by the link of a mail."""

    subject: ClassVar[str | None] = "person"
    meeting: Named
    person: str
    answer: Answer
    comment: str | None = None
    via: Literal["office", "link"] = "office"


class CalendarReply(YearStep):
    """Somebody's calendar program answers the last invitation to a meeting that was delivered to `person`.

    `sender`, `from` in a file: who says so, when that is not the one who was invited.
    """

    subject: ClassVar[str | None] = "person"
    meeting: Named
    person: str
    answer: Answer
    comment: str | None = None
    sender: Annotated[str, AfterValidator(clean_email)] | None = Field(None, alias="from")


class OpenPoll(YearStep):
    """The members are asked on which of these times, local ones, they can come."""

    subject: ClassVar[str | None] = "meeting"
    meeting: Named
    times: tuple[TimeAsked, ...] = Field(min_length=1)
    answer_by: date
    note: str | None = None


class AnswerPoll(YearStep):
    """What someone says of the times in the date poll of a meeting, by their starts, by the link of its mail."""

    subject: ClassVar[str | None] = "person"
    meeting: Named
    person: str
    times: dict[datetime, Can] = Field(min_length=1)
    comment: str | None = None


class ChooseDate(YearStep):
    """A date poll ends: the meeting is at this one of its times."""

    subject: ClassVar[str | None] = "meeting"
    meeting: Named
    starts: datetime


class CallOffPoll(YearStep):
    subject: ClassVar[str | None] = "meeting"
    meeting: Named
    reason: str


class Attach(YearStep):
    """A file to an item on a meeting's agenda: one of the scenario's folder, or a `name` and its `text`.

    `title`: what it is called, when that is not its file's name.
    """

    subject: ClassVar[str | None] = "item"
    meeting: Named
    item: str
    name: str
    content: bytes
    title: str = ""
    confidential: bool = False

    @classmethod
    def read(cls, given: Mapping[str, Any], folder: Path) -> Self:
        known(given, (*(field for field in cls.model_fields if field != "content"), "file", "text"))
        rest = {field: value for field, value in given.items() if field not in ("file", "name", "text")}
        name, content = _file(given, folder)
        return super().read({**rest, "name": name, "content": content}, folder)


class ReplaceFile(Attach):
    """A new version of the file of the item's attachment with this title."""

    title: str = Field(min_length=1)


class PublishPapers(YearStep):
    """`mail`: those who are asked are told, once the notice is out."""

    subject: ClassVar[str | None] = "meeting"
    meeting: Named
    mail: bool = True


class ProposeItem(YearStep):
    """A member proposes an item for a meeting of theirs, by the link of a mail."""

    subject: ClassVar[str | None] = "person"
    meeting: Named
    person: str
    title: str
    background: str = ""
    proposal: str = ""


class TakeProposal(YearStep):
    """A member's proposal, by its title, is an item of the agenda."""

    subject: ClassVar[str | None] = "meeting"
    meeting: Named
    title: str


class DeclineProposal(YearStep):
    subject: ClassVar[str | None] = "meeting"
    meeting: Named
    title: str
    reason: str


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


def _file(given: Mapping[str, Any], folder: Path) -> tuple[str, bytes]:
    """A file's name and its bytes."""
    if "file" in given:
        if "name" in given or "text" in given:
            raise InvalidInput("needs a file, or name and text, and not both")
        path = folder / text_of(given, "file")
        return path.name, read_bytes(path, MAX_FILE)
    if "name" not in given and "text" not in given:
        raise InvalidInput("needs a file, or name and text")
    return text_of(given, "name"), text_of(given, "text").encode()


def _yes(given: Mapping[str, Any], name: str, usual: bool) -> bool:
    value = given.get(name)
    if value not in (None, "yes", "no", "true", "false"):
        raise InvalidInput(f"{name}: is yes or no")
    return usual if value is None else value in ("yes", "true")


def _titled(given: object) -> object:
    return {"title": given} if isinstance(given, str) else given
