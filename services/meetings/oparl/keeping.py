"""When each object of the open data came, last changed, or went. Pure.

OParl's clients fetch what changed since they last asked: an object keeps when it was made, and one that is public no
longer stays as a mark of its going, with nothing of what it said (OParl 1.1, section 2.8).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from services.meetings.oparl.oparl import NOT_INSIDE, Addresses, Fields, Key, Kind, Thing


@dataclass(frozen=True, slots=True)
class Kept:
    """An object as it is given out; `fields` None: it is gone. `source`: as of `Thing`."""

    kind: Kind
    id: str
    owner: str | None
    created: datetime
    modified: datetime
    fields: Fields | None
    source: str | None = None

    @property
    def key(self) -> Key:
        return self.kind, self.id

    def given(self, addresses: Addresses) -> Fields:
        """The object that a client gets."""
        times = {"created": self.created.isoformat(), "modified": self.modified.isoformat()}
        if self.fields is None:
            return {"id": addresses.of(self.kind, self.id), "type": self.kind.type, **times, "deleted": True}
        return self.fields | times

    def inside(self, addresses: Addresses) -> Fields:
        """As part of another one."""
        hidden = NOT_INSIDE.get(self.kind, ())
        return {name: value for name, value in self.given(addresses).items() if name not in hidden}


def settled(
    before: Mapping[Key, Kept], things: Iterable[Thing], addresses: Addresses, now: datetime
) -> tuple[Kept, ...]:
    """Those that are otherwise than `before`. `things`: what is public now of these sources, each behind its parts."""
    after: dict[Key, Kept] = {}
    for thing in things:
        was = before.get(thing.key)
        fields = thing.fields | _parts(thing, after, addresses)
        if was is not None and was.fields == fields and was.owner == thing.owner:
            # Its source alone may be another: the version before wrote none.
            after[thing.key] = was if was.source == thing.source else replace(was, source=thing.source)
        else:
            created = was.created if was is not None else now
            after[thing.key] = Kept(thing.kind, thing.id, thing.owner, created, now, fields, thing.source)
    gone = [
        Kept(one.kind, one.id, one.owner, one.created, now, None, one.source)
        for key, one in before.items()
        if key not in after and one.fields is not None
    ]
    return (*(one for key, one in after.items() if before.get(key) is not one), *gone)


def _parts(thing: Thing, there: Mapping[Key, Kept], addresses: Addresses) -> Fields:
    one = {name: there[key].inside(addresses) for name, key in thing.part.items()}
    return one | {name: [there[key].inside(addresses) for key in keys] for name, keys in thing.parts.items()}
