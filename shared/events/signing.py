"""Facts of the signing service. Subject and key: the agreement's id (= the transaction id).

The names `place` (0-based, in signing order) and `request_id` recur: a place is a role to be signed for; a request
asks one address to sign for it. An alternate is a second request for the same place: whoever signs first signs for it.
"""

from typing import ClassVar, Literal

from pydantic import Field

from shared.events import topics
from shared.events.base import BlobRef, Event, Person, Value
from shared.events.meetings import SignerInvitation

RequestPurpose = Literal["first", "alternate", "again"]


class _AgreementEvent(Event):
    """`in_history`: whether it is an entry of the history. News that only tells of what stands there is not."""

    abstract: ClassVar[bool] = True
    service: ClassVar[str] = "signing"
    topic: ClassVar[str] = topics.SIGNING
    in_history: ClassVar[bool] = True

    agreement_id: str


class AgreementCreated(_AgreementEvent):
    """Entry 0 of a history: names the agreement and its document. Time and IP are those of ProtocolDrafted."""

    meeting_id: str
    document_name: str
    document: BlobRef = Field(description="the unsigned original, PDF")
    render_input: BlobRef
    template_version: str
    sender: Person
    ip: str
    signers: tuple[SignerInvitation, ...]
    language: str
    timezone: str
    version: int = Field(default=1, description="of the minutes: above 1, one before was not signed by everyone")
    replaces: str | None = Field(default=None, description="the agreement about the version before")


class SignatureRequested(_AgreementEvent):
    """Someone is asked to sign. Carries all that the mail needs but the link, which is derived where it is needed.

    `version` changes on revocation or a corrected address, never when a mail is sent again: one above 1 tells that
    links mailed before are no longer valid.
    """

    request_id: str
    version: int
    place: int
    role: str
    purpose: RequestPurpose = Field(
        description="first request, to an alternate, or sent again to an address that was asked before"
    )
    email: str
    name: str | None
    language: str
    document_name: str
    sender: Person
    expires: str = Field(description="RFC 3339, UTC: when the agreement expires")


class _RequestEvent(_AgreementEvent):
    abstract: ClassVar[bool] = True

    request_id: str
    place: int
    email: str
    name: str | None
    ip: str


class DocumentViewed(_RequestEvent):
    """A signer opened the document (by POST: a person acted, not a mail scanner). `first`: their first view."""

    first: bool


class SignerNameEntered(_RequestEvent):
    """A signer who was asked by address alone stated their name."""

    name: str


class DocumentSigned(_RequestEvent):
    """A place was signed. The event's time is the signature's."""

    name: str
    role: str
    document_sha256: str
    language: str
    document_name: str


class AlternateSignerAdded(_AgreementEvent):
    """The sender let another address sign for a place; the original may still sign."""

    place: int
    by: Person
    ip: str
    original_request_id: str
    original_email: str
    original_name: str | None
    request_id: str
    email: str
    name: str | None


class SignerAddressCorrected(_AgreementEvent):
    """The sender replaced the address of a request that has not signed. `version` is that of the new address's link.

    `name` is the signer's where the sender gave one: what somebody stated at the old address is not carried over.
    """

    place: int
    by: Person
    ip: str
    request_id: str
    version: int
    original_email: str = Field(description="the address until now: its link is no longer valid")
    email: str
    name: str | None


class SigningLinkRevoked(_AgreementEvent):
    """The sender ended the links that a signer was mailed so far. `version` is that of the next one.

    A SignatureRequested with a new link follows, unless the place is signed.
    """

    place: int
    by: Person
    ip: str
    request_id: str
    version: int
    email: str
    name: str | None


class DeadlineExtended(_AgreementEvent):
    """The sender gave the signers more time. Both times are RFC 3339, UTC."""

    by: Person
    ip: str
    expires: str
    expired_before: str = Field(description="the deadline until now")


class ReminderRequested(_AgreementEvent):
    """An open request is to be reminded of by mail."""

    request_id: str
    version: int
    place: int
    role: str
    email: str
    name: str | None
    language: str
    document_name: str
    sender: Person
    expires: str


class _AgreementEnded(_AgreementEvent):
    """What those who are told of the end need. Absent in events from before they were told."""

    abstract: ClassVar[bool] = True

    document_name: str = ""
    sender: Person | None = None
    signed: tuple[Person, ...] = Field(default=(), description="who had signed by then")


class SigningDeclined(_RequestEvent, _AgreementEnded):
    """A signer said no. The agreement ends."""

    role: str
    reason: str
    language: str = "sv"


class AgreementCancelled(_AgreementEnded):
    """The sender withdrew the agreement. It ends."""

    by: Person
    reason: str
    ip: str
    asked: tuple[Person, ...] = Field(default=(), description="who was asked to sign then, and had not")


class AgreementExpired(_AgreementEnded):
    """Nobody signed in time. The agreement ends."""


class HistoryAnchored(_AgreementEvent):
    """A mail's trouble was recorded as the history's last entry. Bears the head (`ce_historyhead`) out of signing.

    No entry of the history itself: it says how far the history had come, so that nobody takes the entry away unnoticed.
    """

    in_history: ClassVar[bool] = False


class SignerUnreached(_AgreementEvent):
    """A signer's mail bounced and nobody is asked in their stead: the sender has to do something.

    No entry of the history: the bounce itself is one.
    """

    in_history: ClassVar[bool] = False

    request_id: str
    version: int
    place: int
    role: str
    email: str
    name: str | None
    status: str = Field(description="RFC 3463, e.g. 5.1.1")
    diagnostic: str = Field(description="what the mail server said, as it said it")
    document_name: str
    sender: Person


class DeadlineNeared(_AgreementEvent):
    """The time to sign runs out soon, and not everyone has signed. No entry of the history."""

    in_history: ClassVar[bool] = False

    expires: str
    waiting_for: tuple[Person, ...]
    document_name: str
    sender: Person


class EndedLinks(Value):
    """Whose links ended. `version`: that of the next link to the sealed copy that they are mailed."""

    email: str
    name: str | None
    language: str = "sv"
    version: int
    mailed: bool = Field(description="they are mailed a new link to the sealed copy")


class LinksEnded(_AgreementEvent):
    """The sender ended the links of people of an agreement that had ended: to sign, and to the sealed copy.

    No entry of the history, which is sealed: the archive's journal keeps it.
    """

    in_history: ClassVar[bool] = False

    by: Person
    ip: str
    people: tuple[EndedLinks, ...]
    document_name: str


class AgreementCompleted(_AgreementEvent):
    """Every place is signed and every request that was used is known as sent. Bears the last signature's time."""

    meeting_id: str
    document_name: str
    document: BlobRef
    render_input: BlobRef
    template_version: str
    history: BlobRef | None = Field(
        default=None,
        description="history.json: the chained entries up to and including this one. Absent in that entry itself, "
        "which cannot bear the hash of the file it is in; always present in the event as published.",
    )
    recipients: tuple[Person, ...] = Field(description="who gets the sealed copy: the sender and everyone who signed")
    language: str
    timezone: str
