"""What the inbox page needs to know of mails."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from services.notifications.invitation.invitation import Invitation


@dataclass(frozen=True, slots=True)
class Mail:
    """A mail as people see it. `received_at` is UTC; `html` is empty when the mail has no such part.

    `invitation`: what a calendar program would show of it; a list of mails has none.
    """

    id: str
    received_at: datetime
    recipient: str
    sender: str
    subject: str
    text: str
    html: str
    invitation: Invitation | None = None


class Mails(Protocol):
    async def latest(self, most: int) -> Sequence[Mail]:
        """The newest first."""
        ...

    async def mail(self, mail_id: str) -> Mail:
        """Raises NotFound."""
        ...
