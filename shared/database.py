"""PostgreSQL through SQLAlchemy's asyncio engine, and what to do when it is not there.

One transaction per handled batch or command. Nobody calls `commit()`: leaving `Database.transaction` commits, an
exception rolls back.
"""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from contextlib import asynccontextmanager
from typing import Any, TypeVar

import asyncpg
from sqlalchemy import ARRAY, ColumnElement, Text, bindparam, func, select, text, tuple_
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from shared.errors import Unavailable
from shared.row_security import NOBODY, SETTING, scope

Result = TypeVar("Result")

# SQLSTATE classes and codes that say "try again", not "this input is wrong" (PostgreSQL manual, appendix A).
# Class by class: connection, resources (disk full, …), operator intervention, system; and internal errors: on a full
# disk PostgreSQL refuses connections with XX000 ("could not write init file"), which is no input's fault either.
_TRANSIENT_CLASSES = ("08", "53", "57", "58", "XX")
# serialization, deadlock, lock timeout, read-only standby, idle in transaction for too long
_TRANSIENT_CODES = ("40001", "40P01", "55P03", "25006", "25P03")
_CONFLICT_CODES = ("40001", "40P01")


_CONNECT_SECONDS = 5
_SETTINGS = {
    # JIT compilation costs more than these small statements take.
    "jit": "off",
    # Every statement finds its rows by index. A plan made while a table was empty would read it whole, and live on in
    # prepared statements; planning each time costs as much as executing.
    "enable_seqscan": "off",
    "plan_cache_mode": "force_generic_plan",
    "idle_in_transaction_session_timeout": "60000",
    # Empty, which shows no row, until a transaction says for whom it is. Not left unset: see shared.row_security.
    SETTING: "''",
}
_SET = "; ".join(f"SET {name} = {value}" for name, value in _SETTINGS.items())
_SESSION_SCOPE = text(f"SELECT set_config('{SETTING}', :scope, false)")


class VersionConflict(Exception):
    """Another transaction changed the aggregate between our read and our write: roll back and try again."""


def is_transient(error: BaseException) -> bool:
    """Whether the same work may succeed later: infrastructure trouble, a deadlock, a version conflict."""
    if isinstance(error, VersionConflict | Unavailable | PoolTimeout | OSError | asyncio.TimeoutError):
        return True
    if isinstance(error, DBAPIError):
        if error.connection_invalidated or isinstance(error, InterfaceError):
            return True
        state = getattr(error.orig, "sqlstate", None) or ""
        return (
            state in _TRANSIENT_CODES
            or state[:2] in _TRANSIENT_CLASSES
            or (isinstance(error, OperationalError) and not state)
        )
    # The driver's own are about connecting: SQLAlchemy wraps those of statements. For a password that is refused or a
    # database that is not there, no message is to blame: work waits until someone has mended it.
    return isinstance(error, asyncpg.PostgresError | asyncpg.InterfaceError | asyncpg.InternalClientError)


def is_conflict(error: BaseException) -> bool:
    """Whether the database says for certain that the transaction was rolled back in favour of another."""
    return isinstance(error, VersionConflict) or (
        isinstance(error, DBAPIError) and getattr(error.orig, "sqlstate", None) in _CONFLICT_CODES
    )


