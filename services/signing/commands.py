"""What people do to agreements: HTTP API, pages and replay all come through here.

Commands that come while a transaction is under way share the next one (`shared.messaging.shared_transactions`). The
agreement's row is locked first, and the time of business is taken after: so of two who sign for one place at the same
instant, one wins, and the other reads the rule's sentence (`shared.errors.Refused`). All commands raise NotFound
for what the organisation does not have, and Unavailable when the database stays out of reach. They return the state
after.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from services.signing import decisions, remedies
from services.signing.agreement import TERMINAL, Agreement
from services.signing.arrivals import Arrivals
from services.signing.asking import Decision
from services.signing.deadlines import Deadlines
from services.signing.ended_links import EndedLink
from services.signing.evolving import evolve
from services.signing.queries import SigningQueries
from services.signing.transaction import OfAgreement, OfRequest, OpenAgreement, SigningTransaction
from shared.clock import Clock
from shared.errors import Refused
from shared.logging import get_logger
from shared.messaging.shared_transactions import SharedTransactions
from shared.messaging.transaction import UnitOfWork
from shared.text import clean_ip
from shared.timers import hold_timers

log = get_logger(__name__)

Decide = Callable[[Agreement, datetime], Decision]
Work = Callable[[SigningTransaction, OpenAgreement], Agreement]


class LinkReplaced(Refused):
    """The request's links of this version were revoked."""

    slug = "link-replaced"


@dataclass(frozen=True, slots=True)
class Revoked:
    """The agreement after links of it were ended; whose were after its end, now and before."""

    state: Agreement
    ended_links: Sequence[EndedLink]


