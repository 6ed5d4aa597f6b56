"""One transaction: what a batch or a command changes, and the events that say so.

A service subclasses `Transaction` with its stores: `prepare` loads and locks in bulk what a batch will touch, `flush`
writes in bulk what changed. Events are collected and written to the outbox last, after the aggregates' locks are held.
"""

import collections
import hashlib
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar

from prometheus_client import Counter
from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from shared import tracing
from shared.database import Database, is_conflict, is_transient, with_retries
from shared.errors import TooLarge, Unavailable
from shared.events.base import MAX_EVENT_BYTES, Event, event_class, event_type
from shared.events.envelope import Envelope
from shared.ids import new_id
from shared.messaging.answers import KEEPING
from shared.messaging.tables import OUTBOX
from shared.wakeup import Wakeup

# Made once, as all statements of every event are. Inline: the new ids are not asked for.
_INSERT_OUTBOX = insert(OUTBOX).inline()

# What alerts stand on: an event that is published again, into a rebuilt topic, say, has not happened again.
EVENTS_WRITTEN = Counter("justera_events_written", "Events committed to the outbox, each once", ["type"])

EventT = TypeVar("EventT", bound=Event)
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Received(Generic[EventT]):
    """An event as a handler gets it."""

    envelope: Envelope
    event: EventT


class OutcomeUnknown(Unavailable):
    """The database was lost while committing: whether it took effect cannot be told."""


class Transaction:
    """Base of a service's transaction. `source` names the producing service in the events published."""

    source = ""

    def __init__(self, connection: AsyncConnection) -> None:
        self.connection = connection
        self._outgoing: list[Envelope] = []
        self.nudged: set[Wakeup] = set()
        self.written: collections.Counter[str] = collections.Counter()

    async def prepare(self, batch: Sequence[Received[Any]]) -> None:
        """Load and lock, in id order and in one statement, what the handlers of `batch` will touch."""

    def pending(self) -> int:
        """How much has been collected for the flush: a command that was refused has added nothing."""
        return len(self._outgoing) + len(self.nudged)

    def collected(self) -> Sequence[Envelope]:
        """What would be published if it were committed now."""
        return tuple(self._outgoing)

    async def flush(self) -> None:
        """Write what changed, the outbox rows last. Subclasses write their own first, then call this."""
        rows = [_outbox_row(envelope) for envelope in self._outgoing]
        self.written.update(envelope.type for envelope in self._outgoing)
        self._outgoing.clear()
        if rows:
            await self.connection.execute(_INSERT_OUTBOX, rows)

    def publish(
        self,
        event: Event,
        *,
        organisation: str,
        subject: str,
        key: str,
        sequence: int,
        time: datetime,
        correlation_id: str,
        cause: Envelope | str | None = None,
        history_head: str | None = None,
        traceparent: str | None = None,
    ) -> Envelope:
        """Collect an event for the outbox. `sequence` is the aggregate's version after it.

        `cause` is the event that led to it, or its id where only that was kept (a mail is sent long after).
        `history_head` anchors a chained history; `traceparent` is what it came of, where that is over. Raises TooLarge
        for what Kafka would not take.
        """
        data = event.to_json()
        if len(data.encode()) > MAX_EVENT_BYTES:
            raise TooLarge(f"{type(event).__name__} of {subject} would be larger than {MAX_EVENT_BYTES} bytes")
        envelope = Envelope(
            id=new_id(),
            source=f"/services/{self.source}",
            type=event_type(event),
            subject=subject,
            time=time,
            organisation=organisation,
            sequence=sequence,
            correlation_id=correlation_id,
            key=key,
            data=data,
            causation_id=cause.id if isinstance(cause, Envelope) else cause,
            traceparent=traceparent or tracing.current() or _came_of(cause) or _traceparent(correlation_id),
            history_head=history_head,
        )
        self._outgoing.append(envelope)
        return envelope

    def nudge(self, *wakeups: Wakeup) -> None:
        """Wake these loops once this transaction has committed."""
        self.nudged.update(wakeups)

    def take_over(self, inner: "Transaction") -> None:
        """What is to be done after the commit, from a transaction below a savepoint of this one."""
        self.nudged.update(inner.nudged)
        self.written.update(inner.written)


TransactionT = TypeVar("TransactionT", bound=Transaction)


class UnitOfWork(Generic[TransactionT]):
    """Opens a service's transactions; after each commit it nudges the relay."""

    def __init__(
        self, database: Database, make: Callable[[AsyncConnection], TransactionT], outbox_wakeup: Wakeup
    ) -> None:
        self.database = database
        self._make = make
        self._outbox_wakeup = outbox_wakeup

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[TransactionT]:
        """Leaving flushes and commits; an exception rolls everything back.

        Raises OutcomeUnknown when the connection is lost while committing.
        """
        committing = False
        try:
            async with self.database.transaction() as connection:
                transaction = self._make(connection)
                yield transaction
                await transaction.flush()
                committing = True
        except Exception as error:
            if committing and is_transient(error) and not is_conflict(error):
                # Not for `with_retries`: a command run again could take effect twice. A batch's inbox can tell.
                raise OutcomeUnknown(
                    "the database was lost while committing", hint="look before you try again"
                ) from error
            raise
        for type_name, count in transaction.written.items():
            EVENTS_WRITTEN.labels(type_name).inc(count)
        for wakeup in (self._outbox_wakeup, *transaction.nudged):
            wakeup.set()

    async def run(self, work: Callable[[TransactionT], Awaitable[Result]]) -> Result:
        """Run `work(transaction)` in a transaction of its own; again as `with_retries` does.

        For a request that bears a key, once only: see `shared.messaging.answers`, and what that raises.
        """
        return await self._run(work, keep=True)

    async def look(self, work: Callable[[TransactionT], Awaitable[Result]]) -> Result:
        """As `run`, for what a command only reads before the transaction in which it takes effect.

        A request whose key was answered before ends here, ahead of any rule that would refuse it the second time.
        """
        return await self._run(work, keep=False)

    async def _run(self, work: Callable[[TransactionT], Awaitable[Result]], *, keep: bool) -> Result:
        keeping = KEEPING.get()

        async def attempt() -> Result:
            async with self.begin() as transaction:
                if keeping is None:
                    return await work(transaction)
                await keeping.begin(transaction.connection)
                result = await work(transaction)
                if keep:
                    await keeping.keep(transaction.connection, result)
                return result

        return await with_retries(attempt)

    def adopt(self, connection: AsyncConnection) -> TransactionT:
        """A transaction on a connection (or savepoint) that the caller commits."""
        return self._make(connection)


def _outbox_row(envelope: Envelope) -> dict[str, Any]:
    event_topic = _topic_of(envelope.type)
    return {
        "event_id": envelope.id,
        "topic": event_topic,
        "key": envelope.key,
        "attributes": envelope.attributes(),
        "data": envelope.data,
    }


def _topic_of(type_name: str) -> str:
    found = event_class(type_name)
    if found is None:
        raise ValueError(f"{type_name} is not a declared event")
    return found.topic


def _came_of(cause: Envelope | str | None) -> str | None:
    """The trace of an event that was handled some time ago: of a document to be archived, say."""
    return cause.traceparent if tracing.is_on() and isinstance(cause, Envelope) else None


def _traceparent(correlation_id: str) -> str:
    """W3C Trace Context, where nothing is traced: one trace for all of a correlation id, a span an event."""
    trace = hashlib.sha256(correlation_id.encode()).hexdigest()[:32]
    return f"00-{trace}-{secrets.token_hex(8)}-01"
