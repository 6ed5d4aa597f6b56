"""Does a history say what the journal says? The rule by which the archive seals; pure.

Until it is sealed, a history lies in signing's database alone, and who writes there can chain another one. But each
event was published when it happened, and the journal kept it. So, before the seal:

- an entry of signing's own is the event of the same number (`sequence` = n + 1), in type, time and payload; events
  that are no entries (`in_history`) bear the number of the last one;
- an entry about a mail is an event of notifications, each used once;
- the hash of entry n is the head that any of signing's events bore after n + 1 entries. With it, all entries before n
  are those of then: also their salts, their times of recording, and what stands between them.

What follows the last entry is of later and compared with nothing. An erased payload, of an entry or of an event, is
compared by type and time, and by the heads. The completion as published adds its reference to the history (decision
14).
"""

import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from shared.clock import timestamp
from shared.events import AgreementCompleted, Event, declared_events, event_class, event_type
from shared.history import Entry, VerifiedHistory

_COMPLETED = event_type(AgreementCompleted)
_SIGNING, _NOTIFICATIONS = "signing", "notifications"
_ADDED_WHEN_PUBLISHED = frozenset({"history"})
_SHOWN = 20  # differences
_NO_ENTRIES = frozenset(event_type(one) for one in declared_events() if not getattr(one, "in_history", True))


@dataclass(frozen=True, slots=True)
class Witness:
    """An event of an agreement as the journal has it. `payload` is its JSON as it came, None once erased."""

    event_id: str
    type: str
    time: datetime
    sequence: int
    payload: str | None
    head: str | None = None


@dataclass(frozen=True, slots=True)
class Comparison:
    """One line each. `differing` will not become better by waiting; `unrecorded`: not in the journal, or not yet."""

    differing: tuple[str, ...]
    unrecorded: tuple[str, ...]

    @property
    def all(self) -> tuple[str, ...]:
        return self.differing + self.unrecorded


# An entry that says nothing cannot be what everybody signed, unless the journal has forgotten it as well.
_ERASED = "it was erased, and the journal has it"


def compare(history: VerifiedHistory, witnesses: Sequence[Witness], *, completed_id: str) -> Comparison:
    """`witnesses` in the journal's order; `completed_id` is the event whose history this is.

    Signing's events of one agreement keep their order all the way. So once the journal has the completion, what it does
    not have of signing before it, it will never have.
    """
    own = [one for one in witnesses if _service(one.type) == _SIGNING]
    caught_up = any(one.event_id == completed_id for one in own)
    differing, absent = _of_signing(history.entries, own)
    of_mails, unrecorded = _of_mails(
        [entry for entry in history.entries if _service(entry.type) != _SIGNING],
        [one for one in witnesses if _service(one.type) == _NOTIFICATIONS],
    )
    differing |= of_mails
    differing |= _missing_end(history.entries, next((one for one in own if one.event_id == completed_id), None))
    (differing if caught_up else unrecorded).update(absent)
    for n, text in _heads(history.entries, own).items():
        # When an entry itself differs, so do all heads from there on: it is the one to be named.
        if not any(earlier <= n for earlier in differing):
            differing[n] = text
    return Comparison(_lines(differing), _lines(unrecorded))


def _of_signing(entries: Sequence[Entry], own: Iterable[Witness]) -> tuple[dict[int, str], dict[int, str]]:
    """What differs, and what is not there, by number."""
    by_number: dict[int, list[Witness]] = defaultdict(list)
    for one in own:
        if one.type not in _NO_ENTRIES:
            by_number[one.sequence - 1].append(one)
    differing: dict[int, str] = {}
    absent: dict[int, str] = {}
    for entry in entries:
        found = by_number[entry.n]
        expected = _service(entry.type) == _SIGNING
        if expected and not found:
            absent[entry.n] = f"{_named(entry)}: the journal has no such event"
        for one in found:
            if (what := _difference(entry, one)) is not None:
                differing[entry.n] = f"{_named(entry)}: {what}"
    return differing, absent


def _missing_end(entries: Sequence[Entry], completed: Witness | None) -> dict[int, str]:
    if completed is None or completed.sequence <= len(entries):
        return {}
    return {len(entries): f"the history ends before entry {completed.sequence - 1}, which the journal has: completion"}


