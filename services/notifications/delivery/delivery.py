"""The life of one mail: what an answer of a mail server, or a delivery report, makes of it.

Pure rules: a delivery and what happened -> the changed delivery and the fact that says so, or None when nothing is
new. Waiting mails are tried again with growing delays for five days (RFC 5321 section 4.5.4.1), then given up.

Whoever sends reports, or answers as a mail server, decides how often. So a delay is told when its status is another
than the one known, and no more once a mail has `MOST_FACTS`: a history that grows with each would be theirs to fill.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Self

from pydantic import BaseModel, ConfigDict

from services.notifications import verp
from services.notifications.invitation.calendar_replies import Answer
from services.notifications.letter.languages import Language
from services.notifications.letter.letter import Purpose
from services.notifications.letter.meeting_words import MeetingFacts
from services.notifications.redaction import redacted_words
from shared.errors import Refused
from shared.events import BounceDetected, EmailDeferred, EmailSent, Event, InvitationAnswered, Person, ReplyLeftUnread
from shared.events.envelope import Envelope
from shared.links import FIRST_VERSION

GIVE_UP_SECONDS = 5 * 86_400.0
GIVEN_UP = "4.4.7"  # RFC 3463: delivery time expired
MOST_FACTS = 8  # published about one mail, before delays are no longer told

# Mails that ask for a signature: without effect once the place is signed or the agreement has ended.
REQUESTS = frozenset({Purpose.SIGNATURE_REQUEST, Purpose.ALTERNATE_REQUEST, Purpose.REQUEST_AGAIN})
ASKING = REQUESTS | {Purpose.REMINDER}

# Mails that carry an invitation to a meeting, or take it back.
INVITING = frozenset({Purpose.NOTICE_PRELIMINARY, Purpose.NOTICE, Purpose.NOTICE_UPDATED, Purpose.NOTICE_SUBSTITUTE})
UNINVITING = frozenset({Purpose.NOTICE_WITHDRAWN, Purpose.NOTICE_RELEASED})
# Mails that carry a link to something sealed: without effect once that link has ended, or another followed it.
COPIES = frozenset({Purpose.ARCHIVED, Purpose.EXTRACT})
# What a later notice makes untrue, and what nobody needs to know of a meeting that does not take place.
SUPERSEDED = INVITING | UNINVITING | {Purpose.NOTICE_REMINDER, Purpose.PAPERS_PUBLISHED}
POINTLESS = SUPERSEDED | {
    Purpose.QUORUM_AT_RISK,
    Purpose.DATE_POLL,
    Purpose.DATE_POLL_UNREACHED,
    Purpose.PROPOSAL_RECEIVED,
    Purpose.PROPOSAL_TAKEN,
    Purpose.REVIEW,
    Purpose.REVIEW_AGAIN,
    Purpose.REVIEW_UNREACHED,
}


class Status(StrEnum):
    WAITING = "waiting"
    SENT = "sent"  # a mail server took it
    BOUNCED = "bounced"  # refused, given up, or a report came back
    WITHDRAWN = "withdrawn"  # its cause ended before it was sent


class Facts(BaseModel):
    """What the mail says, beside who gets it and why, as `messages.Letter` has it. Times are ready for reading.

    `page_version`: of the reader's own page, where no meeting's facts have it.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    language: Language
    document: str
    sender: Person | None
    recipient_name: str = ""
    other: Person | None = None
    signed_at: str = ""
    who: str = ""
    quoted: str = ""
    status: str = ""
    deadline: str = ""
    lines: tuple[str, ...] = ()
    meeting: MeetingFacts | None = None
    page_version: int = FIRST_VERSION

    @property
    def of_page(self) -> int:
        """The version of the reader's own page that the mail's links open."""
        return self.meeting.page_version if self.meeting else self.page_version


