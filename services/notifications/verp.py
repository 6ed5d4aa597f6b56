"""Variable envelope return paths: which mail a delivery report is about, said by an address that only we can make.

A mail's return path is `bounces+<token>@domain`, and its envelope id (`ENVID`, RFC 3461 section 4.4) is the same token:
a report that comes back bears one or both. The token is `<key id>-<base32>`, lower case, where the base32 (RFC 4648,
unpadded) holds the delivery's UUID and the first 96 bits of an HMAC-SHA256 over organisation and delivery id. So nobody
can pin a forged report to a delivery, and mail servers may change the case of letters. The local part takes at most
62 octets; RFC 5321 section 4.5.3.1.1 allows 64.

The organiser of an invitation is `answers+<token>@domain`, where calendar programs send answers (RFC 6047 section 2.5).
It is one address for a person and a meeting, whatever is mailed: programs take another organiser for another meeting.
So its token holds what is reckoned from the two, and is signed with the ring's oldest key: it stays when a newer comes.
"""

import base64
import hashlib
import hmac
import re
import uuid
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from shared.errors import InvalidInput
from shared.keys import KeyRing
from shared.text import email_key

LOCAL_PART_PREFIX = "bounces+"
ORGANISER_PREFIX = "answers+"

_MAC_BYTES = 12
_KEY_ID = re.compile(r"[a-z0-9]{1,8}")
_TOKEN_PATTERN = r"[a-z0-9]{1,8}-[a-z2-7]{45}"  # noqa: S105  the shape of a token, no token
_TOKEN = re.compile(_TOKEN_PATTERN)
_ADDRESS = re.compile(rf"(?<![\w.+-])bounces\+({_TOKEN_PATTERN})@([a-z0-9.-]{{1,255}})", re.IGNORECASE)
_ORGANISER = re.compile(rf"(?<![\w.+-])(answers\+{_TOKEN_PATTERN})@([a-z0-9.-]{{1,255}})", re.IGNORECASE)
_RETURN_PATH_MAC = "justera-return-path"
_ORGANISER_MAC = "justera-organiser"


@dataclass(frozen=True)
class SignedDelivery:
    """What a genuine token says."""

    organisation: str
    delivery_id: str


@dataclass(frozen=True)
class SignedInvitation:
    """What a genuine organiser's address says; see `invitation_id`."""

    organisation: str
    invitation_id: str


def encode(delivery_id: str, *, organisation: str, ring: KeyRing) -> str:
    """The token of a delivery (a UUID in text form), signed with the ring's current key.

    Raises ValueError when the key's id is not 1 to 8 ASCII letters and digits, or the delivery id is no UUID.
    """
    return _signed(uuid.UUID(delivery_id), ring.current, _RETURN_PATH_MAC, organisation, ring)


def decode(local_part: str, *, organisations: Iterable[str], ring: KeyRing) -> SignedDelivery:
    """Read and verify `bounces+<token>`, or a bare token such as an envelope id; letters may have changed case.

    `organisations` are the ones served here: the signature tells which of them the delivery belongs to.
    Raises InvalidInput when it is malformed, or signed with no key of ours for any of these organisations.
    """
    token = local_part.lower().removeprefix(LOCAL_PART_PREFIX)
    return SignedDelivery(*_verified(token, _RETURN_PATH_MAC, organisations, ring))


def invitation_id(organisation: str, meeting_id: str, person_id: str, recipient: str, page_version: int) -> str:
    """Of the invitations to one meeting that one person gets at one address (in any spelling) while what was mailed
    there holds: a UUID that is reckoned from these."""
    return _reckoned(organisation, meeting_id, person_id, email_key(recipient), str(page_version))


def answers_id(organisation: str, meeting_id: str, person_id: str) -> str:
    """Of what one person answers to one meeting, whichever way: in no address."""
    return _reckoned(organisation, meeting_id, person_id)


def _reckoned(*parts: str) -> str:
    digest = hashlib.sha256(b"".join(len(part.encode()).to_bytes(4, "big") + part.encode() for part in parts)).digest()
    return str(uuid.UUID(bytes=digest[:16]))


