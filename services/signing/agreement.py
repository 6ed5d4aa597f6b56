"""An agreement: who signs a document, in which order, and how far they have come.

The state is a fold over its history: `evolve` takes one recorded event, `replay` all of them. What people may do to it
stands in `services.signing.decisions`. No I/O, no clock, no randomness here.

A *place* is a role to be signed for, in signing order. A *request* asks one address to sign for a place; an alternate
is a second request for the same place, and whoever signs first signs for the place. All addresses of one agreement
differ. An agreement walks through these statuses:

    ready -> out -> signed -> completed        declined, cancelled, expired end it before all have signed

`signed` means that every place is signed, and only the news that the used requests' mails were sent is awaited.
"""

import uuid
from collections.abc import Iterable, Mapping
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from pydantic import BaseModel, ConfigDict

from shared.errors import NotFound
from shared.events import (
    AgreementCancelled,
    AgreementCompleted,
    AgreementCreated,
    AgreementExpired,
    AlternateSignerAdded,
    BlobRef,
    BounceDetected,
    DeadlineExtended,
    DocumentSigned,
    DocumentViewed,
    EmailDeferred,
    EmailSent,
    Event,
    Person,
    ReminderRequested,
    SignatureRequested,
    SignerAddressCorrected,
    SignerNameEntered,
    SigningDeclined,
    SigningLinkRevoked,
    event_type,
)
from shared.history import entry_bytes
from shared.text import same_email

# The purposes of the mails that ask for a signature; reminders, receipts and notices are not part of a history.
REQUEST_MAILS = frozenset({"signature-request", "alternate-request", "request-again"})

MAILS_TO_SIGNERS = REQUEST_MAILS | {"reminder"}

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

_REQUEST_NAMESPACE = uuid.UUID("6f0c3c0e-6f5b-5d0e-9d53-0c5d3d8f6a51")


class Status(StrEnum):
    READY = "ready"
    OUT = "out"
    SIGNED = "signed"
    COMPLETED = "completed"
    DECLINED = "declined"
    CANCELLED = "cancelled"
    EXPIRED = "expired"


TERMINAL = frozenset({Status.COMPLETED, Status.DECLINED, Status.CANCELLED, Status.EXPIRED})

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


class Dated(NamedTuple):
    """An event and its business time (aware): what decisions return and histories hold."""

    event: Event
    at: datetime


class _State(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Request(_State):
    """One address asked to sign for a place. `requested_at` is None until the place's turn has come.

    `version` is that of the links that are valid; `asked_version` that of the last mail that asked: only what becomes
    of mails of that version says something about this address. `asked_at`: when it was last asked or reminded by mail.
    """

    id: str
    version: int = 1
    asked_version: int = 1
    place: int
    alternate: bool = False
    email: str
    name: str | None
    name_given: bool  # from the start, by the sender: the signer cannot change it
    language: str
    requested_at: datetime | None = None
    asked_at: datetime | None = None
    withheld: bool = False  # not asked again beside a new alternate, since its mail had bounced for good
    sent_at: datetime | None = None
    bounced_at: datetime | None = None
    bounce_status: str | None = None
    bounce_diagnostic: str | None = None
    bounce_permanent: bool | None = None  # None: bounced before this was kept; the status tells
    bounced_mail: str | None = None
    bounced_reminder: bool = False  # only a reminder bounced so far
    mailed_since: bool = False  # another mail went out after the bounce
    viewed_at: datetime | None = None
    views: int = 0
    names: int = 0  # how often a name was stated
    signed_at: datetime | None = None

    @property
    def mail_settled(self) -> bool:
        """What became of the mail that asks is recorded: taken by a mail server, or refused by it."""
        return self.sent_at is not None or (self.bounced_at is not None and not self.bounced_reminder)

    @property
    def unreached(self) -> bool:
        """The last mail to this address bounced."""
        return self.bounced_at is not None and not self.mailed_since

    @property
    def undeliverable(self) -> bool:
        """The last mail to this address bounced for good: no mail goes there unless the sender insists."""
        hard = (self.bounce_status or "").startswith("5") if self.bounce_permanent is None else self.bounce_permanent
        return self.unreached and hard


class Place(_State):
    index: int
    role: str
    signed_by: str | None = None  # the id of the request it was signed through


class Agreement(_State):
    """The state of one agreement; JSON by `model_dump_json`, back by `model_validate_json`."""

    agreement_id: str
    meeting_id: str
    document_name: str
    document: BlobRef
    render_input: BlobRef
    template_version: str
    sender: Person
    language: str
    timezone: str
    version: int = 1  # of the minutes
    replaces: str | None = None  # the agreement about the version before
    status: Status = Status.READY
    length: int = 1  # entries of the history so far = the next entry's n
    size: int = 0  # bytes that the history takes at most, as a file
    places: tuple[Place, ...]
    requests: tuple[Request, ...]
    created_at: datetime
    sent_off_at: datetime | None = None
    expires: str | None = None  # RFC 3339, UTC; set when sent off
    last_signed_at: datetime | None = None
    ended_at: datetime | None = None
    declined_by: str | None = None  # the id of a request
    end_reason: str | None = None  # of who declined or cancelled; None for an end from before this was kept

    @property
    def current_place(self) -> Place | None:
        """The place whose turn it is: the first that is not signed. None before sending off and at the end."""
        return self.next_place if self.status is Status.OUT else None

    @property
    def next_place(self) -> Place | None:
        return next((place for place in self.places if place.signed_by is None), None)

    def request(self, request_id: str) -> Request:
        """Raises NotFound."""
        for request in self.requests:
            if request.id == request_id:
                return request
        raise NotFound("this request to sign does not exist")

    def find_request(self, request_id: str | None) -> Request | None:
        return next((request for request in self.requests if request.id == request_id), None)

    def requests_for(self, place: int) -> tuple[Request, ...]:
        """The original first, then the alternates in the order they were added."""
        return tuple(request for request in self.requests if request.place == place)

    def open_requests(self) -> tuple[Request, ...]:
        """Those who may sign now."""
        place = self.current_place
        return self.requests_for(place.index) if place else ()

    def last_asked(self, place: int) -> Request | None:
        """Whom it depends on that a place is signed: the alternate asked last, or the original. None when signed."""
        asked = [request for request in self.requests_for(place) if request.requested_at is not None]
        return asked[-1] if asked and self.places[place].signed_by is None else None

    @property
    def waits_on_bounce(self) -> bool:
        """Whom it waits for was not reached: nothing happens until the sender does something."""
        place = self.current_place
        last = self.last_asked(place.index) if place else None
        return last is not None and last.unreached

    def signed_through(self, place: int) -> Request | None:
        return self.find_request(self.places[place].signed_by) if self.places[place].signed_by else None


def request_for_email(state: Agreement, email: str) -> Request:
    """By address, whatever its case. Raises NotFound."""
    for request in state.requests:
        if same_email(request.email, email):
            return request
    raise NotFound(f"nobody is asked to sign at {email}")


def request_id(agreement_id: str, place: int, alternate: int = 0) -> str:
    """The id of a place's original (0) or n-th alternate request: a UUIDv5, so that it need not be handed in.

    No secret: what opens a request is the link's HMAC.
    """
    return str(uuid.uuid5(_REQUEST_NAMESPACE, f"{agreement_id}/{place}/{alternate}"))


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
