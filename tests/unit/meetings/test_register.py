"""A register, read and applied: what it comes to, and what is wrong with it."""

import itertools
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.meetings.body.body import Body
from services.meetings.body.membership import MemberRole, Membership
from services.meetings.person.person import Person
from services.meetings.register.changes import Change, Known, Outcome, apply
from services.meetings.register.csv_file import headings_of, read_csv
from services.meetings.register.register import Problems, Register
from services.meetings.register.written import error_as_written, problem_as_written
from services.meetings.register.yaml_file import names_of, read_yaml
from shared.errors import InvalidInput

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


def test_a_register_makes_all_it_names_and_says_so() -> None:
    house = House()
    outcome = house.bring(REGISTER)
    assert kinds(outcome.changes) == [
        *["person-registered"] * 4,
        "body-registered",
        *["membership-begun"] * 4,
        "body-registered",
        "membership-begun",
    ]
    board = next(body for body in house.bodies.values() if body.key == "styrelsen")
    assert (board.version, board.details.rules.quorum) == (5, 2)
    assert [item.kind for item in board.details.rules.standing_items] == ["information", "decision"]
    assert house.term("Olof Berg") == (MemberRole.CHAIR, date(2019, 1, 1), date(2022, 12, 31))
    assert house.term("Sven Dahl") == (MemberRole.MEMBER, None, None)
    [substitute] = [one for one in house.memberships.values() if one.seat.role is MemberRole.SUBSTITUTE]
    assert substitute.seat.order == 1
    sequences = [body.version for body, _ in outcome.body_facts if body.key == "styrelsen"]
    assert sequences == [1, 2, 3, 4, 5]


@pytest.mark.parametrize(("text", "table"), [(REGISTER, False), (TABLE, True)])
def test_applied_again_it_changes_nothing(text: str, table: bool) -> None:
    house = House()
    house.bring(text, table=table)
    for now in (NOW, NOW.replace(year=2024)):
        again = house.bring(text, table=table, now=now)
        assert again == Outcome()


def test_a_change_is_only_what_differs() -> None:
    house = House()
    house.bring(REGISTER)
    changed = (
        REGISTER.replace("quorum: 2", "quorum: 3")
        .replace("name: Ida Strand", "name: Ida Ek")
        .replace("- {person: sven-dahl, role: ledamot}", "- {person: sven-dahl, role: 1:e vice ordförande}")
        .replace("      - {person: maja-lind, role: sekreterare}\n", "")
    )
    outcome = house.bring(changed)
    assert [(one.kind, one.person or one.body, [f.field for f in one.fields]) for one in outcome.changes] == [
        ("person-changed", "Ida Ek", ["name"]),
        ("body-changed", "Styrelsen", ["quorum"]),
        ("membership-ended", "Sven Dahl", ["ends"]),
        ("membership-ended", "Maja Lind", ["ends"]),
        ("membership-begun", "Sven Dahl", ["role", "begins"]),
    ]
    today = date(2022, 11, 28)
    terms = {(one.seat.role, one.seat.begins, one.seat.ends) for one in house.memberships.values()}
    assert (MemberRole.MEMBER, None, date(2022, 11, 27)) in terms
    assert (MemberRole.FIRST_VICE_CHAIR, today, None) in terms
    assert (MemberRole.SECRETARY, None, date(2022, 11, 27)) in terms


def test_an_election_follows_a_term_that_ends_and_what_came_today_by_mistake_never_was() -> None:
    house = House()
    house.bring(REGISTER)
    elected = REGISTER.replace(
        "      - {person: sven-dahl, role: ledamot}",
        "      - {person: sven-dahl, role: ledamot, to: 2022-12-31}\n"
        "      - {person: sven-dahl, role: ordförande, from: 2023-01-01, to: 2026-12-31}",
    )
    assert kinds(house.bring(elected).changes) == ["membership-changed", "membership-begun"]
    mistaken = house.bring(REGISTER)
    assert kinds(mistaken.changes) == ["membership-ended", "membership-changed"]
    assert len(mistaken.gone) == 1
    assert house.bring(REGISTER) == Outcome()


