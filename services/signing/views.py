"""How an agreement looks from outside: to the one who is asked to sign, and to the sender. Pure: state in, view out."""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from services.signing.agreement import Agreement, Place, Request, Status
from services.signing.asking import is_overdue
from services.signing.ended_links import EndedLink, has_ended
from services.signing.mail_news import MailNews
from shared.clock import parse_timestamp
from shared.events import BlobRef, Person
from shared.links import LINKS_OPEN
from shared.text import same_email

RequestState = Literal[
    "open",
    "not-your-turn",
    "signed-by-you",
    "signed-by-other",
    "declined",
    "declined-by-you",
    "cancelled",
    "expired",
    "completed",
    "revoked",
    "closed",
]

_ENDINGS: dict[Status, RequestState] = {
    Status.DECLINED: "declined",
    Status.CANCELLED: "cancelled",
    Status.EXPIRED: "expired",
}


class _View(BaseModel):
    model_config = ConfigDict(frozen=True)


class RequestView(_View):
    """What a signer's page must show. Times are UTC; show them in `timezone`."""

    state: RequestState
    organisation: str
    agreement_id: str
    request_id: str
    version: int
    document_name: str
    document: BlobRef
    render_input: BlobRef
    sender: Person
    role: str
    email: str
    name: str | None
    name_given: bool = Field(description="by the sender: the signer cannot change it, and need not state it")
    alternate: bool
    language: str
    timezone: str
    viewed: bool
    requested_at: datetime | None
    expires: datetime | None
    signed_at: datetime | None = Field(description="when the viewer signed")
    place_signed_at: datetime | None = Field(description="when the place was signed, by whomever")
    place_signed_by: str | None = Field(description="the name of whoever signed for the place")
    ended_at: datetime | None
    reason: str | None = Field(description="why the viewer declined")


class RequestOverview(_View):
    """One address that is asked to sign for a place."""

    request_id: str
    email: str
    name: str | None
    alternate: bool
    requested_at: datetime | None
    sent_at: datetime | None
    bounced_at: datetime | None
    bounce_status: str | None = Field(description="RFC 3463, e.g. 5.1.1")
    bounce_diagnostic: str | None = Field(description="what the mail server said, as it said it")
    unreached: bool = Field(description="the last mail to this address bounced")
    reminded: bool = Field(description="reminders go there: false where the last mail bounced for good")
    withheld: bool = Field(description="not asked again beside a new alternate, since its mail had bounced")
    viewed_at: datetime | None
    signed_at: datetime | None


class PlaceOverview(_View):
    """One role to be signed for. The original request comes first, then the alternates."""

    index: int
    role: str
    signed: bool
    signed_at: datetime | None
    signed_by: Person | None
    requests: tuple[RequestOverview, ...]


class EndOverview(_View):
    """Why it ended before all had signed."""

    declined_by: Person | None = Field(description="who declined; absent for other ends")
    role: str | None = Field(description="as what they were to sign")
    request_id: str | None
    reason: str | None = Field(description="of who declined or withdrew it")
    waited_for: tuple[Person, ...] = Field(description="whose turn it was, who had not signed")


class Turn(_View):
    """Whom everybody waits for, and since when."""

    place: int
    role: str
    since: datetime
    waiting_for: tuple[Person, ...]


class CopyOverview(_View):
    """The sealed copy of an agreement that is archived."""

    url: str = Field(description="of the PDF: with a token of this organisation, whatever its role")
    sha256: str
    size: int = Field(description="bytes")
    archived_at: datetime
    test_seal: bool = Field(description="sealed with a test certificate: proves nothing to others")


class AgreementOverview(_View):
    """An agreement as its sender sees it. The timeline beside it is the report's entries."""

    agreement_id: str
    meeting_id: str
    document_name: str
    document: BlobRef
    sender: Person
    status: Status
    language: str
    timezone: str
    version: int = Field(description="of the minutes: above 1, one before was not signed by everyone")
    replaces: str | None = Field(description="the agreement about the version before")
    replaced_by: str | None = Field(description="the agreement about the version after; shown for a single agreement")
    created_at: datetime
    sent_off_at: datetime | None
    expires: datetime | None
    next_reminder: datetime | None = Field(description="when those who may sign now are reminded, unless they sign")
    last_signed_at: datetime | None
    ended_at: datetime | None
    end: EndOverview | None = Field(description="absent unless it was declined, cancelled or expired")
    sealed_copy: CopyOverview | None = Field(description="absent until it is archived, soon after completion")
    turn: Turn | None = Field(description="absent before sending off and at the end")
    mail_news: tuple[MailNews, ...] = Field(
        default=(), description="what became of its mails, is no part of its history, and waits for the sender"
    )
    ended_links: tuple[EndedLink, ...] = Field(
        default=(), description="whose links were ended after the agreement's end: no part of its history"
    )
    places: tuple[PlaceOverview, ...]


class AgreementPage(_View):
    agreements: tuple[AgreementOverview, ...]
    next: str | None = Field(description="cursor of the next page; absent on the last")


