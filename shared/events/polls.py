"""Facts of meetings about date polls: on which day most can come. Subject and key: the poll's id."""

from typing import ClassVar

from pydantic import Field

from shared.events import topics
from shared.events.base import Event, Value
from shared.events.notices import AskedMember


class _PollEvent(Event):
    abstract: ClassVar[bool] = True
    service: ClassVar[str] = "meetings"
    topic: ClassVar[str] = topics.POLLS

    poll_id: str
    meeting_id: str
    body_id: str
    body: str
    title: str = Field(description="of the meeting that needs another date")


class ProposedTime(Value):
    """A time that is asked about. Local wall time, ISO 8601 without offset."""

    key: str
    starts: str
    ends: str


class DatePollOpened(_PollEvent):
    """The members are asked which of the proposed times they can come."""

    timezone: str = Field(description="IANA name")
    times: tuple[ProposedTime, ...]
    answer_by: str = Field(description="day until which an answer is wanted, ISO 8601")
    note: str | None = None
    people: tuple[AskedMember, ...]


class DatePollClosed(_PollEvent):
    """The poll ended: a time was chosen (the meeting's change and its notice follow), or it was called off."""

    chosen: ProposedTime | None = None
    reason: str | None = Field(None, description="of one that was called off")
    people: tuple[AskedMember, ...] = Field((), description="of one that was called off: who is told")


class DatePollUnreached(_PollEvent):
    """A mail of the poll could not be delivered to someone: `people` are who looks after the meeting, and are told."""

    person_id: str
    name: str
    email: str
    status: str = Field(description="RFC 3463 enhanced status code, for example 5.1.1")
    diagnostic: str = Field(description="what the mail server said")
    people: tuple[AskedMember, ...]