def test_what_is_not_named_stays() -> None:
    house = House()
    house.bring(REGISTER)
    assert house.bring("people: {sven-dahl: {name: Sven Dahl, email: sven.dahl@forsby.example, party: C}}") == Outcome()
    assert house.bring("bodies: {au: {members: [{person: olof-berg, role: chair}]}}") == Outcome()
    assert kinds(house.bring("bodies: {au: {members: []}}").changes) == ["membership-ended"]
    assert house.term("Olof Berg", "au")[2] == date(2022, 11, 27)


def test_a_table_finds_people_by_address_and_bodies_by_name() -> None:
    house = House()
    house.bring(REGISTER)
    table = "name,email,party,municipality,body,role,from\nOlof Berg,OLOF.BERG@bjorka.example,S,Björka,au,chair,\n"
    outcome = house.bring(table, table=True)
    assert kinds(outcome.changes) == ["person-changed"]  # the address is written otherwise
    fresh = House()
    fresh.bring(TABLE, table=True)
    assert {one.key for one in fresh.people.values()} == {"olof-berg", "ida-strand", "bo-ek"}
    assert {one.key for one in fresh.bodies.values()} == {"styrelsen", "arbetsutskottet"}


@pytest.mark.parametrize(
    ("line", "known"),
    [
        ("Olof Berg;olof@ny.example;Styrelsen;ordförande", "olof-berg"),
        ("olof berg;olof@ny.example;AU;ordförande", "olof-berg"),
        ("Ida Strand;ida@ny.example;styrelsen;ersättare", "ida-strand"),  # she has no address
        ("Olof Berg;olof@ny.example;;", "olof-berg"),
    ],
)
def test_who_has_another_address_now_is_not_made_a_second_person_unasked(line: str, known: str) -> None:
    house = House()
    house.bring(REGISTER)
    [told] = house.wrong(f"Namn;E-post;Organ;Roll\n{line}\n", table=True)
    assert told.startswith("line 2: email: ")
    assert f"({known}), who has another address, or none (write {known} in the column key" in told
    if ";;" in line:
        return
    with_key = house.bring(f"Namn;E-post;Organ;Roll;Nyckel\n{line};{known}\n", table=True)
    assert "person-changed" in kinds(with_key.changes)
    assert "person-registered" not in kinds(with_key.changes)


