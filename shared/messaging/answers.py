"""Answers that are kept: a request that bears a key takes effect once, and gets the same answer when it is sent again.

The answer is a row of the transaction in which the request took effect: either both are there or neither is. Who asks
while the first one is still at work is told so. See `shared.idempotency` for the HTTP side.
"""

from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from sqlalchemy import bindparam, func, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.errors import InvalidInput, JusteraError
from shared.messaging.tables import KEPT_ANSWER

KEPT_SECONDS = 24 * 3600.0


class KeyReused(InvalidInput):
    """The key came before, with another request."""

    slug = "idempotency-key-reused"


class StillRunning(JusteraError):
    """The first request with this key has not been answered yet."""

    slug = "request-in-progress"
    status = HTTPStatus.CONFLICT

    def __init__(self) -> None:
        super().__init__(
            "a request with this Idempotency-Key is still being answered", hint="send it again in a moment"
        )


@dataclass(frozen=True, slots=True)
class Answer:
    """`body` is JSON; empty for an answer without content. `location`: the path of what was made."""

    status: int
    body: str
    location: str | None = None


@dataclass(frozen=True, slots=True)
class KeyedRequest:
    """`caller`: whose key it is, within the organisation. `fingerprint`: SHA-256 over what is asked."""

    organisation: str
    caller: str
    key: str
    fingerprint: str


class AnsweredBefore(Exception):
    """Not to be done again: this is the answer that was given."""

    def __init__(self, answer: Answer) -> None:
        super().__init__("this request was answered before")
        self.answer = answer


class Keeping:
    """What a command's transaction does for a request with a key, around its own work; for one transaction only."""

    def __init__(self, request: KeyedRequest, answer_of: Callable[[Any], Answer]) -> None:
        self.answer: Answer | None = None  # once it is kept
        self._request = request
        self._answer_of = answer_of

    async def begin(self, connection: AsyncConnection) -> None:
        """Raises AnsweredBefore, KeyReused, StillRunning."""
        request = self._request
        # Held until the transaction ends, also when its process dies. Its own statement: the next one's snapshot is
        # made when the lock is held, and so sees what the holder before has committed.
        names = "\x1f".join((request.organisation, request.caller, request.key))
        if not (await connection.execute(_TRY_LOCK, {"names": names})).scalar_one():
            raise StillRunning()
        row = (await connection.execute(_FIND, {**_key(request), "age": KEPT_SECONDS})).one_or_none()
        if row is None:
            return
        if row.fingerprint != request.fingerprint:
            raise KeyReused(
                "this Idempotency-Key came with another request before", hint="give each new request a new key"
            )
        raise AnsweredBefore(Answer(row.status, row.body, row.location))

    async def keep(self, connection: AsyncConnection, result: Any) -> None:
        """The work has been done with this result."""
        self.answer = answer = self._answer_of(result)
        values = {
            **_key(self._request),
            "fingerprint": self._request.fingerprint,
            "status": answer.status,
            "body": answer.body,
            "location": answer.location,
        }
        await connection.execute(_KEEP, values)


# Set while a request that bears a key is answered: its command's transaction finds it here, so that no command, rule or
# store need know of keys.
KEEPING: ContextVar[Keeping | None] = ContextVar("keeping", default=None)


async def prune(connection: AsyncConnection, *, most: int = 10_000) -> int:
    """Drop answers that are too old to be given again, at most `most`. Returns how many were dropped."""
    result: Any = await connection.execute(_PRUNE, {"age": KEPT_SECONDS, "most": most})
    return int(result.rowcount)


def _key(request: KeyedRequest) -> dict[str, str]:
    return {"organisation": request.organisation, "caller": request.caller, "key": request.key}


_TRY_LOCK = text("SELECT pg_try_advisory_xact_lock(hashtextextended(:names, 0))")
_FIND = select(KEPT_ANSWER).where(
    KEPT_ANSWER.c.organisation == bindparam("organisation"),
    KEPT_ANSWER.c.caller == bindparam("caller"),
    KEPT_ANSWER.c.key == bindparam("key"),
    KEPT_ANSWER.c.created_at > func.clock_timestamp() - func.make_interval(0, 0, 0, 0, 0, 0, bindparam("age")),
)
_KEEP = insert(KEPT_ANSWER).values(created_at=func.clock_timestamp())
_KEEP = _KEEP.on_conflict_do_update(  # one that is too old, and not dropped yet
    index_elements=["organisation", "caller", "key"],
    set_={name: _KEEP.excluded[name] for name in ("fingerprint", "status", "body", "location", "created_at")},
).inline()
_PRUNE = text(
    """
    DELETE FROM kept_answer WHERE ctid IN (
        SELECT ctid FROM kept_answer WHERE created_at < clock_timestamp() - make_interval(secs => :age) LIMIT :most
    )
    """
)
