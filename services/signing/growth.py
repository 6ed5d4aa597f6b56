"""How far a history may grow: signing, which writes it, stops before the archive would refuse to read it. Pure.

The archive reads `shared.history.MAX_BYTES`. From half of that on a history is full: only what an agreement needs to
come to its end is appended, which is bounded by the number of its requests, and for which the other half is kept. A
sender is refused what could be done without end; what others could cause without end (delays of mails, later views) is
let pass, since facts are never refused.
"""

from services.signing.agreement import Agreement, Dated, Status
from services.signing.asking import Decision
from shared import history
from shared.errors import Refused
from shared.events import (
    AgreementCancelled,
    AgreementCompleted,
    AgreementExpired,
    BounceDetected,
    DocumentSigned,
    DocumentViewed,
    EmailDeferred,
    EmailSent,
    SignatureRequested,
    SignerNameEntered,
    SigningDeclined,
)

FULL_BYTES = history.MAX_BYTES // 2

# A mail is sent once, and bounces once.
_NEEDED = (
    DocumentSigned,
    SigningDeclined,
    AgreementCancelled,
    AgreementExpired,
    AgreementCompleted,
    EmailSent,
    BounceDetected,
)


def is_full(state: Agreement) -> bool:
    return state.size >= FULL_BYTES


def within_limit(state: Agreement, decision: Decision) -> Decision:
    """What of a decision may still happen. Raises Refused for what a sender can do without."""
    if not is_full(state) or not decision or _is_needed(state, decision[0]):
        return decision
    if isinstance(decision[0].event, EmailDeferred | DocumentViewed):
        return ()
    if isinstance(decision[0].event, SignerNameEntered):
        raise Refused(
            "the history of this agreement is full: the name that was stated stays",
            hint="sign with it, or decline and say what should be changed",
        )
    raise Refused(
        "the history of this agreement is full: it can be signed, declined or cancelled, nothing else",
        hint="cancel it, and send the minutes anew",
    )


def _is_needed(state: Agreement, first: Dated) -> bool:
    event = first.event
    if isinstance(event, SignatureRequested):
        return state.status is Status.READY  # sending off; later ones follow a signature, or ask again
    if isinstance(event, DocumentViewed):
        return event.first
    if isinstance(event, SignerNameEntered):
        return state.request(event.request_id).names == 0
    return isinstance(event, _NEEDED)
