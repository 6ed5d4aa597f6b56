"""Facts of meetings about reviews: who reads drafted minutes before they are signed, and what they say. Subject and
key: the review's id. What was commented is in no fact: minutes may say what few are to read."""

from typing import ClassVar

from pydantic import Field

from shared.events import topics
from shared.events.base import Event
from shared.events.notices import AskedMember


class _ReviewEvent(Event):
    abstract: ClassVar[bool] = True
    service: ClassVar[str] = "meetings"
    topic: ClassVar[str] = topics.REVIEWS

    review_id: str
    meeting_id: str
    body_id: str
    agreement_id: str = Field(description="of the version that is reviewed")
    document_name: str
    version: int = Field(description="of the minutes")


class ReviewOpened(_ReviewEvent):
    """A version of minutes is to be read and commented on before it is signed; told again of each later version."""

    answer_by: str = Field(description="the last day that an answer is wanted by, ISO 8601")
    note: str | None = None
    before: int | None = Field(None, description="of a later version: the one that was reviewed before it")
    people: tuple[AskedMember, ...] = Field(description="who is asked, as far as they are reached by mail")
    again: bool = Field(False, description="to these alone, whom the mail about this version did not reach")


class ReviewCommented(_ReviewEvent):
    """Someone who was asked left comments."""

    person_id: str
    name: str
    paragraphs: tuple[int, ...] = Field((), description="those commented on; none: the minutes as a whole")
    people: tuple[AskedMember, ...] = Field((), description="who writes the minutes, and is told")


class ReviewAgreed(_ReviewEvent):
    """Someone who was asked agrees to this version."""

    person_id: str
    name: str
    waiting_for: int = Field(description="how many have not agreed to it yet")
    people: tuple[AskedMember, ...] = Field((), description="who writes the minutes, and is told when all agree")


class ReviewUnreached(_ReviewEvent):
    """A mail that asks someone to read the minutes did not reach them."""

    person_id: str
    name: str
    email: str = Field(description="the address that the mail bounced from")
    diagnostic: str = Field(description="what the mail server said, in one line")
    people: tuple[AskedMember, ...] = Field((), description="who looks after the meeting, and is told")


class ReviewClosed(_ReviewEvent):
    """The review ended: all agreed and it was sent to be signed, or it was called off."""

    outcome: str = Field(description="sent or called_off")
    reason: str | None = Field(None, description="of one that was called off")
    people: tuple[AskedMember, ...] = Field((), description="of one that was called off: who is told")
