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
    DocumentSigned,
    DocumentViewed,
    ReminderRequested,
    SignatureRequested,
    SignerNameEntered,
    SigningDeclined,
)

__all__ = [
    "AgreementCancelled",
    "AgreementCompleted",
    "AgreementCreated",
    "AgreementExpired",
    "AlternateSignerAdded",
    "BlobRef",
    "BounceDetected",
    "DocumentSigned",
    "DocumentViewed",
    "EmailDeferred",
    "EmailSent",
    "Envelope",
    "Event",
    "MalformedEvent",
    "MeetingCancelled",
    "MeetingChanged",
    "MeetingScheduled",
    "Person",
    "ProtocolArchived",
    "ProtocolDrafted",
    "ReminderRequested",
    "SignatureRequested",
    "SignerInvitation",
    "SignerNameEntered",
    "SigningDeclined",
    "declared_events",
    "event_class",
    "event_type",
]
