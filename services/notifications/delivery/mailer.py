"""The delivery worker: leases due mails, sends them after that commit, and records what became of them.

At most one mail for a cause as far as SMTP allows: a mail is sent only under a lease, which is renewed while it is in
hand. A mailer that dies between a mail's acceptance and its record leaves a lease. Its next start takes that back at
once (see `instance`); others wait until it ends, and half a lease more. The mail is then sent again, under the same
Message-ID. Organisations take turns (`shared.turns`). Outcomes that come while others are being written are written
together, next.
"""

import asyncio
import random
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from typing import Protocol

from services.notifications.delivery import delivery as rules
from services.notifications.delivery import store
from services.notifications.delivery.composing import Composer
from services.notifications.delivery.delivery import Change, Delivery, Trouble
from services.notifications.delivery.instance import Instance
from services.notifications.delivery.store import DeliveryKey
from services.notifications.delivery.transport import Accepted, Deferred, Outcome, Rejected
from services.notifications.letter.letter import ascii_address
from services.notifications.transaction import NotificationsTransaction
from shared import tracing
from shared.clock import Clock
from shared.database import is_transient
from shared.errors import InvalidInput, Refused
from shared.logging import get_logger
from shared.messaging.transaction import UnitOfWork
from shared.organisations import KnownOrganisations
from shared.panics import ends
from shared.row_security import acting_for, for_all
from shared.turns import Turns
from shared.wakeup import Wakeup
from shared.workers import Worker

log = get_logger(__name__)

_BAD_ADDRESS = "5.1.3"  # RFC 3463: bad destination mailbox address syntax
_OWN_FAILURE = "4.3.0"
_LONGEST_PAUSE = 30.0
_LONGEST_WRITE_BACKOFF = 5.0


class Transport(Protocol):
    """What takes mails: `SmtpTransport`, or embedded mode's inbox."""

    async def send(self, message: EmailMessage, *, return_path: str, recipient: str, envelope_id: str) -> Outcome: ...

    async def aclose(self) -> None: ...


@dataclass(frozen=True)
class MailerSettings:
    """Times are in seconds. A mail that was not taken is tried again after `first_delay`, then twice that, and so on
    up to `longest_delay`; `drain` is how long a stop waits for mails in hand. A mailer that dies, and is not started
    again, holds its mails back for a lease and a half."""

    connections: int = 8
    lease: float = 20.0
    poll: float = 1.0
    first_delay: float = 5.0
    longest_delay: float = 3600.0
    drain: float = 20.0


@dataclass(frozen=True, slots=True)
class _Finished:
    delivery: Delivery
    outcome: Outcome
    at: datetime


