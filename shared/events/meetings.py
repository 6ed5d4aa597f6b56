"""Facts of the meetings service. Subject and key: the id of the meeting, agenda item, body or person."""

from typing import ClassVar

from pydantic import Field

from shared.events import topics
from shared.events.base import BlobRef, Event, Person, Value


class _MeetingEvent(Event):
    abstract: ClassVar[bool] = True
    service: ClassVar[str] = "meetings"
    topic: ClassVar[str] = topics.MEETINGS

    meeting_id: str


class ReservedHours(Value):
    """Hours of the meeting's day that its people keep free for something else; local wall time, `13:00`."""

    starts: str
    ends: str
    what: str


class _MeetingDetails(_MeetingEvent):
    abstract: ClassVar[bool] = True

    body: str = Field(description="the body that meets, e.g. Styrelsen")
    title: str
    place: str
    starts: str = Field(description="local wall time, ISO 8601 without offset; `timezone` places it")
    ends: str
    timezone: str = Field(description="IANA name, e.g. Europe/Stockholm")
    participants: tuple[Person, ...] = ()
    mode: str | None = Field(None, description="physical, digital or hybrid; absent: not said")
    occasion: str = Field("ordinary", description="ordinary, congress, constituting, training or annual_accounts")
    reserved: ReservedHours | None = None


class MeetingScheduled(_MeetingDetails):
    """A meeting of a body was put in the calendar."""


class MeetingChanged(_MeetingDetails):
    """Place, time or participants changed; the event carries the whole new state."""


class MeetingCancelled(_MeetingEvent):
    """The meeting will not take place."""

    body: str
    title: str
    reason: str


class ItemMoved(Event):
    """An agenda item left a meeting, for another one or to wait; or one that waited is taken up."""

    service: ClassVar[str] = "meetings"
    topic: ClassVar[str] = topics.ITEMS

    item_id: str
    title: str
    kind: str = Field("information", description="information, decision, discussion or election")
    how: str = Field(description="moved, tabled (bordlagd) or referred_back (återremitterad)")
    reason: str | None = None
    waited: bool = Field(False, description="it had left the meeting before, and is taken up now")
    from_meeting_id: str
    from_body: str
    from_starts: str = Field(description="local wall time, ISO 8601 without offset")
    to_meeting_id: str | None = Field(None, description="absent: it waits for a meeting")
    to_body: str | None = None
    to_starts: str | None = None
    back_on: str | None = Field(None, description="of one that waits: the day on which it comes back, ISO 8601")


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
    version: int = Field(default=1, description="of the minutes: above 1, one before was not signed by everyone")
    replaces: str | None = Field(default=None, description="the agreement about the version before")
    at_once: bool = Field(default=False, description="one paragraph, approved before the rest of its minutes")


class ProtocolUnlocked(_MeetingEvent):
    """Drafted minutes are to be changed: signing withdraws the agreement about them, unless everyone has signed."""

    agreement_id: str
    document_name: str
    version: int = Field(description="of the minutes")
    reason: str
    ip: str = Field(description="IP address of who unlocked them; personal data")


class ProtocolReleased(_MeetingEvent):
    """Drafted minutes are ready to be signed: signing sends the agreement about them to its first signer."""

    agreement_id: str
    document_name: str
    version: int = Field(description="of the minutes")


class StandingItem(Value):
    """An item that stands on every agenda of a body."""

    title: str
    kind: str = Field("information", description="information, decision, discussion or election")


class BodyRules(Value):
    """How a body works. What its online meetings are joined by is no part of an event."""

    quorum: int | None = Field(None, description="how many members must be there; absent: more than half of them")
    notice_days: int = Field(5, description="days between the notice and the meeting, at least")
    substitutes: str = Field("in_order", description="how substitutes are called: in_order, same_party or none")
    numbering: str = Field("calendar_year", description="where paragraphs begin at 1: calendar_year or meeting")
    annexes: str = Field("bound", description="of minutes: bound into their PDF, or listed alone")
    signers: tuple[str, ...] = Field((), description="who signs the minutes, in signing order, by role")
    deadline_profile: str = Field("association", description="association or municipality")
    adjust_days: int | None = Field(None, description="by statutes, days from the meeting until all have signed")
    post_days: int | None = Field(None, description="by statutes, days from then until they are on the notice board")
    posted_days: int | None = Field(None, description="by statutes, days for which they are posted")
    standing_items: tuple[StandingItem, ...] = ()
    language: str = "sv"
    timezone: str = Field("Europe/Stockholm", description="IANA name")
    public: bool = Field(False, description="whether it, who sits in it and its meetings are open data")
    public_archive: bool = Field(False, description="whether minutes may be read after their time on the notice board")
    archive_years: int | None = Field(
        None,
        description="calendar years after the meeting's, at the end of which they may not; absent: they always may",
    )


