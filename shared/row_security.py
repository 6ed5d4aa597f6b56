"""For which organisations the work in hand may touch rows: PostgreSQL's row-level security, below what queries ask for.

A door says it once, when it knows who is there: by a token, a link, or the events of a batch. `shared.database` passes
it on with each transaction, and the tables' policies compare it with each row's `organisation`. So a query that forgets
its organisation finds nothing of another, and changes nothing. Where no door has said anything, no row is there.

The setting is PostgreSQL's own parameter `justera.organisations`: names with commas between, `*` for all, empty for
none. See docs/decisions/0081-rows-are-guarded-below-the-queries.md.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

SETTING = "justera.organisations"
NOBODY = ""
EVERYBODY = "*"

_NAME = re.compile(r"[A-Za-z0-9_-]{1,128}")  # the widest that a link or an event may carry
_SCOPE: ContextVar[str] = ContextVar("justera_organisations", default=NOBODY)

# Not set at all is the release before this one, which sets nothing: in a rolling upgrade it works on beside us, as each
# schema lets it. Ours begin every session with an empty setting. Without a subselect: few rows are read a statement,
# and each costs two looks at a setting, less than setting up a subplan.
_POLICY = (
    f"coalesce(current_setting('{SETTING}', true), '{EVERYBODY}') IN (organisation, '{EVERYBODY}') "
    f"OR organisation = ANY (string_to_array(current_setting('{SETTING}', true), ','))"
)


def scope() -> str:
    """The setting's value for what is being done now."""
    return _SCOPE.get()


def act_for(organisation: str) -> None:
    """For the rest of this request or task: who is there was proven to belong to this organisation."""
    _SCOPE.set(_scope_of(organisation))


@contextmanager
def acting_for(*organisations: str) -> Iterator[None]:
    """For what is done meanwhile, of these organisations; of none where none is given."""
    with _scoped(_scope_of(*organisations)):
        yield


@contextmanager
def acting_within(*scopes: str) -> Iterator[None]:
    """For the work of several at once, each under its own scope."""
    names = {one for many in scopes for one in many.split(",") if one}
    with _scoped(EVERYBODY if EVERYBODY in names else ",".join(sorted(names))):
        yield


@contextmanager
def for_all(why: str) -> Iterator[None]:
    """For work of the installation's own, which no organisation's person is behind. `why` is for who reads the code: a
    test holds the list of those who ask for it."""
    with _scoped(EVERYBODY):
        yield


def policies(*tables: str) -> tuple[str, ...]:
    """SQL for a migration. Forced: the service owns its tables, and an owner is bound no other way. Frozen: a change
    is a new function."""
    return tuple(
        statement
        for table in tables
        for statement in (
            f"CREATE POLICY own_organisation ON {table} USING ({_POLICY})",
            f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY",
            f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY",
        )
    )


def is_name(organisation: str) -> bool:
    """Whether it can be named in a scope; no event, link or token is of any other."""
    return _NAME.fullmatch(organisation) is not None


def _scope_of(*organisations: str) -> str:
    if strange := [one for one in organisations if not is_name(one)]:
        raise ValueError(f"{strange[0]!r} is no organisation's name")
    return ",".join(sorted(set(organisations)))


@contextmanager
def _scoped(scope: str) -> Iterator[None]:
    token = _SCOPE.set(scope)
    try:
        yield
    finally:
        _SCOPE.reset(token)
