"""An agreement: who signs a document, in which order, and how far they have come.

The state is a fold over its history, see `services.signing.evolving`. What people may do to it stands in
`services.signing.decisions`. No I/O, no clock, no randomness here.

A *place* is a role to be signed for, in signing order. A *request* asks one address to sign for a place; an alternate
is a second request for the same place, and whoever signs first signs for the place. All addresses of one agreement
differ. An agreement walks through these statuses:

    ready -> out -> signed -> completed        declined, cancelled, expired end it before all have signed

`signed` means that every place is signed, and only the news that the used requests' mails were sent is awaited.
"""

import uuid
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from pydantic import BaseModel, ConfigDict

from shared.errors import NotFound
from shared.events import BlobRef, Event, Person
from shared.text import same_email

# The purposes of the mails that ask for a signature; reminders, receipts and notices are not part of a history.
REQUEST_MAILS = frozenset({"signature-request", "alternate-request", "request-again"})

MAILS_TO_SIGNERS = REQUEST_MAILS | {"reminder"}

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
    """The state of one agreement; JSON by `model_dump_json`, back by `model_validate_json`.

    Stored without what is at its default: while pods roll, the version before reads it too, and refuses what it knows
    not rather than lose it. A default never changes.
    """

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
