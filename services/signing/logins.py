"""The browser sessions of those who log in: opened, checked at each request, listed, ended. All SQL about them.

A session's row is its right to exist: ending it deletes the row.
"""

from collections.abc import Sequence

from sqlalchemy import ColumnElement, delete, func, insert, select, text, update

from services.signing.tables import LOGIN_SESSION
from shared.database import Database
from shared.sessions import LONGEST_BROWSER, OpenSession, SessionKey

_SEEN_SECONDS = 60  # how exactly it is known when a session was last used: each step is a write
_MOST_LISTED = 100

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

    def __init__(self, database: Database) -> None:
        self._database = database

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

    async def end(self, key: SessionKey) -> bool:
        async with self._database.single() as connection:
            ended = await connection.execute(delete(LOGIN_SESSION).where(*_of(key)).returning(_C.id))
            return ended.one_or_none() is not None

    async def end_others(self, key: SessionKey) -> None:
        """All of the same token but this one; with an empty id, all of them."""
        mine = (_C.organisation == key.organisation, _C.token_sha256 == key.token, _C.id != key.id)
        async with self._database.single() as connection:
            await connection.execute(delete(LOGIN_SESSION).where(*mine))

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
