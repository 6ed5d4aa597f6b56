"""The chained history of an agreement, and the file `history.json` that carries it.

An entry is a header `{n, type, time, recorded, previous, commitment}`, a payload (the event's body) and a random salt:

    commitment = SHA-256(salt || JCS(payload))                      JCS: RFC 8785
    hash       = SHA-256(HASH_PREFIX || JCS(header))
    previous   = the hash of entry n - 1; for entry 0, `start(agreement, document)`

The header commits to the payload only through the salted hash. So a payload may be erased later, with its salt, and the
chain stays whole; and without the salt nobody finds an erased address or IP by hashing them all. `start` binds the
agreement's id and the document's SHA-256, which thereby outlive the erasure of entry 0's payload.

All hashes are SHA-256 in lower-case hexadecimal; times are UTC with six decimals (`shared.clock.timestamp`): `time` is
when it happened, `recorded` when it was appended. The file, format `justera-history/1`, UTF-8 JSON:

    {"format": "justera-history/1", "agreement": id, "document_sha256": hash, "length": number of entries,
     "head": the last entry's hash,
     "entries": [{"header": {…}, "hash": hash, "payload": {…} or null, "salt": base64url without padding, or null}]}

Nothing else may stand in it: what the chain does not cover would look as if it were proven.
"""

import base64
import hashlib
import json
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from http import HTTPStatus
from typing import Any, ClassVar, NoReturn

import rfc8785

from shared.clock import parse_timestamp, timestamp
from shared.errors import JusteraError
from shared.events import AgreementCreated, Event, event_class, event_type

FORMAT = "justera-history/1"
HASH_PREFIX = b"justera-history/1 entry\n"
START_PREFIX = b"justera-history/1 start\n"
SALT_BYTES = 32
# What readers take; writers stop before it (`entry_bytes`). A usual history has 20 to 100 entries of about 1 kB.
MAX_BYTES = 8 * 1024 * 1024

_HASH = re.compile(r"[0-9a-f]{64}")
_TYPE = re.compile(r"[a-z0-9.-]{1,200}")
_FILE_MEMBERS = {"format": str, "agreement": str, "document_sha256": str, "length": int, "head": str, "entries": list}
_HEADER_MEMBERS = {"n": int, "type": str, "time": str, "recorded": str, "previous": str, "commitment": str}
_ENTRY_MEMBERS = {"header": dict, "hash": str, "payload": (dict, type(None)), "salt": (str, type(None))}


class BrokenChain(JusteraError):
    """A history that is damaged or was changed; the message names the first broken thing."""

    slug: ClassVar[str] = "broken-chain"
    status: ClassVar[HTTPStatus] = HTTPStatus.UNPROCESSABLE_ENTITY


@dataclass(frozen=True, slots=True)
class Entry:
    """`payload` is JSON text in canonical form (RFC 8785), `salt` 32 bytes; both None once erased."""

    n: int
    type: str
    time: datetime
    recorded: datetime
    previous: str
    commitment: str
    payload: str | None
    salt: bytes | None

    @property
    def header(self) -> dict[str, Any]:
        return {
            "n": self.n,
            "type": self.type,
            "time": timestamp(self.time),
            "recorded": timestamp(self.recorded),
            "previous": self.previous,
            "commitment": self.commitment,
        }

    @property
    def hash(self) -> str:
        return _sha256(HASH_PREFIX + rfc8785.dumps(self.header))

    def event(self) -> Event | None:
        """The event; None when it is erased or of a type that this version does not know."""
        cls = event_class(self.type)
        return cls.from_json(self.payload) if cls is not None and self.payload is not None else None

    def erased(self) -> "Entry":
        return replace(self, payload=None, salt=None)


@dataclass(frozen=True, slots=True)
class History:
    """A file's content, in good form; nothing is proven yet."""

    agreement_id: str
    document_sha256: str
    head: str
    entries: tuple[Entry, ...]


class VerifiedHistory(History):
    """What `verify_chain` vouches for: these entries, unchanged and in this order, lead to `head`."""

    __slots__ = ()


def start(agreement_id: str, document_sha256: str) -> str:
    """What entry 0 has as `previous`."""
    return _sha256(START_PREFIX + rfc8785.dumps({"agreement": agreement_id, "document_sha256": document_sha256}))


