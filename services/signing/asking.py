"""What all decisions share: whether anything may be done at all, and the events by which someone is asked. Pure."""

from collections.abc import Mapping
from datetime import datetime

from services.signing.agreement import Agreement, Dated, Request, Status
from shared.clock import parse_timestamp
from shared.errors import Refused
from shared.events import Person, ReminderRequested, SignatureRequested
from shared.events.signing import RequestPurpose

Decision = tuple[Dated, ...]

REFUSALS: Mapping[Status, str] = {
    Status.READY: "the document has not been sent off yet",
    Status.OUT: "the document has been sent off already",
    Status.SIGNED: "every place is signed already",
    Status.COMPLETED: "the agreement is completed",
    Status.DECLINED: "the agreement is declined",
    Status.CANCELLED: "the agreement is cancelled",
    Status.EXPIRED: "the agreement is expired",
}


def require(state: Agreement, *allowed: Status) -> None:
    """Raises Refused in another status."""
    if state.status not in allowed:
        raise Refused(REFUSALS[state.status])


def require_time(state: Agreement, at: datetime) -> None:
    """The deadline binds by itself: the timer that writes down the end may be late. Raises Refused."""
    if is_overdue(state, at):
        raise Refused(f"the agreement is expired: its last moment was {expires_of(state)[:19]}Z")


def is_overdue(state: Agreement, at: datetime) -> bool:
    """Whether the time to sign has run out, written down or not."""
    return state.status is Status.OUT and at >= parse_timestamp(expires_of(state))


def require_unsigned(state: Agreement, request: Request) -> None:
    """Raises Refused when the request's place is signed, through whichever request."""
    signed_through = state.signed_through(request.place)
    if signed_through and state.status in (Status.OUT, Status.SIGNED):
        raise Refused(f"their place is signed already by {signed_through.email}")


def in_turn(state: Agreement, request: Request) -> bool:
    current = state.current_place
    return current is not None and current.index == request.place


def ask_place(state: Agreement, place: int, expires: str, at: datetime) -> Decision:
    """A place's turn has come: its original and every alternate added so far are asked."""
    return tuple(
        Dated(asking(state, request, first_purpose(request), expires), at) for request in state.requests_for(place)
    )


def first_purpose(request: Request) -> RequestPurpose:
    return "alternate" if request.alternate else "first"


def asking(state: Agreement, request: Request, purpose: RequestPurpose, expires: str) -> SignatureRequested:
    """`expires`: RFC 3339, UTC."""
    return SignatureRequested(
        agreement_id=state.agreement_id,
        request_id=request.id,
        version=request.version,
        place=request.place,
        role=state.places[request.place].role,
        purpose=purpose,
        email=request.email,
        name=request.name,
        language=request.language,
        document_name=state.document_name,
        sender=state.sender,
        expires=expires,
    )


def reminding(state: Agreement, request: Request) -> ReminderRequested:
    return ReminderRequested(
        agreement_id=state.agreement_id,
        request_id=request.id,
        version=request.version,
        place=request.place,
        role=state.places[request.place].role,
        email=request.email,
        name=request.name,
        language=request.language,
        document_name=state.document_name,
        sender=state.sender,
        expires=expires_of(state),
    )


def signers_so_far(state: Agreement) -> tuple[Person, ...]:
    """Who has signed, in signing order."""
    return tuple(
        Person(email=one.email, name=one.name, language=one.language)
        for one in (state.signed_through(place.index) for place in state.places)
        if one is not None
    )


def asked_now(state: Agreement) -> tuple[Person, ...]:
    """Who could sign when they liked, and is reached by mail."""
    return tuple(
        Person(email=one.email, name=one.name, language=one.language)
        for one in state.open_requests()
        if not one.undeliverable
    )


def expires_of(state: Agreement) -> str:
    if state.expires is None:
        raise ValueError("an agreement that was sent off has a time of expiry")
    return state.expires
