"""Facts of the archive service. Subject and key: the agreement's id."""

from typing import ClassVar

from pydantic import Field

from shared.events import topics
from shared.events.base import BlobRef, Event, Person


class ProtocolArchived(Event):
    """The final copy is sealed and stored with its manifest."""

    service: ClassVar[str] = "archive"
    topic: ClassVar[str] = topics.ARCHIVE

    agreement_id: str
    meeting_id: str
    document_name: str
    sealed: BlobRef
    manifest: BlobRef = Field(description="JSON: the checksums of all that was stored")
    test_seal: bool = Field(description="sealed with a test certificate: proves nothing to others")
    recipients: tuple[Person, ...]
    language: str


class _ExtractEvent(Event):
    abstract: ClassVar[bool] = True
    service: ClassVar[str] = "archive"
    topic: ClassVar[str] = topics.ARCHIVE

    agreement_id: str
    document_name: str = Field(description="of the minutes")
    number: int = Field(description="of the extract, among those of the same minutes")
    paragraph: int = Field(description="of the minutes, that the extract is of")
    recipient: Person
    version: int = Field(description="of the recipient's link: those below it open nothing")


class ExtractSent(_ExtractEvent):
    """A certified extract is to be mailed to a person: a link of their own to it, again or for the first time."""

    sender: Person = Field(description="who answers for it: replies go there, and word of a mail that does not arrive")
    opens_until: str = Field(description="ISO 8601, UTC: the link opens nothing from then on")
    timezone: str = Field(description="IANA, in which the mail tells that time")


class ExtractLinkEnded(_ExtractEvent):
    """The links to an extract that a person was mailed open nothing any more."""


class ExtractUnreached(_ExtractEvent):
    """The mail with a link to an extract did not reach whom it was for."""

    sender: Person = Field(description="who is told")
    diagnostic: str = Field(description="what the mail server said, in one line")
