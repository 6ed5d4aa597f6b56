"""A register in YAML (docs/register.md) -> what it wants. Pure."""

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ValidationError

from services.meetings.body.body import BodyDetails, BodyKind, BodyRules
from services.meetings.body.body import checked_details as checked_body
from services.meetings.body.membership import Basis
from services.meetings.keys import clean_key
from services.meetings.person.person import PersonDetails, checked_details
from services.meetings.register.register import MOST_PEOPLE, Problems, Register, WantedBody, WantedSeat
from services.meetings.register.seat import seat_of
from services.meetings.register.words import field_name, kind_of
from shared import invalid
from shared.errors import InvalidInput, says
from shared.yaml_text import load_plain

_PERSON = ("name", "email", "language", "party", "municipality")
_RULES = tuple(BodyRules.model_fields)
_BODY = ("name", "kind", *_RULES, "members")
_SEAT = ("person", "role", "order", "from", "to", "basis")


def read_yaml(text: str, problems: Problems) -> Register:
    """What is wrong goes to `problems`. Raises InvalidInput for what is no YAML or no register at all."""
    whole = _fields(load_plain(text, where="register"), ("people", "bodies"))
    people: dict[str, PersonDetails] = {}
    for key, given in _entries(whole.get("people", {}), "people"):
        where = f"people, {key[:80]}"
        with problems.at(where):
            read = _valid(PersonDetails, _fields(given, _PERSON), where, problems)
            cleaned_key = clean_key(key)
            if read is not None:
                cleaned, wrong = checked_details(read)
                problems.add_all(where, wrong)
                if not wrong:
                    people[cleaned_key] = cleaned
    if len(people) > MOST_PEOPLE:
        raise InvalidInput(
            f"people: more than {MOST_PEOPLE}",
            hint="make several registers of it",
            says=says("many_people", most=MOST_PEOPLE),
        )
    bodies = []
    for key, given in _entries(whole.get("bodies", {}), "bodies"):
        where = f"bodies, {key[:80]}"
        with problems.at(where):
            bodies.append(_body(clean_key(key), given, where, problems))
    return Register(people, tuple(body for body in bodies if body is not None))


def names_of(text: str) -> dict[str, str]:
    """How fields are called in the file, by our names of them, where they are called otherwise. Of no YAML, nothing."""
    try:
        there = [load_plain(text, where="register")]
    except InvalidInput:
        return {}
    found: dict[str, str] = {}
    while there:
        given = there.pop()
        if isinstance(given, Mapping):
            found |= {field_name(word): word for word in given if field_name(word) != word}
            there += given.values()
        elif isinstance(given, list):
            there += given
    return found


def _body(key: str, given: object, where: str, problems: Problems) -> WantedBody | None:
    """None when something is wrong with what it is. Raises InvalidInput of what cannot be read further."""
    fields = _fields(given, _BODY)
    members = fields.pop("members", None)
    details = _details(fields, where, problems) if fields else None
    seats = None if members is None else _members(members, where, problems)
    return WantedBody(key, where, details, seats) if details is not None or not fields else None


def _details(fields: dict[str, Any], where: str, problems: Problems) -> BodyDetails | None:
    """None when something is wrong with them."""
    for name in ("name", "kind"):
        with problems.at(where):
            if not isinstance(fields.get(name), str):
                raise InvalidInput(
                    f"{name}: is missing",
                    hint="a body is described whole, or by its members alone",
                    says=says("missing_of_body", name),
                )
    rules = {name: fields[name] for name in _RULES if name in fields}
    for name in ("public", "public_archive"):
        if isinstance(said := rules.get(name), str):
            rules[name] = {"ja": "yes", "nej": "no"}.get(said.casefold(), said)
    items = rules.get("standing_items")
    if isinstance(items, list):
        rules["standing_items"] = [{"title": item} if isinstance(item, str) else item for item in items]
    kind = None
    if isinstance(said := fields.get("kind"), str):
        with problems.at(where):
            kind = kind_of(said)
    read = _valid(BodyRules, rules, where, problems)
    # What cannot be read stands in for nothing: the rest is checked beside it.
    name = fields["name"] if isinstance(fields.get("name"), str) else "-"
    cleaned, wrong = checked_body(BodyDetails(name=name, kind=kind or BodyKind.BOARD, rules=read or BodyRules()))
    problems.add_all(where, wrong)
    return None if wrong or kind is None or read is None or name != fields.get("name") else cleaned


def _members(given: object, where: str, problems: Problems) -> tuple[WantedSeat, ...]:
    if given == "":
        return ()
    if not isinstance(given, list):
        raise InvalidInput(
            "members: must be a list, one `- {person: …, role: …}` for each",
            says=says("list", "members", example="- {person: …, role: …}"),
        )
    seats = []
    for number, one in enumerate(given, 1):
        place = f"{where}, members, number {number}"
        with problems.at(place):
            seats.append(_seat(_fields(one, _SEAT), place, problems))
    return tuple(seat for seat in seats if seat is not None)


def _seat(fields: dict[str, Any], where: str, problems: Problems) -> WantedSeat | None:
    """None when something is wrong with it. Raises InvalidInput of what cannot be read further."""
    given = fields.pop("basis", None)
    texts = {name: value for name, value in fields.items() if isinstance(value, str) and value}
    for name in fields:
        if fields[name] and name not in texts:
            raise InvalidInput(f"{name}: must be text", says=says("text", name))
    person = basis = None
    with problems.at(where):
        if "person" not in texts:
            raise InvalidInput("person: is missing", says=says("missing", "person"))
        person = clean_key(texts["person"], "person")
    with problems.at(where):
        basis = _valid(Basis, _fields(given, tuple(Basis.model_fields)), where, problems, "basis") if given else None
    return seat_of(texts, person, where, problems, basis)


def _entries(given: object, where: str) -> list[tuple[str, object]]:
    if given == "":
        return []
    if not isinstance(given, Mapping):
        raise InvalidInput(f"{where}: must be entries, each with its key: `key: {{…}}`", says=says("entries", where))
    return list(given.items())


def _fields(given: object, known: tuple[str, ...]) -> dict[str, Any]:
    """By the names that we use; empty values are left out. Raises InvalidInput for others."""
    if not isinstance(given, Mapping):
        raise InvalidInput(f"must be fields, such as {known[0]}: …", says=says("fields", example=known[0]))
    fields: dict[str, Any] = {}
    for word, value in given.items():
        name = field_name(word) if field_name(word) in known else word
        if name not in known:
            raise InvalidInput(
                f"unknown field {word[:40]!r}",
                hint=f"the fields are {', '.join(known)}",
                says=says("unknown_field", given=word[:40], known=", ".join(known)),
            )
        if name in fields:
            raise InvalidInput(f"{name}: is given twice", says=says("twice", name))
        if value != "" or name == "members":
            fields[name] = value
    return fields


def _valid(model: type[Any], fields: dict[str, Any], where: str, problems: Problems, *within: str) -> Any:
    """`within`: the field in which they stand. None when something is wrong, each once told by its name."""
    assert issubclass(model, BaseModel)  # noqa: S101  (of our own calls)
    try:
        return model.model_validate(fields)
    except ValidationError as error:
        told: dict[str, InvalidInput] = {}
        for one in error.errors(include_url=False):
            place = invalid.place((*within, *one["loc"]))
            what, said = invalid.told(one, place)
            told.setdefault(place, InvalidInput(f"{place}: {what}", says=said))
        problems.add_all(where, told.values())
        return None