class Database:
    """One service's own database. `url` is a SQLAlchemy URL for asyncpg; pool sizes are connections.

    What is read and written is guarded by the scope (`shared.row_security`) in which `transaction` or `single` is
    entered, to its end. A statement that takes longer than `command_seconds` is given up; None for migrations, which
    may read a table as large as it has become.
    """

    def __init__(
        self,
        url: str,
        *,
        pool_size: int = 8,
        application_name: str = "justera",
        command_seconds: float | None = 60.0,
    ) -> None:
        self.engine: AsyncEngine = create_async_engine(
            url,
            pool_size=pool_size,
            max_overflow=4,
            pool_timeout=10,
            pool_pre_ping=False,
            pool_recycle=1800,
            # Parameters are names and addresses: they must not reach a log through an exception.
            hide_parameters=True,
            connect_args={
                "timeout": _CONNECT_SECONDS,
                "command_timeout": command_seconds,
                "server_settings": {"application_name": application_name},
                "async_creator_fn": _connected,
            },
        )
        self._single = self.engine.execution_options(isolation_level="AUTOCOMMIT")

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncConnection]:
        """A connection whose work is committed on leaving, rolled back when an exception leaves.

        A connection, not an ORM session: all our SQL is Core, and a session costs about as much as each statement.
        """
        async with self.engine.begin() as connection:
            session = _session_of(connection)
            session.scope = scope()
            try:
                yield connection
            finally:
                session.scope = NOBODY

    @asynccontextmanager
    async def single(self) -> AsyncIterator[AsyncConnection]:
        """A connection on which each statement is a transaction of its own: one round trip instead of three.

        For a reading, or a change that is one statement. A connection that was last used in another scope takes a
        second one.
        """
        wanted = scope()
        async with self._single.connect() as connection:
            session = _session_of(connection)
            if session.scope_between != wanted:
                session.scope_between = None  # when this is cancelled, nobody knows whether it took effect
                await connection.execute(_SESSION_SCOPE, {"scope": wanted})
                session.scope_between = wanted
            yield connection

    async def ping(self, within: float = 2.0) -> None:
        """Raises Unavailable when the database does not answer within `within` seconds."""
        try:
            async with asyncio.timeout(within), self.engine.connect() as connection:
                await connection.execute(text("SELECT 1"))
        except Exception as error:
            raise Unavailable(f"the database does not answer: {type(error).__name__}") from error

    async def close(self) -> None:
        await self.engine.dispose()


class _Session(asyncpg.Connection):
    """Knows its `scope`: that of the transaction which begins next, and `scope_between` transactions, None when that is
    not known."""

    scope: str = NOBODY
    scope_between: str | None = NOBODY

    async def execute(self, query: str, *args: Any, timeout: float | None = None) -> str:  # noqa: ASYNC109
        """A transaction's scope goes along with its BEGIN, in one round trip, and ends with it."""
        if query.startswith("BEGIN"):
            query = f"{query} SET LOCAL {SETTING} = '{self.scope}'"  # names of organisations have no apostrophe
        status: str = await super().execute(query, *args, timeout=timeout)
        return status


def _session_of(connection: AsyncConnection) -> _Session:
    session = connection.sync_connection.connection.driver_connection if connection.sync_connection else None
    if not isinstance(session, _Session):
        raise TypeError("not a connection of ours")
    return session


async def _connected(**arguments: Any) -> _Session:
    """A session with our settings. PgBouncer lets nobody in who asks for such settings while connecting."""
    connection: _Session = await asyncpg.connect(**arguments, connection_class=_Session)
    try:
        await connection.execute(_SET, timeout=_CONNECT_SECONDS)
    except BaseException:
        connection.terminate()
        raise
    return connection


def among_pairs(first: ColumnElement[str], second: ColumnElement[str]) -> ColumnElement[bool]:
    """Whether (first, second) is one of the pairs in the statement's parameters `firsts` and `seconds`, two arrays.

    The statement stays the same for any number of pairs, and so does its plan; an IN list would be a new one each time.
    """
    texts = ARRAY(Text)
    both = func.unnest(bindparam("firsts", type_=texts), bindparam("seconds", type_=texts))
    pairs = both.table_valued("a", "b").render_derived()
    return tuple_(first, second).in_(select(pairs.c.a, pairs.c.b))


def pairs(keys: Collection[tuple[str, str]]) -> dict[str, list[str]]:
    """The parameters of `among_pairs`."""
    return {"firsts": [first for first, _ in keys], "seconds": [second for _, second in keys]}


async def with_retries(work: Callable[[], Awaitable[Result]], *, attempts: int = 4) -> Result:
    """Run a command's whole transaction again after a conflict or a lost connection, with jittered backoff.

    Raises Unavailable when the database stays out of reach; any other error of `work` is passed on at once, and so is a
    wait for a connection of the pool that was in vain: it was long enough.
    """
    for attempt in range(1, attempts + 1):
        try:
            return await work()
        except Exception as error:
            if not is_transient(error) or isinstance(error, Unavailable | PoolTimeout):
                raise
            if attempt == attempts:
                raise Unavailable("the database is busy or out of reach", hint="try again in a moment") from error
            await asyncio.sleep(random.uniform(0.02, 0.1) * 2**attempt)  # noqa: S311  (jitter, not a secret)
    raise AssertionError("unreachable")
