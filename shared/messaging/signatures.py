"""Who wrote an event, and who may read it, where whoever reaches Kafka may do either.

Writer and reader share a key that nobody else has, so no reader can pass for a writer. A message carries one header for
each reader of its topic, `mac-READER: keyid:hex`: HMAC-SHA256 (RFC 2104) over topic and reader, the key as it
is stored, every other header and the body, each with its length. Keys rotate as all rings do (`shared.keys`). One of
the other headers, `signed-at`, says when (RFC 3339, UTC, the writer's machine's clock): `shared.messaging.freshness`.

With a key for bodies, which all services share then, these travel encrypted besides, under a header `body-key: keyid`:
AES-256-GCM (NIST SP 800-38D), a random nonce of 96 bits before it, bound to topic and key. The other headers stay
readable: types, times and ids, no address and no text.
"""

import hmac
import secrets
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import lru_cache

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from shared.clock import timestamp
from shared.events import topics
from shared.keys import KeyRing, new_keys, parse_keys
from shared.messaging.message import RawMessage, storable_key
from shared.settings import BadConfiguration

Headers = Sequence[tuple[str, bytes]]
Pair = tuple[str, str]  # the names of a writer and of one of its readers

PREFIX = "mac-"
BODY_KEY = "body-key"
SIGNED_AT = "signed-at"
_OURS = frozenset({BODY_KEY, SIGNED_AT})  # and what begins with PREFIX: not the writer's own
_BODIES = "bodies"  # in place of a pair, in the text of the keys
_NONCE = 12  # bytes

PAIRS: tuple[Pair, ...] = tuple(
    sorted({(topics.WRITERS[topic], reader) for topic, readers in topics.READERS.items() for reader in readers})
)


@dataclass(frozen=True)
class EventKeys:
    """The rings of the pairs that a service is part of, and that of bodies, where these are encrypted."""

    rings: Mapping[Pair, KeyRing]
    bodies: KeyRing | None = None

    def signer(self, service: str) -> "Signer":
        """Raises BadConfiguration when a key is missing."""
        rings = {reader: self.ring(service, reader) for writer, reader in PAIRS if writer == service}
        return Signer(rings, self.bodies)

    def verifier(self, service: str) -> "Verifier":
        """Raises BadConfiguration when a key is missing."""
        rings = {writer: self.ring(writer, service) for writer, reader in PAIRS if reader == service}
        return Verifier(service, rings, self.bodies)

    def ring(self, writer: str, reader: str) -> KeyRing:
        """Raises BadConfiguration when the service has no part in it."""
        ring = self.rings.get((writer, reader))
        if ring is None:
            raise BadConfiguration(
                f"JUSTERA_EVENT_KEYS has no key for what {writer} writes and {reader} reads",
                hint="one line a pair: WRITER READER keyid:base64; docs/operations.md makes them",
            )
        return ring


def parse_event_keys(text: str) -> EventKeys:
    """One pair a line (or between semicolons): `WRITER READER keyid:base64,keyid:base64`. A line `bodies keyid:base64`,
    the same for every service, has bodies encrypted.

    Raises BadConfiguration, which never shows a key.
    """
    rings: dict[Pair, KeyRing] = {}
    bodies: KeyRing | None = None
    for number, line in enumerate(text.replace(";", "\n").splitlines(), start=1):
        if not (words := line.split()):
            continue
        if words[0] == _BODIES and len(words) == 2 and bodies is None:
            bodies = _of_256_bits(parse_keys(words[1], f"JUSTERA_EVENT_KEYS, {_BODIES}"))
            continue
        if len(words) != 3 or (words[0], words[1]) not in PAIRS:
            raise BadConfiguration(
                f"JUSTERA_EVENT_KEYS, line {number}: is not WRITER READER keyid:base64",
                hint=f"pairs: {', '.join(' '.join(pair) for pair in PAIRS)}",
            )
        if (pair := (words[0], words[1])) in rings:
            raise BadConfiguration(f"JUSTERA_EVENT_KEYS, line {number}: {' '.join(pair)} stands there twice")
        rings[pair] = parse_keys(words[2], f"JUSTERA_EVENT_KEYS, {' '.join(pair)}")
    return EventKeys(rings, bodies)


def _of_256_bits(ring: KeyRing) -> KeyRing:
    if any(len(key) != 32 for key in ring.keys.values()):
        raise BadConfiguration(f"JUSTERA_EVENT_KEYS, {_BODIES}: a key of AES-256 has 32 bytes")
    return ring


def new_event_keys() -> str:
    """Fresh keys for every pair, as text: a service gets the lines that name it, a single process gets all."""
    return "".join(f"{writer} {reader} {new_keys()}\n" for writer, reader in PAIRS)


