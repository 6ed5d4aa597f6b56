"""The sessions that passes opened, in the database of the service that they opened: all SQL about them.

The row is the session's right to be, as in signing. What may open none is kept, too: a pass that was used, and a login
that has ended, for as long as a pass of either could still be on its way.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Column, ColumnElement, DateTime, Index, MetaData, Text, delete, func, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel import Field, SQLModel

from shared.database import Database
from shared.passes import PASS_SECONDS, SKEW_SECONDS, Pass, PassRefused, hash_of
from shared.row_security import for_all

RENEW_SECONDS = 15 * 60
"""How long a pass carries a session from page to page: then signing is asked anew, which knows whether it holds."""
IDLE_SECONDS = 4 * 3600
_SEEN_SECONDS = 60  # how exactly it is known when a session was last used: each step is a write
_REFUSED_SECONDS = 2 * (PASS_SECONDS + 2 * SKEW_SECONDS)
_PRUNED = 100


class PassedTable(SQLModel):
    metadata = MetaData()


def _timestamptz() -> Any:
    return Column(DateTime(timezone=True), nullable=False, server_default=func.clock_timestamp())


class PassedSessionRow(PassedTable, table=True):
    """A browser that came with a pass. `passed_at`: when it came with its last one."""

    __tablename__ = "passed_session"
    __table_args__ = (Index("passed_session_of_login", "login"), Index("passed_session_end", "ends_at"))

    cookie_sha256: str = Field(sa_column=Column(Text, primary_key=True))
    organisation: str = Field(sa_column=Column(Text, nullable=False))
    token_sha256: str = Field(sa_column=Column(Text, nullable=False))
    login: str = Field(sa_column=Column(Text, nullable=False))
    opened_at: datetime = Field(sa_column=_timestamptz())
    seen_at: datetime = Field(sa_column=_timestamptz())
    passed_at: datetime = Field(sa_column=_timestamptz())
    ends_at: datetime = Field(sa_column=Column(DateTime(timezone=True), nullable=False))


class RefusedPassRow(PassedTable, table=True):
    """`proof`: the id of a pass that was used, or a login that has ended."""

    __tablename__ = "refused_pass"
    __table_args__ = (Index("refused_pass_end", "until"),)

    proof: str = Field(sa_column=Column(Text, primary_key=True))
    until: datetime = Field(sa_column=Column(DateTime(timezone=True), nullable=False))


# For the migrations of the services that keep such sessions. Frozen: a change is a new list.
STATEMENTS_V1 = (
    """
    CREATE TABLE passed_session (
        cookie_sha256 text PRIMARY KEY,
        organisation text NOT NULL,
        token_sha256 text NOT NULL,
        login text NOT NULL,
        opened_at timestamptz NOT NULL DEFAULT clock_timestamp(),
        seen_at timestamptz NOT NULL DEFAULT clock_timestamp(),
        passed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
        ends_at timestamptz NOT NULL
    )
    """,
    "CREATE INDEX passed_session_of_login ON passed_session (login)",
    "CREATE INDEX passed_session_end ON passed_session (ends_at)",
    "CREATE TABLE refused_pass (proof text PRIMARY KEY, until timestamptz NOT NULL)",
    "CREATE INDEX refused_pass_end ON refused_pass (until)",
)

_SESSION = PassedTable.metadata.tables["passed_session"]
_REFUSED = PassedTable.metadata.tables["refused_pass"]
_C = _SESSION.c

_PRUNE_SESSIONS = text(
    f"""
    DELETE FROM passed_session WHERE cookie_sha256 IN (
        SELECT cookie_sha256 FROM passed_session WHERE ends_at < clock_timestamp()
        ORDER BY ends_at LIMIT {_PRUNED} FOR UPDATE SKIP LOCKED
    )
    """  # noqa: S608  (a number of ours)
)
_PRUNE_REFUSED = text(
    f"""
    DELETE FROM refused_pass WHERE proof IN (
        SELECT proof FROM refused_pass WHERE until < clock_timestamp()
        ORDER BY until LIMIT {_PRUNED} FOR UPDATE SKIP LOCKED
    )
    """  # noqa: S608  (a number of ours)
)
# A pass that is taken and the end of its login come one after the other, whichever is first.
_LOCK = text("SELECT pg_advisory_xact_lock(hashtextextended(:login, 0))")


@dataclass(frozen=True, slots=True)
class PassedSession:
    """`due`: it is time for a new pass."""

    organisation: str
    token: str
    login: str
    due: bool


def _in(seconds: float) -> ColumnElement[Any]:
    return func.clock_timestamp() + func.make_interval(0, 0, 0, 0, 0, 0, seconds)


class PassedSessions:
    """Raises what the database raises: a session that cannot be checked opens nothing."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def take(self, one: Pass, cookie: str, fresh: str) -> str:
        """The cookie of the session that the pass opens: `fresh`, or `cookie` where the pass renews that one's, so that
        forms that stand open keep their token. Raises PassRefused for a pass that was used or whose login has ended."""
        with for_all("whose the session before was follows from its cookie"):
            return await self._taken(one, cookie, fresh)

    async def _taken(self, one: Pass, cookie: str, fresh: str) -> str:
        async with self._database.transaction() as connection:
            await connection.execute(_PRUNE_SESSIONS)
            await connection.execute(_PRUNE_REFUSED)
            await connection.execute(_LOCK, {"login": one.login})
            ended = select(_REFUSED.c.proof).where(_REFUSED.c.proof == _ended(one.login))
            if (await connection.execute(ended)).first() is not None or not await _refuse(connection, f"pass {one.id}"):
                raise PassRefused("the pass was used, or its login has ended", hint="open the page again")
            now = func.clock_timestamp()
            renewed = await connection.execute(
                update(_SESSION)
                .where(_C.cookie_sha256 == hash_of(cookie), _C.login == one.login, _C.ends_at > now)
                .values(seen_at=now, passed_at=now, ends_at=_in(one.left))
                .returning(_C.login)
            )
            if renewed.first() is not None:
                return cookie
            await connection.execute(delete(_SESSION).where(_C.cookie_sha256 == hash_of(cookie)))
            values = {"organisation": one.organisation, "token_sha256": one.token, "login": one.login}
            opened = insert(_SESSION).values(cookie_sha256=hash_of(fresh), ends_at=_in(one.left), **values)
            await connection.execute(opened)
            return fresh

    async def found(self, cookie: str) -> PassedSession | None:
        """None for one that was never opened, has ended, or was not used for too long."""
        now, mine = func.clock_timestamp(), _C.cookie_sha256 == hash_of(cookie)
        query = select(
            _C.organisation,
            _C.token_sha256,
            _C.login,
            (_C.passed_at < _in(-RENEW_SECONDS)).label("due"),
            (_C.seen_at < _in(-_SEEN_SECONDS)).label("stale"),
        ).where(mine, _C.ends_at > now, _C.seen_at > _in(-IDLE_SECONDS))
        with for_all("whose a session is follows from its cookie"):
            async with self._database.single() as connection:
                row = (await connection.execute(query)).one_or_none()
                if row is not None and row.stale:
                    await connection.execute(update(_SESSION).where(mine).values(seen_at=now))
        return None if row is None else PassedSession(row.organisation, row.token_sha256, row.login, row.due)


async def end_login(connection: AsyncConnection, login: str) -> None:
    """What it opened here ends, and no pass of it that is on its way opens anything any more."""
    await connection.execute(_LOCK, {"login": login})
    await _refuse(connection, _ended(login))
    await connection.execute(delete(_SESSION).where(_C.login == login))


def _ended(login: str) -> str:
    return f"login {login}"


async def _refuse(connection: AsyncConnection, proof: str) -> bool:
    """False when it stood there already."""
    refused = insert(_REFUSED).values(proof=proof, until=_in(_REFUSED_SECONDS)).on_conflict_do_nothing()
    return (await connection.execute(refused.returning(_REFUSED.c.proof))).first() is not None