def test_a_namesake_elsewhere_or_with_a_key_is_somebody_else() -> None:
    house = House()
    house.bring(REGISTER)
    elsewhere = house.bring(
        "Namn;E-post;Organ;Typ;Roll\nSven Dahl;sven@ny.example;Nätverket;nätverk;ledamot\n", table=True
    )
    assert "person-registered" in kinds(elsewhere.changes)
    text = (
        "Namn;E-post;Organ;Roll;Nyckel\n"
        "Olof Berg;olof@ny.example;AU;ledamot;olof-b\nOlof Berg;olof.berg@bjorka.example;AU;ordförande;\n"
    )
    assert "person-registered" in kinds(house.bring(text, table=True).changes)


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (("maja.lind@norrdalen.example", "maja"), "people, maja-lind: email: 'maja' is no e-mail address"),
        (("kind: styrelse", "kind: klubb"), "bodies, styrelsen: kind: 'klubb' is unknown"),
        (("kind: styrelse\n", "kind: styrelse\n    colour: red\n"), "bodies, styrelsen: unknown field 'colour'"),
        (("quorum: 2", "quorum: many"), "bodies, styrelsen: quorum: must be a whole number"),
        (("quorum: 2", "quorum: 0"), "bodies, styrelsen: quorum: must be at least 1"),
        (("quorum: 2", "signers: Val"), "bodies, styrelsen: signers: must be a list, one `- …` for each"),
        (
            ("standing_items: [", "standing_items: [{kind: decision}, "),
            "styrelsen: standing_items, number 1, title: is",
        ),
        (("quorum: 2", "public: perhaps"), "bodies, styrelsen: public: must be yes or no"),
        (
            ("person: sven-dahl, role: ledamot", "person: sven-dahl, role: ledamot, basis: {body: Styrelsen, year: x}"),
            "members, number 2: basis, year: must be a whole number",
        ),
        (("role: ordförande, from: 2019-01-01", "role: kung, from: 2019-01-01"), "members, number 1: role: 'kung'"),
        (("2019-01-01", "2019-02-30"), "members, number 1: from: '2019-02-30' is no date"),
        (("to: 2022-12-31", "to: 2018-12-31"), "bodies, styrelsen: ends: is before begins"),
        (("person: sven-dahl, role: ledamot", "role: ledamot"), "members, number 2: person: is missing"),
        (("person: sven-dahl, role: ledamot", "person: bo-ek, role: ledamot"), "there is no person bo-ek"),
        (("sven.dahl@forsby.example", "OLOF.BERG@bjorka.example"), "email: Olof Berg (olof-berg) has this address"),
        (("person: sven-dahl, role: ledamot", "person: sven-dahl, role: ordförande"), "the body has a chair"),
        (("person: sven-dahl, role: ledamot", "person: olof-berg, role: ersättare"), "is chair of the body"),
        (("name: Arbetsutskottet", "name: STYRELSEN"), "bodies, au: name: the body styrelsen is called"),
        (("  maja-lind:", "  Maja Lind:"), "people, Maja Lind: key: 'Maja Lind' is no key"),
    ],
)
def test_what_is_wrong_is_told_with_its_place(change: tuple[str, str], problem: str) -> None:
    text = REGISTER.replace(*change)
    assert text != REGISTER
    assert any(problem in one for one in House().wrong(text)), House().wrong(text)


def test_all_that_is_wrong_is_told_at_once() -> None:
    text = REGISTER.replace("kind: styrelse", "kind: klubb").replace("maja.lind@norrdalen.example", "maja")
    assert len(House().wrong(text)) >= 2


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "must be fields"),
        ("- a", "must be fields"),
        ("peple: {}", "unknown field 'peple'"),
        ("people: []", "people: must be entries"),
        ("people:\n  a: {name: A}\n  b: {name: B}\n  a: {name: C}", "line 4: 'a' is there twice, first in line 2"),
        ("people:\n  ? [a]\n  : {name: A}", "line 2: a key that is no text"),
        ("people:\n\ta: {name: A}", "line 2: begins with a tab"),
        ("people: {a: &x {name: A}}", "anchors"),
        ("people: {", "line"),
    ],
)
def test_what_is_no_register_is_refused(text: str, message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        read_yaml(text, Problems())


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("name;body\nOlof;Styrelsen\n", "line 2: role: is missing"),
        ("name;body;role\nOlof;Styrelsen;ledamot\n", "line 2: kind: is missing, and Styrelsen is new"),
        ("name;role\nOlof;ledamot\n", "line 2: body: is missing"),
        ("name;email\n;a@b.example\n", "line 2: name: is missing"),
        ("name;party\nOlof;S\nOlof;M\n", "line 3: Olof: line 2 says otherwise of them, in party"),
        ("name;email\nOlof;a@b.example\nMaja;A@b.example\n", "line 3: email: line 2 gives this address to Olof, and"),
        ("name;language\nOlof;de\n", "line 2: language: 'de' is unknown"),
    ],
)
def test_what_is_wrong_with_a_line_is_told_with_its_number(text: str, problem: str) -> None:
    assert any(problem in one for one in House().wrong(text, table=True)), House().wrong(text, table=True)


def test_all_that_is_wrong_with_a_line_is_told() -> None:
    text = (
        "name;email;language;party;body;kind;role;order;from;to\n"
        ";a@b@c;de;S\u202e;Styrelsen;klubb;kung;0;igår;2023-02-30\n"
        "Maja Lind;maja@norrdalen.example;;;Styrelsen;styrelse;;;;\n"
    )
    told = House().wrong(text, table=True)
    fields = ("name", "email", "party", "language", "kind", "role", "order", "from", "to")
    assert [one.split(":")[:2] for one in told] == [
        *(["line 2", f" {name}"] for name in fields),
        ["line 3", " role"],
    ]