def organiser(invitation: str, domain: str, *, organisation: str, ring: KeyRing) -> str:
    """The address that answers to an invitation go to; `invitation` as `invitation_id` has it."""
    oldest = list(ring.keys)[-1]
    token = _signed(uuid.UUID(invitation), oldest, _ORGANISER_MAC, organisation, ring)
    return f"{ORGANISER_PREFIX}{token}@{domain}"


def decode_organiser(local_part: str, *, organisations: Iterable[str], ring: KeyRing) -> SignedInvitation:
    """Read and verify `answers+<token>`. Raises InvalidInput as `decode` does."""
    token = local_part.lower().removeprefix(ORGANISER_PREFIX)
    return SignedInvitation(*_verified(token, _ORGANISER_MAC, organisations, ring))


def return_path(token: str, domain: str) -> str:
    """The envelope sender of a mail: `bounces+<token>@domain`."""
    return f"{LOCAL_PART_PREFIX}{token}@{domain}"


def token_in(text: str, *, domains: Collection[str] | None = None) -> str | None:
    """The first token (lower case, unverified) in a return path of ours inside `text`, such as a header's value.

    With `domains` (lower case), only addresses of these count.
    """
    for match in _ADDRESS.finditer(text):
        if domains is None or match[2].lower() in domains:
            return match[1].lower()
    return None


def organiser_in(text: str, *, domains: Collection[str] | None = None) -> str | None:
    """The local part (lower case, unverified) of the first organiser's address of ours inside `text`.

    With `domains` (lower case), only addresses of these count.
    """
    for match in _ORGANISER.finditer(text):
        if domains is None or match[2].lower() in domains:
            return match[1].lower()
    return None


def token_of_envelope_id(envelope_id: str) -> str | None:
    """The token (lower case, unverified) that an envelope id in a report is, or None when it is not of our shape."""
    token = envelope_id.strip().lower()
    return token if _TOKEN.fullmatch(token) else None


def to_xtext(text: str) -> str:
    """Encode printable ASCII as xtext (RFC 3461 section 4). Raises ValueError for anything else."""
    if not all("!" <= character <= "~" for character in text):
        raise ValueError("only printable ASCII without spaces has an xtext form here")
    return "".join(f"+{ord(character):02X}" if character in "+=" else character for character in text)


def from_xtext(text: str) -> str:
    """Decode xtext; what is not a well-formed escape is left as it stands."""
    return re.sub(r"\+([0-9A-F]{2})", lambda match: chr(int(match[1], 16)), text)


def _signed(subject: uuid.UUID, key_id: str, purpose: str, organisation: str, ring: KeyRing) -> str:
    if not _KEY_ID.fullmatch(key_id.lower()):
        raise ValueError("a key that signs return paths needs an id of 1 to 8 ASCII letters and digits")
    return f"{key_id.lower()}-{_to_base32(subject.bytes + _mac(ring, key_id, purpose, organisation, subject))}"


def _verified(token: str, purpose: str, organisations: Iterable[str], ring: KeyRing) -> tuple[str, str]:
    """The organisation and what was signed, as a UUID. Raises InvalidInput."""
    if not _TOKEN.fullmatch(token):
        raise InvalidInput("not a return path of ours")
    key_id, _, encoded = token.partition("-")
    signed = base64.b32decode(encoded.upper() + "=" * (-len(encoded) % 8))
    subject, mac = uuid.UUID(bytes=signed[:16]), signed[16:]
    known = next((known for known in ring.keys if known.lower() == key_id), None)
    # A spare bit at the end of the base32 must not give one delivery two spellings.
    if known is not None and _to_base32(signed) == encoded:
        for organisation in organisations:
            if hmac.compare_digest(mac, _mac(ring, known, purpose, organisation, subject)):
                return organisation, str(subject)
    raise InvalidInput("this return path was not signed by us")


def _mac(ring: KeyRing, key_id: str, purpose: str, organisation: str, subject: uuid.UUID) -> bytes:
    mac = ring.mac(key_id, purpose, organisation, str(subject))
    if mac is None:
        raise ValueError(f"the key ring names {key_id!r} as current, but does not hold it")
    return mac[:_MAC_BYTES]


def _to_base32(data: bytes) -> str:
    return base64.b32encode(data).decode().rstrip("=").lower()
