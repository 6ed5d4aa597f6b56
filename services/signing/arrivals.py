"""Read your writes: who has just drafted minutes may ask for their agreement, while the event that makes it travels.

Meetings answers once the draft is committed; signing hears of it some tens of milliseconds later. So an id of the right
form that is not in the table yet is looked for a short while (docs/decisions/0026).
"""

import asyncio
import re
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

from services.signing import store
from shared.database import Database
from shared.errors import NotFound

Result = TypeVar("Result")

_DRAFTED_ID = re.compile(r"[A-Za-z0-9_-]{44}")  # what drafting gives out, or takes
_FIRST_PAUSE, _LONGEST_PAUSE = 0.02, 0.4  # seconds


class NoSuchAgreement(NotFound):
    def __init__(self) -> None:
        super().__init__(
            "there is no such agreement", hint="when its minutes were drafted this moment, ask again in a while"
        )


class Arrivals:
    """`seconds`: how long an agreement is waited for. No connection is held meanwhile."""

    def __init__(self, database: Database, *, seconds: float) -> None:
        self._database = database
        self._seconds = seconds

    async def waited_for(self, organisation: str, agreement_id: str, work: Callable[[], Awaitable[Result]]) -> Result:
        """What `work` gives, once the agreement is there. Raises NoSuchAgreement as `work` does, but later."""
        try:
            return await work()
        except NoSuchAgreement:
            if not await self._arrives(organisation, agreement_id):
                raise
        return await work()

    async def _arrives(self, organisation: str, agreement_id: str) -> bool:
        if not _DRAFTED_ID.fullmatch(agreement_id):
            return False
        until, pause = time.monotonic() + self._seconds, _FIRST_PAUSE
        while (left := until - time.monotonic()) > 0:
            await asyncio.sleep(min(pause, left))
            async with self._database.single() as connection:
                if await store.exists(connection, organisation, agreement_id):
                    return True
            pause = min(pause * 2, _LONGEST_PAUSE)
        return False
