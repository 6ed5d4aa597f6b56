"""A register as a table (CSV, RFC 4180, or with semicolons as spreadsheets in Sweden write it) -> what it wants. Pure.

A line is a place of a person in a body; without `body`, only a person. People are known by their key, else by their
address, else by their name; bodies by their key or name. Who is meant does not depend on the order of the lines.
"""

import csv
import io
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from services.meetings.body.body import Body, BodyDetails
from services.meetings.body.membership import Membership
from services.meetings.keys import clean_key, free_key, key_from
from services.meetings.meeting.meeting import body_key
from services.meetings.person.person import Person, PersonDetails, checked_details
from services.meetings.register.register import MOST_PEOPLE, Problems, Register, WantedBody, WantedSeat
from services.meetings.register.seat import seat_of
from services.meetings.register.words import field_name, kind_of
from shared.errors import InvalidInput, says
from shared.text import clean_line, email_key

_COLUMNS = ("key", "name", "email", "language", "party", "municipality", "body", "kind", "role", "order", "from", "to")
MOST_LINES = 20_000
_SEPARATOR = re.compile(r"sep=[;,\t]\r?\n")
"""The line by which Excel tells itself what parts the cells."""

Line = dict[str, str]


def read_csv(
    text: str,
    people: Sequence[Person],
    bodies: Sequence[Body],
    problems: Problems,
    memberships: Sequence[Membership] = (),
) -> Register:
    """`people`, `bodies` and `memberships`: those that are known. What is wrong goes to `problems`.

    Raises InvalidInput for what is no table or has no line of headings.
    """
    lines = _lines(text)
    told = {number: Problems() for number, _ in lines}
    who = _People(people, _places(bodies, memberships))
    keys = {number: who.key_of(line, number, told[number]) for number, line in sorted(lines, key=who.surest_first)}
    who.put_in_order(keys[number] for number, _ in lines)
    what = _Bodies(bodies, lines)
    for number, line in lines:
        if "body" in line:
            what.add(line, keys[number], number, told[number])
        elif "role" in line:
            told[number].add(f"line {number}", "body: is missing", says("missing", "body"))
    for of_line in told.values():
        for one in of_line.found:
            problems.add(one.where, one.what, one.says)
    if len(who.wanted) > MOST_PEOPLE:
        raise InvalidInput(
            f"more than {MOST_PEOPLE} people",
            hint="make several registers of it",
            says=says("many_people", most=MOST_PEOPLE),
        )
    return Register(who.wanted, what.wanted())


def headings_of(text: str) -> dict[str, str]:
    """How the columns are called in the table, by our names of them. Of no table, nothing."""
    try:
        return {field_name(word): word.strip() for word in next(_rows(text)[0], []) if word.strip()}
    except csv.Error:
        return {}


def _rows(text: str) -> tuple[Any, int]:
    """A reader of the rows, and how many lines stand above them."""
    text = text.removeprefix("\ufeff")
    above = 0
    if said := _SEPARATOR.match(text):
        text, above = text[said.end() :], 1
    head, _, _ = text.partition("\n")
    delimiter = max(";,\t", key=head.count)
    return csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True), above


def _lines(text: str) -> list[tuple[int, Line]]:
    """With their numbers; cells that are empty are left out, and so are lines without any."""
    reader, above = _rows(text)
    try:
        headings = [field_name(word) for word in next(reader, [])]
        while headings and not headings[-1]:  # of columns at the end that a spreadsheet takes along, empty
            headings.pop()
        _check_headings(headings)
        found = []
        for cells in reader:
            filled = {name: cell.strip() for name, cell in zip(headings, cells, strict=False) if cell.strip()}
            if any(cell.strip() for cell in cells[len(headings) :]):
                raise InvalidInput(
                    f"line {reader.line_num + above}: has more cells than there are headings",
                    says=says("cells", number=reader.line_num + above),
                )
            if filled:
                found.append((reader.line_num + above, filled))
            if len(found) > MOST_LINES:
                raise InvalidInput(
                    f"more than {MOST_LINES} lines",
                    hint="make several registers of it",
                    says=says("many_lines", most=MOST_LINES),
                )
    except csv.Error as error:
        raise InvalidInput(
            f"line {reader.line_num + above}: is no line of a table: {error}",
            says=says("no_table_line", number=reader.line_num + above),
        ) from None
    return found


