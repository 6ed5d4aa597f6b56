"""What each recorded event makes of an agreement: `evolve` takes one, `replay` a whole history. Pure."""

from collections.abc import Iterable, Mapping
from datetime import datetime

from services.signing.agreement import (
    MAILS_TO_SIGNERS,
    REQUEST_MAILS,
    TERMINAL,
    Agreement,
    Place,
    Request,
    Status,
    request_id,
)
from shared.events import (
    AgreementCancelled,
    AgreementCompleted,
    AgreementCreated,
    AgreementExpired,
    AlternateSignerAdded,
    BounceDetected,
    DeadlineExtended,
    DocumentSigned,
    DocumentViewed,
    EmailDeferred,
    EmailSent,
    Event,
    ReminderRequested,
    SignatureRequested,
    SignerAddressCorrected,
    SignerNameEntered,
    SigningDeclined,
    SigningLinkRevoked,
    event_type,
)
from shared.history import entry_bytes

# Nothing is known of a mail of the version that is asked for now.
_NO_MAIL_YET: Mapping[str, object] = {
    "sent_at": None,
    "bounced_at": None,
    "bounce_status": None,
    "bounce_diagnostic": None,
    "bounce_permanent": None,
    "bounced_mail": None,
    "bounced_reminder": False,
    "mailed_since": False,
}

_S = Status
# Which event may follow in which status, and the status after it. A signature that is not the last keeps `out`;
# see `_after_signature`. Facts of other services (mails sent, deferred, bounced) may follow in any status.
_TRANSITIONS: Mapping[tuple[Status, type[Event]], Status] = {
    (_S.READY, SignatureRequested): _S.OUT,
    (_S.READY, AlternateSignerAdded): _S.READY,
    (_S.READY, SignerAddressCorrected): _S.READY,
    (_S.READY, AgreementCancelled): _S.CANCELLED,
    (_S.OUT, SignatureRequested): _S.OUT,
    (_S.OUT, DocumentViewed): _S.OUT,
    (_S.OUT, SignerNameEntered): _S.OUT,
    (_S.OUT, DocumentSigned): _S.OUT,
    (_S.OUT, AlternateSignerAdded): _S.OUT,
    (_S.OUT, SignerAddressCorrected): _S.OUT,
    (_S.OUT, SigningLinkRevoked): _S.OUT,
    (_S.OUT, DeadlineExtended): _S.OUT,
    (_S.OUT, ReminderRequested): _S.OUT,
    (_S.OUT, SigningDeclined): _S.DECLINED,
    (_S.OUT, AgreementCancelled): _S.CANCELLED,
    (_S.OUT, AgreementExpired): _S.EXPIRED,
    (_S.SIGNED, SigningLinkRevoked): _S.SIGNED,
    (_S.SIGNED, AgreementCompleted): _S.COMPLETED,
}
_FACTS = (EmailSent, EmailDeferred, BounceDetected)


class CorruptHistory(ValueError):
    """The events do not follow from one another: a bug of ours, or a damaged table."""


def replay(history: Iterable[tuple[Event, datetime]]) -> Agreement:
    """The state after all events. Raises CorruptHistory, also when there are none."""
    state: Agreement | None = None
    for event, at in history:
        state = evolve(state, event, at)
    if state is None:
        raise CorruptHistory("a history without entries")
    return state


def evolve(state: Agreement | None, event: Event, at: datetime) -> Agreement:
    """The state after one more event. Raises CorruptHistory for one that cannot follow."""
    if state is None:
        return _created(event, at)
    status = _status_after(state, event)
    size = state.size + entry_bytes(event)
    changed = state.model_copy(update={"status": status, "length": state.length + 1, "size": size})
    if status in TERMINAL and state.status not in TERMINAL:
        changed = changed.model_copy(update={"ended_at": at})
    return _apply(changed, event, at)


def _status_after(state: Agreement, event: Event) -> Status:
    if isinstance(event, _FACTS):
        return state.status
    status = _TRANSITIONS.get((state.status, type(event)))
    if status is None:
        raise CorruptHistory(f"{event_type(event)} cannot follow in an agreement that is {state.status}")
    return status


def _created(event: Event, at: datetime) -> Agreement:
    if not isinstance(event, AgreementCreated):
        raise CorruptHistory(f"a history begins with its creation, not with {event_type(event)}")
    return Agreement(
        size=entry_bytes(event),
        agreement_id=event.agreement_id,
        meeting_id=event.meeting_id,
        document_name=event.document_name,
        document=event.document,
        render_input=event.render_input,
        template_version=event.template_version,
        sender=event.sender,
        language=event.language,
        timezone=event.timezone,
        version=event.version,
        replaces=event.replaces,
        places=tuple(Place(index=i, role=signer.role) for i, signer in enumerate(event.signers)),
        requests=tuple(
            Request(
                id=request_id(event.agreement_id, i),
                place=i,
                email=signer.email,
                name=signer.name,
                name_given=signer.name is not None,
                language=signer.language,
            )
            for i, signer in enumerate(event.signers)
        ),
        created_at=at,
    )


