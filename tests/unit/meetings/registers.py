"""An association as a register's file says it, and a house to which such files are brought."""

import itertools
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime

from services.meetings.body.body import Body
from services.meetings.body.membership import MemberRole, Membership
from services.meetings.person.person import Person
from services.meetings.register.changes import Change, Known, Outcome, apply
from services.meetings.register.csv_file import read_csv
from services.meetings.register.register import Problems, Register
from services.meetings.register.yaml_file import read_yaml

NOW = datetime(2022, 11, 28, 12, tzinfo=UTC)
REGISTER = """
people:
  maja-lind: {name: Maja Lind, email: maja.lind@norrdalen.example}
  olof-berg: {name: Olof Berg, email: olof.berg@bjorka.example, party: S, municipality: Björka}
  sven-dahl: {name: Sven Dahl, email: sven.dahl@forsby.example, party: C}
  ida-strand: {name: Ida Strand}
bodies:
  styrelsen:
    name: Styrelsen
    kind: styrelse
    quorum: 2
    notice_days: 5
    standing_items: [Val av justerare, {title: Ekonomi, kind: decision}]
    members:
      - {person: olof-berg, role: ordförande, from: 2019-01-01, to: 2022-12-31}
      - {person: sven-dahl, role: ledamot}
      - {person: ida-strand, role: ersättare}
      - {person: maja-lind, role: sekreterare}
  au:
    name: Arbetsutskottet
    kind: arbetsutskott
    members:
      - {person: olof-berg, role: ordförande}
"""
TABLE = """\
Namn;E-post;Parti;Organ;Typ;Roll;Från;Till
Olof Berg;olof.berg@bjorka.example;S;Styrelsen;styrelse;ordförande;2019-01-01;2022-12-31
Olof Berg;olof.berg@bjorka.example;S;Arbetsutskottet;arbetsutskott;ordförande;;
Ida Strand;;;Styrelsen;;ersättare;;
Bo Ek;;;;;;;
"""


@dataclass
class House:
    """Applies registers one after the other, as the service does."""

    people: dict[str, Person] = field(default_factory=dict)
    bodies: dict[str, Body] = field(default_factory=dict)
    memberships: dict[str, Membership] = field(default_factory=dict)
    ids: Callable[[], str] = field(default_factory=lambda: map("id-{}".format, itertools.count()).__next__)

    @property
    def known(self) -> Known:
        return Known(list(self.people.values()), list(self.bodies.values()), list(self.memberships.values()))

    def read(self, text: str, problems: Problems, table: bool) -> Register:
        if not table:
            return read_yaml(text, problems)
        return read_csv(text, self.known.people, self.known.bodies, problems, self.known.memberships)

    def bring(self, text: str, *, table: bool = False, now: datetime = NOW) -> Outcome:
        problems = Problems()
        known = self.known
        wanted = self.read(text, problems, table)
        outcome = apply(known, wanted, now=now, new_id=self.ids, problems=problems)
        assert problems.found == []
        self.people |= outcome.people
        self.bodies |= outcome.bodies
        self.memberships |= outcome.memberships
        for membership_id in outcome.gone:
            del self.memberships[membership_id]
        return outcome

    def wrong(self, text: str, *, table: bool = False) -> list[str]:
        problems = Problems()
        known = self.known
        wanted = self.read(text, problems, table)
        apply(known, wanted, now=NOW, new_id=self.ids, problems=problems)
        return [str(one) for one in problems.found]

    def term(self, name: str, body: str = "styrelsen") -> tuple[MemberRole, date | None, date | None]:
        [seat] = [
            one.seat
            for one in self.memberships.values()
            if self.people[one.seat.person_id].details.name == name
            and next(known for known in self.bodies.values() if known.id == one.body_id).key == body
        ]
        return seat.role, seat.begins, seat.ends


def kinds(changes: list[Change]) -> list[str]:
    return [change.kind for change in changes]