def append(previous: str, n: int, event: Event, *, time: datetime, recorded: datetime, salt: bytes) -> Entry:
    """The entry that follows the hash `previous`. `salt`: 32 fresh random bytes, never used for another entry."""
    if len(salt) != SALT_BYTES:
        raise ValueError(f"a salt has {SALT_BYTES} bytes")
    payload = rfc8785.dumps(json.loads(event.to_json()))
    return Entry(
        n=n,
        type=event_type(event),
        time=time,
        recorded=recorded,
        previous=previous,
        commitment=_sha256(salt + payload),
        payload=payload.decode(),
        salt=salt,
    )


def entry_bytes(event: Event) -> int:
    """At least what an entry with this event takes in the file: for those who write, to stop before MAX_BYTES.

    Indentation at most triples a payload of members and short lists; header, hash and salt take less than 1,000 bytes.
    """
    return 3 * len(event.to_json().encode()) + 1000


def export(entries: Sequence[Entry], *, agreement_id: str, document_sha256: str) -> bytes:
    """`history.json`: the same bytes for the same entries. Raises ValueError when there are none."""
    if not entries:
        raise ValueError("a history without entries")
    content = {
        "format": FORMAT,
        "agreement": agreement_id,
        "document_sha256": document_sha256,
        "length": len(entries),
        "head": entries[-1].hash,
        "entries": [_exported(entry) for entry in entries],
    }
    return (json.dumps(content, ensure_ascii=False, indent=1) + "\n").encode()


def verify_chain(data: bytes) -> VerifiedHistory:
    """Checks form, length and contiguity, then every commitment and link. Raises BrokenChain at the first broken thing.

    Says nothing about who made the history: that is what the seal of the PDF around it is for.
    """
    history = read(data)
    previous = start(history.agreement_id, history.document_sha256)
    for entry in history.entries:
        _check_link(entry, previous)
        _check_payload(entry, history)
        previous = entry.hash
    if history.head != previous:
        raise BrokenChain(
            f"the head does not match entry {len(history.entries) - 1}: entries are missing or were added"
        )
    return VerifiedHistory(history.agreement_id, history.document_sha256, history.head, history.entries)


def read(data: bytes) -> History:
    """The file's content once its form is right: members, types, length, numbering. Hashes are `verify_chain`'s part.

    Raises BrokenChain. Memory is bounded by MAX_BYTES.
    """
    content = _members(_parse(data), _FILE_MEMBERS, "the history")
    if content["format"] != FORMAT:
        raise BrokenChain(f"the history has an unknown format: {_shown(content['format'])}")
    if content["length"] != len(content["entries"]):
        raise BrokenChain(f"the history says {content['length']} entries and has {len(content['entries'])}")
    if not content["entries"]:
        raise BrokenChain("the history has no entries")
    if not content["agreement"].isascii():
        raise BrokenChain("the history: agreement is not an identifier in ASCII")
    for name in ("document_sha256", "head"):
        _check_hash(content[name], f"the history: {name}")
    return History(
        agreement_id=content["agreement"],
        document_sha256=content["document_sha256"],
        head=content["head"],
        entries=tuple(_read_entry(n, item) for n, item in enumerate(content["entries"])),
    )


def _exported(entry: Entry) -> dict[str, Any]:
    return {
        "header": entry.header,
        "hash": entry.hash,
        "payload": None if entry.payload is None else json.loads(entry.payload),
        "salt": None if entry.salt is None else _base64url(entry.salt),
    }


def _check_link(entry: Entry, previous: str) -> None:
    if entry.previous == previous:
        return
    if entry.n == 0:
        raise BrokenChain("entry 0: it does not begin the history of this agreement and document")
    raise BrokenChain(f"entry {entry.n}: it does not follow entry {entry.n - 1}")


def _check_payload(entry: Entry, history: History) -> None:
    where = f"entry {entry.n}"
    if (entry.type == event_type(AgreementCreated)) != (entry.n == 0):
        raise BrokenChain(f"{where}: a history has one agreement-created, and that is entry 0")
    if entry.payload is None or entry.salt is None:
        return
    if _sha256(entry.salt + entry.payload.encode()) != entry.commitment:
        raise BrokenChain(f"{where}: the payload does not match its commitment")
    payload = json.loads(entry.payload)
    if payload.get("agreement_id") != history.agreement_id:
        raise BrokenChain(f"{where}: the payload speaks of another agreement")
    if entry.n == 0 and _document_sha256(payload) != history.document_sha256:
        raise BrokenChain(f"{where}: the payload names another document")


