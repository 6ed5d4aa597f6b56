"""Facts of signing, where people log in, about their logins. Subject and key: the login's hash, which opens nothing."""

from typing import ClassVar

from pydantic import Field

from shared.events import topics
from shared.events.base import Event


class LoginEnded(Event):
    """Somebody logged out, or ended this login from another one: what was opened with it ends, too."""

    service: ClassVar[str] = "signing"
    topic: ClassVar[str] = topics.LOGINS

    login: str = Field(pattern=r"^[0-9a-f]{64}$", description="SHA-256 of the session's id")
