"""Elections that minutes declare: read from a table in a paragraph, found in the register, and what they make. Pure.

The table is part of the minutes and printed in them, so that what takes effect is what was signed:

    | Vald till | Namn | Uppdrag | Till och med |
    | --- | --- | --- | --- |
    | Styrgruppen | Sven Dahl | ledamot | 2026-12-31 |
"""

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from pydantic import BaseModel, ConfigDict

from services.meetings.body import membership as seats
from services.meetings.body.body import Body
from services.meetings.body.membership import Basis, MemberRole, Membership, Seat
from services.meetings.meeting.meeting import YEARS, body_key
from services.meetings.person.person import Person
from services.meetings.register.words import day_of, role_of
from shared.errors import InvalidInput
from shared.events import Event
from shared.rendering.minutes import Cell, Table

MOST_ELECTIONS = 200
"""In one file of minutes."""
_FIRST = ("vald till", "vald i", "elected to")
_COLUMNS = {
    "namn": "person",
    "person": "person",
    "name": "person",
    "uppdrag": "role",
    "roll": "role",
    "role": "role",
    "ordning": "order",
    "order": "order",
    "från": "begins",
    "från och med": "begins",
    "from": "begins",
    "till och med": "ends",
    "till": "ends",
    "until": "ends",
    "to": "ends",
}
_WITH_KEY = re.compile(r"(?P<name>.*\S)\s*\((?P<key>[a-z0-9][a-z0-9.-]*)\)")


class Election(BaseModel):
    """As it is written, in `line` of the file. `body` and `person` are names, or keys of the register."""

    model_config = ConfigDict(frozen=True)

    line: int
    body: str
    person: str
    role: MemberRole
    order: int | None = None
    begins: date | None = None
    ends: date | None = None


class Elected(BaseModel):
    """An election whose body and person are known. `begins`: None is the day on which all have signed."""

    model_config = ConfigDict(frozen=True)

    body_id: str
    person_id: str
    role: MemberRole
    order: int | None
    begins: date | None
    ends: date | None
    basis: Basis


@dataclass(frozen=True, slots=True)
class Seated:
    """What an election makes: the body as many facts further, rows to save and to remove, and whose place it is."""

    body: Body
    membership: Membership
    saved: list[Membership]
    gone: list[str]
    facts: list[tuple[Body, Event]]


def elections_in(table: Table, lines: Sequence[int]) -> list[Election]:
    """`lines`: of its rows. Nothing for a table about something else. Raises InvalidInput that names the line."""
    header = [_plain(cell).casefold() for cell in table.header]
    if header[0] not in _FIRST:
        return []
    at = f"line {lines[0] - 2}" if lines else "a table of elections"
    names = ["body"]
    for word in header[1:]:
        if word not in _COLUMNS or _COLUMNS[word] in names:
            raise InvalidInput(
                f"{at}: {word[:40]!r} is no column of a table of elections, or is there twice",
                hint="Vald till, Namn, Uppdrag, and if wanted Ordning, Från, Till och med",
            )
        names.append(_COLUMNS[word])
    if not {"person", "role"} <= set(names):
        raise InvalidInput(f"{at}: a table of elections needs the columns Vald till, Namn and Uppdrag")
    return [_election(dict(zip(names, row, strict=False)), line) for row, line in zip(table.rows, lines, strict=True)]


def matched(
    elections: Iterable[tuple[Election, Basis]], bodies: Sequence[Body], people: Sequence[Person]
) -> list[Elected]:
    """By names as the register has them. Raises InvalidInput that names the line of the first that it has not."""
    by_body = {body_key(body.details.name): body for body in bodies} | {body.key: body for body in bodies}
    by_key = {person.key: person for person in people}
    by_name: dict[str, list[Person]] = defaultdict(list)
    for person in people:
        by_name[body_key(person.details.name)].append(person)
    found = []
    for one, basis in elections:
        body = by_body.get(body_key(one.body))
        if body is None:
            raise InvalidInput(
                f"line {one.line}: the register has no body {one.body[:80]!r}",
                hint="write its name as the register has it, or add it there first",
            )
        if body.closed is not None:
            raise InvalidInput(f"line {one.line}: {body.details.name} was closed on {body.closed}")
        person = _person(one, by_key, by_name)
        given = one.model_dump(include={"role", "order", "begins", "ends"})
        found.append(Elected(body_id=body.id, person_id=person.id, basis=basis, **given))
    return found


