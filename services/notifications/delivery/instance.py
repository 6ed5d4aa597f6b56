"""Which mailer a claim is of, so that the next start of the same one takes back what the one before held when it died.

A mailer that is killed notes nothing any more of the mails in its hands, and others cannot tell that from one whose
database is away: they wait until its leases end. Its own next start can tell. It bears the same name, which only one
process at a time can have, and it holds the session advisory lock of that name, which PostgreSQL gives to nobody else
while the one before is connected. A stranger with the same name (two machines called "localhost") finds the lock taken,
and then takes over nothing.
"""

import asyncio
import hashlib
import time
from collections.abc import Callable
from contextlib import suppress

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.notifications.delivery import store
from shared.database import Database
from shared.ids import new_id
from shared.logging import get_logger
from shared.row_security import for_all
from shared.workers import Worker

log = get_logger(__name__)

_TRY_LOCK = text("SELECT pg_try_advisory_lock(:key)")
_STILL_THERE = text("SELECT 1")
_FIRST_TRY = 5.0  # seconds
_AGAIN = 0.2  # seconds until a lock that is taken is tried again
_PATIENCE = 15.0  # seconds that PostgreSQL may take to notice that the one before is gone
_LOOK = 5.0  # seconds between looks at whether the lock's connection is whole


class Instance:
    """`name`: of one process at a time, such as its host and port; without one, nothing is taken over.

    `taken_over` is called once mails were taken back.
    """

    def __init__(self, database: Database, name: str | None, taken_over: Callable[[], None]) -> None:
        self._database = database
        self._mark = hashlib.sha256(f"mailer {name}".encode()).hexdigest()[:16]
        self._run = new_id()
        self._taken_over = taken_over
        self._is_named = name is not None
        self._holds = False  # the lock of our name
        self._is_first = True  # what it holds of our name, if anything, is of the one before
        self._refused_since: float | None = None
        self._tried = asyncio.Event()
        self._stopped = asyncio.Event()
        self._worker = Worker("mailer-instance", self._hold, max_backoff=1.0, drain=2.0)

    def new_claim(self) -> str:
        """Under our name only while its lock is ours."""
        return f"{self._mark if self._holds else '-'}/{self._run}/{new_id()}"

    async def known(self) -> None:
        """Wait until the first try for the lock has ended: what is claimed before is not under our name."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._tried.wait(), _FIRST_TRY)

    def start(self) -> None:
        if self._is_named:
            self._worker.start()
        else:
            self._tried.set()

    async def stop(self) -> None:
        """Once nothing is in hand any more: the lock tells that we live."""
        self._stopped.set()
        await self._worker.stop()

    async def _hold(self) -> None:
        with for_all("what the mailer before held is taken back, whose ever"):
            async with self._database.single() as connection:
                try:
                    await self._hold_on(connection)
                finally:  # also when cancelled
                    self._holds = False
                    # Closed, not given back: the lock is the connection's.
                    await connection.invalidate()

    async def _hold_on(self, connection: AsyncConnection) -> None:
        taken = await connection.execute(_TRY_LOCK, {"key": int(self._mark[:15], 16)})
        if not taken.scalar_one():
            self._tried.set()
            await self._wait(self._after_refusal())
            return
        if self._is_first:
            count = await store.take_back(connection, of=f"{self._mark}/", but=f"{self._mark}/{self._run}/")
            self._is_first = False
            if count:
                log.info("mailer.taken_over", count=count)
                self._taken_over()
        self._holds = True
        self._tried.set()
        while not self._stopped.is_set():
            await self._wait(_LOOK)
            await connection.execute(_STILL_THERE)

    def _after_refusal(self) -> float | None:
        """Seconds to wait; None, for good, for a lock that is held by one who lives."""
        now = time.monotonic()
        self._refused_since = self._refused_since or now
        if self._is_first and now - self._refused_since > _PATIENCE:
            # Nor later: after a restart of PostgreSQL the lock could be ours, and the mails the other's.
            log.warning("mailer.name_is_taken", hint="another mailer on this database has our host's name and port")
            return None
        return _AGAIN

    async def _wait(self, seconds: float | None) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(self._stopped.wait(), seconds)
