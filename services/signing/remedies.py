"""What the sender does when a signer cannot be reached, a link is in the wrong hands, or time runs short. Pure.

As in `services.signing.decisions`: state + command -> events, or a refusal in one sentence.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from services.signing.agreement import TERMINAL, Agreement, Dated, Request, Status, request_for_email, request_id
from services.signing.asking import (
    Decision,
    asking,
    expires_of,
    first_purpose,
    in_turn,
    require,
    require_time,
    require_unsigned,
)
from services.signing.ended_links import EndedLink
from services.signing.evolving import evolve
from shared.clock import parse_timestamp, timestamp
from shared.errors import InvalidInput, NotFound, Refused
from shared.events import (
    AlternateSignerAdded,
    DeadlineExtended,
    EndedLinks,
    LinksEnded,
    Person,
    SignerAddressCorrected,
    SigningLinkRevoked,
)
from shared.links import FIRST_VERSION, LINKS_OPEN
from shared.text import clean_mailbox, clean_name, email_key, in_both_spellings, same_email, same_mailbox

_MAX_ALTERNATES = 20  # per place
# More time than this is more likely a slip of the pen than a plan.
LONGEST_EXTENSION = timedelta(days=366)
_NO_LINK = "no link was mailed to them yet"


def add_alternate(
    state: Agreement, original: str, email: str, *, name: str | None = None, ip: str, at: datetime
) -> Decision:
    """The sender lets `email` sign for the place of the address `original`, which may still sign.

    If the place's turn has come, the alternate is asked, and the original asked again where its mail did not bounce for
    good (`Request.withheld` remembers that it was not). Raises NotFound for an address
    that is not asked, InvalidInput for a new address or name that is malformed.
    """
    named = _changeable(state, original, at)
    email = _new_address(state, email)
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


def alternate_before(states: Iterable[Agreement], email: str) -> Request | None:
    """Who was let sign for this address last, of agreements with the latest first; of one, rather who signed. Nobody
    whose own mail never arrived."""
    for state in states:
        found = [
            one
            for original in state.requests
            if not original.alternate and same_email(original.email, email)
            for one in state.requests_for(original.place)[1:]
            if not one.undeliverable
        ]
        if found:
            return next((one for one in found if one == state.signed_through(one.place)), found[-1])
    return None


def correct_address(state: Agreement, original: str, email: str, *, ip: str, at: datetime) -> Decision:
    """The sender replaces an address that was wrong. Its links are no longer valid, and the new one is asked anew.

    A name that was stated at the old address is forgotten: it may be a stranger's. Raises NotFound for an address that
    is not asked, InvalidInput for one that is malformed.
    """
    request = _changeable(state, original, at)
    event = SignerAddressCorrected(
        agreement_id=state.agreement_id,
        place=request.place,
        by=state.sender,
        ip=ip,
        request_id=request.id,
        version=request.version + 1,
        original_email=request.email,
        email=_new_address(state, email),
        name=request.name if request.name_given else None,
    )
    return (Dated(event, at), *_ask_anew(evolve(state, event, at), request.id, at))


def revoke_link(state: Agreement, email: str, *, ip: str, at: datetime) -> Decision:
    """The sender ends the links mailed to an address so far. Who has not signed yet is mailed a new one.

    Raises NotFound for an address that is not asked, Refused before its turn: there is no link yet. After the
    agreement's end: `end_links`.
    """
    request = request_for_email(state, email)
    require(state, Status.OUT, Status.SIGNED)
    require_time(state, at)
    if request.requested_at is None:
        raise Refused(_NO_LINK)
    event = SigningLinkRevoked(
        agreement_id=state.agreement_id,
        place=request.place,
        by=state.sender,
        ip=ip,
        request_id=request.id,
        version=request.version + 1,
        email=request.email,
        name=request.name,
    )
    return (Dated(event, at), *_ask_anew(evolve(state, event, at), request.id, at))


def revoke_links(state: Agreement, *, ip: str, at: datetime) -> Decision:
    """The same for everyone who was mailed a link. Raises Refused when nobody was."""
    decision: Decision = ()
    for asked in state.requests:
        if asked.requested_at is not None:
            one = revoke_link(state, asked.email, ip=ip, at=at)
            decision += one
            for event, when in one:
                state = evolve(state, event, when)
    if not decision:
        raise Refused(_NO_LINK)
    return decision


def end_links(
    state: Agreement,
    ended: Sequence[EndedLink],
    email: str | None,
    *,
    new_link: bool,
    copy_opened: datetime | None,
    ip: str,
    at: datetime,
) -> LinksEnded:
    """The sender ends the links of an address, or of everyone (None), once the agreement has ended.

    Their links to sign open nothing then, nor do those to the sealed copy, of which a new one is mailed with
    `new_link`. `ended`: whose links were ended before; `copy_opened`: when the sealed copy was archived, None when it
    is not. Raises NotFound for an address that was mailed no link, Refused before the end, and for a new link that
    would open nothing.
    """
    require(state, *TERMINAL)
    holders = _holders(state)
    if not holders:
        raise Refused(_NO_LINK)
    named = [one for one in holders if email is None or same_email(one.person.email, email)]
    if not named:
        raise NotFound(f"nobody was mailed a link at {email}")
    if new_link:
        _require_copy(state, copy_opened, at)
        if email is not None and not named[0].gets_copy:
            raise Refused(f"{named[0].person.email} is not mailed the sealed copy: only the sender and who signed are")
    versions = {email_key(one.email): one.version for one in ended}
    return LinksEnded(
        agreement_id=state.agreement_id,
        by=state.sender,
        ip=ip,
        people=tuple(
            EndedLinks(
                **one.person.model_dump(),
                version=versions.get(email_key(one.person.email), FIRST_VERSION) + 1,
                mailed=new_link and one.gets_copy,
            )
            for one in named
        ),
        document_name=state.document_name,
    )


def ask_again(state: Agreement, email: str, *, at: datetime) -> Decision:
    """The sender insists on an address whose mail bounced, since it is right: the same link is mailed once more.

    Raises NotFound for an address that is not asked, Refused where no mail bounced: a reminder is what they need.
    """
    request = request_for_email(state, email)
    require_unsigned(state, request)
    require(state, Status.OUT)
    require_time(state, at)
    if not request.unreached or not in_turn(state, request):
        raise Refused(f"no mail to {request.email} has bounced", hint="a reminder asks those who were reached")
    # The first mail that a server takes is the one that the report tells.
    purpose = "again" if request.sent_at is not None else first_purpose(request)
    return (Dated(asking(state, request, purpose, expires_of(state)), at),)


def extend(state: Agreement, expires: datetime, *, ip: str, at: datetime) -> Decision:
    """The sender gives more time, while there is some left. Raises InvalidInput for no later time, or for too late."""
    require(state, Status.OUT)
    require_time(state, at)
    before = expires_of(state)
    if expires <= parse_timestamp(before):
        raise InvalidInput("the new deadline is not after the one that holds now")
    if expires > at + LONGEST_EXTENSION:
        raise InvalidInput(f"the new deadline is more than {LONGEST_EXTENSION.days} days away")
    event = DeadlineExtended(
        agreement_id=state.agreement_id, by=state.sender, ip=ip, expires=timestamp(expires), expired_before=before
    )
    return (Dated(event, at),)


@dataclass(frozen=True, slots=True)
class _Holder:
    """Who was mailed a link. `gets_copy`: also to the sealed copy."""

    person: Person
    gets_copy: bool


def _holders(state: Agreement) -> list[_Holder]:
    """Everyone who was asked, and the sender of what was completed."""
    completed = state.status is Status.COMPLETED
    sender = state.sender
    found = [
        _Holder(
            Person(email=one.email, name=one.name, language=one.language),
            completed and (one == state.signed_through(one.place) or same_email(one.email, sender.email)),
        )
        for one in state.requests
        if one.requested_at is not None
    ]
    if completed and not any(same_email(one.person.email, sender.email) for one in found):
        found.append(_Holder(sender, gets_copy=True))
    return found


def _require_copy(state: Agreement, opened: datetime | None, at: datetime) -> None:
    """Raises Refused where a link to the sealed copy would open nothing."""
    if state.status is not Status.COMPLETED:
        raise Refused("there is no sealed copy that a new link could open")
    if opened is None:
        raise Refused("the sealed copy is not archived yet", hint="try again in a moment, or end the links without")
    if at >= opened + LINKS_OPEN:
        raise Refused(f"links to the sealed copy open for {LINKS_OPEN.days} days after it was archived")


def _changeable(state: Agreement, email: str, at: datetime) -> Request:
    """The request of an address, if its place still waits to be signed. Raises NotFound, Refused."""
    request = request_for_email(state, email)
    require_unsigned(state, request)
    require(state, Status.READY, Status.OUT)
    require_time(state, at)
    return request


def _new_address(state: Agreement, email: str) -> str:
    email = clean_mailbox(email)
    for request in state.requests:
        if same_mailbox(email, request.email):
            raise Refused(f"{in_both_spellings(email, request.email)} is asked to sign already")
    return email


def _ask_anew(state: Agreement, request_id: str, at: datetime) -> Decision:
    request = state.request(request_id)
    if not in_turn(state, request):
        return ()
    return (Dated(asking(state, request, first_purpose(request), expires_of(state)), at),)


def _ask_beside(state: Agreement, added: AlternateSignerAdded, at: datetime) -> Decision:
    """The alternate is asked, and the original again, so that neither thinks that only the other may sign.

    Where nobody reads the original's mail, a second one would only bounce again.
    """
    place = state.current_place
    if place is None or place.index != added.place:
        return ()
    alternate, original = state.request(added.request_id), state.request(added.original_request_id)
    expires = expires_of(state)
    asked = (Dated(asking(state, alternate, "alternate", expires), at),)
    if original.undeliverable:
        return asked
    return (*asked, Dated(asking(state, original, "again", expires), at))
