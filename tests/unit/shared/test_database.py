"""Which of PostgreSQL's refusals pass by themselves: those are waited for, all others are somebody's fault."""

import asyncpg
import pytest
from sqlalchemy.exc import DBAPIError, OperationalError

from shared.database import is_transient


@pytest.mark.parametrize(
    "refusal",
    [
        asyncpg.TooManyConnectionsError,
        asyncpg.DiskFullError,
        asyncpg.CannotConnectNowError,
        asyncpg.AdminShutdownError,
        asyncpg.DeadlockDetectedError,
        asyncpg.InternalServerError,  # a full disk: "could not write init file", at each new connection
    ],
)
def test_the_servers_trouble_passes(refusal: type[asyncpg.PostgresError]) -> None:
    assert is_transient(_as_sqlalchemy_says(refusal))


@pytest.mark.parametrize(
    "refusal", [asyncpg.UniqueViolationError, asyncpg.CharacterNotInRepertoireError, asyncpg.UndefinedTableError]
)
def test_an_inputs_or_a_programs_fault_stays(refusal: type[asyncpg.PostgresError]) -> None:
    assert not is_transient(_as_sqlalchemy_says(refusal))


def test_a_refused_connection_passes() -> None:
    assert is_transient(ConnectionRefusedError())
    assert is_transient(OperationalError("SELECT 1", {}, Exception("no state")))


@pytest.mark.parametrize(
    "refusal",
    [asyncpg.InvalidPasswordError, asyncpg.InvalidCatalogNameError, asyncpg.InvalidAuthorizationSpecificationError],
)
def test_a_login_that_is_refused_is_no_messages_fault(refusal: type[asyncpg.PostgresError]) -> None:
    """It comes as the driver's own. Were it a bug, a changed password would make dead letters of what arrives."""
    assert is_transient(refusal("refused"))


def _as_sqlalchemy_says(refusal: type[asyncpg.PostgresError]) -> DBAPIError:
    """`orig` is the dialect's own error, which bears the state."""
    original = Exception("refused")
    original.sqlstate = refusal.sqlstate  # type: ignore[attr-defined]
    return DBAPIError("SELECT 1", {}, original)
