"""Keys that rotate: `keyid:base64,keyid:base64`, the first one current. An old key verifies until it is removed."""

import base64
import hashlib
import hmac
import secrets
from dataclasses import dataclass

from shared.settings import BadConfiguration

_SHORTEST = 32  # bytes, the output size of SHA-256 (RFC 2104, section 3)


@dataclass(frozen=True)
class KeyRing:
    current: str
    keys: dict[str, bytes]

    def mac(self, key_id: str, *parts: str) -> bytes | None:
        """HMAC-SHA256 over the parts, each with its length, so that no two lists of parts look alike."""
        key = self.keys.get(key_id)
        if key is None:
            return None
        message = b"".join(len(part.encode()).to_bytes(4, "big") + part.encode() for part in parts)
        return hmac.new(key, message, hashlib.sha256).digest()


def parse_keys(text: str, variable: str) -> KeyRing:
    """Raises BadConfiguration, which never shows the key."""
    keys: dict[str, bytes] = {}
    for item in text.strip().split(","):
        key_id, _, encoded = item.strip().partition(":")
        if key_id in keys:
            raise BadConfiguration(f"{variable}: two keys have the id {key_id!r}")
        try:
            keys[key_id] = base64.b64decode(encoded, validate=True)
        except ValueError as error:
            raise BadConfiguration(f"{variable}: the key {key_id!r} is not base64") from error
        if not (key_id.isascii() and key_id.isalnum()) or len(keys[key_id]) < _SHORTEST:
            raise BadConfiguration(f"{variable}: a key needs an alphanumeric id and at least {_SHORTEST} bytes")
    return KeyRing(next(iter(keys)), keys)


def new_keys() -> str:
    """A ring of one fresh key, as text for the environment or a secret file."""
    return "k1:" + base64.b64encode(secrets.token_bytes(_SHORTEST)).decode()