@dataclass(frozen=True)
class Signer:
    """The writing side; `rings` by reader, of all the writer's topics."""

    rings: Mapping[str, KeyRing]
    bodies: KeyRing | None = None

    def outgoing(self, topic: str, key: bytes, headers: Headers, body: bytes) -> tuple[list[tuple[str, bytes]], bytes]:
        """Headers and body as they travel: what makes each of the topic's readers believe them, and none else read."""
        travelling = [*headers, (SIGNED_AT, _to_the_second(int(time.time())))]
        if self.bodies is not None:
            key_id, nonce = self.bodies.current, secrets.token_bytes(_NONCE)
            cipher = AESGCM(self.bodies.keys[key_id])
            body = nonce + cipher.encrypt(nonce, body, _place(topic, storable_key(key)))
            travelling.append((BODY_KEY, key_id.encode()))
        message = _message(storable_key(key), travelling, body)
        # Where a version of the service that knows more topics writes beside this one: for whoever may read.
        for reader in topics.READERS.get(topic, self.rings):
            ring = self.rings[reader]
            mac = _mac(ring.keys[ring.current], topic, reader, message)
            travelling.append((PREFIX + reader, f"{ring.current}:{mac.hex()}".encode()))
        return travelling, body


class NotAuthentic(Exception):
    """Why a message is not believed. Names services, and nothing that stands in the message."""


@dataclass(frozen=True)
class Verifier:
    """The reading side: `reader` is the service, `rings` by writer."""

    reader: str
    rings: Mapping[str, KeyRing]
    bodies: KeyRing | None = None

    def incoming(self, raw: RawMessage) -> RawMessage:
        """The message as its writer wrote it, without what it travelled in. Raises NotAuthentic."""
        self._check(raw)
        own = tuple((name, value) for name, value in raw.headers if not name.startswith(PREFIX) and name not in _OURS)
        return replace(raw, headers=own, body=self._opened(raw))

    def _check(self, raw: RawMessage) -> None:
        """The time that comparing takes tells nothing about a key."""
        writer = topics.WRITERS.get(raw.topic, "")
        ring = self.rings.get(writer)
        if ring is None:
            raise NotAuthentic(f"{self.reader} has no key for this topic")
        said = _last(raw, PREFIX + self.reader)
        if said is None:
            raise NotAuthentic(f"is not signed by {writer} for {self.reader}")
        key_id, _, mac = said.partition(b":")
        key = ring.keys.get(key_id.decode("ascii", errors="replace"))
        if key is None:
            raise NotAuthentic(f"is signed with a key of {writer} that {self.reader} does not have")
        message = _message(raw.key, raw.headers, raw.body or b"")
        if not hmac.compare_digest(mac, _mac(key, raw.topic, self.reader, message).hex().encode()):
            raise NotAuthentic(f"its signature is not {writer}'s")

    def _opened(self, raw: RawMessage) -> bytes | None:
        """Plain where it came plain: a writer that has no key for bodies yet is believed."""
        said = _last(raw, BODY_KEY)
        if said is None:
            return raw.body
        key = self.bodies.keys.get(said.decode("ascii", errors="replace")) if self.bodies else None
        if key is None:
            raise NotAuthentic(f"is encrypted with a key that {self.reader} does not have")
        body = raw.body or b""
        try:
            return AESGCM(key).decrypt(body[:_NONCE], body[_NONCE:], _place(raw.topic, raw.key))
        except (InvalidTag, ValueError) as error:
            raise NotAuthentic(f"is encrypted with another key than {self.reader} has under that id") from error


@lru_cache(maxsize=1)
def _to_the_second(seconds: int) -> bytes:
    """A relay signs thousands in each; how fresh a message is, is asked in days."""
    return timestamp(datetime.fromtimestamp(seconds, UTC)).encode()


def _last(raw: RawMessage, header: str) -> bytes | None:
    return next((value for name, value in reversed(raw.headers) if name == header), None)


def _place(topic: str, key: str) -> bytes:
    return _framed((topic.encode(), key.encode()))


def _message(key: str, headers: Iterable[tuple[str, bytes]], body: bytes) -> bytes:
    """What all MACs of a message have in common."""
    signed = [header for header in headers if not header[0].startswith(PREFIX)]
    names = "\0".join(name for name, _ in signed).encode()  # `storable` leaves no NUL in a name
    return _framed((key.encode(), body, names, *(value for _, value in signed)))


def _mac(key: bytes, topic: str, reader: str, message: bytes) -> bytes:
    return hmac.digest(key, _framed((topic.encode(), reader.encode(), message)), "sha256")


def _framed(parts: tuple[bytes, ...]) -> bytes:
    """The lengths, then the parts: no two lists of parts look alike."""
    return ",".join([str(len(part)) for part in parts]).encode() + b":" + b"".join(parts)