def test_all_that_is_wrong_with_a_person_or_a_place_in_yaml_is_told() -> None:
    text = REGISTER.replace("email: sven.dahl@forsby.example, party: C", 'email: sven, party: "C\\u202e"')
    text = text.replace("person: sven-dahl, role: ledamot", "person: Sven Dahl, role: kung, from: igår")
    problems = Problems()
    read_yaml(text, problems)
    told = [str(one) for one in problems.found]
    people = [f"people, sven-dahl: {name}: " for name in ("email", "party")]
    places = [f"bodies, styrelsen, members, number 2: {name}: " for name in ("person", "role", "from")]
    assert len(told) == 5
    assert all(one.startswith(start) for one, start in zip(told, [*people, *places], strict=True))


OLOF = ("Olof Berg;olof.berg@bjorka.example;Styrelsen;ordförande;;", "Olof Berg;olof@ny.example;Styrelsen;ledamot;;")
MAJA = ("Maja Lind;;AU;sekreterare;;", "Maja Lind;maja.lind@norrdalen.example;AU;ledamot;;maja-lind")
NEW = ("Eva Ek;eva@ny.example;Rådet;ledamot;nätverk;", "Eva Ek;;Rådet;ledamot;;")
TWO = ("Sven Dahl;sven@ny.example;Nätet;ledamot;nätverk;", "Sven Dahl;;Nätet;ledamot;;")


@pytest.mark.parametrize(
    ("lines", "wrong"),
    [(OLOF, ""), (MAJA, "says otherwise"), (NEW, "says otherwise"), (TWO, "several people are called")],
)
def test_who_is_meant_does_not_depend_on_the_order_of_lines(lines: tuple[str, ...], wrong: str) -> None:
    outcomes = []
    for ordered in itertools.permutations(lines):
        house = House()
        house.bring(REGISTER)
        text = "\n".join(("Namn;E-post;Organ;Roll;Typ;Nyckel", *ordered))
        found = house.wrong(text, table=True)
        assert all(wrong in one for one in found), found
        assert bool(found) is bool(wrong)
        if not found:
            outcomes.append(sorted(kinds(house.bring(text, table=True).changes)))
    assert outcomes == [] or outcomes[0] == outcomes[1]


def test_a_new_bodys_kind_may_stand_in_any_of_its_lines() -> None:
    House().bring("name;body;kind;role\nOlof;Rådet;;ledamot\nMaja;Rådet;nätverk;ledamot\n", table=True)


@pytest.mark.parametrize("text", ["sep=;\nname;party;;\nOlof;S;;\n", "\ufeffname\tparty\r\nOlof \t S\r\n"])
def test_a_table_is_read_as_a_spreadsheet_writes_it(text: str) -> None:
    problems = Problems()
    wanted = read_csv(text, (), (), problems)
    assert [(one.name, one.party) for one in wanted.people.values()] == [("Olof", "S")]
    assert not problems.found


@pytest.mark.parametrize("text", ["", "colour\nred\n", "name;name\na;b\n", 'name\n"a\n', "name\na;b\n", "party\nS\n"])
def test_what_is_no_table_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput):
        read_csv(text, (), (), Problems())