def _difference(entry: Entry, one: Witness) -> str | None:
    if entry.type != one.type:
        return f"the journal has {_name(one.type)} there"
    if entry.time != one.time:
        return f"the journal says that it happened at {timestamp(one.time)}"
    if one.payload is None:
        return None
    if entry.payload is None:
        return _ERASED
    ours, theirs = _members(entry.payload), _members(one.payload)
    if entry.type == _COMPLETED:
        theirs = {name: value for name, value in theirs.items() if name not in _ADDED_WHEN_PUBLISHED}
        ours = {name: value for name, value in ours.items() if name not in _ADDED_WHEN_PUBLISHED}
    return _other_members(name for name in ours.keys() | theirs.keys() if not _has_same(name, ours, theirs))


def _of_mails(entries: Iterable[Entry], witnesses: Sequence[Witness]) -> tuple[dict[int, str], dict[int, str]]:
    """Each entry takes the event that it was made from; one of the same mail that is left over tells what changed."""
    left = list(witnesses)
    alone = []
    differing: dict[int, str] = {}
    for entry in entries:
        found = next((one for one in left if _is_fact(entry, one)), None)
        if found is None:
            alone.append(entry)
            continue
        left.remove(found)
        if entry.payload is None and found.payload is not None:
            differing[entry.n] = f"{_named(entry)}: {_ERASED}"
    unrecorded: dict[int, str] = {}
    for entry in alone:
        if (what := _nearest_difference(entry, left)) is not None:
            differing[entry.n] = f"{_named(entry)}: {what}"
        else:
            unrecorded[entry.n] = f"{_named(entry)}: the journal has no such event"
    return differing, unrecorded


def _is_fact(entry: Entry, one: Witness) -> bool:
    return (entry.type, entry.time) == (one.type, one.time) and _changed_members(entry, one) == []


def _nearest_difference(entry: Entry, left: Iterable[Witness]) -> str | None:
    """An event of the same kind about the same mail, or of the same time: the entry was that once."""
    for one in left:
        if one.type != entry.type or None in (entry.payload, one.payload):
            continue
        changed = _changed_members(entry, one)
        if entry.time == one.time:
            return _other_members(changed)
        if "email_id" not in changed:
            return f"the journal says that it happened at {timestamp(one.time)}"
    return None


def _changed_members(entry: Entry, one: Witness) -> list[str]:
    """While pods roll, signing, notifications and we may be of different versions: what signing need not know is no
    change where it is not in the entry, nor where it is there as if it had not been told. The heads vouch for the rest.
    """
    if entry.payload is None or one.payload is None:
        return []
    ours, theirs = _members(entry.payload), _members(one.payload)
    cls = event_class(entry.type)
    return sorted(name for name in ours.keys() | theirs.keys() if not _has_same(name, ours, theirs, cls))


def _has_same(name: str, ours: dict[str, Any], theirs: dict[str, Any], cls: type[Event] | None = None) -> bool:
    if name in ours and name in theirs:
        # As JSON: in Python, 1 and True are the same.
        return json.dumps(ours[name], sort_keys=True) == json.dumps(theirs[name], sort_keys=True)
    if cls is None:
        return False
    known = cls.model_fields.get(name)
    if name in theirs:
        return theirs[name] is None or known is None or not known.is_required()
    return ours[name] is None or (known is not None and ours[name] == known.default)


def _heads(entries: Sequence[Entry], own: Iterable[Witness]) -> dict[int, str]:
    anchored = {one.sequence - 1: one.head for one in own if one.head is not None}
    return {
        entry.n: f"{_named(entry)}: the journal has another head of the history here: an entry was taken away or "
        "added, or its salt or its time of recording is another"
        for entry in entries
        if anchored.get(entry.n, entry.hash) != entry.hash
    }


def _members(payload: str) -> dict[str, Any]:
    try:
        content = json.loads(payload)
    except ValueError:
        content = None
    return content if isinstance(content, dict) else {"(unreadable)": payload}


def _other_members(names: Iterable[str]) -> str | None:
    found = ", ".join(sorted(name[:40] for name in names))
    return f"the journal has another {found}" if found else None


def _service(type_name: str) -> str:
    cls = event_class(type_name)
    return cls.service if cls is not None else next(iter(type_name.split(".")[2:3]), "")


def _name(type_name: str) -> str:
    cls = event_class(type_name)
    return cls.__name__ if cls is not None else type_name[:100]


def _named(entry: Entry) -> str:
    return f"entry {entry.n} ({_name(entry.type)})"


def _lines(by_number: dict[int, str]) -> tuple[str, ...]:
    found = [by_number[n] for n in sorted(by_number)]
    return tuple(found[:_SHOWN]) + ((f"and {len(found) - _SHOWN} more",) if len(found) > _SHOWN else ())