@dataclass(frozen=True, slots=True)
class NewDelivery:
    """A mail to be sent. `time` is its cause's business time, and the mail's Date. `agreement_id`: what it is about, of
    a plan the body, of a notice the meeting (then `request_id` is the person's; see `notices`)."""

    organisation: str
    agreement_id: str
    purpose: Purpose
    recipient: str
    request_id: str
    request_version: int
    place: int | None
    cause_id: str
    correlation_id: str
    facts: Facts
    time: datetime
    traceparent: str | None = None  # of what it is due to, where that is traced

    @classmethod
    def due_to(
        cls,
        cause: Envelope,
        about: str,
        purpose: Purpose,
        recipient: str,
        facts: Facts,
        *,
        request_id: str = "",
        request_version: int = 0,
        place: int | None = None,
    ) -> Self:
        """The mail that an event makes. `about`: as `agreement_id` above."""
        return cls(
            organisation=cause.organisation,
            agreement_id=about,
            purpose=purpose,
            recipient=recipient,
            request_id=request_id,
            request_version=request_version,
            place=place,
            cause_id=cause.id,
            correlation_id=cause.correlation_id,
            facts=facts,
            time=cause.time,
        )

    @property
    def invitation_id(self) -> str:
        return _invitation_id(self)


@dataclass(frozen=True, slots=True)
class Delivery:
    """One mail as stored. `age` is seconds since it was queued; `claim` is whose lease it is under."""

    organisation: str
    id: str
    agreement_id: str
    purpose: Purpose
    recipient: str
    request_id: str
    request_version: int
    cause_id: str
    correlation_id: str
    facts: Facts
    created_at: datetime
    status: Status
    version: int
    attempts: int
    age: float
    claim: str | None
    sent_at: datetime | None
    bounced_at: datetime | None
    last_status: str | None
    last_diagnostic: str | None
    last_report: str | None
    traceparent: str | None = None

    @property
    def key(self) -> tuple[str, str]:
        return self.organisation, self.id

    @property
    def invitation_id(self) -> str:
        """Of a mail about a meeting: whose invitations, at which address."""
        return _invitation_id(self)


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why a mail was not delivered: an RFC 3463 status and what the mail server said, without links of ours."""

    status: str
    diagnostic: str

    def __post_init__(self) -> None:
        object.__setattr__(self, "diagnostic", redacted_words(self.diagnostic))


@dataclass(frozen=True, slots=True)
class Change:
    """`event`: the fact to publish, None for what is no news. `retry_in`: seconds until it is tried again."""

    delivery: Delivery
    event: Event | None
    at: datetime
    retry_in: float | None = None


def accepted(delivery: Delivery, *, message_id: str, at: datetime) -> Change | None:
    """A mail server took responsibility. That is a fact even if the cause ended, or a report came back, meanwhile."""
    if delivery.sent_at is not None:
        return None
    status = Status.BOUNCED if delivery.status is Status.BOUNCED else Status.SENT
    sent = replace(_next(delivery), status=status, sent_at=at, attempts=delivery.attempts + 1)
    return Change(sent, EmailSent(**_about(delivery), message_id=message_id), at)


def deferred(delivery: Delivery, trouble: Trouble, *, at: datetime, retry_in: float) -> Change | None:
    """Not taken: tried again after `retry_in` seconds, or given up."""
    if delivery.status is not Status.WAITING:
        return None
    if delivery.age >= GIVE_UP_SECONDS:
        return _bounced(_tried(delivery), Trouble(GIVEN_UP, trouble.diagnostic), permanent=False, at=at)
    waiting = _with(_tried(delivery), trouble)
    if not _is_news(delivery, trouble):
        return Change(waiting, None, at, retry_in)
    return Change(_next(waiting), _deferral(delivery, trouble), at, retry_in)


def rejected(delivery: Delivery, trouble: Trouble, *, at: datetime) -> Change | None:
    """Refused for good."""
    if delivery.status is not Status.WAITING:
        return None
    return _bounced(_tried(delivery), trouble, permanent=trouble.status.startswith("5"), at=at)


def reported_failed(
    delivery: Delivery, trouble: Trouble, *, permanent: bool, report: str, at: datetime
) -> Change | None:
    """A delivery report says that it failed; the second such changes nothing. `report` is its fingerprint.

    The report may come before the mail's acceptance is on record: then it is not sent again.
    """
    if delivery.status is Status.BOUNCED or delivery.last_report == report:
        return None
    return _bounced(replace(delivery, last_report=report), trouble, permanent=permanent, at=at)


def reported_delayed(delivery: Delivery, trouble: Trouble, *, report: str, at: datetime) -> Change | None:
    """A delivery report says that a mail server further on still tries.

    One that comes before the mail's acceptance is on record is let pass: its end will be reported.
    """
    if delivery.status is not Status.SENT or delivery.last_report == report or not _is_news(delivery, trouble):
        return None
    delayed = replace(_with(_next(delivery), trouble), last_report=report)
    return Change(delayed, _deferral(delivery, trouble), at)


def left_unread(delivery: Delivery, *, at: datetime) -> Change:
    """Something came back that could not be read: it may be a bounce, and says nothing of the mail's fate."""
    return Change(_next(delivery), ReplyLeftUnread(**_about(delivery)), at)


