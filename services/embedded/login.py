"""Login links of the all-in-one process: one use, an hour at most, kept as hashes and in memory only."""

import time
from dataclasses import dataclass, field

from shared.auth import Access, Principal, Role, new_token, token_hash
from shared.errors import NotAuthenticated

LINK_SECONDS = 3600
LOCAL_PERSON = f"local-{Role.SECRETARY}"  # the token whose session the link opens


class LinkUsed(NotAuthenticated):
    """A login link that has been used, or whose hour is over."""

    slug = "login-link-used"


@dataclass
class LoginLinks:
    """Makes tokens for the person at this machine and redeems each once."""

    access: Access
    organisation: str
    _expiry: dict[str, float] = field(default_factory=dict)

    def issue(self) -> str:
        now = time.monotonic()
        self._expiry = {known: until for known, until in self._expiry.items() if until > now}
        token = new_token()
        self._expiry[token_hash(token)] = now + LINK_SECONDS
        return token

    async def redeem(self, token: str) -> Principal:
        """Raises LinkUsed for a token that is unknown, used or expired."""
        until = self._expiry.pop(token_hash(token), 0.0)
        if until < time.monotonic():
            raise LinkUsed("this login link has been used or has expired", hint="make a new one with: justera login")
        return self.access.named(self.organisation, LOCAL_PERSON)
