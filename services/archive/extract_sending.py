"""An extract that a person was sent: their link, which opens for a while and can be ended, and what became of the mail.

Pure. Links are derived, not stored: what is kept says which of them open (version, last moment, ended).
"""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from services.archive.extract import Extract
from shared.clock import timestamp
from shared.errors import InvalidInput
from shared.events import ExtractLinkEnded, ExtractSent, ExtractUnreached, Person
from shared.links import FIRST_VERSION, LINKS_OPEN, holder_of
from shared.plain_text import one_line
from shared.text import clean_mailbox, clean_name

MOST_SENDINGS = 200
"""Of one extract."""
_LONGEST_DIAGNOSTIC = 500

Language = Literal["sv", "en"]


class SendingWanted(BaseModel):
    """Whom an extract is for, and who answers for it: replies go there, and word of a mail that does not arrive."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(max_length=800, description="of whom it is for")
    email: str = Field(max_length=1016)
    language: Language = Field("sv", description="of the mail")
    sender_name: str = Field(max_length=800)
    sender_email: str = Field(max_length=1016)


class Sending(BaseModel):
    """`holder` names whom it was sent to in addresses. Times are UTC."""

    model_config = ConfigDict(frozen=True)

    agreement_id: str
    number: int = Field(description="of the extract")
    holder: str
    recipient: Person
    sender: Person
    version: int = Field(description="of the link that opens")
    sent_at: datetime = Field(description="for the last time")
    opens_until: datetime
    ended_at: datetime | None = Field(None, description="when somebody ended the link")
    bounced_at: datetime | None = Field(None, description="when it was told that the last mail did not arrive")
    diagnostic: str = Field("", description="what the mail server said then")
    unread_at: datetime | None = Field(
        None, description="when something came back to the last mail that nobody could read: it may be a bounce"
    )

    def is_of(self, recipient: Person, sender: Person) -> bool:
        """Whether it went to just this person, of this one."""
        return (self.recipient, self.sender) == (recipient, sender)


class Sent(BaseModel):
    """Of one extract: to whom, in the order in which they were sent to first."""

    sendings: list[Sending]


def people_of(wanted: SendingWanted) -> tuple[Person, Person]:
    """Whom it is for, and who answers for it. Raises InvalidInput that names the field."""
    named = [
        ("name", clean_name),
        ("email", clean_mailbox),
        ("sender_name", clean_name),
        ("sender_email", clean_mailbox),
    ]
    said: dict[str, str] = {}
    for field, clean in named:
        try:
            said[field] = clean(getattr(wanted, field))
        except InvalidInput as error:
            raise InvalidInput(f"{field}: {error}") from error
    recipient = Person(email=said["email"], name=said["name"], language=wanted.language)
    return recipient, Person(email=said["sender_email"], name=said["sender_name"], language=wanted.language)


def send(
    before: Sending | None,
    extract: Extract,
    document_name: str,
    recipient: Person,
    sender: Person,
    *,
    timezone: str,
    now: datetime,
) -> tuple[Sending, ExtractSent]:
    """For the first time, or again. Each mail has a link of its own, and those before it open nothing from then on: a
    bounce tells by its version which mail did not arrive, and no link opens longer than its mail said."""
    version = FIRST_VERSION if before is None else before.version + 1
    sending = Sending(
        agreement_id=extract.agreement_id,
        number=extract.number,
        holder=holder_of(extract.agreement_id, recipient.email),
        recipient=recipient,
        sender=sender,
        version=version,
        sent_at=now,
        opens_until=now + LINKS_OPEN,
    )
    fact = ExtractSent(
        agreement_id=extract.agreement_id,
        document_name=document_name,
        number=extract.number,
        paragraph=extract.paragraph,
        recipient=recipient,
        version=version,
        sender=sender,
        opens_until=timestamp(sending.opens_until),
        timezone=timezone,
    )
    return sending, fact


def end(
    sending: Sending, extract: Extract, document_name: str, *, now: datetime
) -> tuple[Sending, ExtractLinkEnded] | None:
    """The link opens nothing from now on; None for one that was ended, which is what was wanted."""
    if sending.ended_at is not None:
        return None
    fact = ExtractLinkEnded(
        agreement_id=sending.agreement_id,
        document_name=document_name,
        number=sending.number,
        paragraph=extract.paragraph,
        recipient=sending.recipient,
        version=sending.version + 1,
    )
    return sending.model_copy(update={"ended_at": now}), fact


def bounced(
    sending: Sending, extract: Extract, document_name: str, *, version: int, diagnostic: str, at: datetime
) -> tuple[Sending, ExtractUnreached] | None:
    """The mail did not arrive; None when that is known, when another mail followed, or when its link ended."""
    if sending.bounced_at is not None or not _is_waited_for(sending, version):
        return None
    said = one_line(diagnostic)[:_LONGEST_DIAGNOSTIC]
    fact = ExtractUnreached(
        agreement_id=sending.agreement_id,
        document_name=document_name,
        number=sending.number,
        paragraph=extract.paragraph,
        recipient=sending.recipient,
        version=sending.version,
        sender=sending.sender,
        diagnostic=said,
    )
    return sending.model_copy(update={"bounced_at": at, "diagnostic": said}), fact


def left_unread(sending: Sending, *, version: int, at: datetime) -> Sending | None:
    """Something came back to the mail that nobody could read; None as for `bounced`."""
    if sending.unread_at is not None or not _is_waited_for(sending, version):
        return None
    return sending.model_copy(update={"unread_at": at})


def _is_waited_for(sending: Sending, version: int) -> bool:
    return sending.ended_at is None and version == sending.version
