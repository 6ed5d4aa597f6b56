"""Facts of meetings about the notice board (anslagstavla): what of signed minutes is posted there, and until when.

Subject and key: the publication's id. What is masked is in no fact: a document's name is that of what was posted.
"""

from typing import ClassVar

from pydantic import Field

from shared.events import topics
from shared.events.base import BlobRef, Event
from shared.events.notices import AskedMember


class _PublicationEvent(Event):
    abstract: ClassVar[bool] = True
    service: ClassVar[str] = "meetings"
    topic: ClassVar[str] = topics.PUBLICATIONS

    publication_id: str
    meeting_id: str
    body_id: str
    held_on: str = Field(description="the day of the meeting, ISO 8601")
    paragraph: int | None = Field(None, description="of this paragraph alone, which was approved before the rest")


class MinutesPosted(_PublicationEvent):
    """Signed minutes are on the notice board; told again of each edition that takes the place of the one before, there
    or in the public archive."""

    document_name: str = Field(description="without what is masked")
    minutes_version: int = Field(description="below 0 of a paragraph that was approved at once")
    edition: int = Field(description="above 1, it corrects the one before, which can be read no more")
    masks: int = Field(description="how many names and passages are masked")
    posted_on: str = Field(description="day, ISO 8601")
    appeal_until: str | None = Field(None, description="the last day to appeal, ISO 8601; of a municipality's body")
    remove_on: str | None = Field(None, description="the day on which it is taken down; absent: when somebody does it")
    in_archive: bool = Field(False, description="it takes the place of one that is read in the public archive alone")
    pdf: BlobRef


class MinutesPostingRemoved(_PublicationEvent):
    """Minutes are taken down from the notice board; told again when they are taken out of the public archive."""

    document_name: str = Field(description="without what was masked")
    edition: int
    by: str = Field(description="timer or person")
    is_readable: bool = Field(description="they stay in the body's public archive")


class _DeadlineEvent(_PublicationEvent):
    abstract: ClassVar[bool] = True

    deadline: str = Field(description="adjust: to be signed by all; post: to be on the notice board")
    due: str = Field(description="the last day, ISO 8601")
    body: str
    people: tuple[AskedMember, ...] = Field(description="who is told and has an address; may be nobody")


class PublicationDeadlineNeared(_DeadlineEvent):
    """A deadline of minutes ends soon. Once for each; the body's secretary is told."""


class PublicationDeadlineMissed(_DeadlineEvent):
    """A deadline of minutes has passed. Once for each; the body's secretary and chair are told."""
