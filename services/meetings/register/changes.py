"""What applying a register does to what is there: nothing when it says the same. Pure.

Who a register names no more in a body that it names sat there to the day before; who is new without a first day sits
there from today.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from pydantic import BaseModel

from services.meetings.body import body as body_rules
from services.meetings.body import membership as seats
from services.meetings.body.body import Body, BodyDetails
from services.meetings.body.membership import MemberRole, Membership, Seat
from services.meetings.meeting.meeting import body_key
from services.meetings.person import person as person_rules
from services.meetings.person.person import Person, PersonDetails
from services.meetings.register.register import Problems, Register, WantedBody, WantedSeat
from shared.errors import InvalidInput, says
from shared.events.base import Event
from shared.text import email_key


class FieldChange(BaseModel):
    """None is nothing: not known, or until further notice."""

    field: str
    before: str | None
    after: str | None


class Change(BaseModel):
    """One thing that applying does. `body` and `person` are names; `key` is that of a person or a body."""

    kind: Literal[
        "person-registered",
        "person-changed",
        "body-registered",
        "body-changed",
        "membership-begun",
        "membership-changed",
        "membership-ended",
    ]
    key: str | None = None
    body: str | None = None
    person: str | None = None
    role: MemberRole | None = None
    fields: list[FieldChange]


@dataclass(slots=True)
class Known:
    """What is there, of one organisation."""

    people: Sequence[Person]
    bodies: Sequence[Body]
    memberships: Sequence[Membership]


@dataclass(slots=True)
class Outcome:
    """What applying comes to: rows to save, and the facts in order, each with its aggregate at that fact.

    `named`: bodies that have a name they had not, each with the one before.
    """

    changes: list[Change] = field(default_factory=list)
    people: dict[str, Person] = field(default_factory=dict)
    bodies: dict[str, Body] = field(default_factory=dict)
    memberships: dict[str, Membership] = field(default_factory=dict)
    gone: list[str] = field(default_factory=list)
    named: list[tuple[Body, str | None]] = field(default_factory=list)
    person_facts: list[tuple[Person, Event]] = field(default_factory=list)
    body_facts: list[tuple[Body, Event]] = field(default_factory=list)


def apply(known: Known, wanted: Register, *, now: datetime, new_id: Callable[[], str], problems: Problems) -> Outcome:
    """What is wrong goes to `problems`; the outcome is then of no use."""
    work = _Applying(known, now, new_id, problems)
    for key, details in wanted.people.items():
        with problems.at(f"people, {key}"):
            work.person(key, details)
    work.check_addresses()
    for body in wanted.bodies:
        with problems.at(body.where):
            work.body(body)
    return work.outcome


class _Applying:
    def __init__(self, known: Known, now: datetime, new_id: Callable[[], str], problems: Problems) -> None:
        self.outcome = Outcome()
        self._now = now
        self._new_id = new_id
        self._problems = problems
        self._known = known
        self._people = {person.key: person for person in known.people}
        self._names = {person.id: person.details.name for person in known.people}
        self._bodies = {body.key: body for body in known.bodies}
        self._body_names = {body_key(body.details.name): body.key for body in known.bodies}
        self._there: dict[str, list[Membership]] = defaultdict(list)
        for membership in known.memberships:
            self._there[membership.body_id].append(membership)

    def person(self, key: str, details: PersonDetails) -> None:
        before = self._people.get(key)
        if before is None:
            person, fact = person_rules.register(self._new_id(), key, details)
            self._keep(person, fact, "person-registered", None)
            return
        person, told = person_rules.change(before, details)
        if told is not None:
            self._keep(person, told, "person-changed", before.details)

    def check_addresses(self) -> None:
        """One address leads to one person, before and after: a row is saved by itself."""
        held = {email_key(one.details.email): one for one in self._known.people if one.details.email}
        for person in self.outcome.people.values():
            if person.details.email is None:
                continue
            other = held.setdefault(email_key(person.details.email), person)
            if other.id != person.id:
                self._problems.add(
                    f"people, {person.key}",
                    f"email: {other.details.name} ({other.key}) has this address",
                    says("email_taken", "email", name=other.details.name, key=other.key),
                )

    def body(self, wanted: WantedBody) -> None:
        body = self._bodies.get(wanted.key)
        is_new = body is None
        if body is None:
            if wanted.details is None:
                raise InvalidInput(
                    "there is no such body",
                    hint="give its name and kind to make one",
                    says=says("no_body_yet", one_field="name", other_field="kind"),
                )
            self._require_free_name(wanted)
            body, fact = body_rules.register(self._new_id(), wanted.key, wanted.details)
            self._keep_body(body, fact, "body-registered", None)
        elif wanted.details is not None:
            self._require_free_name(wanted)
            changed, told = body_rules.change(body, wanted.details)
            if told is not None:
                self._keep_body(changed, told, "body-changed", body.details)
            body = changed
        if wanted.members is not None:
            body.require_open()
            self._members(body, wanted, is_new)

    def _members(self, body: Body, wanted: WantedBody, is_new: bool) -> None:
        today = self._now.astimezone(ZoneInfo(body.details.rules.timezone)).date()
        there = self._there[body.id]
        asked = []
        for one in _numbered(wanted.members or ()):
            with self._problems.at(f"{wanted.where}, members"):
                asked.append((one, self._seat(one)))
        found = _matched(asked, there, today)
        matched = {membership.id for _, _, membership in found if membership is not None}
        for membership in list(there):
            last = membership.seat.ends
            if membership.id not in matched and (last is None or last >= today):
                body = self._end(body, membership, today - timedelta(days=1))
        for one, seat, old in found:
            if old is None:
                begins = seat.begins or (None if is_new else today)
                body = self._begin(body, seat.model_copy(update={"begins": begins}))
            else:
                kept = {"begins": one.begins or old.seat.begins, "basis": one.basis or old.seat.basis}
                body = self._change(body, old, seat.model_copy(update=kept))
        self._check_fit(body, wanted.where)

    def _seat(self, wanted: WantedSeat) -> Seat:
        person = self._people.get(wanted.person)
        if person is None:
            raise InvalidInput(
                f"there is no person {wanted.person}",
                hint="name them under people",
                says=says("no_person", "person", given=wanted.person, other_field="people"),
            )
        return Seat(
            person_id=person.id,
            role=wanted.role,
            order=wanted.order,
            begins=wanted.begins,
            ends=wanted.ends,
            basis=wanted.basis,
        )

    def _begin(self, body: Body, seat: Seat) -> Body:
        body, begun, fact = seats.begin_unchecked(body, self._new_id(), seat)
        self._there[body.id].append(begun)
        self._keep_membership(body, begun, fact, "membership-begun", None)
        return body

    def _change(self, body: Body, old: Membership, seat: Seat) -> Body:
        body, changed, fact = seats.change_unchecked(body, old, seat)
        if fact is not None:
            there = self._there[body.id]
            there[there.index(old)] = changed
            self._keep_membership(body, changed, fact, "membership-changed", old.seat)
        return body

    def _end(self, body: Body, old: Membership, on: date) -> Body:
        body, ended, fact = seats.end(body, old, on)
        if fact is None:
            return body
        there = self._there[body.id]
        self.outcome.body_facts.append((body, fact))
        self.outcome.bodies[body.id] = body
        after = old.seat.model_copy(update={"ends": on})
        self._tell(body, after, "membership-ended", old.seat)
        if ended is None:
            there.remove(old)
            self.outcome.gone.append(old.id)
        else:
            there[there.index(old)] = ended
            self.outcome.memberships[old.id] = ended
        return body

    def _check_fit(self, body: Body, where: str) -> None:
        for group in seats.rivals(self._there[body.id]):
            for number, membership in enumerate(group):
                with self._problems.at(f"{where}, {self._names[membership.seat.person_id]}"):
                    seats.require_fit(membership, group[:number])

    def _require_free_name(self, wanted: WantedBody) -> None:
        if wanted.details is None:
            return
        key = body_key(wanted.details.name)
        if self._body_names.setdefault(key, wanted.key) != wanted.key:
            raise InvalidInput(
                f"name: the body {self._body_names[key]} is called {wanted.details.name}",
                says=says("name_taken", "name", key=self._body_names[key], name=wanted.details.name),
            )

    def _keep(self, person: Person, fact: Event, kind: str, before: PersonDetails | None) -> None:
        self._people[person.key] = person
        self._names[person.id] = person.details.name
        self.outcome.people[person.id] = person
        self.outcome.person_facts.append((person, fact))
        fields = _differences(before, person.details)
        self.outcome.changes.append(Change(kind=kind, key=person.key, person=person.details.name, fields=fields))

    def _keep_body(self, body: Body, fact: Event, kind: str, before: BodyDetails | None) -> None:
        self._bodies[body.key] = body
        self.outcome.bodies[body.id] = body
        self.outcome.body_facts.append((body, fact))
        if before is None or before.name != body.details.name:
            self.outcome.named.append((body, before.name if before else None))
        fields = _differences(before, body.details)
        self.outcome.changes.append(Change(kind=kind, key=body.key, body=body.details.name, fields=fields))

    def _keep_membership(self, body: Body, membership: Membership, fact: Event, kind: str, before: Seat | None) -> None:
        self._bodies[body.key] = body
        self.outcome.bodies[body.id] = body
        self.outcome.memberships[membership.id] = membership
        self.outcome.body_facts.append((body, fact))
        self._tell(body, membership.seat, kind, before)

    def _tell(self, body: Body, seat: Seat, kind: str, before: Seat | None) -> None:
        self.outcome.changes.append(
            Change(
                kind=kind,
                body=body.details.name,
                person=self._names[seat.person_id],
                role=seat.role,
                fields=_differences(before, seat),
            )
        )


def _numbered(members: Sequence[WantedSeat]) -> list[WantedSeat]:
    """Substitutes without an order have that of their lines."""
    taken = {one.order for one in members if one.role is MemberRole.SUBSTITUTE}
    free = (number for number in range(1, len(members) + len(taken) + 1) if number not in taken)
    return [
        _with_order(one, next(free)) if one.role is MemberRole.SUBSTITUTE and one.order is None else one
        for one in members
    ]


def _with_order(seat: WantedSeat, order: int) -> WantedSeat:
    return WantedSeat(seat.person, seat.role, order, seat.begins, seat.ends, seat.basis)


def _matched(
    wanted: Sequence[tuple[WantedSeat, Seat]], there: Sequence[Membership], today: date
) -> list[tuple[WantedSeat, Seat, Membership | None]]:
    """Each wanted place with the membership that it is: of the same role and first day, else of the same role now or to
    come; without one, it is new."""
    left = {one.id: one for one in there}
    current = [one for one in there if one.seat.ends is None or one.seat.ends >= today]
    found: dict[int, Membership] = {}

    def take(candidates: Iterable[Membership], fits: Callable[[Seat, Seat], bool]) -> None:
        by_person: dict[str, list[Membership]] = defaultdict(list)
        for candidate in candidates:
            by_person[candidate.seat.person_id].append(candidate)
        for number, (_, seat) in enumerate(wanted):
            if number in found:
                continue
            for candidate in by_person[seat.person_id]:
                if candidate.id in left and fits(seat, candidate.seat):
                    found[number] = left.pop(candidate.id)
                    break

    take(there, lambda seat, old: seat.begins is not None and (seat.role, seat.begins) == (old.role, old.begins))
    take(current, lambda seat, old: seat.role is old.role and (seat.begins is None or seat.meets(old)))
    return [(one, seat, found.get(number)) for number, (one, seat) in enumerate(wanted)]


def _differences(before: BaseModel | None, after: BaseModel) -> list[FieldChange]:
    old = {} if before is None else _flat(before)
    new = _flat(after)
    return [
        FieldChange(field=name, before=old.get(name), after=value)
        for name, value in new.items()
        if old.get(name) != value and (before is not None or value is not None)
    ]


def _flat(model: BaseModel) -> dict[str, str | None]:
    """The fields as people read them: those of rules beside the others, ids left out."""
    fields: dict[str, str | None] = {}
    for name, value in model.model_dump(mode="json").items():
        if name == "person_id":
            continue
        if name == "rules":
            fields.update({inner: _shown(one) for inner, one in value.items()})
        else:
            fields[name] = _shown(value)
    return fields


def _shown(value: object) -> str | None:
    if value is None or value == []:
        return None
    if isinstance(value, list):
        return ", ".join(str(one["title"]) if isinstance(one, dict) else str(one) for one in value)
    if isinstance(value, dict):
        return f"{value['body']} {value['year']} § {value['paragraph']}"
    return str(value)
