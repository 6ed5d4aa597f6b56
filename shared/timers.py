"""Timers: what is to be done at a time of business. A due row is claimed and fired in one transaction."""

from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Generic

from sqlalchemy import ARRAY, TIMESTAMP, Text, bindparam, text
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.clock import Clock
from shared.database import is_transient
from shared.logging import get_logger
from shared.messaging.transaction import TransactionT, UnitOfWork
from shared.panics import ends
from shared.row_security import SETTING, for_all
from shared.wakeup import Wakeup
from shared.workers import Worker

log = get_logger(__name__)

# A timer whose handler fails on a bug is tried again so much later: those after it must not wait for it.
POSTPONED = timedelta(minutes=5)

# Sorted, so that transactions that move the same timers queue up instead of deadlocking.
_SET = text(
    """
    INSERT INTO timer (organisation, kind, subject, due_at)
    SELECT * FROM unnest(:organisations, :kinds, :subjects, :due) AS new (organisation, kind, subject, due_at)
    ORDER BY organisation, kind, subject
    ON CONFLICT (organisation, kind, subject) DO UPDATE SET due_at = excluded.due_at
    """
).bindparams(
    *(bindparam(name, type_=ARRAY(Text)) for name in ("organisations", "kinds", "subjects")),
    bindparam("due", type_=ARRAY(TIMESTAMP(timezone=True))),
)
# SKIP LOCKED: who clears holds the aggregate, and a timer that fires holds its row and waits for the aggregate. Waiting
# for the row would be a deadlock; the firing timer deletes its row itself, and finds that there is nothing left to do.
_CLEAR = text(
    """
    DELETE FROM timer WHERE (organisation, kind, subject) IN (
        SELECT organisation, kind, subject FROM timer
        WHERE (organisation, subject) IN (SELECT * FROM unnest(:organisations, :subjects)) FOR UPDATE SKIP LOCKED
    )
    """
).bindparams(*(bindparam(name, type_=ARRAY(Text)) for name in ("organisations", "subjects")))
# A timer that fires holds its row, then the aggregate: who will move timers takes them in this order as well.
_HOLD = text(
    "SELECT 1 FROM timer WHERE organisation = :organisation AND subject = ANY(:subjects) "
    "ORDER BY organisation, kind, subject FOR UPDATE"
).bindparams(bindparam("subjects", type_=ARRAY(Text)))
# SKIP LOCKED: several instances share the work, and one that died holds nothing back. MATERIALIZED: a plan that looks
# inside a join once a row would claim another one each time. Those of organisations that are suspended wait. What
# follows in the transaction is of the timer's organisation.
_CLAIM = text(
    f"""
    WITH due AS MATERIALIZED (
        SELECT organisation, kind, subject FROM timer
        WHERE due_at <= :now AND organisation NOT IN (SELECT id FROM organisation WHERE standing = 'suspended')
        ORDER BY due_at LIMIT 1 FOR UPDATE SKIP LOCKED
    )
    DELETE FROM timer USING due
    WHERE (timer.organisation, timer.kind, timer.subject) = (due.organisation, due.kind, due.subject)
    RETURNING timer.organisation, timer.kind, timer.subject, timer.due_at,
        set_config('{SETTING}', timer.organisation, true)
    """  # noqa: S608
)


@dataclass(frozen=True, slots=True)
class Timer:
    organisation: str
    kind: str
    subject: str
    due_at: datetime


async def set_timers(connection: AsyncConnection, timers: Collection[Timer]) -> None:
    """Set them, or move those whose kind is set for their subject: at most one of each kind and subject."""
    if not timers:
        return
    await connection.execute(
        _SET,
        {
            "organisations": [timer.organisation for timer in timers],
            "kinds": [timer.kind for timer in timers],
            "subjects": [timer.subject for timer in timers],
            "due": [timer.due_at for timer in timers],
        },
    )


async def hold_timers(connection: AsyncConnection, organisation: str, *subjects: str) -> None:
    """To be called before the aggregates are locked by whoever moves its timers: waits for one that fires now."""
    await connection.execute(_HOLD, {"organisation": organisation, "subjects": list(subjects)})


async def clear_timers(connection: AsyncConnection, subjects: Collection[tuple[str, str]]) -> None:
    """End all timers of these: organisation and subject."""
    if not subjects:
        return
    await connection.execute(
        _CLEAR,
        {
            "organisations": [organisation for organisation, _ in subjects],
            "subjects": [subject for _, subject in subjects],
        },
    )


class TimerWorker(Generic[TransactionT]):
    """Fires due timers, one a transaction, with the handler of their kind. `poll` is seconds."""

    def __init__(
        self,
        unit_of_work: UnitOfWork[TransactionT],
        clock: Clock,
        handlers: Mapping[str, Callable[[TransactionT, Timer], Awaitable[None]]],
        *,
        poll: float = 1.0,
    ) -> None:
        self._unit_of_work = unit_of_work
        self._clock = clock
        self._handlers = handlers
        self._poll = poll
        self._wakeup = Wakeup()
        self._worker = Worker("timers", self._step)

    def start(self) -> None:
        self._worker.start()

    async def stop(self) -> None:
        self._wakeup.set()
        await self._worker.stop()

    async def _step(self) -> None:
        if not await self.fire_one():
            await self._wakeup.wait(self._poll)

    async def fire_one(self) -> bool:
        """Fire the timer that is due longest. False when none is due."""
        with for_all("timers fire when they are due, whose ever; one that is taken narrows this to its own"):
            async with self._unit_of_work.begin() as outer:
                now = self._clock.now()
                row = (await outer.connection.execute(_CLAIM, {"now": now})).one_or_none()
                if row is None:
                    return False
                timer = Timer(row.organisation, row.kind, row.subject, row.due_at)
                if not await self._handled(outer, timer):
                    await set_timers(outer.connection, [replace(timer, due_at=now + POSTPONED)])
                return True

    async def _handled(self, outer: TransactionT, timer: Timer) -> bool:
        """Run the handler under a savepoint. False when it failed on a bug; raises what may succeed later."""
        transaction = self._unit_of_work.adopt(outer.connection)
        try:
            async with outer.connection.begin_nested():
                await self._handlers[timer.kind](transaction, timer)
                await transaction.flush()
        except BaseException as error:
            if ends(error) or is_transient(error):
                raise
            log.exception("timer.failed", kind=timer.kind, subject=timer.subject)
            return False
        outer.take_over(transaction)
        return True