def _document_sha256(payload: dict[str, Any]) -> object:
    document = payload.get("document")
    return document.get("sha256") if isinstance(document, dict) else None


def _read_entry(n: int, item: object) -> Entry:
    where = f"entry {n}"
    content = _members(item, _ENTRY_MEMBERS, where)
    header = _members(content["header"], _HEADER_MEMBERS, f"{where}: the header")
    if header["n"] != n:
        raise BrokenChain(f"{where}: it is numbered {header['n']}")
    if not _TYPE.fullmatch(header["type"]):
        raise BrokenChain(f"{where}: the type is malformed")
    for name in ("previous", "commitment"):
        _check_hash(header[name], f"{where}: {name}")
    if (content["payload"] is None) != (content["salt"] is None):
        raise BrokenChain(f"{where}: payload and salt are erased together or not at all")
    entry = Entry(
        n=n,
        type=header["type"],
        time=_read_time(header["time"], f"{where}: time"),
        recorded=_read_time(header["recorded"], f"{where}: recorded"),
        previous=header["previous"],
        commitment=header["commitment"],
        payload=_canonical(content["payload"], where),
        salt=_read_salt(content["salt"], where),
    )
    if entry.hash != content["hash"]:
        raise BrokenChain(f"{where}: the hash does not match its header")
    return entry


def _parse(data: bytes) -> object:
    """JSON without the doors that it leaves open: duplicate names, NaN, endless depth, other encodings than UTF-8."""
    if len(data) > MAX_BYTES:
        raise BrokenChain(f"the history is larger than {MAX_BYTES // 1024 // 1024} MiB")
    try:
        return json.loads(data.decode(), object_pairs_hook=_unique, parse_constant=_no_constant)
    except UnicodeDecodeError as error:
        raise BrokenChain(f"the history is not UTF-8 text (byte {error.start})") from error
    except json.JSONDecodeError as error:
        raise BrokenChain(f"the history is not JSON (line {error.lineno}, column {error.colno})") from error
    except RecursionError as error:
        raise BrokenChain("the history is nested too deeply") from error
    except ValueError as error:  # a number of thousands of digits
        raise BrokenChain("the history holds a number that is too long") from error


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        twice, _ = Counter(name for name, _ in pairs).most_common(1)[0]
        raise BrokenChain(f"the history holds an object with two members {_shown(twice)}")
    return members


def _no_constant(name: str) -> NoReturn:
    raise BrokenChain(f"the history holds {name}, which is no JSON number")


def _members(item: object, kinds: dict[str, Any], where: str) -> dict[str, Any]:
    """`item`, if it is an object with exactly these members, each of its kind."""
    if not isinstance(item, dict):
        raise BrokenChain(f"{where} is not a JSON object")
    for name, kind in kinds.items():
        if name not in item:
            raise BrokenChain(f"{where} has no {name}")
        if not isinstance(item[name], kind) or isinstance(item[name], bool):
            raise BrokenChain(f"{where} has {name} of a wrong type")
    unknown = next((name for name in item if name not in kinds), None)
    if unknown is not None:
        raise BrokenChain(f"{where} has a member that nothing vouches for: {_shown(unknown)}")
    return item


def _check_hash(text: str, where: str) -> None:
    if not _HASH.fullmatch(text):
        raise BrokenChain(f"{where} is not a SHA-256 in lower-case hexadecimal")


def _read_time(text: str, where: str) -> datetime:
    try:
        moment = parse_timestamp(text)
        if timestamp(moment) == text:
            return moment
    except (ValueError, OverflowError):
        pass
    raise BrokenChain(f"{where} is not a UTC time with six decimals")


def _canonical(payload: dict[str, Any] | None, where: str) -> str | None:
    if payload is None:
        return None
    try:
        return rfc8785.dumps(payload).decode()
    except (rfc8785.CanonicalizationError, RecursionError) as error:
        raise BrokenChain(f"{where}: the payload has no canonical form (RFC 8785)") from error


def _read_salt(text: str | None, where: str) -> bytes | None:
    if text is None:
        return None
    try:
        salt = base64.urlsafe_b64decode(text + "=")
    except ValueError:
        salt = b""
    if len(salt) != SALT_BYTES or _base64url(salt) != text:
        raise BrokenChain(f"{where}: the salt is not {SALT_BYTES} bytes in base64url")
    return salt


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _shown(text: str) -> str:
    """Foreign text in a message of one line."""
    return ascii(text[:60])