def seat_elected(
    body: Body, there: Sequence[Membership], elected: Elected, day: date, new_id: Callable[[], str]
) -> Seated:
    """`day`: on which all have signed; `there`: all memberships of the body.

    Who has the same place already keeps it, with the new term and paragraph; another place among those elected ends the
    day before. Raises Refused, InvalidInput.
    """
    begins = elected.begins or day
    seat = Seat(
        person_id=elected.person_id,
        role=elected.role,
        order=elected.order,
        begins=begins,
        ends=elected.ends,
        basis=elected.basis,
    )
    before: list[Membership] = []
    others: list[Membership] = []
    for one in there:
        mine = one.seat.person_id == seat.person_id and one.seat.meets(seat) and seats.is_same_place(one.seat, seat)
        (before if mine else others).append(one)
    for one in before:
        if one.seat.role is seat.role:
            again = seat.model_copy(update={"begins": one.seat.begins, "order": seat.order or one.seat.order})
            body, changed, told = seats.change(body, there, one, again)
            return Seated(body, changed, [changed], [], [(body, told)] if told is not None else [])
    saved: list[Membership] = []
    gone: list[str] = []
    facts: list[tuple[Body, Event]] = []
    for one in before:
        body, ended, over = seats.end(body, one, begins - timedelta(days=1))
        if over is not None:
            facts.append((body, over))
        if ended is None:
            gone.append(one.id)
        else:
            saved.append(ended)
    body, begun, fact = seats.begin(body, [*others, *saved], new_id(), seat)
    return Seated(body, begun, [*saved, begun], gone, [*facts, (body, fact)])


def _election(cells: dict[str, Cell], line: int) -> Election:
    given = {name: text for name, cell in cells.items() if (text := _plain(cell))}
    for name, called in (("body", "Vald till"), ("person", "Namn"), ("role", "Uppdrag")):
        if name not in given:
            raise InvalidInput(f"line {line}: {called} is missing")
    try:
        begins, ends = (day_of(given[name], name) if name in given else None for name in ("begins", "ends"))
        role, order = role_of(given["role"]), _order(given.get("order"))
        if order is not None and role is not MemberRole.SUBSTITUTE:
            raise InvalidInput("order: only substitutes have one")
        if begins and begins.year not in YEARS:
            raise InvalidInput(f"begins: the year {begins.year} is not one of {YEARS[0]} to {YEARS[-1]}")
        if begins and ends and ends < begins:
            raise InvalidInput("ends: is before begins")
    except InvalidInput as error:
        raise InvalidInput(f"line {line}: {error.message}", hint=error.hint) from error
    return Election(
        line=line, body=given["body"], person=given["person"], role=role, order=order, begins=begins, ends=ends
    )


def _order(text: str | None) -> int | None:
    if text is None:
        return None
    if not re.fullmatch(r"[1-9][0-9]{0,2}", text):
        raise InvalidInput("order: must be a whole number from 1 to 999")
    return int(text)


def _person(election: Election, by_key: dict[str, Person], by_name: dict[str, list[Person]]) -> Person:
    if found := _WITH_KEY.fullmatch(election.person):
        person = by_key.get(found["key"])
        if person is not None and body_key(person.details.name) == body_key(found["name"]):
            return person
    named = by_name.get(body_key(election.person), [])
    if len(named) > 1:
        keys = ", ".join(sorted(person.key for person in named))
        raise InvalidInput(
            f"line {election.line}: several people are called {election.person[:80]!r}",
            hint=f"write which one by the key, as {election.person[:80]} ({named[0].key}); the keys are {keys}",
        )
    person = named[0] if named else by_key.get(election.person)
    if person is None:
        raise InvalidInput(
            f"line {election.line}: nobody in the register is called {election.person[:80]!r}",
            hint="write the name as the register has it, or add the person there first",
        )
    return person


def _plain(cell: Cell) -> str:
    return " ".join("".join(run.text for run in cell).split())
