"""Mutations of valid events: each is deterministic for a seed, so that a failure can be run again."""

import json
import random
from collections.abc import Iterator
from typing import Any

from shared.ids import new_id
from shared.messaging.message import RawMessage

# Astral letters in no order: what compresses badly is what an index refuses.
_RANDOM = random.Random(20220926)
INCOMPRESSIBLE = "".join(chr(_RANDOM.randrange(0x20000, 0x2A000)) for _ in range(1000))

VALUES: tuple[Any, ...] = (
    None,
    True,
    "",
    " ",
    "\0",
    "nul\0inside",
    "\u202eabc",
    "line\r\nBcc: everyone@norrdalen.example",
    "\ud800",
    "\U0010ffff",
    INCOMPRESSIBLE,
    "x" * 100_000,
    "Europe",
    ".",
    "../../../etc/passwd",
    "a" * 300,
    '{{ 7 * 7 }} #eval("1") <script>alert(1)</script> \' OR 1=1; --',
    "=?utf-8?q?=00?=",
    "0001-01-01T00:00:00+14:00",
    "9999-12-31T23:59:59.999999Z",
    "NaN",
    -1,
    2**31,
    2**63,
    2**64,
    10**40,
    1.5,
    1e308,
    [],
    {},
    [[]],
    {"\0": "\0"},
    ["x"] * 5000,
)

TIMES = (
    "0001-01-01T00:00:00Z",
    "0001-01-01T00:00:00+14:00",
    "9999-12-31T23:59:59.999999Z",
    "9999-12-31T23:59:59-14:00",
    "2022-09-26",
    "2022-09-26T08:00:00",
    "infinity",
    "2022-02-30T08:00:00Z",
)

HEADER_VALUES: tuple[bytes, ...] = (
    b"",
    b"\0",
    b"\xff\xfe",
    b"\xed\xa0\x80",
    b"9" * 30,
    b"-1",
    b"\xe2\x80\xae",
    "\ufffe".encode(),
    INCOMPRESSIBLE.encode(),
    INCOMPRESSIBLE[:600].encode(),
    INCOMPRESSIBLE[:250].encode(),
    b"x" * 1000,
    b"../../x",
    "\u0661".encode(),  # a digit, in Arabic
    *(one.encode() for one in TIMES),
)

BODIES: tuple[bytes | None, ...] = (
    None,
    b"",
    b"{}",
    b"[]",
    b"null",
    b'"text"',
    b"\xff\xfe{}",
    b"\xef\xbb\xbf{}",
    b"{" * 50_000,
    b"[" * 50_000 + b"]" * 50_000,
    b'{"a":' * 3000 + b"1" + b"}" * 3000,
    b'{"agreement_id": ' + b"9" * 10_000 + b"}",
    b'{"agreement_id": NaN}',
    b'{"agreement_id": "\\ud800"}',
    b'{"agreement_id": "\\u0000"}',
)


def paths(value: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Where the members of a JSON document lie, the inner ones too."""
    children = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, child in children:
        yield (*at, name)
        yield from paths(child, (*at, name))


def replaced(document: Any, path: tuple[Any, ...], value: Any) -> Any:
    copied = json.loads(json.dumps(document))
    parent = copied
    for step in path[:-1]:
        parent = parent[step]
    parent[path[-1]] = value
    return copied


def without(document: Any, path: tuple[Any, ...]) -> Any:
    copied = json.loads(json.dumps(document))
    parent = copied
    for step in path[:-1]:
        parent = parent[step]
    del parent[path[-1]]
    return copied


def bodies(body: bytes) -> Iterator[bytes | None]:
    """Every member replaced by every odd value, or left out; then what is no event at all."""
    document = json.loads(body)
    for path in paths(document):
        yield json.dumps(without(document, path)).encode()
        for value in VALUES:
            yield json.dumps(replaced(document, path, value)).encode()
    yield from BODIES
    yield body[: len(body) // 2]
    yield body + body
    yield body.replace(b"{", b'{"agreement_id": "other", ', 1)


def headers(given: tuple[tuple[str, bytes], ...]) -> Iterator[tuple[tuple[str, bytes], ...]]:
    """Every header replaced, left out, doubled; then names that are odd."""
    for place, (name, value) in enumerate(given):
        rest = (*given[:place], *given[place + 1 :])
        yield rest
        yield (*given, (name, value + b"x"))
        for odd in HEADER_VALUES:
            yield (*rest, (name, odd))
    yield ()
    yield (*given, ("ce_\ufffd", b"\0"), ("", b""), ("ce_" + "x" * 5000, b"x"))


def mutations(message: RawMessage, *, most: int, seed: int) -> list[RawMessage]:
    """At most `most` of all mutations of a valid message, each with its own id and key unless those are what is odd."""
    candidates = [(message.headers, body) for body in bodies(message.body or b"")]
    candidates += [(odd, message.body) for odd in headers(message.headers)]
    chosen = random.Random(seed).sample(candidates, min(most, len(candidates)))
    return [_placed(message, odd, body, number) for number, (odd, body) in enumerate(chosen)]


def _placed(message: RawMessage, odd: tuple[tuple[str, bytes], ...], body: bytes | None, number: int) -> RawMessage:
    known_id = dict(message.headers)["ce_id"]
    fresh = tuple((name, new_id().encode() if value == known_id else value) for name, value in odd)
    return RawMessage(message.topic, 0, number, f"fuzzed-{number}", fresh, body)
