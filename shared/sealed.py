"""Words that an event carries for one reader, and nobody else can read: the journal keeps events for years.

AES-SIV (RFC 5297) under a key that is derived from a ring which only the writer and the reader hold. The same words for
the same subject seal alike, so that what is told twice is the same fact; whoever sees two sealed texts of one subject
learns that the words are the same, and no more than their length.
"""

import base64
import binascii

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV

from shared.keys import KeyRing

_LONGEST = 16_000  # characters of a sealed text: whoever writes an event must not make its reader work for long


def seal(ring: KeyRing, purpose: str, subject: str, words: str) -> str:
    """`subject`: what the words are of; sealed for another one, they cannot be read. Empty words stay empty."""
    if not words:
        return ""
    sealed = _cipher(ring, ring.current, purpose).encrypt(words.encode(), [subject.encode()])
    return f"{ring.current}.{base64.urlsafe_b64encode(sealed).decode().rstrip('=')}"


def unseal(ring: KeyRing, purpose: str, subject: str, sealed: str) -> str:
    """Empty for what is not sealed for this, or under a key that is no longer in the ring."""
    key_id, _, encoded = sealed.partition(".")
    if len(sealed) > _LONGEST or key_id not in ring.keys:
        return ""
    try:
        content = base64.b64decode(encoded + "=" * (-len(encoded) % 4), altchars=b"-_", validate=True)
        return _cipher(ring, key_id, purpose).decrypt(content, [subject.encode()]).decode()
    except (InvalidTag, binascii.Error, UnicodeError, ValueError):
        return ""


def _cipher(ring: KeyRing, key_id: str, purpose: str) -> AESSIV:
    """Raises ValueError for a key that the ring has not."""
    return AESSIV(ring.mac(key_id, "justera-sealed", purpose) or b"")
