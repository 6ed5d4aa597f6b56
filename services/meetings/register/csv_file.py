"""A register as a table (CSV, RFC 4180, or with semicolons as spreadsheets in Sweden write it) -> what it wants. Pure.

A line is a place of a person in a body; without `body`, only a person. People are known by their key, else by their
address, else by their name; bodies by their key or name.
"""

import csv
import io
from collections.abc import Sequence

from services.meetings.body.body import Body, BodyDetails
from services.meetings.keys import clean_key, free_key, key_from
from services.meetings.meeting.meeting import body_key
from services.meetings.person.person import Person, PersonDetails, clean_details
from services.meetings.register.register import MOST_PEOPLE, Problems, Register, WantedBody, WantedSeat
from services.meetings.register.words import day_of, field_name, kind_of, role_of
from services.meetings.register.yaml_file import order_of
from shared.errors import InvalidInput, says
from shared.text import clean_line, email_key

_COLUMNS = ("key", "name", "email", "language", "party", "municipality", "body", "kind", "role", "order", "from", "to")
MOST_LINES = 20_000

Line = dict[str, str]


def read_csv(text: str, people: Sequence[Person], bodies: Sequence[Body], problems: Problems) -> Register:
    """`people` and `bodies`: those that are known. What is wrong goes to `problems`.

    Raises InvalidInput for what is no table or has no line of headings.
    """
    lines = _lines(text)
    who = _People(people)
    what = _Bodies(bodies)
    for number, line in lines:
        with problems.at(f"line {number}"):
            person = who.key_of(line)
            if "body" in line:
                what.add(line, person, number)
            elif "role" in line:
                raise InvalidInput("body: is missing", says=says("missing", "body"))
    if len(who.wanted) > MOST_PEOPLE:
        raise InvalidInput(
            f"more than {MOST_PEOPLE} people",
            hint="make several registers of it",
            says=says("many_people", most=MOST_PEOPLE),
        )
    return Register(who.wanted, what.wanted())


def _lines(text: str) -> list[tuple[int, Line]]:
    """With their numbers; cells that are empty are left out, and so are lines without any."""
    head, _, _ = text.partition("\n")
    delimiter = max(";,\t", key=head.count)
    reader = csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline=""), delimiter=delimiter, strict=True)
    try:
        headings = [field_name(word) for word in next(reader, [])]
        _check_headings(headings)
        found = []
        for cells in reader:
            filled = {name: cell.strip() for name, cell in zip(headings, cells, strict=False) if cell.strip()}
            if len(cells) > len(headings) and any(cells[len(headings) :]):
                raise InvalidInput(
                    f"line {reader.line_num}: has more cells than there are headings",
                    says=says("cells", number=reader.line_num),
                )
            if filled:
                found.append((reader.line_num, filled))
            if len(found) > MOST_LINES:
                raise InvalidInput(
                    f"more than {MOST_LINES} lines",
                    hint="make several registers of it",
                    says=says("many_lines", most=MOST_LINES),
                )
    except csv.Error as error:
        raise InvalidInput(
            f"line {reader.line_num}: is no line of a table: {error}",
            says=says("no_table_line", number=reader.line_num),
        ) from None
    return found


def _check_headings(headings: list[str]) -> None:
    for name in headings:
        if name not in _COLUMNS:
            raise InvalidInput(
                f"line 1: unknown heading {name[:40]!r}",
                hint=f"the headings are {', '.join(_COLUMNS)}",
                says=says("unknown_heading", given=name[:40], known=", ".join(_COLUMNS)),
            )
        if headings.count(name) > 1:
            raise InvalidInput(f"line 1: the heading {name} is there twice", says=says("twice", name))
    if "name" not in headings:
        raise InvalidInput("line 1: the heading name is missing", says=says("missing", "name"))


class _People:
    """Who is meant by a line. Someone in several bodies has several lines, which must agree."""

    def __init__(self, known: Sequence[Person]) -> None:
        self.wanted: dict[str, PersonDetails] = {}
        self._taken = {person.key for person in known}
        self._by_email = {email_key(one.details.email): one.key for one in known if one.details.email}
        self._by_name = {key_from(one.details.name): one.key for one in known}

    def key_of(self, line: Line) -> str:
        """Raises InvalidInput."""
        if "name" not in line:
            raise InvalidInput("name: is missing", says=says("missing", "name"))
        details = clean_details(_details(line))
        key = self._found(line, details) or free_key(details.name, self._taken)
        if self.wanted.setdefault(key, details) != details:
            raise InvalidInput(
                f"{details.name}: another line says otherwise of them", says=says("otherwise", name=details.name)
            )
        self._taken.add(key)
        self._by_name[key_from(details.name)] = key
        if details.email:
            self._by_email[email_key(details.email)] = key
        return key

    def _found(self, line: Line, details: PersonDetails) -> str | None:
        if "key" in line:
            return clean_key(line["key"])
        if details.email:
            return self._by_email.get(email_key(details.email))
        return self._by_name.get(key_from(details.name))


class _Bodies:
    """The bodies that lines name, with those who sit in them."""

    def __init__(self, known: Sequence[Body]) -> None:
        self._keys = {body_key(one.details.name): one.key for one in known} | {one.key: one.key for one in known}
        self._taken = {one.key for one in known}
        self._details: dict[str, BodyDetails | None] = {}
        self._where: dict[str, str] = {}
        self._seats: dict[str, list[WantedSeat]] = {}

    def add(self, line: Line, person: str, number: int) -> None:
        """Raises InvalidInput."""
        if "role" not in line:
            raise InvalidInput("role: is missing", says=says("missing", "role"))
        key = self._key_of(line, number)
        seat = WantedSeat(
            person=person,
            role=role_of(line["role"]),
            order=order_of(line["order"]) if "order" in line else None,
            begins=day_of(line["from"], "from") if "from" in line else None,
            ends=day_of(line["to"], "to") if "to" in line else None,
        )
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
            if "kind" not in line:
                raise InvalidInput(f"kind: is missing, and {name} is new", says=says("new_body", "kind", name=name))
            key = free_key(name, self._taken)
            self._details[key] = BodyDetails(name=name, kind=kind_of(line["kind"]))
            self._taken.add(key)
            self._keys[body_key(name)] = key
        self._details.setdefault(key, None)
        self._where.setdefault(key, f"line {number}")
        return key


def _details(line: Line) -> PersonDetails:
    language = line.get("language", "sv").casefold()
    if language not in ("sv", "en"):
        raise InvalidInput(
            f"language: {language[:20]!r} is unknown",
            hint="sv or en",
            says=says("unknown_word", "language", given=language[:20], known="sv, en"),
        )
    return PersonDetails(
        name=line["name"],
        email=line.get("email"),
        language="en" if language == "en" else "sv",
        party=line.get("party"),
        municipality=line.get("municipality"),
    )
