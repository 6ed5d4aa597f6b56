"""API tokens as they are kept: a file holds names, roles and hashes, and is read again when it changes."""

import hashlib
import json
import secrets
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

from pydantic import BaseModel, Field, ValidationError

from shared import invalid
from shared.errors import InvalidInput
from shared.logging import get_logger
from shared.names import Role
from shared.settings import BadConfiguration
from shared.text_file import read_text

log = get_logger(__name__)


class TokenRecord(BaseModel):
    """A token as stored, or with an `email` an account, whose person logs in at the provider: `sha256` is its id then,
    and nobody has a token for it. `expires`: Unix seconds, absent for one that does not."""

    name: str = Field(min_length=1, max_length=100)
    role: Role
    organisation: str = Field(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$")
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    expires: float | None = None
    email: str | None = Field(None, pattern=r"^[^@\s]{1,64}@[^@\s]{1,190}$")

    @property
    def has_expired(self) -> bool:
        return self.expires is not None and self.expires < time.time()


def new_token() -> str:
    """32 random bytes, 43 characters: shown once, stored as a hash only."""
    return secrets.token_urlsafe(32)


def token_hash(token: str) -> str:
    """Plain SHA-256 suffices for 256 random bits; a slow hash is for what people choose."""
    return hashlib.sha256(token.encode()).hexdigest()


def read_tokens(path: Path | None) -> tuple[TokenRecord, ...]:
    """The token file: a JSON list of TokenRecord. Raises BadConfiguration."""
    if path is None:
        return ()
    try:
        found = json.loads(read_text(path.read_bytes(), str(path)))
    except OSError as error:
        raise BadConfiguration(f"JUSTERA_TOKENS_FILE: {path} cannot be read: {error.strerror}") from error
    except InvalidInput as error:
        raise BadConfiguration(f"JUSTERA_TOKENS_FILE: {error.message}") from error
    except (ValueError, RecursionError) as error:
        line = f", line {error.lineno}" if isinstance(error, json.JSONDecodeError) else ""
        raise BadConfiguration(f"JUSTERA_TOKENS_FILE: {path}{line} cannot be read as JSON") from error
    if not isinstance(found, list):
        raise BadConfiguration(f"JUSTERA_TOKENS_FILE: {path} must be a list of the records that justera token prints")
    return tuple(_record(item, f"{path}, number {number}") for number, item in enumerate(found, 1))


def _record(given: object, where: str) -> TokenRecord:
    """Raises BadConfiguration, which shows nothing of what stands there."""
    try:
        return TokenRecord.model_validate(given)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        field = invalid.place(first["loc"])
        raise BadConfiguration(
            f"JUSTERA_TOKENS_FILE: {where}{f', {field}' if field else ''}: {invalid.what(first)}"
        ) from None


class Tokens:
    """Those that are fixed, or with `TokenFile` those that a file holds now. By SHA-256."""

    def __init__(self, records: Iterable[TokenRecord]) -> None:
        self._records = {record.sha256: record for record in records}

    def get(self, sha256: str) -> TokenRecord | None:
        """None for one that is unknown or has expired."""
        record = self._current().get(sha256)
        return None if record is None or record.has_expired else record

    def __iter__(self) -> Iterator[TokenRecord]:
        return iter(self._current().values())

    def _current(self) -> dict[str, TokenRecord]:
        return self._records


class TokenFile(Tokens):
    """Asked at each look-up whether the file is another than the one that was read: some microseconds.

    One that cannot be read (half written, say) leaves what was read before, and a line in the log.
    """

    def __init__(self, path: Path) -> None:
        """Raises BadConfiguration."""
        self._path = path
        self._seen = _identity(path)
        super().__init__(read_tokens(path))

    def _current(self) -> dict[str, TokenRecord]:
        found = _identity(self._path)
        if found != self._seen:
            self._seen = found
            try:
                self._records = {record.sha256: record for record in read_tokens(self._path)}
                log.info("tokens.read_again", count=len(self._records))
            except BadConfiguration:
                log.error("tokens.unreadable", kept=len(self._records))
        return self._records


def _identity(path: Path) -> tuple[int, ...]:
    """Follows links: a mounted secret is changed by exchanging one."""
    try:
        status = path.stat()
    except OSError:
        return ()
    return status.st_dev, status.st_ino, status.st_mtime_ns, status.st_size