def request_view_of(
    organisation: str,
    state: Agreement,
    request_id: str,
    version: int,
    *,
    now: datetime,
    ended_links: Sequence[EndedLink] = (),
) -> RequestView:
    """`version` is the link's; `ended_links` those of the agreement. Raises NotFound."""
    request = state.request(request_id)
    place = state.places[request.place]
    through = state.signed_through(place.index)
    return RequestView(
        state="revoked" if has_ended(ended_links, request.email) else _request_state(state, request, version, now),
        organisation=organisation,
        agreement_id=state.agreement_id,
        request_id=request.id,
        version=request.version,
        document_name=state.document_name,
        document=state.document,
        render_input=state.render_input,
        sender=state.sender,
        role=place.role,
        email=request.email,
        name=request.name,
        name_given=request.name_given,
        alternate=request.alternate,
        language=request.language,
        timezone=state.timezone,
        viewed=request.views > 0,
        requested_at=request.requested_at,
        expires=_expires(state),
        signed_at=request.signed_at,
        place_signed_at=through.signed_at if through else None,
        place_signed_by=through.name if through else None,
        ended_at=state.ended_at,
        reason=state.end_reason if state.declined_by == request.id else None,
    )


def _request_state(state: Agreement, request: Request, version: int, now: datetime) -> RequestState:
    if version != request.version:
        return "revoked"
    if state.ended_at is not None and now >= state.ended_at + LINKS_OPEN:
        return "closed"
    if state.declined_by == request.id:
        return "declined-by-you"
    if state.status in _ENDINGS:
        return _ENDINGS[state.status]
    if request.signed_at is not None:
        return "completed" if state.status is Status.COMPLETED else "signed-by-you"
    if state.places[request.place].signed_by is not None:
        return "signed-by-other"
    if is_overdue(state, now):
        return "expired"
    return "open" if request in state.open_requests() else "not-your-turn"


def overview_of(
    state: Agreement,
    *,
    next_reminder: datetime | None,
    sealed_copy: CopyOverview | None = None,
    replaced_by: str | None = None,
    mail_news: Sequence[MailNews] = (),
    ended_links: Sequence[EndedLink] = (),
) -> AgreementOverview:
    return AgreementOverview(
        agreement_id=state.agreement_id,
        meeting_id=state.meeting_id,
        document_name=state.document_name,
        document=state.document,
        sender=state.sender,
        status=state.status,
        language=state.language,
        timezone=state.timezone,
        version=state.version,
        replaces=state.replaces,
        replaced_by=replaced_by,
        created_at=state.created_at,
        sent_off_at=state.sent_off_at,
        expires=_expires(state),
        next_reminder=next_reminder,
        last_signed_at=state.last_signed_at,
        ended_at=state.ended_at,
        end=_end(state),
        sealed_copy=sealed_copy,
        turn=_turn(state),
        mail_news=tuple(one for one in mail_news if _matters(state, one)),
        ended_links=tuple(ended_links),
        places=tuple(_place(state, place) for place in state.places),
    )


def _matters(state: Agreement, news: MailNews) -> bool:
    """A reply does until the place is signed, its bounce is known, another address is asked, or the agreement ends."""
    if news.kind == "copy-bounced":
        return True
    request = state.find_request(news.request_id)
    if request is None or state.status is not Status.OUT or not same_email(request.email, news.recipient):
        return False
    return state.places[request.place].signed_by is None and not request.unreached


def _turn(state: Agreement) -> Turn | None:
    place = state.current_place
    asked = state.open_requests()
    since = [request.requested_at for request in asked if request.requested_at is not None]
    if place is None or not since:
        return None
    return Turn(place=place.index, role=place.role, since=min(since), waiting_for=tuple(_person(one) for one in asked))


def _end(state: Agreement) -> EndOverview | None:
    if state.status not in _ENDINGS:
        return None
    declined = state.find_request(state.declined_by)
    asked = state.requests_for(state.next_place.index) if state.next_place else ()
    return EndOverview(
        declined_by=_person(declined) if declined else None,
        role=state.places[declined.place].role if declined else None,
        request_id=state.declined_by,
        reason=state.end_reason,
        waited_for=tuple(_person(one) for one in asked if one.requested_at is not None),
    )


def _person(request: Request) -> Person:
    return Person(email=request.email, name=request.name, language=request.language)


def _place(state: Agreement, place: Place) -> PlaceOverview:
    through = state.signed_through(place.index)
    return PlaceOverview(
        index=place.index,
        role=place.role,
        signed=through is not None,
        signed_at=through.signed_at if through else None,
        signed_by=_person(through) if through else None,
        requests=tuple(_request(request) for request in state.requests_for(place.index)),
    )


def _request(request: Request) -> RequestOverview:
    return RequestOverview(
        request_id=request.id,
        email=request.email,
        name=request.name,
        alternate=request.alternate,
        requested_at=request.requested_at,
        sent_at=request.sent_at,
        bounced_at=request.bounced_at,
        bounce_status=request.bounce_status,
        bounce_diagnostic=request.bounce_diagnostic,
        unreached=request.unreached,
        reminded=not request.undeliverable,
        withheld=request.withheld,
        viewed_at=request.viewed_at,
        signed_at=request.signed_at,
    )


def _expires(state: Agreement) -> datetime | None:
    return parse_timestamp(state.expires) if state.expires else None