def _check_headings(headings: list[str]) -> None:
    for name in headings:
        if name not in _COLUMNS:
            raise InvalidInput(
                f"line 1: unknown heading {name[:40]!r}",
                hint=f"the headings are {', '.join(_COLUMNS)}",
                says=says("unknown_heading", given=name[:40], known=_COLUMNS),
            )
        if headings.count(name) > 1:
            raise InvalidInput(f"line 1: the heading {name} is there twice", says=says("twice", name))
    if "name" not in headings:
        raise InvalidInput("line 1: the heading name is missing", says=says("missing", "name"))


def _places(bodies: Sequence[Body], memberships: Sequence[Membership]) -> dict[str, set[str]]:
    """By the person's id, the bodies in which they sit or sat, by the words that a line may have for them."""
    words = {one.id: {one.key, body_key(one.details.name)} for one in bodies}
    found: dict[str, set[str]] = {}
    for one in memberships:
        found.setdefault(one.seat.person_id, set()).update(words.get(one.body_id, ()))
    return found


class _People:
    """Who is meant by a line. Someone in several bodies has several lines, which must agree. `places`: by the person's
    id, what the bodies are called in which they sit."""

    def __init__(self, known: Sequence[Person], places: Mapping[str, set[str]]) -> None:
        self._namesakes: dict[str, list[Person]] = {}
        for one in known:
            self._namesakes.setdefault(key_from(one.details.name), []).append(one)
        self._places = places
        self.wanted: dict[str, PersonDetails] = {}
        self._lines: dict[str, int] = {}
        self._taken = {person.key for person in known}
        self._by_email = {email_key(one.details.email): one.key for one in known if one.details.email}
        self._by_name: dict[str, set[str]] = {}
        for one in known:
            self._by_name.setdefault(key_from(one.details.name), set()).add(one.key)

    def surest_first(self, numbered: tuple[int, Line]) -> int:
        """Who is named by key or by an address that is known is found before anybody is taken for somebody new."""
        _, line = numbered
        if "key" in line:
            return 0
        if "email" in line:
            return 1 if email_key(line["email"]) in self._by_email else 2
        return 3

    def put_in_order(self, keys: Iterable[str | None]) -> None:
        self.wanted = {key: self.wanted[key] for key in keys if key is not None}

    def key_of(self, line: Line, number: int, problems: Problems) -> str | None:
        """What is wrong goes to `problems`; None then."""
        where = f"line {number}"
        details, wrong = _details(line)
        if wrong:
            problems.add_all(where, wrong)
            return None
        try:
            return self._key_of(line, details, number)
        except InvalidInput as error:
            problems.add_all(where, [error])
            return None

    def _key_of(self, line: Line, details: PersonDetails, number: int) -> str:
        """Raises InvalidInput."""
        found = self._found(line, details)
        if found is None and (known := self._looks_like(line, details)) is not None:
            raise InvalidInput(
                f"email: this looks like {known.details.name} ({known.key}), who has another address, or none",
                hint=f"write {known.key} in the column key if it is the same person; else a new key of their own",
                says=says("looks_like", "email", name=known.details.name, key=known.key),
            )
        key = found or free_key(details.name, self._taken)
        if (before := self.wanted.setdefault(key, details)) != details:
            raise self._otherwise(before, details, self._lines[key])
        self._lines.setdefault(key, number)
        self._taken.add(key)
        self._by_name.setdefault(key_from(details.name), set()).add(key)
        if details.email:
            self._by_email[email_key(details.email)] = key
        return key

    def _looks_like(self, line: Line, details: PersonDetails) -> Person | None:
        """Who is known by the name, and sits where the line has its place: with a new address they would be two. A line
        without a body tells nothing that could set it apart."""
        place = line.get("body")
        for one in self._namesakes.get(key_from(details.name), ()):
            if one.key not in self.wanted and (place is None or body_key(place) in self._places.get(one.id, ())):
                return one
        return None

    def _otherwise(self, before: PersonDetails, details: PersonDetails, first: int) -> InvalidInput:
        """Two lines of one person that do not agree; `first`: the earlier one. Two names of one address are two people,
        or one that is spelt in two ways."""
        addresses = {email_key(one.email) for one in (before, details) if one.email}
        if before.name != details.name and len(addresses) == 1:
            return InvalidInput(
                f"email: line {first} gives this address to {before.name}, and this one to {details.name}",
                hint="give each of them an address of their own, or one person the same name in both lines",
                says=says("email_of_other", "email", first=first, name=before.name, other=details.name),
            )
        columns = [name for name in type(details).model_fields if getattr(before, name) != getattr(details, name)]
        return InvalidInput(
            f"{details.name}: line {first} says otherwise of them, in {', '.join(columns)}",
            hint="write the same in both lines",
            says=says("otherwise", name=details.name, first=first, columns=tuple(columns)),
        )

    def _found(self, line: Line, details: PersonDetails) -> str | None:
        if "key" in line:
            return clean_key(line["key"])
        if details.email:
            return self._by_email.get(email_key(details.email))
        called = sorted(self._by_name.get(key_from(details.name), ()))
        if len(called) > 1:
            keys = ", ".join(called)
            raise InvalidInput(
                f"name: several people are called {details.name} ({keys})",
                hint="write which one in the column key, or their address",
                says=says("namesakes", "name", name=details.name, keys=keys),
            )
        return called[0] if called else None


