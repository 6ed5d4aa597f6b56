"""The SQL of people."""

import unicodedata
from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import ARRAY, Text, bindparam, func, select
from sqlalchemy.dialects.postgresql import insert

from services.meetings.person.person import Person, PersonDetails
from services.meetings.person.tables import PERSON
from shared.errors import NotFound
from shared.messaging.transaction import Transaction
from shared.text import email_key

_ALL = select(PERSON).where(PERSON.c.organisation == bindparam("organisation"))
_FIND = _ALL.where(PERSON.c.id == bindparam("id"))
_AMONG = _ALL.where(PERSON.c.id == func.any(bindparam("ids", type_=ARRAY(Text))))
_BY_NAME = _ALL.order_by(PERSON.c.sort_key, PERSON.c.id).limit(bindparam("most"))
_AFTER = _BY_NAME.where(
    (PERSON.c.sort_key > bindparam("name"))
    | ((PERSON.c.sort_key == bindparam("name")) & (PERSON.c.id > bindparam("id")))
)
_KEYS = select(PERSON.c.key).where(PERSON.c.organisation == bindparam("organisation"))
_WITH_EMAIL = _ALL.where(PERSON.c.email_key == bindparam("email_key"))
_WITH_KEY = _ALL.where(PERSON.c.key == bindparam("key"))
_BEHIND_Z = str.maketrans({"å": "{", "ä": "|", "æ": "|", "ö": "}", "ø": "}"})
_SAVE = insert(PERSON)
_SAVE = _SAVE.on_conflict_do_update(index_elements=["organisation", "id"], set_=dict(_SAVE.excluded)).inline()


class PersonStore(Transaction):
    async def person(self, organisation: str, person_id: str) -> Person:
        """Raises NotFound."""
        row = (await self.connection.execute(_FIND, {"organisation": organisation, "id": person_id})).one_or_none()
        if row is None:
            raise NotFound(f"there is no person {person_id[:60]}")
        return _person(row)

    async def all_people(self, organisation: str) -> list[Person]:
        return [_person(row) for row in await self.connection.execute(_ALL, {"organisation": organisation})]

    async def people(self, organisation: str, *, after: tuple[str, str] | None, most: int) -> list[Person]:
        """By name; `after` is the (sort key, id) of the last one seen."""
        if after is None:
            rows = await self.connection.execute(_BY_NAME, {"organisation": organisation, "most": most})
        else:
            key = {"organisation": organisation, "name": after[0], "id": after[1], "most": most}
            rows = await self.connection.execute(_AFTER, key)
        return [_person(row) for row in rows]

    async def people_among(self, organisation: str, person_ids: Collection[str]) -> dict[str, Person]:
        """By id; ids of nobody are left out."""
        key = {"organisation": organisation, "ids": sorted(set(person_ids))}
        return {row.id: _person(row) for row in await self.connection.execute(_AMONG, key)}

    async def person_with_email(self, organisation: str, email: str) -> Person | None:
        key = {"organisation": organisation, "email_key": email_key(email)}
        row = (await self.connection.execute(_WITH_EMAIL, key)).one_or_none()
        return None if row is None else _person(row)

    async def person_with_key(self, organisation: str, key: str) -> Person | None:
        row = (await self.connection.execute(_WITH_KEY, {"organisation": organisation, "key": key})).one_or_none()
        return None if row is None else _person(row)

    async def person_keys(self, organisation: str) -> set[str]:
        return set((await self.connection.execute(_KEYS, {"organisation": organisation})).scalars())

    async def save_people(self, organisation: str, people: Sequence[Person]) -> None:
        if people:
            await self.connection.execute(_SAVE, [_row(organisation, person) for person in people])


def sort_key(name: str) -> str:
    """By the last word of the name, then by the rest, in the Swedish alphabet: å, ä, ö behind z; other accents aside.

    Compared byte by byte, as the column's collation says.
    """
    words = name.casefold().translate(_BEHIND_Z).split()
    plain = unicodedata.normalize("NFKD", " ".join((*words[-1:], *words[:-1])))
    return "".join(char for char in plain if not unicodedata.combining(char))


def _row(organisation: str, person: Person) -> dict[str, Any]:
    details = person.details
    return {
        "organisation": organisation,
        "id": person.id,
        "key": person.key,
        "version": person.version,
        "sort_key": sort_key(details.name),
        "email_key": email_key(details.email) if details.email else None,
        "page_version": person.page_version,
        **details.model_dump(mode="json"),
    }


def _person(row: Any) -> Person:
    details = PersonDetails(
        name=row.name, email=row.email, language=row.language, party=row.party, municipality=row.municipality
    )
    return Person(id=row.id, key=row.key, version=row.version, details=details, page_version=row.page_version)
