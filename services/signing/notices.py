"""What the sender is told by mail: whom a mail did not reach, and that time runs short. Pure.

Told once a cause, when it becomes true. No entries of the history: what they tell of stands there already.
"""

from datetime import datetime

from services.signing.agreement import Agreement, Status
from services.signing.asking import expires_of, is_overdue
from shared.events import BounceDetected, DeadlineNeared, Person, SignerUnreached


def of_bounce(before: Agreement, after: Agreement, fact: BounceDetected) -> SignerUnreached | None:
    """A signer could be reached before this bounce and cannot after it, and nobody else is asked for their place.

    A second mail that bounces where the first one did is no news, unless the sender had asked again in between.
    """
    request, was = after.find_request(fact.request_id), before.find_request(fact.request_id)
    if request is None or was is None or after.status is not Status.OUT:
        return None
    if not request.unreached or was.unreached or request != after.last_asked(request.place):
        return None
    return SignerUnreached(
        agreement_id=after.agreement_id,
        request_id=request.id,
        version=request.version,
        place=request.place,
        role=after.places[request.place].role,
        email=request.email,
        name=request.name,
        status=fact.status,
        diagnostic=fact.diagnostic,
        document_name=after.document_name,
        sender=after.sender,
    )


def of_deadline(state: Agreement, now: datetime) -> DeadlineNeared | None:
    """For whom it waits, while there is time left."""
    if state.status is not Status.OUT or is_overdue(state, now):
        return None
    return DeadlineNeared(
        agreement_id=state.agreement_id,
        expires=expires_of(state),
        waiting_for=tuple(
            Person(email=one.email, name=one.name, language=one.language) for one in state.open_requests()
        ),
        document_name=state.document_name,
        sender=state.sender,
    )