class SigningCommands:
    """`queries`: the reading side, for those who run the service in their own process."""

    def __init__(
        self,
        unit_of_work: UnitOfWork[SigningTransaction],
        clock: Clock,
        deadlines: Deadlines,
        queries: SigningQueries,
        arrivals: Arrivals,
    ) -> None:
        self.queries = queries
        self._unit_of_work = unit_of_work
        self._shared = SharedTransactions(unit_of_work)
        self._clock = clock
        self._deadlines = deadlines
        self._arrivals = arrivals

    # -- what the sender does ------------------------------------------------------------------------------------

    async def send_off(self, organisation: str, agreement_id: str) -> Agreement:
        """The first signer is asked; the deadline and the reminders begin to run."""

        def work(transaction: SigningTransaction, agreement: OpenAgreement) -> Agreement:
            at = self._clock.now()
            expires = self._deadlines.expiry(at)
            transaction.append(agreement, decisions.send_off(agreement.state, expires=expires, at=at))
            self._deadlines.begin(transaction, agreement, at)
            return agreement.state

        state = await self._run_on(organisation, agreement_id, work)
        log.info("agreement.sent_off", agreement_id=agreement_id)
        return state

    async def add_alternate(
        self, organisation: str, agreement_id: str, original: str, email: str, *, name: str | None = None, ip: str
    ) -> Agreement:
        """Let the address `email` sign for the place of the address `original` too. Raises InvalidInput."""
        ip = clean_ip(ip)
        return await self._by_sender(
            "agreement.alternate_added",
            organisation,
            agreement_id,
            lambda state, at: remedies.add_alternate(state, original, email, name=name, ip=ip, at=at),
        )

    async def cancel(self, organisation: str, agreement_id: str, reason: str, *, ip: str) -> Agreement:
        """Withdraw it. Raises InvalidInput for an empty reason."""
        ip = clean_ip(ip)
        return await self._by_sender(
            "agreement.cancelled",
            organisation,
            agreement_id,
            lambda state, at: decisions.cancel(state, reason, ip=ip, at=at),
        )

    async def correct_address(
        self, organisation: str, agreement_id: str, original: str, email: str, *, ip: str
    ) -> Agreement:
        """Ask at `email` instead of `original`, whose links are no longer valid. Raises InvalidInput."""
        ip = clean_ip(ip)
        return await self._by_sender(
            "agreement.address_corrected",
            organisation,
            agreement_id,
            lambda state, at: remedies.correct_address(state, original, email, ip=ip, at=at),
        )

    async def revoke_link(
        self, organisation: str, agreement_id: str, email: str | None, *, new_link: bool = False, ip: str
    ) -> Revoked:
        """End the links that were mailed to an address, or to everyone (None).

        Before the agreement's end, who has not signed yet is mailed a new one. After it, with `new_link`, who is to
        have the sealed copy is. In a transaction of its own, since it reads more than its target.
        """
        ip = clean_ip(ip)

        async def work(transaction: SigningTransaction) -> Revoked:
            agreement = await transaction.agreement(organisation, agreement_id)
            state, at = agreement.state, self._clock.now()
            ended = await transaction.links_ended_before(agreement) if state.status in TERMINAL else ()
            if state.status in TERMINAL:
                event = remedies.end_links(
                    state,
                    ended,
                    email,
                    new_link=new_link,
                    copy_opened=await transaction.copy_opened(agreement),
                    ip=ip,
                    at=at,
                )
                ended = transaction.end_links(agreement, ended, event, at)
            elif email is None:
                transaction.append(agreement, remedies.revoke_links(state, ip=ip, at=at))
            else:
                transaction.append(agreement, remedies.revoke_link(state, email, ip=ip, at=at))
            return Revoked(agreement.state, ended)

        revoked = await self._arrivals.waited_for(organisation, agreement_id, lambda: self._unit_of_work.run(work))
        log.info("agreement.link_revoked", agreement_id=agreement_id)
        return revoked

    async def ask_again(self, organisation: str, agreement_id: str, email: str) -> Agreement:
        """Mail the same link once more to an address whose mail bounced."""
        return await self._by_sender(
            "agreement.asked_again",
            organisation,
            agreement_id,
            lambda state, at: remedies.ask_again(state, email, at=at),
        )

    async def extend(self, organisation: str, agreement_id: str, expires: datetime, *, ip: str) -> Agreement:
        """Give more time, up to `expires` (aware). Raises InvalidInput.

        In a transaction of its own, since it waits for timers that fire now.
        """
        ip = clean_ip(ip)

        async def work(transaction: SigningTransaction) -> Agreement:
            await hold_timers(transaction.connection, organisation, agreement_id)
            agreement = await transaction.agreement(organisation, agreement_id)
            at = self._clock.now()
            transaction.append(agreement, remedies.extend(agreement.state, expires, ip=ip, at=at))
            self._deadlines.begin(transaction, agreement, at)
            return agreement.state

        state = await self._arrivals.waited_for(organisation, agreement_id, lambda: self._unit_of_work.run(work))
        log.info("agreement.extended", agreement_id=agreement_id)
        return state

    async def remind(self, organisation: str, agreement_id: str) -> Agreement:
        """Remind everyone who may sign now and can be reached."""
        return await self._by_sender(
            "agreement.reminded", organisation, agreement_id, lambda state, at: decisions.remind(state, at=at)
        )

    async def remind_reachable(self, organisation: str, agreement_id: str) -> Agreement:
        """What the reminders' timer does; a replay fires it by hand."""
        return await self._by_sender(
            "agreement.reminded", organisation, agreement_id, lambda state, at: decisions.remind_reachable(state, at=at)
        )

    async def expire(self, organisation: str, agreement_id: str) -> Agreement:
        """What the deadline's timer does; a replay fires it by hand."""
        return await self._by_sender(
            "agreement.expired", organisation, agreement_id, lambda state, at: decisions.expire(state, at=at)
        )

    # -- what a signer does --------------------------------------------------------------------------------------
    # `version` is the link's; None (a replay, which has no link) is not checked.

    async def view(self, organisation: str, request_id: str, *, version: int | None = None, ip: str) -> Agreement:
        """The signer opened the document."""
        ip = clean_ip(ip)
        return await self._by_signer(
            "agreement.viewed",
            organisation,
            request_id,
            version,
            lambda state, at: decisions.view(state, request_id, ip=ip, at=at),
        )

    async def enter_name(
        self, organisation: str, request_id: str, name: str, *, version: int | None = None, ip: str
    ) -> Agreement:
        """The signer states their name. Raises InvalidInput for what is no name."""
        ip = clean_ip(ip)
        return await self._by_signer(
            "agreement.name_entered",
            organisation,
            request_id,
            version,
            lambda state, at: decisions.enter_name(state, request_id, name, ip=ip, at=at),
        )

    async def sign(
        self, organisation: str, request_id: str, *, version: int | None = None, name: str | None = None, ip: str
    ) -> Agreement:
        """The signer signs. `name`: stated together with the signature, in one form and one transaction."""
        ip = clean_ip(ip)

        def decide(state: Agreement, at: datetime) -> Decision:
            named = decisions.enter_name(state, request_id, name, ip=ip, at=at) if name is not None else ()
            for event, when in named:
                state = evolve(state, event, when)
            return (*named, *decisions.sign(state, request_id, ip=ip, at=at))

        return await self._by_signer("agreement.signed", organisation, request_id, version, decide)

    async def decline(
        self, organisation: str, request_id: str, reason: str, *, version: int | None = None, ip: str
    ) -> Agreement:
        """The signer says no, and the agreement ends. Raises InvalidInput for an empty reason."""
        ip = clean_ip(ip)
        return await self._by_signer(
            "agreement.declined",
            organisation,
            request_id,
            version,
            lambda state, at: decisions.decline(state, request_id, reason, ip=ip, at=at),
        )

    async def _by_sender(self, what: str, organisation: str, agreement_id: str, decide: Decide) -> Agreement:
        state = await self._run_on(organisation, agreement_id, self._work(decide))
        log.info(what, agreement_id=agreement_id)
        return state

    async def _by_signer(
        self, what: str, organisation: str, request_id: str, version: int | None, decide: Decide
    ) -> Agreement:
        def checked(state: Agreement, at: datetime) -> Decision:
            if version is not None and version != state.request(request_id).version:
                raise LinkReplaced("this link has been replaced", hint="open the newest mail that asks you to sign")
            return decide(state, at)

        state = await self._shared.run(OfRequest(organisation, request_id), self._work(checked))
        log.info(what, agreement_id=state.agreement_id)
        return state

    async def _run_on(self, organisation: str, agreement_id: str, work: Work) -> Agreement:
        """An agreement that was drafted a moment ago is waited for."""
        target = OfAgreement(organisation, agreement_id)
        return await self._arrivals.waited_for(organisation, agreement_id, lambda: self._shared.run(target, work))

    def _work(self, decide: Decide) -> Work:
        def work(transaction: SigningTransaction, agreement: OpenAgreement) -> Agreement:
            transaction.append(agreement, decide(agreement.state, self._clock.now()))
            self._deadlines.end_when_over(transaction, agreement)
            return agreement.state

        return work
