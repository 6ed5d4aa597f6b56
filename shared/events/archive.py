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
