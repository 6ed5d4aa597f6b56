"""Facts of the meetings service. Subject and key: the meeting's id."""

from typing import ClassVar

from pydantic import Field

from shared.events import topics
from shared.events.base import BlobRef, Event, Person, Value


class _MeetingEvent(Event):
    abstract: ClassVar[bool] = True
    service: ClassVar[str] = "meetings"
    topic: ClassVar[str] = topics.MEETINGS

    meeting_id: str


class _MeetingDetails(_MeetingEvent):
    abstract: ClassVar[bool] = True

    body: str = Field(description="the body that meets, e.g. Styrelsen")
    title: str
    place: str
    starts: str = Field(description="local wall time, ISO 8601 without offset; `timezone` places it")
    ends: str
    timezone: str = Field(description="IANA name, e.g. Europe/Stockholm")
    participants: tuple[Person, ...] = ()


class MeetingScheduled(_MeetingDetails):
    """A meeting of a body was put in the calendar."""


class MeetingChanged(_MeetingDetails):
    """Place, time or participants changed; the event carries the whole new state."""


class MeetingCancelled(_MeetingEvent):
    """The meeting will not take place."""

    body: str
    title: str
    reason: str


class SignerInvitation(Value):
    """One place to sign, in signing order. `name` is absent when the signer must enter it."""

    role: str = Field(description="secretary, chair, adjuster, or another role")
    email: str
    name: str | None = None
    language: str = "sv"


class ProtocolDrafted(_MeetingEvent):
    """Minutes were drafted and rendered. An agreement to sign them stands ready in signing."""

    agreement_id: str = Field(description="the transaction id, 44 base64url characters")
    document_name: str = Field(description="the minutes' title and the meeting's date")
    body: str
    year: int = Field(description="calendar year of the numbering")
    first_paragraph: int
    last_paragraph: int
    pdf: BlobRef = Field(description="the unsigned original")
    render_input: BlobRef = Field(description="JSON of shared.rendering.minutes.MinutesDocument")
    template_version: str
    sender: Person
    sender_ip: str = Field(description="IP address of the drafting request; personal data")
    signers: tuple[SignerInvitation, ...]
    language: str = Field(description="sv or en: the document's and the report's")
    timezone: str = Field(description="IANA name, for the stamps beside signatures")
