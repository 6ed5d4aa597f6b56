"""Facts of meetings about its notices (kallelser): who was asked to a meeting, what they answered, and what they read.

Subject and key: the meeting's id, so that all that is told about one meeting keeps its order. No fact carries a link
that could be read: a member's own page is opened by one that whoever writes the mail derives, and how an online meeting
is joined is sealed for them (`shared.sealed`).
"""

from typing import ClassVar

from pydantic import Field

from shared.events import topics
from shared.events.base import BlobRef, Event, Value

JOIN = "join-link"
"""What `join_sealed` is sealed as; its subject is the organisation and the meeting's id, with a space between."""


class _NoticeEvent(Event):
    abstract: ClassVar[bool] = True
    service: ClassVar[str] = "meetings"
    topic: ClassVar[str] = topics.NOTICES

    meeting_id: str


class AskedMember(Value):
    """Someone who is asked to a meeting, and reached by mail; who has no address is in no fact."""

    person_id: str
    email: str
    name: str | None = None
    language: str = "sv"
    role: str = Field("member", description="in the body; of a substitute who is called, substitute")
    page_version: int = Field(1, description="of the person's own page: rises when what opened it is no longer to")
    instead_of: str | None = Field(None, description="of a substitute: the name of who cannot come")


class AgendaLine(Value):
    """An item of an agenda, as a notice names it."""

    title: str
    kind: str = Field("information", description="information, decision, discussion or election")
    presenter: str | None = None
    minutes: int | None = Field(None, description="how long it may take")
    came_from: str | None = Field(None, description="day of the meeting that it was moved from, ISO 8601")


class _MeetingAsKnown(_NoticeEvent):
    """The meeting as the notice gives it: enough to write a mail and an invitation (RFC 5546) from this fact alone."""

    abstract: ClassVar[bool] = True

    body_id: str
    body: str
    title: str
    place: str
    mode: str | None = Field(None, description="physical, digital or hybrid")
    starts: str = Field(description="local wall time, ISO 8601 without offset; `timezone` places it")
    ends: str
    timezone: str = Field(description="IANA name")
    sequence: int = Field(description="of the invitation: rises with each fact about the meeting that people are told")
    people: tuple[AskedMember, ...] = Field(description="whom this fact is told to")


class NoticeIssued(_MeetingAsKnown):
    """The notice of a meeting went out, or went out anew because something changed, or to a substitute who is called.

    Of these facts about a meeting, a person's last one holds.
    """

    kind: str = Field(description="preliminary (the date), notice (kallelse), updated or substitute")
    answer_by: str | None = Field(None, description="day until which an answer is wanted, ISO 8601")
    agenda: tuple[AgendaLine, ...] = ()
    changes: tuple[str, ...] = Field(
        (), description="of one that is updated: time, place, mode, title, agenda, papers, people, join"
    )
    before_starts: str | None = Field(None, description="of one with another time: when it was to start")
    before_place: str | None = None
    note: str | None = Field(None, description="what the secretary adds, a few lines")
    papers: BlobRef | None = Field(None, description="the papers as one PDF, when they are there")
    join_sealed: str | None = Field(
        None, description="by which link an online meeting is joined: sealed for whoever writes the mail"
    )


class NoticeReminded(_MeetingAsKnown):
    """Those of the asked who have not said whether they come are asked once more, since somebody wanted it so."""

    answer_by: str | None = Field(None, description="day until which an answer is wanted, ISO 8601")
    papers: BlobRef | None = Field(None, description="the papers as one PDF, when they are there")


class MeetingInstead(Value):
    """The meeting that takes over the items of one that is struck. Nobody is asked to it by being told of it."""

    meeting_id: str
    title: str
    place: str
    mode: str | None = Field(None, description="physical, digital or hybrid")
    starts: str = Field(description="local wall time, ISO 8601 without offset")
    ends: str


class NoticeWithdrawn(_MeetingAsKnown):
    """The meeting will not take place: those who were asked to it are told, and their calendars are cleared.

    Also told to one person who is no longer asked, a substitute whose place is taken again, say.
    """

    reason: str
    cancelled: bool = Field(True, description="the meeting; false: only these people are no longer asked")
    taken_over_by: MeetingInstead | None = Field(
        None, description="of a meeting that was struck: the one that takes over its items"
    )


class PapersPublished(_MeetingAsKnown):
    """The papers of a meeting's items are there to be read, for the first time or with later ones among them."""

    papers: BlobRef = Field(description="as one PDF: what everyone may read who is asked")
    late: tuple[str, ...] = Field((), description="titles of what came after the notice")
    told: bool = Field(True, description="whether people get a mail about it; else they find it on their page")


class ReplyReceived(_NoticeEvent):
    """Someone who was asked said whether they come. A later answer of theirs replaces it."""

    person_id: str
    answer: str = Field(description="coming, absent or tentative")
    via: str = Field(description="page (their own), calendar (an iTIP REPLY) or office (told to the secretary)")
    comment: str | None = None


class SeatLeftEmpty(_NoticeEvent):
    """A member cannot come, and nobody is left who could be called instead."""

    person_id: str


class NoticeUnreached(_MeetingAsKnown):
    """A mail about the meeting could not be delivered to someone: `people` are who looks after it, and are told."""

    person_id: str
    name: str
    email: str
    diagnostic: str = Field(description="what the mail server said")


class _ProposalEvent(_MeetingAsKnown):
    """An item that a member wants to be dealt with at the meeting. Its texts are in no fact, as those of items."""

    abstract: ClassVar[bool] = True

    proposal_id: str
    item: str = Field(description="its title")
    person_id: str = Field(description="who proposed it")
    name: str


class ItemProposalReceived(_ProposalEvent):
    """A member proposed an item: `people` are who looks after the meeting, but for whoever proposed it."""


class ItemProposalSettled(_ProposalEvent):
    """A proposed item was put on the agenda, or declined: `people` is who proposed it, if mails reach them."""

    how: str = Field(description="taken (onto the agenda) or declined")
    reason: str | None = Field(None, description="of one that was declined")
    item_id: str | None = Field(None, description="of one that was taken: the agenda item that it is now")


class QuorumAtRisk(_MeetingAsKnown):
    """By the answers so far, the body would not be able to decide: `people` are its chair and secretary.

    Told once, and again only after it was out of danger.
    """

    needed: int = Field(description="members that have to be there")
    coming: int
    absent: int
    unanswered: int
