"""Who wrote an event: a MAC for each service that reads it, so that reaching Kafka is not enough to be believed.

Writer and reader share a key that nobody else has, so no reader can pass for a writer. A message carries one header for
each reader of its topic, `mac-READER: keyid:hex`: HMAC-SHA256 (RFC 2104) over topic and reader, the key as it
is stored, every other header and the body, each with its length. Keys rotate as all rings do (`shared.keys`).
"""

import hmac
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from shared.events import topics
from shared.keys import KeyRing, new_keys, parse_keys
from shared.messaging.message import RawMessage, storable_key
from shared.settings import BadConfiguration

Headers = Sequence[tuple[str, bytes]]
Pair = tuple[str, str]  # the names of a writer and of one of its readers

PREFIX = "mac-"

PAIRS: tuple[Pair, ...] = tuple(
    sorted({(topics.WRITERS[topic], reader) for topic, readers in topics.READERS.items() for reader in readers})
)


@dataclass(frozen=True)
class EventKeys:
    """The rings of the pairs that a service is part of."""

    rings: Mapping[Pair, KeyRing]

    def signer(self, service: str) -> "Signer":
        """Raises BadConfiguration when a key is missing."""
        return Signer(tuple((reader, self._ring(service, reader)) for writer, reader in PAIRS if writer == service))

    def verifier(self, service: str) -> "Verifier":
        """Raises BadConfiguration when a key is missing."""
        return Verifier(service, {writer: self._ring(writer, service) for writer, reader in PAIRS if reader == service})

    def _ring(self, *pair: str) -> KeyRing:
        ring = self.rings.get((pair[0], pair[1]))
        if ring is None:
            raise BadConfiguration(
                f"JUSTERA_EVENT_KEYS has no key for what {pair[0]} writes and {pair[1]} reads",
                hint="one line a pair: WRITER READER keyid:base64; docs/operations.md makes them",
            )
        return ring


def parse_event_keys(text: str) -> EventKeys:
    """One pair a line (or between semicolons): `WRITER READER keyid:base64,keyid:base64`.

    Raises BadConfiguration, which never shows a key.
    """
    rings: dict[Pair, KeyRing] = {}
    for number, line in enumerate(text.replace(";", "\n").splitlines(), start=1):
        if not (words := line.split()):
            continue
        if len(words) != 3 or (words[0], words[1]) not in PAIRS:
            raise BadConfiguration(
                f"JUSTERA_EVENT_KEYS, line {number}: is not WRITER READER keyid:base64",
                hint=f"pairs: {', '.join(' '.join(pair) for pair in PAIRS)}",
            )
        if (pair := (words[0], words[1])) in rings:
            raise BadConfiguration(f"JUSTERA_EVENT_KEYS, line {number}: {' '.join(pair)} stands there twice")
        rings[pair] = parse_keys(words[2], f"JUSTERA_EVENT_KEYS, {' '.join(pair)}")
    return EventKeys(rings)


def new_event_keys() -> str:
    """Fresh keys for every pair, as text: a service gets the lines that name it, a single process gets all."""
    return "".join(f"{writer} {reader} {new_keys()}\n" for writer, reader in PAIRS)


@dataclass(frozen=True)
class Signer:
    """The writing side; `rings` by reader."""

    rings: tuple[tuple[str, KeyRing], ...]

    def macs(self, topic: str, key: bytes, headers: Headers, body: bytes) -> list[tuple[str, bytes]]:
        """The headers that make the message believed by each of its readers."""
        message = _message(storable_key(key), headers, body)
        found = []
        for reader, ring in self.rings:
            mac = _mac(ring.keys[ring.current], topic, reader, message)
            found.append((PREFIX + reader, f"{ring.current}:{mac.hex()}".encode()))
        return found


@dataclass(frozen=True)
class Verifier:
    """The reading side: `reader` is the service, `rings` by writer."""

    reader: str
    rings: Mapping[str, KeyRing]

    def refusal(self, raw: RawMessage) -> str | None:
        """Why the message is not believed, or None. Times of comparing tell nothing about a key."""
        writer = topics.WRITERS.get(raw.topic, "")
        ring = self.rings.get(writer)
        if ring is None:
            return f"{self.reader} has no key for this topic"
        header = PREFIX + self.reader
        said = next((value for name, value in reversed(raw.headers) if name == header), None)
        if said is None:
            return f"is not signed by {writer} for {self.reader}"
        key_id, _, mac = said.partition(b":")
        key = ring.keys.get(key_id.decode("ascii", errors="replace"))
        if key is None:
            return f"is signed with a key of {writer} that {self.reader} does not have"
        message = _message(raw.key, raw.headers, raw.body or b"")
        if not hmac.compare_digest(mac, _mac(key, raw.topic, self.reader, message).hex().encode()):
            return f"its signature is not {writer}'s"
        return None


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
