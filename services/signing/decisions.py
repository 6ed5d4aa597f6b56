"""What may be done to an agreement: state + command -> events, or a refusal in one sentence.

Each decision returns the events to append, in order, each with its business time; it changes nothing itself. Commands
of people are refused (`shared.errors.Refused`) when a rule says no. Facts of other services (`record_…`) never are:
they are appended, or give no events when they are not part of this history. Times are aware datetimes in UTC.

The rules: places are signed in order, each once, through its original request or an alternate's. A signer states a
name before signing, unless the sender gave one. The last signature ends what signers and sender may do; the agreement
is completed once it is recorded what became of the mail of every request that was used, at the last signature's time.
"""

from collections.abc import Mapping
from datetime import datetime

from services.signing.agreement import (
    REQUEST_MAILS,
    Agreement,
    Dated,
    Request,
    Status,
    evolve,
    request_for_email,
    request_id,
)
from shared.clock import timestamp
from shared.errors import InvalidInput, Refused
from shared.events import (
    AgreementCancelled,
    AgreementCompleted,
    AgreementCreated,
    AgreementExpired,
    AlternateSignerAdded,
    BounceDetected,
    DocumentSigned,
    DocumentViewed,
    EmailDeferred,
    EmailSent,
    Event,
    Person,
    ProtocolDrafted,
    ReminderRequested,
    SignatureRequested,
    SignerInvitation,
    SignerNameEntered,
    SigningDeclined,
)
from shared.events.signing import RequestPurpose
from shared.text import clean_email, clean_name, clean_reason, email_key, same_email

Decision = tuple[Dated, ...]

# A page reloaded in a loop must not grow a history without end: further views of a signer are no news.
MAX_VIEWS = 100
_MAX_ALTERNATES = 20  # per place
_REMINDABLE = REQUEST_MAILS | {"reminder"}

_REFUSALS: Mapping[Status, str] = {
    Status.READY: "the document has not been sent off yet",
    Status.OUT: "the document has been sent off already",
    Status.SIGNED: "every place is signed already",
    Status.COMPLETED: "the agreement is completed",
    Status.DECLINED: "the agreement is declined",
    Status.CANCELLED: "the agreement is cancelled",
    Status.EXPIRED: "the agreement is expired",
}


def create(draft: ProtocolDrafted, at: datetime) -> Decision:
    """An agreement stands ready. Time and IP are the draft's. Raises InvalidInput for signers that cannot be asked."""
    if not draft.signers:
        raise InvalidInput("an agreement needs at least one signer")
    signers = tuple(_clean_signer(signer) for signer in draft.signers)
    addresses: set[str] = set()
    for signer in signers:
        if email_key(signer.email) in addresses:
            raise InvalidInput(f"two signers share the address {signer.email}")
        addresses.add(email_key(signer.email))
    event = AgreementCreated(
        agreement_id=draft.agreement_id,
        meeting_id=draft.meeting_id,
        document_name=draft.document_name,
        document=draft.pdf,
        render_input=draft.render_input,
        template_version=draft.template_version,
        sender=draft.sender,
        ip=draft.sender_ip,
        signers=signers,
        language=draft.language,
        timezone=draft.timezone,
    )
    return (Dated(event, at),)


def send_off(state: Agreement, *, expires: datetime, at: datetime) -> Decision:
    """The sender sends it off: the first place is asked."""
    _require(state, Status.READY)
    return _ask_place(state, 0, timestamp(expires), at)


def view(state: Agreement, request_id: str, *, ip: str, at: datetime) -> Decision:
    """A signer opened the document. Later views are events too, up to MAX_VIEWS."""
    request = _in_turn(state, request_id)
    if request.views >= MAX_VIEWS:
        return ()
    event = DocumentViewed(
        agreement_id=state.agreement_id,
        request_id=request.id,
        place=request.place,
        email=request.email,
        name=request.name,
        ip=ip,
        first=request.views == 0,
    )
    return (Dated(event, at),)


