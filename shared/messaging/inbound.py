"""What happens to a batch of messages: handled in one transaction, or, when one is poison, one by one.

Poison is what cannot be read or what our own code fails on. It becomes a dead letter in the same transaction, and later
messages of its key wait behind it. Infrastructure trouble is not poison: it leaves as an exception, and the whole batch
is tried again. A fact from another service is never refused by a rule; handlers append it or ignore it.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any, Generic

from sqlalchemy.ext.asyncio import AsyncConnection

from shared import tracing
from shared.database import is_transient
from shared.events.base import Event
from shared.logging import get_logger
from shared.messaging import dead_letters, inbox
from shared.messaging.dead_letters import DeadLetter
from shared.messaging.message import Decoder, Poison, RawMessage, event_id_of, organisation_of, traceparent_of
from shared.messaging.transaction import Received, TransactionT, UnitOfWork
from shared.panics import ends
from shared.row_security import acting_for, for_all

log = get_logger(__name__)

Handler = Callable[[TransactionT, Received[Any]], Awaitable[None]]
Handlers = Mapping[type[Event], Handler[TransactionT]]


class _PoisonInBatch(Exception):
    """The batch cannot be handled as one; its parts are tried one by one."""


class Inbound(Generic[TransactionT]):
    """The handling side of one consumer. `name` identifies it in inbox and dead letters: never change it."""

    def __init__(self, name: str, unit_of_work: UnitOfWork[TransactionT], handlers: Handlers[TransactionT]) -> None:
        self.name = name
        self.topics: frozenset[str] = frozenset(event.topic for event in handlers)
        self._unit_of_work = unit_of_work
        self._handlers = handlers
        self._decoder = Decoder(handlers)
        self._of_messaging = {"messaging.system": "kafka", "messaging.consumer.group.name": name}

    async def handle(self, batch: Sequence[RawMessage]) -> None:
        """Handle each message once, however often it comes. Raises only what may succeed later."""
        wanted = [raw for raw in batch if self._decoder.wants(raw)]
        if not wanted:
            return
        # As signed by who wrote them: what they tell concerns these organisations, and no other.
        organisations = {found for raw in wanted if (found := organisation_of(raw))}
        with self._traced(wanted), acting_for(*organisations):
            try:
                await self._handle_together(wanted)
            except _PoisonInBatch:
                await self._handle_one_by_one(wanted)

    async def _handle_together(self, batch: Sequence[RawMessage]) -> None:
        received = self._decode(batch)
        async with self._unit_of_work.begin() as transaction:
            events = {r.envelope.id: r.envelope.organisation for r in received}
            new = await inbox.accept(transaction.connection, self.name, events)
            # After the inbox, which waits for another owner of the partition: a key that it parked is seen here.
            if await dead_letters.parked_keys(transaction.connection, self.name, [(r.topic, r.key) for r in batch]):
                raise _PoisonInBatch
            fresh = _first_of_each(received, new)
            try:
                await transaction.prepare(fresh)
                for one in fresh:
                    await self._handle_event(transaction, one, batch=tracing.current())
                await transaction.flush()
            except BaseException as error:
                if ends(error) or is_transient(error):
                    raise
                raise _PoisonInBatch from error

    async def _handle_event(self, transaction: TransactionT, received: Received[Any], *, batch: str | None) -> None:
        envelope = received.envelope
        attributes = {
            **self._of_messaging,
            "messaging.operation.type": "process",
            "messaging.destination.name": type(received.event).topic,
            "messaging.message.id": envelope.id,
            "cloudevents.event_type": envelope.type,
            "cloudevents.event_subject": envelope.subject,
        }
        name = f"process {attributes['messaging.destination.name']}"
        with tracing.span(name, tracing.RECEIVED, attributes=attributes, parent=envelope.traceparent, links=[batch]):
            await self._handlers[type(received.event)](transaction, received)

    def _traced(self, batch: Sequence[RawMessage]) -> AbstractContextManager[Any]:
        """A batch is of many traces: a span of its own, with a link to each event's."""
        if not tracing.is_on():
            return nullcontext()
        attributes: dict[str, str | int] = {
            **self._of_messaging,
            "messaging.operation.type": "receive",
            "messaging.batch.message_count": len(batch),
        }
        links = (traceparent_of(raw) for raw in batch)
        return tracing.span(f"receive {self.name}", tracing.RECEIVED, attributes=attributes, links=links)

    def _decode(self, batch: Sequence[RawMessage]) -> list[Received[Any]]:
        try:
            return [self._decoder.decode(raw) for raw in batch]
        except BaseException as error:
            if ends(error):
                raise
            raise _PoisonInBatch from error

    async def _handle_one_by_one(self, batch: Sequence[RawMessage]) -> None:
        """One transaction still, a savepoint a message: the good ones take effect, the bad one is kept."""
        async with self._unit_of_work.begin() as outer:
            connection = outer.connection
            keys = [(raw.topic, raw.key) for raw in batch]
            await dead_letters.lock_keys(connection, self.name, keys)
            parked = await dead_letters.parked_keys(connection, self.name, keys)
            for raw in batch:
                key = (raw.topic, raw.key)
                if key in parked:
                    await self._keep(connection, raw, None)
                elif reason := await self._handle_alone(outer, raw):
                    await self._keep(connection, raw, reason)
                    parked.add(key)

    async def _handle_alone(self, outer: TransactionT, raw: RawMessage, *, taken_in: bool = False) -> str | None:
        """Handle one message under a savepoint; return why it is poison, or None.

        `taken_in`: the inbox has had its id since it was parked, so that does not make it a second copy.
        """
        try:
            received = self._decoder.decode(raw)
            async with outer.connection.begin_nested():
                event = {received.envelope.id: received.envelope.organisation}
                if taken_in or await inbox.accept(outer.connection, self.name, event):
                    await self._run(outer, received)
        except Poison as error:
            return str(error)
        except BaseException as error:
            if ends(error) or is_transient(error):
                raise
            log.exception("event.poison", consumer=self.name, event_id=event_id_of(raw))
            return f"{type(error).__name__}: {error}"
        return None

    async def _run(self, outer: TransactionT, received: Received[Any]) -> None:
        transaction = self._unit_of_work.adopt(outer.connection)
        await transaction.prepare([received])
        await self._handle_event(transaction, received, batch=tracing.current())
        await transaction.flush()
        outer.take_over(transaction)

    async def _keep(self, connection: AsyncConnection, raw: RawMessage, reason: str | None) -> None:
        """Park a message unless it was handled or parked before. An unreadable one has no id: its bytes tell."""
        event_id = event_id_of(raw)
        if event_id and not await inbox.accept(connection, self.name, {event_id: organisation_of(raw)}):
            return
        await dead_letters.park(connection, self.name, raw, reason)
        log.warning("event.parked", consumer=self.name, topic=raw.topic, event_id=event_id, waits=reason is None)

    async def retry(self, letter_id: int) -> int:
        """Handle what waits at a dead letter's key, in order, until one fails again. Returns how many succeeded.

        Raises NotFound.
        """
        with for_all("an operator of the installation looks after messages of whichever organisation"):
            async with self._unit_of_work.begin() as outer:
                return await self._drain(outer, await self._locked(outer.connection, letter_id))

    async def drop(self, letter_id: int) -> int:
        """Give up one dead letter, and handle what waited behind it. Returns how many of those succeeded.

        Raises NotFound.
        """
        with for_all("an operator of the installation looks after messages of whichever organisation"):
            async with self._unit_of_work.begin() as outer:
                waiting = await self._locked(outer.connection, letter_id)
                await dead_letters.remove(outer.connection, [letter_id])
                done = await self._drain(outer, [letter for letter in waiting if letter.id != letter_id])
        log.warning("dead_letter.dropped", consumer=self.name, dead_letter=letter_id)
        return done

    async def _drain(self, outer: TransactionT, waiting: Sequence[DeadLetter]) -> int:
        """Handle in order until one fails; the rest goes on waiting. Returns how many succeeded."""
        done: list[int] = []
        for letter in waiting:
            reason = await self._handle_alone(outer, letter.raw, taken_in=True)
            if reason:
                await dead_letters.fail(outer.connection, letter.id, reason)
                break
            done.append(letter.id)
        await dead_letters.remove(outer.connection, done)
        return len(done)

    async def _locked(self, connection: AsyncConnection, letter_id: int) -> list[DeadLetter]:
        letter = await dead_letters.get(connection, letter_id)
        await dead_letters.lock_keys(connection, self.name, [(letter.raw.topic, letter.raw.key)])
        return await dead_letters.of_key(connection, await dead_letters.get(connection, letter_id))


def _first_of_each(received: Sequence[Received[Any]], new: set[str]) -> list[Received[Any]]:
    """Those whose id is new, each id once, in their order."""
    remaining = set(new)
    fresh = []
    for one in received:
        if one.envelope.id in remaining:
            remaining.remove(one.envelope.id)
            fresh.append(one)
    return fresh
