"""The event contract: the envelope, and one module of event types per producing service."""

from shared.events.archive import ProtocolArchived
from shared.events.base import BlobRef, Event, Person, declared_events, event_class, event_type
from shared.events.envelope import Envelope, MalformedEvent
from shared.events.meetings import (
    MeetingCancelled,
    MeetingChanged,
    MeetingScheduled,
    ProtocolDrafted,
    SignerInvitation,
)
from shared.events.notifications import BounceDetected, EmailDeferred, EmailSent
from shared.events.signing import (
    AgreementCancelled,
    AgreementCompleted,
    AgreementCreated,
    AgreementExpired,
    AlternateSignerAdded,
    DeadlineExtended,
    DocumentSigned,
    DocumentViewed,
    HistoryAnchored,
    ReminderRequested,
    SignatureRequested,
    SignerAddressCorrected,
    SignerNameEntered,
    SigningDeclined,
    SigningLinkRevoked,
)

__all__ = [
    "AgreementCancelled",
    "AgreementCompleted",
    "AgreementCreated",
    "AgreementExpired",
    "AlternateSignerAdded",
    "BlobRef",
    "BounceDetected",
    "DeadlineExtended",
    "DocumentSigned",
    "DocumentViewed",
    "EmailDeferred",
    "EmailSent",
    "Envelope",
    "Event",
    "HistoryAnchored",
    "MalformedEvent",
    "MeetingCancelled",
    "MeetingChanged",
    "MeetingScheduled",
    "Person",
    "ProtocolArchived",
    "ProtocolDrafted",
    "ReminderRequested",
    "SignatureRequested",
    "SignerAddressCorrected",
    "SignerInvitation",
    "SignerNameEntered",
    "SigningDeclined",
    "SigningLinkRevoked",
    "declared_events",
    "event_class",
    "event_type",
]
