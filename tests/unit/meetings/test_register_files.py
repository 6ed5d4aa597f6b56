"""A register's file, YAML or a table, read: what it may be, and what is wrong with it, told where it stands."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.meetings.register.changes import Known, apply
from services.meetings.register.csv_file import headings_of, read_csv
from services.meetings.register.register import Problems
from services.meetings.register.written import error_as_written, problem_as_written
from services.meetings.register.yaml_file import names_of, read_yaml
from shared.errors import InvalidInput
from tests.unit.meetings.registers import NOW, REGISTER, House, kinds


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


def test_all_that_is_wrong_with_a_bodys_rules_in_yaml_is_told_beside_its_places() -> None:
    text = """
bodies:
  styrelsen:
    name: "Styr\\u202e"
    kind: klubb
    quorum: 0
    notice_days: många
    timezone: Europa/Norrdalen
    members:
      - {person: sven-dahl, role: kung}
  radet: {quorum: 0, timezone: Europa/Norrdalen}
"""
    problems = Problems()
    read = read_yaml(text, problems)
    told = [str(one) for one in problems.found]
    board = [f"bodies, styrelsen: {name}: " for name in ("kind", "quorum", "notice_days", "name")]
    council = [f"bodies, radet: {name}: " for name in ("name", "kind", "quorum")]
    starts = [*board, "bodies, styrelsen, members, number 1: role: ", *council]
    assert all(one.startswith(start) for one, start in zip(told, starts, strict=True)), told
    assert read.bodies == ()


def test_all_that_is_wrong_with_what_rules_say_is_told() -> None:
    text = "bodies: {styrelsen: {name: Styrelsen, kind: styrelse, timezone: Norrdalen, join_link: ftp, signers: ['']}}"
    problems = Problems()
    read_yaml(text, problems)
    fields = [str(one).split(": ")[1] for one in problems.found]
    assert len(fields) == 3
    assert {"timezone", "join_link"} < set(fields)


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
