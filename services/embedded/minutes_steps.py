"""The steps of minutes in a scenario, from the sitting to what they ask people to do: written, read before they are
signed, unlocked, posted on the notice board, and the tasks that they give. `year_minutes` drives them.

A paragraph is named by its heading.
"""

from datetime import date
from typing import Annotated, ClassVar

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from services.embedded.step_base import Named, YearStep
from services.meetings.body.membership import MemberRole
from shared.text import clean_ip


class WriteMinutes(YearStep):
    """A draft of what was recorded of the sitting."""

    subject: ClassVar[str | None] = "meeting"
    meeting: Named


class EditMinutes(YearStep):
    """`text` stands in the place of what is below the paragraph's heading in the draft; `heading`: a new one for it."""

    subject: ClassVar[str | None] = "paragraph"
    meeting: Named
    paragraph: str
    text: str
    heading: str | None = None


class AddParagraph(YearStep):
    """At the draft's end."""

    subject: ClassVar[str | None] = "heading"
    meeting: Named
    heading: str
    text: str


class EditFields(YearStep):
    """Fields of the draft, as in a form (`services.meetings.minutes.fields`): people in lines, with values between
    semicolons. What is left out stays."""

    subject: ClassVar[str | None] = "meeting"
    meeting: Named
    title: str | None = None
    place: str | None = None
    starts: str | None = None
    ends: str | None = None
    secretary: str | None = None
    adjuster: str | None = None
    reference: str | None = None
    first_paragraph: str | None = None
    present: str | None = None
    absent: str | None = None
    others: str | None = None


class OpenReview(YearStep):
    """`people`: the keys of those who are asked to read the minutes before they are signed."""

    subject: ClassVar[str | None] = "meeting"
    meeting: Named
    people: tuple[str, ...] = Field(min_length=1)
    answer_by: date
    note: str | None = None


class CommentMinutes(YearStep):
    """By the link of a mail. Without `paragraph` it is about the minutes as a whole."""

    subject: ClassVar[str | None] = "person"
    meeting: Named
    person: str
    text: str
    paragraph: str | None = None


class AgreeToMinutes(YearStep):
    """By the link of a mail: to the version that is read now."""

    subject: ClassVar[str | None] = "person"
    meeting: Named
    person: str


class AnswerComment(YearStep):
    """What the secretary says to a person's last comment, which is dealt with."""

    subject: ClassVar[str | None] = "person"
    meeting: Named
    person: str
    reply: str


class SendReviewed(YearStep):
    """All agreed: the minutes are sent to be signed."""

    subject: ClassVar[str | None] = "meeting"
    meeting: Named


class CallOffReview(YearStep):
    subject: ClassVar[str | None] = "meeting"
    meeting: Named
    reason: str


class UnlockMinutes(YearStep):
    """Minutes that are drafted, or out to be signed, are withdrawn, so that they can be changed. `paragraph`: one
    that is approved at once, instead of the minutes."""

    subject: ClassVar[str | None] = "meeting"
    meeting: Named
    paragraph: str | None = None
    reason: str
    ip: Annotated[str, AfterValidator(clean_ip)]


class Passage(BaseModel):
    """What is masked wherever it stands, or in the `paragraph` of this heading alone."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    text: str
    paragraph: str | None = None


class PostMinutes(YearStep):
    """Signed minutes are posted on the notice board, without these names and passages; of those that are there, the
    next edition. A passage is a text, or has the fields of one."""

    subject: ClassVar[str | None] = "meeting"
    meeting: Named
    names: tuple[str, ...] = ()
    passages: tuple[Annotated[Passage, BeforeValidator(lambda given: _worded(given))], ...] = ()


class RemovePosting(YearStep):
    """They are taken down, before their day with a reason."""

    subject: ClassVar[str | None] = "meeting"
    meeting: Named
    reason: str | None = None


class SendExtract(YearStep):
    """An extract of a paragraph of archived minutes is made, certified and mailed to somebody: a link of their own.
    `sender`: the key of the person who answers for it."""

    subject: ClassVar[str | None] = "email"
    meeting: Named
    paragraph: str
    certified_by: str
    name: str
    email: str
    sender: str


class GiveTask(YearStep):
    """By a paragraph that everyone signed, to a person by their key (`owner`) or to whoever has a `role`."""

    subject: ClassVar[str | None] = "what"
    meeting: Named
    paragraph: str
    what: str
    owner: str | None = None
    role: MemberRole | None = None
    due: date
    back_on: Named | None = None
    back_day: date | None = None


class FinishTask(YearStep):
    """A task that the meeting's minutes gave, by what it is."""

    subject: ClassVar[str | None] = "what"
    meeting: Named
    what: str
    note: str | None = None


class WithdrawTask(YearStep):
    """One that was given by mistake."""

    subject: ClassVar[str | None] = "what"
    meeting: Named
    what: str
    reason: str


class TakeTask(YearStep):
    """It is an item of the agenda of the meeting at which it comes back."""

    subject: ClassVar[str | None] = "what"
    meeting: Named
    what: str


def _worded(given: object) -> object:
    return {"text": given} if isinstance(given, str) else given