class _Bodies:
    """The bodies that lines name, with those who sit in them."""

    def __init__(self, known: Sequence[Body], lines: Sequence[tuple[int, Line]]) -> None:
        self._kinds: dict[str, str] = {}
        for _, line in lines:
            if "body" in line and "kind" in line:
                self._kinds.setdefault(body_key(line["body"]), line["kind"])
        self._keys = {body_key(one.details.name): one.key for one in known} | {one.key: one.key for one in known}
        self._taken = {one.key for one in known}
        self._details: dict[str, BodyDetails | None] = {}
        self._where: dict[str, str] = {}
        self._seats: dict[str, list[WantedSeat]] = {}

    def add(self, line: Line, person: str | None, number: int, problems: Problems) -> None:
        """What is wrong goes to `problems`."""
        where, key = f"line {number}", None
        with problems.at(where):
            key = self._key_of(line, number)
        seat = seat_of(line, person, where, problems)
        if key is not None and seat is not None:
            self._seats.setdefault(key, []).append(seat)

    def wanted(self) -> tuple[WantedBody, ...]:
        return tuple(
            WantedBody(key, self._where[key], details, tuple(self._seats.get(key, ())))
            for key, details in self._details.items()
        )

    def _key_of(self, line: Line, number: int) -> str:
        name = clean_line(line["body"], "body")
        key = self._keys.get(body_key(name))
        if key is None:
            kind = line.get("kind") or self._kinds.get(body_key(name))
            if kind is None:
                raise InvalidInput(f"kind: is missing, and {name} is new", says=says("new_body", "kind", name=name))
            key = free_key(name, self._taken)
            self._details[key] = BodyDetails(name=name, kind=kind_of(kind))
            self._taken.add(key)
            self._keys[body_key(name)] = key
        self._details.setdefault(key, None)
        self._where.setdefault(key, f"line {number}")
        return key


def _details(line: Line) -> tuple[PersonDetails, list[InvalidInput]]:
    """And all that is wrong with them."""
    language = line.get("language", "sv").casefold()
    details, wrong = checked_details(
        PersonDetails(
            name=line.get("name", ""),
            email=line.get("email"),
            language="en" if language == "en" else "sv",
            party=line.get("party"),
            municipality=line.get("municipality"),
        )
    )
    if "name" not in line:
        wrong[0] = InvalidInput("name: is missing", says=says("missing", "name"))
    if language not in ("sv", "en"):
        wrong.append(
            InvalidInput(
                f"language: {language[:20]!r} is unknown",
                hint="sv or en",
                says=says("unknown_word", "language", given=language[:20], known="sv, en"),
            )
        )
    return details, wrong
