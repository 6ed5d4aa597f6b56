"""What a browser session is, and what keeps track of them: one service's database, which the others have no part in."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

SESSION_SECONDS = 12 * 3600
LONGEST_BROWSER = 200


@dataclass(frozen=True, slots=True)
class SessionKey:
    """`token` is the SHA-256 of the token that it was opened with: the session holds only while that one does."""

    organisation: str
    token: str
    id: str


@dataclass(frozen=True, slots=True)
class OpenSession:
    """`browser` is what the browser called itself, cut. Times are UTC; `seen_at` is right to a minute."""

    id: str
    browser: str
    opened_at: datetime
    seen_at: datetime
    ends_at: datetime


class Sessions(Protocol):
    async def open(self, key: SessionKey, browser: str, seconds: int) -> None: ...

    async def holds(self, key: SessionKey) -> bool:
        """Whether it was opened and neither ended nor ran out."""
        ...

    async def end(self, key: SessionKey) -> bool:
        """False when there was none."""
        ...