@given(st.text(alphabet=st.sampled_from("abc:{}[]-,\n #&*'\"åÅ12\0\u202e"), max_size=200), st.booleans())
def test_any_text_is_read_or_refused(text: str, table: bool) -> None:
    problems = Problems()
    try:
        wanted = read_csv(text, (), (), problems) if table else read_yaml(text, problems)
    except InvalidInput:
        return
    if not problems.found:
        apply(Known((), (), ()), wanted, now=NOW, new_id=House().ids, problems=problems)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("Namn;Roll\nOlof;ledamot\n", "line 2: body: is missing"),
        ("Namn;Organ\nOlof;Styrelsen\n", "line 2: role: is missing"),
        ("Namn;E-post\n;a@b.example\n", "line 2: Namn: is missing"),
        ("Namn;E-post\nOlof;a@b.example\nMaja;A@b.example\n", "line 3: E-post: line 2 gives this address to Olof"),
        ("Namn;Parti;Kommun\nparty;S;B\nparty;M;C\n", "party: line 2 says otherwise of them, in Parti, Kommun"),
        ("Namn;Organ;Typ;Roll;Från\nOlof;Styrelsen;styrelse;ledamot;igår\n", "line 2: Från: 'igår' is no date"),
        (
            "Namn;Organ;Typ;Roll;Från;Till\nOlof;Styrelsen;styrelse;ledamot;2023-02-01;2022-02-01\n",
            "line 2: Till: is before Från",
        ),
        ("personer: {olof: {namn: Olof, e-post: x}}", "personer, olof: e-post: "),
        ("bodies: {au: {ledamöter: [{person: x, roll: y}]}}", "bodies, au, ledamöter, number 1: roll: 'y' is unknown"),
        ("bodies: {au: {namn: AU}}", "bodies, au: kind: is missing"),
        ("bodies: {au: {namn: 'AU\u202e', typ: klubb}}", "bodies, au: typ: 'klubb' is unknown"),
    ],
)
def test_what_is_wrong_is_told_by_the_names_that_the_file_has(text: str, problem: str) -> None:
    table = ";" in text
    problems = Problems()
    wanted = read_csv(text, (), (), problems) if table else read_yaml(text, problems)
    apply(Known((), (), ()), wanted, now=NOW, new_id=House().ids, problems=problems)
    written = headings_of(text) if table else names_of(text)
    told = [str(problem_as_written(one, written)) for one in problems.found]
    assert any(problem in one for one in told), told


def test_a_whole_file_that_is_refused_is_told_by_its_own_names() -> None:
    for text, message in (("Organ;organ\nA;B\n", "heading Organ"), ("personer: []", "personer: must be entries")):
        table = ";" in text
        with pytest.raises(InvalidInput) as refused:
            read_csv(text, (), (), Problems()) if table else read_yaml(text, Problems())
        told = error_as_written(refused.value, headings_of(text) if table else names_of(text))
        assert message.casefold() in told.message.casefold()


def test_fields_are_known_by_what_they_are_called_in_the_file() -> None:
    assert headings_of("sep=;\nNamn; E-post ;tom;;\n") == {"name": "Namn", "email": "E-post", "to": "tom"}
    assert headings_of('"Namn\n') == {}
    assert headings_of("") == {}
    text = "people: {maja: {namn: Maja, e-post: x}}\nbodies: {au: {ledamöter: [{person: maja, roll: x}]}}"
    assert names_of(text) == {"name": "namn", "email": "e-post", "members": "ledamöter", "role": "roll"}
    assert names_of("{") == {}


@pytest.mark.parametrize(
    ("said", "public", "archive"),
    [
        ("", False, False),
        ("public: yes", True, False),
        ("offentligt: ja", True, False),
        ("offentligt: Nej", False, False),
        ("public_archive: ja", False, True),
        ("offentligt arkiv: Ja", False, True),
    ],
)
def test_a_body_is_public_when_the_file_says_so(said: str, public: bool, archive: bool) -> None:
    problems = Problems()
    read = read_yaml(f"bodies:\n  s:\n    name: Styrelsen\n    kind: board\n    {said}\n", problems)
    assert not problems.found
    details = read.bodies[0].details
    assert details is not None
    assert (details.rules.public, details.rules.public_archive) == (public, archive)


def test_a_register_hides_the_archive_of_a_body_that_is_closed() -> None:
    house = House()
    said = "bodies: {au: {name: Arbetsutskottet, kind: committee, public_archive: %s}}"
    house.bring(said % "yes")
    [closed] = house.bodies.values()
    house.bodies[closed.id] = closed.model_copy(update={"closed": date(2022, 1, 1)})
    assert kinds(house.bring(said % "no").changes) == ["body-changed"]
    assert house.wrong("bodies: {au: {name: Nämnden, kind: committee}}")
