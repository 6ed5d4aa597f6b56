"""What may be done to an agreement: state + command -> events, or a refusal in one sentence.

Each decision returns the events to append, in order, each with its business time; it changes nothing itself. Commands
of people are refused (`shared.errors.Refused`) when a rule says no. Facts of other services (`record_…`) never are:
they are appended, or give no events when they are not part of this history. Times are aware datetimes in UTC.

What the sender does when a signer cannot be reached or needs more time stands in `services.signing.remedies`.

The rules: places are signed in order, each once, through its original request or an alternate's. A signer states a
name before signing, unless the sender gave one. The last signature ends what signers and sender may do; the agreement
is completed once it is recorded what became of the mail of every request that was used, at the last signature's time.
After its deadline nobody signs, whether or not its end is written down yet.
"""

from datetime import datetime

from services.signing.agreement import MAILS_TO_SIGNERS, REQUEST_MAILS, Agreement, Dated, Request, Status
from services.signing.asking import (
    Decision,
    ask_place,
    asked_now,
    expires_of,
    reminding,
    require,
    require_time,
    require_unsigned,
    signers_so_far,
)
from services.signing.evolving import evolve
from shared.clock import timestamp
from shared.errors import InvalidInput, Refused
from shared.events import (
    AgreementCancelled,
    AgreementCompleted,
    AgreementCreated,
    AgreementExpired,
    BounceDetected,
    DocumentSigned,
    DocumentViewed,
    EmailDeferred,
    EmailSent,
    Event,
    Person,
    ProtocolDrafted,
    SignerInvitation,
    SignerNameEntered,
    SigningDeclined,
)
from shared.text import clean_email, clean_name, clean_reason, named_twice, same_email

# A page reloaded in a loop must not grow a history without end: further views of a signer are no news.
MAX_VIEWS = 100
MAX_NAMES = 20


def create(draft: ProtocolDrafted, at: datetime) -> Decision:
    """An agreement stands ready. Time and IP are the draft's. Raises InvalidInput for signers that cannot be asked."""
    if not draft.signers:
        raise InvalidInput("an agreement needs at least one signer")
    signers = tuple(_clean_signer(signer) for signer in draft.signers)
    if shared := named_twice(signer.email for signer in signers):
        raise InvalidInput(f"two signers share the address {shared}")
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
        version=draft.version,
        replaces=draft.replaces,
    )
    return (Dated(event, at),)


def send_off(state: Agreement, *, expires: datetime, at: datetime) -> Decision:
    """The sender sends it off: the first place is asked."""
    require(state, Status.READY)
    return ask_place(state, 0, timestamp(expires), at)


def view(state: Agreement, request_id: str, *, ip: str, at: datetime) -> Decision:
    """A signer opened the document. Later views are events too, up to MAX_VIEWS."""
    request = _in_turn(state, request_id, at)
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
    request = _in_turn(state, request_id, at)
    name = clean_name(name)
    if name == request.name:
        return ()
    if request.name_given:
        raise Refused(f"the name is known from the start: {request.name}")
    if request.names >= MAX_NAMES:
        raise Refused(f"the name was changed {MAX_NAMES} times: sign with the one that is stated, or decline")
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
    request = _in_turn(state, request_id, at)
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
    return (Dated(event, at), *ask_place(signed, place.index + 1, expires_of(state), at))


def decline(state: Agreement, request_id: str, reason: str, *, ip: str, at: datetime) -> Decision:
    """A signer whose turn it is says no, and the agreement ends."""
    request = _in_turn(state, request_id, at)
    event = SigningDeclined(
        agreement_id=state.agreement_id,
        request_id=request.id,
        place=request.place,
        email=request.email,
        name=request.name,
        ip=ip,
        role=state.places[request.place].role,
        reason=clean_reason(reason),
        language=request.language,
        document_name=state.document_name,
        sender=state.sender,
        signed=signers_so_far(state),
    )
    return (Dated(event, at),)


def cancel(state: Agreement, reason: str, *, ip: str, at: datetime) -> Decision:
    """The sender withdraws it, and the agreement ends."""
    require(state, Status.READY, Status.OUT)
    event = AgreementCancelled(
        agreement_id=state.agreement_id,
        by=state.sender,
        reason=clean_reason(reason),
        ip=ip,
        document_name=state.document_name,
        sender=state.sender,
        signed=signers_so_far(state),
        asked=asked_now(state),
    )
    return (Dated(event, at),)


def remind(state: Agreement, *, at: datetime) -> Decision:
    """The sender reminds everyone who may sign now and can be reached. Raises Refused when nobody can be."""
    require(state, Status.OUT)
    require_time(state, at)
    reminders = remind_reachable(state, at=at)
    if not reminders:
        who = " and ".join(request.email for request in state.open_requests())
        raise Refused(
            f"nobody can be reminded: the last mail to {who} bounced",
            hint="correct the address, or add an alternate",
        )
    return reminders


def remind_reachable(state: Agreement, *, at: datetime) -> Decision:
    """What the timer does: a reminder to everyone who may sign now, but not where the last mail bounced for good."""
    require(state, Status.OUT)
    reachable = (request for request in state.open_requests() if not request.undeliverable)
    return tuple(Dated(reminding(state, request), at) for request in reachable)


def expire(state: Agreement, *, at: datetime) -> Decision:
    """Nobody signed in time, and the agreement ends."""
    require(state, Status.OUT)
    event = AgreementExpired(
        agreement_id=state.agreement_id,
        document_name=state.document_name,
        sender=state.sender,
        signed=signers_so_far(state),
    )
    return (Dated(event, at),)


def record_email_sent(state: Agreement, fact: EmailSent, at: datetime) -> Decision:
    """A request's mail went out, at `at`: recorded in every status. It may be what completion waited for."""
    return _record(state, fact, at) if _concerns(state, fact, REQUEST_MAILS) else ()


def record_deferral(state: Agreement, fact: EmailDeferred, at: datetime) -> Decision:
    """A request's mail waits at a mail server: recorded, no line of the report."""
    return _record(state, fact, at) if _concerns(state, fact, REQUEST_MAILS) else ()


def record_bounce(state: Agreement, fact: BounceDetected, at: datetime) -> Decision:
    """A request's mail or a reminder could not be delivered: recorded in every status."""
    return _record(state, fact, at) if _concerns(state, fact, MAILS_TO_SIGNERS) else ()


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


def _in_turn(state: Agreement, request_id: str, at: datetime) -> Request:
    """The request, if its signer may act on it now. Raises NotFound, Refused."""
    request = state.request(request_id)
    require_unsigned(state, request)
    require(state, Status.OUT)
    require_time(state, at)
    current = state.current_place
    if current is not None and current.index != request.place:
        awaited = state.requests_for(current.index)[0]
        raise Refused(f"it is not their turn: {awaited.email} has not signed")
    return request


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
