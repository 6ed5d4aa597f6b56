"""The browser sessions of those who log in: opened, checked at each request, listed, ended. All SQL about them.

A session's row is its right to exist: ending it deletes the row, and tells the services whose own sessions hang on it.
"""

from collections.abc import Sequence

from sqlalchemy import ColumnElement, delete, func, insert, select, text, update

from services.signing.tables import LOGIN_SESSION
from services.signing.transaction import SigningTransaction
from shared.clock import Clock
from shared.database import Database
from shared.events import LoginEnded
from shared.messaging.transaction import UnitOfWork
from shared.passes import login_of
from shared.sessions import LONGEST_BROWSER, OpenSession, SessionKey

_SEEN_SECONDS = 60  # how exactly it is known when a session was last used: each step is a write
_MOST_LISTED = 100
_LAST = 1  # the only event of a login

_PRUNE = text(
    """
    WITH ended AS MATERIALIZED (
        SELECT organisation, id FROM login_session WHERE ends_at < clock_timestamp()
        ORDER BY ends_at LIMIT 100 FOR UPDATE SKIP LOCKED
    )
    DELETE FROM login_session USING ended
    WHERE (login_session.organisation, login_session.id) = (ended.organisation, ended.id)
    """
)
_C = LOGIN_SESSION.c
_LIVE = _C.ends_at > func.clock_timestamp()


def _of(key: SessionKey) -> tuple[ColumnElement[bool], ...]:
    return _C.organisation == key.organisation, _C.id == key.id, _C.token_sha256 == key.token


class LoginSessions:
    """Raises what the database raises: a session that cannot be checked opens nothing."""

    def __init__(self, database: Database, unit_of_work: UnitOfWork[SigningTransaction], clock: Clock) -> None:
        self._database = database
        self._unit_of_work = unit_of_work
        self._clock = clock

    async def open(self, key: SessionKey, browser: str, seconds: int) -> None:
        values = {
            "organisation": key.organisation,
            "id": key.id,
            "token_sha256": key.token,
            "browser": "".join(letter for letter in browser if letter.isprintable())[:LONGEST_BROWSER],
            "ends_at": func.clock_timestamp() + func.make_interval(0, 0, 0, 0, 0, 0, seconds),
        }
        async with self._database.transaction() as connection:
            await connection.execute(_PRUNE)
            await connection.execute(insert(LOGIN_SESSION).values(**values))

    async def holds(self, key: SessionKey) -> bool:
        now = func.clock_timestamp()
        stale = _C.seen_at < now - func.make_interval(0, 0, 0, 0, 0, 0, _SEEN_SECONDS)
        async with self._database.single() as connection:
            found = (await connection.execute(select(stale).where(*_of(key), _LIVE))).scalar_one_or_none()
            if found:
                await connection.execute(update(LOGIN_SESSION).where(*_of(key)).values(seen_at=now))
        return found is not None

    async def left(self, key: SessionKey) -> int:
        """For how many seconds it holds at the most; 0 for none that does."""
        left = func.floor(func.extract("epoch", _C.ends_at - func.clock_timestamp()))
        async with self._database.single() as connection:
            found = (await connection.execute(select(left).where(*_of(key), _LIVE))).scalar_one_or_none()
        return int(found or 0)

    async def end(self, key: SessionKey) -> bool:
        return await self._end(key.organisation, *_of(key)) > 0

    async def end_others(self, key: SessionKey) -> None:
        """All of the same token but this one; with an empty id, all of them."""
        await self._end(
            key.organisation, _C.organisation == key.organisation, _C.token_sha256 == key.token, _C.id != key.id
        )

    async def _end(self, organisation: str, *which: ColumnElement[bool]) -> int:
        """How many there were. That they end and that others hear of it is one transaction."""
        async with self._unit_of_work.begin() as transaction:
            ended = await transaction.connection.execute(
                delete(LOGIN_SESSION).where(*which).returning(_C.token_sha256, _C.id)
            )
            logins = [login_of(SessionKey(organisation, token, session)) for token, session in ended]
            for login in logins:
                transaction.publish(
                    LoginEnded(login=login),
                    organisation=organisation,
                    subject=login,
                    key=login,
                    sequence=_LAST,
                    time=self._clock.now(),
                    correlation_id=login,
                )
        return len(logins)

    async def of_token(self, organisation: str, token: str) -> Sequence[OpenSession]:
        """Those of one token, the newest first."""
        query = (
            select(_C.id, _C.browser, _C.opened_at, _C.seen_at, _C.ends_at)
            .where(_C.organisation == organisation, _C.token_sha256 == token, _LIVE)
            .order_by(_C.opened_at.desc())
            .limit(_MOST_LISTED)
        )
        async with self._database.single() as connection:
            return [OpenSession(*row) for row in await connection.execute(query)]