def enter_name(state: Agreement, request_id: str, name: str, *, ip: str, at: datetime) -> Decision:
    """A signer states or, before signing, corrects their name. Raises InvalidInput for what is no name."""
    request = _in_turn(state, request_id)
    name = clean_name(name)
    if name == request.name:
        return ()
    if request.name_given:
        raise Refused(f"the name is known from the start: {request.name}")
    event = SignerNameEntered(
        agreement_id=state.agreement_id,
        request_id=request.id,
        place=request.place,
        email=request.email,
        name=name,
        ip=ip,
    )
    return (Dated(event, at),)


def sign(state: Agreement, request_id: str, *, ip: str, at: datetime) -> Decision:
    """A signer signs for their place; the next place is asked, or the agreement completed, in the same decision."""
    request = _in_turn(state, request_id)
    if request.name is None:
        raise Refused("they have not stated a name")
    place = state.places[request.place]
    event = DocumentSigned(
        agreement_id=state.agreement_id,
        request_id=request.id,
        place=place.index,
        email=request.email,
        name=request.name,
        ip=ip,
        role=place.role,
        document_sha256=state.document.sha256,
        language=request.language,
        document_name=state.document_name,
    )
    signed = evolve(state, event, at)
    if signed.status is Status.SIGNED:
        return (Dated(event, at), *complete_if_ready(signed))
    return (Dated(event, at), *_ask_place(signed, place.index + 1, _expires(state), at))


def add_alternate(
    state: Agreement, original: str, email: str, *, name: str | None = None, ip: str, at: datetime
) -> Decision:
    """The sender lets `email` sign for the place of the address `original`, which may still sign.

    If the place's turn has come, the alternate is asked and the original asked again. Raises NotFound for an address
    that is not asked, InvalidInput for a new address or name that is malformed.
    """
    named = request_for_email(state, original)
    signed_through = state.signed_through(named.place)
    if signed_through and state.status in (Status.OUT, Status.SIGNED):
        raise Refused(f"their place is signed already by {signed_through.email}")
    _require(state, Status.READY, Status.OUT)
    email = clean_email(email)
    if any(same_email(email, request.email) for request in state.requests):
        raise Refused(f"{email} is asked to sign already")
    present = state.requests_for(named.place)
    if len(present) > _MAX_ALTERNATES:
        raise Refused(f"a place has at most {_MAX_ALTERNATES} alternate signers")
    event = AlternateSignerAdded(
        agreement_id=state.agreement_id,
        place=named.place,
        by=state.sender,
        ip=ip,
        original_request_id=present[0].id,
        original_email=present[0].email,
        original_name=present[0].name,
        request_id=request_id(state.agreement_id, named.place, alternate=len(present)),
        email=email,
        name=clean_name(name) if name is not None else None,
    )
    added = evolve(state, event, at)
    return (Dated(event, at), *_ask_beside(added, event, at))


def decline(state: Agreement, request_id: str, reason: str, *, ip: str, at: datetime) -> Decision:
    """A signer whose turn it is says no, and the agreement ends."""
    request = _in_turn(state, request_id)
    event = SigningDeclined(
        agreement_id=state.agreement_id,
        request_id=request.id,
        place=request.place,
        email=request.email,
        name=request.name,
        ip=ip,
        role=state.places[request.place].role,
        reason=clean_reason(reason),
    )
    return (Dated(event, at),)


def cancel(state: Agreement, reason: str, *, ip: str, at: datetime) -> Decision:
    """The sender withdraws it, and the agreement ends."""
    _require(state, Status.READY, Status.OUT)
    event = AgreementCancelled(agreement_id=state.agreement_id, by=state.sender, reason=clean_reason(reason), ip=ip)
    return (Dated(event, at),)


def remind(state: Agreement, *, at: datetime) -> Decision:
    """Everyone who may sign now is reminded."""
    _require(state, Status.OUT)
    return tuple(Dated(_reminder(state, request), at) for request in state.open_requests())


def expire(state: Agreement, *, at: datetime) -> Decision:
    """Nobody signed in time, and the agreement ends."""
    _require(state, Status.OUT)
    return (Dated(AgreementExpired(agreement_id=state.agreement_id), at),)


def record_email_sent(state: Agreement, fact: EmailSent, at: datetime) -> Decision:
    """A request's mail went out, at `at`: recorded in every status. It may be what completion waited for."""
    return _record(state, fact, at) if _concerns(state, fact, REQUEST_MAILS) else ()