class _BodyEvent(Event):
    abstract: ClassVar[bool] = True
    service: ClassVar[str] = "meetings"
    topic: ClassVar[str] = topics.BODIES

    body_id: str


class _BodyDetails(_BodyEvent):
    abstract: ClassVar[bool] = True

    name: str = Field(description="as meetings and minutes give it, e.g. Styrelsen")
    kind: str = Field(description="board, committee, congress, network, steering_group or auditors")
    rules: BodyRules


class BodyRegistered(_BodyDetails):
    """A body of the association is known: who sits in it follows as memberships."""


class BodyChanged(_BodyDetails):
    """Name, kind or rules changed; the event carries the whole new state."""


class BodyClosed(_BodyEvent):
    """The body ceased; its memberships ended by the same day."""

    on: str = Field(description="its last day, ISO 8601")


class Basis(Value):
    """The decision that a membership rests on."""

    body: str = Field(description="the body that decided, e.g. Styrelsen")
    year: int = Field(description="calendar year of the paragraph's numbering")
    paragraph: int


class _MembershipEvent(_BodyEvent):
    abstract: ClassVar[bool] = True

    membership_id: str
    person_id: str
    role: str = Field(
        description="chair, first_vice_chair, second_vice_chair, member, substitute, secretary or co_opted"
    )
    order: int | None = Field(None, description="of a substitute: who is called first has 1")
    begins: str | None = Field(None, description="the term's first day, ISO 8601; absent: not known")
    ends: str | None = Field(None, description="the term's last day; absent: until further notice")
    basis: Basis | None = None


class MembershipBegun(_MembershipEvent):
    """Someone has a place in the body, from the term's first day on."""


class MembershipChanged(_MembershipEvent):
    """Role, order, term or basis changed; the event carries the whole new state."""


class MembershipEnded(_MembershipEvent):
    """The place ends before its term did: `ends` is the last day. One that had not begun by then never stood."""


class PlannedMeeting(Value):
    """A meeting of a plan. Local wall time, in its body's time zone."""

    meeting_id: str
    title: str
    place: str
    starts: str = Field(description="ISO 8601 without offset")
    ends: str
    mode: str | None = Field(None, description="physical, digital or hybrid")
    occasion: str = Field("ordinary", description="ordinary, congress, constituting, training or annual_accounts")


class PlanChange(Value):
    """What a version of a plan does to one meeting, as far as its people have to know."""

    kind: str = Field(description="scheduled, changed or cancelled")
    meeting: PlannedMeeting = Field(description="as it is now; of a cancelled one, as it was")
    before: PlannedMeeting | None = Field(None, description="of one that was changed: as it was")


class PlanMember(Value):
    """A member of the body whom the plan concerns; one without an address is not told by mail, and not here."""

    person_id: str
    email: str
    name: str | None = None
    language: str = "sv"
    meetings: tuple[str, ...] = Field((), description="ids of the plan's meetings that they are asked to")
    changes: tuple[str, ...] = Field((), description="ids of the changed meetings that concern them")


class PlanAdopted(_BodyEvent):
    """A body's meetings of a plan are in the calendar; told again by each version of the plan that changes any."""

    plan: str = Field(description="the plan's key")
    year: int
    body: str = Field(description="the body's name")
    meetings: tuple[PlannedMeeting, ...] = Field((), description="all of the body's in the plan, by start")
    changes: tuple[PlanChange, ...] = ()
    people: tuple[PlanMember, ...] = ()
    tell: bool = Field(True, description="whether they are to be told by mail")


class _PersonDetails(Event):
    abstract: ClassVar[bool] = True
    service: ClassVar[str] = "meetings"
    topic: ClassVar[str] = topics.PEOPLE

    person_id: str
    name: str
    email: str | None = Field(None, description="absent: not known, and no mail reaches the person")
    language: str = "sv"
    party: str | None = None
    municipality: str | None = None


class PersonRegistered(_PersonDetails):
    """A person is known, however many bodies they will sit in."""


class PersonChanged(_PersonDetails):
    """Name, address, language, party or municipality changed; the event carries the whole new state."""