def answered(delivery: Delivery, answer: Answer, *, at: datetime) -> Change:
    """A calendar program sent an answer to the invitation in it."""
    said = {"answer": answer.answer, "sequence": answer.sequence, "comment": answer.comment}
    said |= {"page_version": delivery.facts.of_page}
    return Change(_next(delivery), InvitationAnswered(**_about(delivery), **said), at)


def check_retry(delivery: Delivery, latest: int | None = None, opens: int | None = None) -> None:
    """Whether an operator may have it tried again at once, under the same Message-ID. `latest`: of a mail about a
    meeting, the sequence of the last notice to the same person; `opens`: of one with a link to a sealed copy or an
    extract, the first version of it that still opens, None where none has ended. Raises Refused."""
    if delivery.status is Status.SENT:
        raise Refused("the mail was taken by a mail server already")
    if delivery.status is Status.WITHDRAWN:
        raise Refused("the mail was withdrawn: what it spoke of has ended")
    if delivery.purpose in SUPERSEDED and latest is not None and delivery.request_version < latest:
        raise Refused(
            "a later notice has gone to the same person: this one would tell what no longer holds",
            hint="have the later one tried again, or issue the notice anew",
        )
    if delivery.purpose in COPIES and opens is not None and max(delivery.request_version, FIRST_VERSION) < opens:
        raise Refused(
            "the link in the mail opens nothing any more: it was ended, or a later mail has another one",
            hint="have the later one tried again, or send it anew",
        )


def _invitation_id(mail: NewDelivery | Delivery) -> str:
    return verp.invitation_id(mail.organisation, mail.agreement_id, mail.request_id, mail.recipient, mail.facts.of_page)


def _bounced(delivery: Delivery, trouble: Trouble, *, permanent: bool, at: datetime) -> Change:
    bounced = replace(_with(_next(delivery), trouble), status=Status.BOUNCED, bounced_at=at)
    event = BounceDetected(
        **_about(delivery), status=trouble.status, diagnostic=trouble.diagnostic, permanent=permanent
    )
    return Change(bounced, event, at)


def _is_news(delivery: Delivery, trouble: Trouble) -> bool:
    return trouble.status != delivery.last_status and delivery.version < MOST_FACTS


def _deferral(delivery: Delivery, trouble: Trouble) -> EmailDeferred:
    return EmailDeferred(**_about(delivery), status=trouble.status, diagnostic=trouble.diagnostic)


def _next(delivery: Delivery) -> Delivery:
    return replace(delivery, version=delivery.version + 1)


def _tried(delivery: Delivery) -> Delivery:
    return replace(delivery, attempts=delivery.attempts + 1)


def _with(delivery: Delivery, trouble: Trouble) -> Delivery:
    return replace(delivery, last_status=trouble.status, last_diagnostic=trouble.diagnostic)


def _about(delivery: Delivery) -> Mapping[str, object]:
    return {
        "email_id": delivery.id,
        "agreement_id": delivery.agreement_id,
        "purpose": delivery.purpose.value,
        "recipient": delivery.recipient,
        "request_id": delivery.request_id or None,
        "request_version": delivery.request_version or None,
    }
