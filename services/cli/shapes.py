"""What each command reads in an answer: what is of another shape did not come from Justera.

Only what is read stands here; answers may hold more, and `--json` prints all of it.
"""

from datetime import datetime
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field


class _Shape(BaseModel):
    model_config = ConfigDict(strict=True)


class Outcome(_Shape):
    count: int


class LateNotices(_Shape):
    meetings: list[dict[str, Any]]


class AskedAddress(_Shape):
    email: str


class SignedPlace(_Shape):
    signed: bool
    requests: list[AskedAddress]


class EndedLink(_Shape):
    email: str
    mailed: bool


class RevokedLinks(_Shape):
    """The agreement afterwards."""

    status: str
    places: list[SignedPlace]
    ended_links: list[EndedLink]


class LoginLink(_Shape):
    url: str


class State(_Shape):
    service: str
    schema_current: bool
    unpublished: int
    oldest_unpublished: float
    lag: dict[str, int | None]
    dead_letters: int
    pending: int


def _moment(text: str) -> str:
    """Raises ValueError for what is no time with a zone."""
    if datetime.fromisoformat(text).tzinfo is None:
        raise ValueError("a time without its zone")
    return text


class Seal(_Shape):
    ends: Annotated[str, AfterValidator(_moment)]
    test: bool


class AgreementPage(_Shape):
    agreements: list[Any]
    next: str | None = None


class ProtocolPage(_Shape):
    protocols: list[Any]


class DeadLetter(_Shape):
    id: int
    topic: str
    key: str
    created_at: str
    event_type: str | None
    reason: str | None


class JournalEvent(_Shape):
    name: str | None
    subject: str | None
    sequence: str | None
    correlation_id: str | None
    time: str | None
    recorded_at: str
    data: Any


class JournalPage(_Shape):
    events: list[JournalEvent]
    next: str
    previous: str | None = None


class EnteredAgreement(_Shape):
    outcome: str = Field(pattern=r"^(entered|known|unknown|unreadable)$")


class EnteredAgreements(_Shape):
    agreements: list[EnteredAgreement]


class Mail(_Shape):
    id: str
    agreement_id: str | None
    body_id: str | None = None
    meeting_id: str | None = None
    poll_id: str | None = None
    purpose: str
    recipient: str
    status: str
    created_at: str
    sent_at: str | None
    bounced_at: str | None
    last_status: str | None
    last_diagnostic: str | None


class MailPage(_Shape):
    deliveries: list[Mail]
    next: str | None = None
    previous: str | None = None


class RegisterField(_Shape):
    field: str
    before: Any
    after: Any


class RegisterChange(_Shape):
    kind: str = Field(pattern=r"^(body|person|membership)-(registered|begun|changed|ended)$")
    key: str | None
    body: str | None
    person: str | None
    role: str | None
    fields: list[RegisterField]


class RegisterProblem(_Shape):
    where: str
    what: str


class CheckedRegister(_Shape):
    version: int
    changes: list[RegisterChange]
    problems: list[RegisterProblem]
    written: dict[str, str] = {}


class PlanChange(_Shape):
    kind: str = Field(pattern=r"^(scheduled|changed|cancelled)$")
    body: str
    title: str
    starts: str
    ends: str
    fields: list[RegisterField]
    by_order: bool = False


class PlanClash(_Shape):
    kind: str
    body: str
    date: str
    what: str
    people: list[str]


class CheckedPlan(_Shape):
    digest: str
    changes: list[PlanChange]
    clashes: list[PlanClash]
    problems: list[RegisterProblem]


class NamedBody(_Shape):
    id: str
    key: str


class BodyList(_Shape):
    bodies: list[NamedBody]


class MeetingHours(_Shape):
    body: str
    starts: str
    ends: str


class ListedMeeting(_Shape):
    id: str
    body_id: str | None
    status: str
    details: MeetingHours


class MeetingPage(_Shape):
    meetings: list[ListedMeeting]
    next: str | None = None


class OneMeeting(_Shape):
    details: MeetingHours


class StruckItem(_Shape):
    title: str
    how: str = Field(pattern=r"^(moved|taken_up|added)$")


class StrikeTold(_Shape):
    news: str
    email: str


class StrikeOutlook(_Shape):
    digest: str
    meeting: OneMeeting
    to: OneMeeting
    items: list[StruckItem]
    stays: list[str]
    changes: list[RegisterField]
    clashes: list[PlanClash]
    told: list[StrikeTold]


class NamedOrganisation(_Shape):
    id: str
    name: str


class OrganisationWords(_Shape):
    name: str
    language: str
    mail_from: str = ""
    bounce_domain: str = ""


class OneOrganisation(_Shape):
    id: str
    version: int
    standing: str
    reason: str
    details: OrganisationWords
    erased_at: str | None = None


class ListedOrganisations(_Shape):
    own: NamedOrganisation
    organisations: list[OneOrganisation]


class OneHolding(_Shape):
    organisation: str
    rows: int


class OneErasure(_Shape):
    organisation: str
    ended_at: str | None
    rows: dict[str, int]
    late: int
