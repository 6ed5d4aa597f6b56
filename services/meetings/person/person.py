"""The rules of a person: one, however many bodies they sit in. Pure."""

from collections.abc import Callable
from functools import partial
from typing import Any

from pydantic import BaseModel, ConfigDict

from services.meetings.keys import clean_key
from shared.errors import InvalidInput
from shared.events import PersonChanged, PersonRegistered
from shared.events.notices import AskedMember
from shared.links import FIRST_VERSION
from shared.rendering.minutes import Language
from shared.text import clean_email, clean_line, clean_name


class PersonDetails(BaseModel):
    """What people say of a person. Without `email`, no mail reaches them."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    email: str | None = None
    language: Language = "sv"
    party: str | None = None
    municipality: str | None = None


class Person(BaseModel):
    """A person's state. `version` counts its facts. `key`: how registers speak of them; it never changes.

    `page_version`: of their own page; links to an earlier one open nothing.
    """

    model_config = ConfigDict(frozen=True)

    id: str
    key: str
    version: int
    details: PersonDetails
    page_version: int = FIRST_VERSION

    def asked(self, role: str = "member") -> AskedMember | None:
        """As facts have someone who is mailed; None for who has no address."""
        if self.details.email is None:
            return None
        return AskedMember(
            person_id=self.id,
            email=self.details.email,
            name=self.details.name,
            language=self.details.language,
            role=role,
            page_version=self.page_version,
        )


def register(person_id: str, key: str, details: PersonDetails) -> tuple[Person, PersonRegistered]:
    """Raises InvalidInput."""
    person = Person(id=person_id, key=clean_key(key), version=1, details=clean_details(details))
    return person, PersonRegistered(person_id=person_id, **_event_fields(person.details))


def change(person: Person, details: PersonDetails) -> tuple[Person, PersonChanged | None]:
    """No event when nothing changes. With another address, what was mailed to the old one opens nothing any more.

    Raises InvalidInput.
    """
    cleaned = clean_details(details)
    if cleaned == person.details:
        return person, None
    changed = person.model_copy(update={"version": person.version + 1, "details": cleaned})
    if cleaned.email != person.details.email:
        changed = with_new_links(changed)
    return changed, PersonChanged(person_id=person.id, **_event_fields(cleaned))


def with_new_links(person: Person) -> Person:
    """All links to their own page that they were mailed end; the next mail has a new one. Nobody is told: no fact."""
    return person.model_copy(update={"page_version": person.page_version + 1})


def clean_details(details: PersonDetails) -> PersonDetails:
    """Raises InvalidInput that names the first field that is wrong."""
    cleaned, wrong = checked_details(details)
    if wrong:
        raise wrong[0]
    return cleaned


def checked_details(details: PersonDetails) -> tuple[PersonDetails, list[InvalidInput]]:
    """In one form, but for the fields that are wrong; and these, each named by what is said of it."""
    cleaned: dict[str, str | None] = {}
    wrong = []
    for name, clean in _CLEAN.items():
        value = getattr(details, name)
        try:
            cleaned[name] = clean(value) if value or name == "name" else None
        except InvalidInput as error:
            named = f"{name}: {error.message.removeprefix(f'{name}: ')}"
            wrong.append(InvalidInput(named, hint=error.hint, says=error.says and error.says.of(name)))
    return details.model_copy(update=cleaned), wrong


_CLEAN: dict[str, Callable[[str], str]] = {
    "name": clean_name,
    "email": clean_email,
    "party": partial(clean_line, field="party"),
    "municipality": partial(clean_line, field="municipality"),
}


def _event_fields(details: PersonDetails) -> dict[str, Any]:
    return details.model_dump(mode="json")