class Mailer:
    """Not `automatic`: it sends nothing by itself, only what `deliver` is asked for. `instance`: see Instance.
    `known_organisations`: in whose names mails are composed, read before any is."""

    def __init__(
        self,
        unit_of_work: UnitOfWork[NotificationsTransaction],
        clock: Clock,
        composer: Composer,
        transport: Transport,
        wakeup: Wakeup,
        settings: MailerSettings,
        *,
        automatic: bool = True,
        instance: str | None = None,
        known_organisations: KnownOrganisations | None = None,
    ) -> None:
        self._instance = Instance(unit_of_work.database, instance, wakeup.set)
        self._unit_of_work = unit_of_work
        self._clock = clock
        self._composer = composer
        self._known_organisations = known_organisations
        self._transport = transport
        self._wakeup = wakeup
        self._settings = settings
        self._automatic = automatic
        self._in_hand: dict[DeliveryKey, str] = {}  # the claim that each is under
        self._tasks: set[asyncio.Task[None]] = set()
        self._finished: list[_Finished] = []
        self._writing = asyncio.Lock()
        self._stopping = asyncio.Event()
        self._drained = asyncio.Event()
        self._turns = Turns()
        self._outage = 0  # how many times in a row no connection was had
        self._claiming = Worker("mailer", self._claim_and_send, drain=2.0)
        self._renewing = Worker("mailer-leases", self._renew, max_backoff=1.0, drain=0.1)

    def start(self) -> None:
        if self._automatic:
            self._instance.start()
            self._claiming.start()
            self._renewing.start()

    async def stop(self) -> None:
        """Take no more; finish and record the mails in hand. Those that take too long are sent by another mailer."""
        self._stopping.set()
        self._wakeup.set()
        await self._claiming.stop()
        if self._tasks:
            _, late = await asyncio.wait(set(self._tasks), timeout=self._settings.drain)
            for task in late:
                task.cancel()
        self._drained.set()
        await self._renewing.stop()
        await self._instance.stop()
        await self._transport.aclose()

    async def deliver(self, key: DeliveryKey) -> Outcome:
        """Send one waiting mail now and record what became of it. Raises Refused when it does not wait."""
        await self._names_known()
        async with self._unit_of_work.begin() as transaction:
            claimed = await store.claim_one(
                transaction.connection, key, claim=self._instance.new_claim(), lease=self._settings.lease
            )
        if claimed is None:
            raise Refused("the mail does not wait to be sent, or is being sent")
        finished = _Finished(claimed, await self._send(claimed), self._clock.now())
        await self._record([finished])
        return finished.outcome

    async def _claim_and_send(self) -> None:
        await self._instance.known()
        await self._names_known()
        await self._pause_in_outage()
        wanted = self._wanted()
        if wanted and not self._stopping.is_set():
            for claimed in await self._claim(wanted):
                if claimed.key in self._in_hand:
                    # Its lease ended while the database was away. It may be with the mail server already: not again.
                    self._in_hand[claimed.key] = claimed.claim or ""
                else:
                    self._take_in_hand(claimed)
        # New mails and mails that are done wake us.
        await self._wakeup.wait(self._settings.poll)

    async def _names_known(self) -> None:
        """Raises Unavailable."""
        if self._known_organisations is not None:
            await self._known_organisations.surely()

    def _wanted(self) -> int:
        """As many mails wait in hand as are being sent, so that claims come in batches; one tries in an outage."""
        if self._outage:
            return 0 if self._tasks else 1
        connections = self._settings.connections
        free = 2 * connections - len(self._tasks)
        return free if free >= connections else 0

    async def _pause_in_outage(self) -> None:
        if not self._outage:
            return
        pause = min(_LONGEST_PAUSE, 0.5 * 2 ** min(self._outage, 10)) * _jitter()
        with suppress(TimeoutError):
            await asyncio.wait_for(self._stopping.wait(), pause)

    async def _claim(self, most: int) -> list[Delivery]:
        with for_all("mails that are due go out, whose ever"):
            async with self._unit_of_work.database.single() as connection:
                return await store.claim_due(
                    connection,
                    claim=self._instance.new_claim(),
                    lease=self._settings.lease,
                    most=most,
                    turns=self._turns,
                )

    def _take_in_hand(self, delivery: Delivery) -> None:
        self._in_hand[delivery.key] = delivery.claim or ""
        task = asyncio.create_task(self._handle(delivery))
        self._tasks.add(task)
        task.add_done_callback(self._let_go)

    def _let_go(self, task: "asyncio.Task[None]") -> None:
        self._tasks.discard(task)
        self._wakeup.set()

    async def _handle(self, delivery: Delivery) -> None:
        known_outage = self._outage
        outcome = await self._send(delivery)
        self._outage = known_outage + 1 if _is_outage(outcome) else 0
        self._finished.append(_Finished(delivery, outcome, self._clock.now()))
        async with self._writing:
            group, self._finished = self._finished, []
            if group:
                await self._record_surely(group)

    async def _send(self, delivery: Delivery) -> Outcome:
        """One mail's trouble is that mail's alone, also when it is a bug of ours."""
        try:
            ascii_address(delivery.recipient)
        except InvalidInput as error:
            return Rejected(_BAD_ADDRESS, error.message)
        try:
            mail = self._composer.compose(delivery)
            attributes = {"justera.delivery.id": delivery.id, "justera.delivery.purpose": delivery.purpose.value}
            with tracing.span("send mail", tracing.ASKED, attributes=attributes, parent=delivery.traceparent) as span:
                with acting_for(delivery.organisation):
                    outcome = await self._transport.send(
                        mail.message,
                        return_path=mail.return_path,
                        recipient=mail.recipient,
                        envelope_id=mail.envelope_id,
                    )
                span.set_attribute("justera.delivery.outcome", type(outcome).__name__.lower())
                return outcome
        except InvalidInput as error:
            # Nobody's address is to blame for what we cannot write: it waits for an operator.
            log.error("mail.not_composed", delivery_id=delivery.id, reason=error.message)
            return Deferred(_OWN_FAILURE, f"the mail could not be written: {error.message}")
        except BaseException as error:
            if ends(error):
                raise
            log.exception("mail.failed", delivery_id=delivery.id, error=type(error).__name__)
            return Deferred(_OWN_FAILURE, f"the mail could not be handed over: {type(error).__name__}")

    async def _record_surely(self, group: Sequence[_Finished]) -> None:
        """What a mail server took must be on record before the leases end: so try until the database takes it."""
        backoff = 0.05
        while True:
            try:
                await self._record(group)
            except Exception as error:
                if is_transient(error):
                    log.warning("mail.outcomes_not_recorded_yet", count=len(group), error=type(error).__name__)
                    await asyncio.sleep(backoff * _jitter())
                    backoff = min(_LONGEST_WRITE_BACKOFF, backoff * 2)
                    continue
                await self._record_each(group)
            return

    async def _record_each(self, group: Sequence[_Finished]) -> None:
        """A bug of ours with one outcome must not undo the others. The mail stays leased: sending it again and again
        would be worse than an operator's restart."""
        if len(group) > 1:
            for finished in group:
                await self._record_surely([finished])
            return
        log.error("mail.outcome_not_recorded", delivery_id=group[0].delivery.id, exc_info=True)

    async def _record(self, group: Sequence[_Finished]) -> None:
        with acting_for(*(finished.delivery.organisation for finished in group)):
            async with self._unit_of_work.begin() as transaction:
                locked = await transaction.lock([finished.delivery.key for finished in group])
                for finished in group:
                    current = locked.get(finished.delivery.key)
                    change = self._decide(finished, current) if current else None
                    if change is not None:
                        transaction.change(change)
        for finished in group:
            self._in_hand.pop(finished.delivery.key, None)
            log.info("mail.handled", delivery_id=finished.delivery.id, outcome=type(finished.outcome).__name__.lower())

    def _decide(self, finished: _Finished, current: Delivery) -> Change | None:
        outcome, at = finished.outcome, finished.at
        if isinstance(outcome, Accepted):
            return rules.accepted(current, message_id=self._composer.message_id(current.id), at=at)
        if current.claim != finished.delivery.claim:
            return None  # the lease was lost: what another mailer finds holds
        trouble = Trouble(outcome.status, outcome.diagnostic)
        if isinstance(outcome, Rejected):
            return rules.rejected(current, trouble, at=at)
        return rules.deferred(current, trouble, at=at, retry_in=self._delay(current.attempts))

    def _delay(self, attempts: int) -> float:
        grown: float = self._settings.first_delay * 2 ** min(attempts, 20)
        return min(self._settings.longest_delay, grown) * _jitter()

    async def _renew(self) -> None:
        """At once after a failure: a lease must outlive a database that was away for a moment."""
        if self._in_hand:
            with for_all("a mailer renews its own claims, whose ids are random"):
                async with self._unit_of_work.database.single() as connection:
                    await store.renew(connection, set(self._in_hand.values()), lease=self._settings.lease)
        with suppress(TimeoutError):
            await asyncio.wait_for(self._drained.wait(), self._settings.lease / 3)


def _is_outage(outcome: Outcome) -> bool:
    """No connection, or a server that refuses us (not the recipient): no mail's own trouble, so others wait too."""
    return isinstance(outcome, Deferred) and (outcome.unreachable or outcome.status.startswith("5"))


def _jitter() -> float:
    return random.uniform(0.75, 1.25)  # noqa: S311  (spreads load, no secret)