def _apply(state: Agreement, event: Event, at: datetime) -> Agreement:
    match event:
        case SignatureRequested():
            return _requested(state, event, at)
        case DocumentViewed():
            request = state.request(event.request_id)
            viewed_at = request.viewed_at or at
            return _with_request(state, request.id, viewed_at=viewed_at, views=request.views + 1)
        case SignerNameEntered():
            names = state.request(event.request_id).names + 1
            return _with_request(state, event.request_id, name=event.name, names=names)
        case DocumentSigned():
            return _signed(state, event, at)
        case AlternateSignerAdded():
            return _alternate_added(state, event)
        case SignerAddressCorrected():
            return _corrected(state, event)
        case SigningLinkRevoked():
            return _with_request(state, event.request_id, version=event.version)
        case DeadlineExtended():
            return state.model_copy(update={"expires": event.expires})
        case SigningDeclined():
            return state.model_copy(update={"declined_by": event.request_id, "end_reason": event.reason})
        case AgreementCancelled():
            return state.model_copy(update={"end_reason": event.reason})
        case ReminderRequested():
            return _with_request(state, event.request_id, asked_at=at)
        case EmailSent() if event.purpose in REQUEST_MAILS:
            return _mail_sent(state, event, at)
        case BounceDetected() if event.purpose in MAILS_TO_SIGNERS:
            return _bounced(state, event, at)
        case _:
            return state


def _with_request(state: Agreement, changed_id: str | None, **changes: object) -> Agreement:
    requests = tuple(r.model_copy(update=changes) if r.id == changed_id else r for r in state.requests)
    return state.model_copy(update={"requests": requests})


def _requested(state: Agreement, event: SignatureRequested, at: datetime) -> Agreement:
    request = state.request(event.request_id)
    changes: dict[str, object] = {
        "requested_at": request.requested_at or at,
        "asked_at": at,
        "withheld": False,
        "version": event.version,
        "asked_version": event.version,
        "mailed_since": request.bounced_at is not None,
    }
    if event.version != request.asked_version:
        changes |= _NO_MAIL_YET
    asked = _with_request(state, request.id, **changes)
    return asked.model_copy(update={"sent_off_at": state.sent_off_at or at, "expires": event.expires})


def _signed(state: Agreement, event: DocumentSigned, at: datetime) -> Agreement:
    place = state.places[event.place]
    if place != state.next_place:
        raise CorruptHistory(f"place {event.place} was signed twice or out of turn")
    places = tuple(p.model_copy(update={"signed_by": event.request_id}) if p == place else p for p in state.places)
    signed = _with_request(state, event.request_id, signed_at=at)
    last = all(p.signed_by for p in places)
    status = Status.SIGNED if last else Status.OUT
    return signed.model_copy(update={"places": places, "last_signed_at": at, "status": status})


def _corrected(state: Agreement, event: SignerAddressCorrected) -> Agreement:
    """As if nobody had been asked yet: whoever read the mail at the old address may have been a stranger."""
    return _with_request(
        state,
        event.request_id,
        email=event.email,
        name=event.name,
        version=event.version,
        asked_version=event.version,
        requested_at=None,
        asked_at=None,
        withheld=False,
        viewed_at=None,
        views=0,
        names=0,
        **_NO_MAIL_YET,
    )


def _alternate_added(state: Agreement, event: AlternateSignerAdded) -> Agreement:
    original = state.request(event.original_request_id)
    turn = state.current_place
    if turn is not None and turn.index == event.place and original.undeliverable:
        state = _with_request(state, original.id, withheld=True)
    alternate = Request(
        id=event.request_id,
        place=event.place,
        alternate=True,
        email=event.email,
        name=event.name,
        name_given=event.name is not None,
        language=original.language,
    )
    return state.model_copy(update={"requests": (*state.requests, alternate)})


def _mail_sent(state: Agreement, event: EmailSent, at: datetime) -> Agreement:
    request = _asked_by(state, event)
    if request is None:
        return state
    # The report may be quicker than the news that the same mail was taken.
    later = request.bounced_at is not None and event.email_id != request.bounced_mail and at >= request.bounced_at
    return _with_request(state, request.id, sent_at=request.sent_at or at, mailed_since=request.mailed_since or later)


def _bounced(state: Agreement, event: BounceDetected, at: datetime) -> Agreement:
    request = _asked_by(state, event)
    if request is None:
        return state
    settled = request.bounced_at is not None and not request.bounced_reminder
    return _with_request(
        state,
        request.id,
        bounced_at=at,
        bounce_status=event.status,
        bounce_diagnostic=event.diagnostic,
        bounce_permanent=event.permanent,
        bounced_mail=event.email_id,
        bounced_reminder=event.purpose not in REQUEST_MAILS and not settled,
        mailed_since=False,
    )


def _asked_by(state: Agreement, fact: EmailSent | BounceDetected) -> Request | None:
    """The request that a mail asked for; None when its link was replaced since, perhaps with the address."""
    request = state.find_request(fact.request_id)
    if request is None or fact.request_version not in (None, request.asked_version):
        return None
    return request