def record_deferral(state: Agreement, fact: EmailDeferred, at: datetime) -> Decision:
    """A request's mail waits at a mail server: recorded, no line of the report."""
    return _record(state, fact, at) if _concerns(state, fact, REQUEST_MAILS) else ()


def record_bounce(state: Agreement, fact: BounceDetected, at: datetime) -> Decision:
    """A request's mail or a reminder could not be delivered: recorded in every status."""
    return _record(state, fact, at) if _concerns(state, fact, _REMINDABLE) else ()


def complete_if_ready(state: Agreement) -> Decision:
    """Completion, at the last signature's time, once all have signed and all used requests' mails are accounted for.

    A bounce accounts for a mail as its sending does: a signer whose first mail was refused may have signed through a
    reminder's link, and must not hold up completion for ever.
    """
    if state.status is not Status.SIGNED or state.last_signed_at is None:
        return ()
    used = tuple(r for r in state.requests if r.signed_at is not None)
    if not all(request.mail_settled for request in used):
        return ()
    event = AgreementCompleted(
        agreement_id=state.agreement_id,
        meeting_id=state.meeting_id,
        document_name=state.document_name,
        document=state.document,
        render_input=state.render_input,
        template_version=state.template_version,
        recipients=_recipients(state, used),
        language=state.language,
        timezone=state.timezone,
    )
    return (Dated(event, state.last_signed_at),)


def _clean_signer(signer: SignerInvitation) -> SignerInvitation:
    name = clean_name(signer.name) if signer.name is not None else None
    return signer.model_copy(update={"email": clean_email(signer.email), "name": name})


def _require(state: Agreement, *allowed: Status) -> None:
    if state.status not in allowed:
        raise Refused(_REFUSALS[state.status])


def _in_turn(state: Agreement, request_id: str) -> Request:
    """The request, if its signer may act on it now. Raises NotFound, Refused."""
    request = state.request(request_id)
    signed_through = state.signed_through(request.place)
    if signed_through and state.status in (Status.OUT, Status.SIGNED):
        raise Refused(f"their place is signed already by {signed_through.email}")
    _require(state, Status.OUT)
    current = state.current_place
    if current is not None and current.index != request.place:
        awaited = state.requests_for(current.index)[0]
        raise Refused(f"it is not their turn: {awaited.email} has not signed")
    return request


def _ask_place(state: Agreement, place: int, expires: str, at: datetime) -> Decision:
    """A place's turn has come: its original and every alternate added so far are asked."""
    return tuple(
        Dated(_asking(state, request, "alternate" if request.alternate else "first", expires), at)
        for request in state.requests_for(place)
    )


def _ask_beside(state: Agreement, added: AlternateSignerAdded, at: datetime) -> Decision:
    """The alternate is asked, and the original again, so that neither thinks that only the other may sign."""
    place = state.current_place
    if place is None or place.index != added.place:
        return ()
    alternate, original = state.request(added.request_id), state.request(added.original_request_id)
    expires = _expires(state)
    return (
        Dated(_asking(state, alternate, "alternate", expires), at),
        Dated(_asking(state, original, "again", expires), at),
    )


def _asking(state: Agreement, request: Request, purpose: RequestPurpose, expires: str) -> SignatureRequested:
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


def _reminder(state: Agreement, request: Request) -> ReminderRequested:
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
        expires=_expires(state),
    )


def _expires(state: Agreement) -> str:
    if state.expires is None:
        raise ValueError("an agreement that was sent off has a time of expiry")
    return state.expires


def _concerns(state: Agreement, fact: EmailSent | EmailDeferred | BounceDetected, purposes: frozenset[str]) -> bool:
    return fact.purpose in purposes and state.find_request(fact.request_id) is not None


def _record(state: Agreement, fact: Event, at: datetime) -> Decision:
    return (Dated(fact, at), *complete_if_ready(evolve(state, fact, at)))


def _recipients(state: Agreement, used: tuple[Request, ...]) -> tuple[Person, ...]:
    """Who gets the sealed copy: the sender and everyone who signed, nobody twice."""
    people = [state.sender]
    for request in used:
        if not any(same_email(request.email, person.email) for person in people):
            people.append(Person(email=request.email, name=request.name, language=request.language))
    return tuple(people)
