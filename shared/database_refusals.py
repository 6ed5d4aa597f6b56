"""Why a database did not let us in, in words for whoever runs it: where it is, what is wrong, which setting to look at.

asyncpg's errors while connecting reach us as they are: SQLAlchemy wraps those of statements only.
"""

import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from socket import gaierror

import asyncpg
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from shared.database import is_transient
from shared.errors import JusteraError, Unavailable
from shared.settings import BadConfiguration

_URL = "JUSTERA_DATABASE_URL"
_MADE = 'docs/operations.md, "Install", says how to make it'
_RUNNING = f"is PostgreSQL running, and {_URL} right?"
_WHO = f"is the name in {_URL} right, and may it connect from here (pg_hba.conf)?"
_PASSWORD = f"is JUSTERA_DATABASE_PASSWORD right, or the password in {_URL}? The name may be wrong, too"
_TLS = f"in {_URL}, `?ssl=verify-full` (and PGSSLROOTCERT) checks its certificate, `?ssl=disable` speaks no TLS"
_TRUST = "name the file of its authority in PGSSLROOTCERT; it must be made out to the host in the URL"
_POOLER = "name it in the pooler's ignore_startup_parameters, and let it work by session (pool_mode)"
_DRIVER_CLOSED = asyncpg.ConnectionDoesNotExistError, asyncpg.InternalClientError  # no server says so


def refusal_of(error: BaseException, service: str, url: URL) -> JusteraError | None:
    """BadConfiguration for what only a person can mend, Unavailable for what may mend itself; None for other errors.

    No password is in it: of the URL it tells host, port, user and database.
    """
    place = _Place(service, url)
    for one in _chain(error):
        if (found := _told(one, place)) is not None:
            return found
    return Unavailable(f"{place} does not answer", hint=_RUNNING) if is_transient(error) else None


@dataclass(frozen=True, slots=True)
class _Place:
    """A service's database, as a person knows it."""

    service: str
    url: URL

    def __str__(self) -> str:
        return f"the database of {self.service} ({self.name} at {self.address})"

    @property
    def address(self) -> str:
        port = self.url.port or self._in_query("port") or 5432
        return self.host if self.is_socket else f"{f'[{self.host}]' if ':' in self.host else self.host}:{port}"

    @property
    def host(self) -> str:
        return self.url.host or self._in_query("host") or "localhost"

    @property
    def is_socket(self) -> bool:
        return self.host.startswith("/")

    @property
    def user(self) -> str:
        return self.url.username or "its user"

    @property
    def name(self) -> str:
        return self.url.database or self.url.username or "without a name"

    def _in_query(self, name: str) -> str:
        value = self.url.query.get(name, "")
        return value if isinstance(value, str) else ", ".join(value)


def _chain(error: BaseException) -> Iterator[BaseException]:
    """The error, and what it was made of: a driver's below SQLAlchemy's, the first cause below a later one."""
    seen: list[BaseException] = []
    following: BaseException | None = error
    while following is not None and following not in seen:
        seen.append(following)
        yield following
        below = following.orig if isinstance(following, DBAPIError) else None
        following = below or following.__cause__ or following.__context__


def _told(error: BaseException, place: _Place) -> JusteraError | None:
    if isinstance(error, _DRIVER_CLOSED):  # PostgreSQL hangs up when it falls; something else does so always
        return Unavailable(f"{place} broke off; is it PostgreSQL that listens there?", hint=_RUNNING)
    if state := getattr(error, "sqlstate", None):
        return _told_by_server(str(state), _said(error), place)
    if isinstance(error, ssl.SSLError):
        return _tls_refused(error, place)
    if isinstance(error, OSError | TimeoutError | PoolTimeout):
        return _unreachable(error, place)
    if isinstance(error, asyncpg.InterfaceError) and isinstance(error, ValueError):  # its ClientConfigurationError
        return BadConfiguration(f"{_URL}: {_said(error)}", hint=_TLS if "root cert" in str(error) else "")
    if isinstance(error, asyncpg.InterfaceError) and "authentication" in str(error):
        hint = "PostgreSQL's scram-sha-256 works"
        return BadConfiguration(f"{place} cannot be logged in to: {_said(error)}", hint=hint)
    return None


def _told_by_server(state: str, said: str, place: _Place) -> JusteraError | None:
    """By SQLSTATE (PostgreSQL manual, appendix A)."""
    match state:
        case "28P01":
            return BadConfiguration(f"{place} does not take the password of {place.user}", hint=_PASSWORD)
        case "28000":
            hint = f"it asks for TLS: {_TLS}" if "no encryption" in said else _WHO
            return BadConfiguration(f"{place} does not let {place.user} in: {said}", hint=hint)
        case "3D000":
            hint = f"{_MADE}, or name another in {_URL}"
            return BadConfiguration(f"{place} is not there: {said}", hint=hint)
        case "42501":
            return BadConfiguration(
                f"{place.user} lacks a right in {place}: {said}", hint=f"make it the owner; {_MADE}"
            )
        case "08P01" if "startup parameter" in said:
            return BadConfiguration(f"{place} is behind a pooler that does not let us in: {said}", hint=_POOLER)
        case "08P01":
            return Unavailable(f"{place} does not let us in: {said}", hint="the log of what listens there says more")
        case "53300":
            return Unavailable(f"{place} has no connection to spare", hint="see max_connections, JUSTERA_DATABASE_POOL")
        case "57P03":
            return Unavailable(f"{place} is starting or stopping", hint="try again in a moment")
    return None


def _tls_refused(error: ssl.SSLError, place: _Place) -> JusteraError:
    if isinstance(error, ssl.SSLCertVerificationError):
        return BadConfiguration(f"the certificate of {place} is not trusted: {error.verify_message}", hint=_TRUST)
    return BadConfiguration(f"{place} and we agree on no TLS: {error.reason or 'it broke off'}", hint=_TLS)


def _unreachable(error: BaseException, place: _Place) -> JusteraError:
    if isinstance(error, gaierror):
        return Unavailable(f"the host of {place} is not known", hint=f"is {_URL} right?")
    if isinstance(error, ConnectionError) and "SSL" in str(error):
        return BadConfiguration(f"{place} speaks no TLS, and {_URL} asks for it", hint=_TLS)
    if isinstance(error, FileNotFoundError | PermissionError) and not place.is_socket:
        return BadConfiguration(f"a file that {_URL} or PGSSLROOTCERT names cannot be read", hint=_TLS)
    if isinstance(error, ConnectionRefusedError | FileNotFoundError):
        return Unavailable(f"nothing listens where {place} should be", hint=_RUNNING)
    return Unavailable(f"{place} does not answer", hint=_RUNNING)


def _said(error: BaseException) -> str:
    """The server's own words, the first line."""
    return (str(error).splitlines() or [type(error).__name__])[0][:200]
