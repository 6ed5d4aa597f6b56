"""Sessions in memory, for tests without a database."""

from shared.auth import Access, Principal, Role, TokenRecord, token_hash
from shared.sessions import SessionKey


class RememberedSessions:
    def __init__(self) -> None:
        self.open_ones: set[SessionKey] = set()

    async def open(self, key: SessionKey, browser: str, seconds: int) -> None:
        self.open_ones.add(key)

    async def holds(self, key: SessionKey) -> bool:
        return key in self.open_ones

    async def end(self, key: SessionKey) -> bool:
        held = key in self.open_ones
        self.open_ones.discard(key)
        return held


def record_of(role: Role, organisation: str, name: str | None = None) -> TokenRecord:
    """A token record of its own for a role in an organisation."""
    name = name or f"{role}-of-{organisation}"
    return TokenRecord(name=name, role=role, organisation=organisation, sha256=token_hash(f"token of {name}"))


def principal_of(record: TokenRecord) -> Principal:
    return Principal(record.organisation, record.role, record.name, token=record.sha256)


def with_sessions(access: Access) -> Access:
    access.sessions = RememberedSessions()
    return access
