"""Minutes in writing: taken apart and put together without a loss, and nobody's text goes by another's."""

from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from services.meetings.manuscript import manuscript as rules
from services.meetings.manuscript.manuscript import Manuscript, Piece, Source, begun
from services.meetings.minutes.fields import COLUMNS, LINES, as_yaml, in_a_form, of_a_form
from services.meetings.minutes.front_matter import read_front_matter
from services.meetings.minutes.minutes import parse_minutes
from shared.errors import InvalidInput, JusteraError, NotFound, Refused, TooLarge
from tests.unit.meetings.test_from_sitting import FRONT

TEXT = FRONT + "## Ekonomi\n\n### Beslut\n\nAtt godkänna.\n\n##  Övrigt  \n\n- a\n- b\n"


def draft() -> Manuscript:
    return begun(TEXT, Source.TEXT)


def test_a_file_is_taken_apart_by_its_paragraphs() -> None:
    made = draft()
    assert [(one.id, one.heading, one.below) for one in made.pieces] == [
        ("p1", "Ekonomi", "### Beslut\n\nAtt godkänna."),
        ("p2", "Övrigt", "- a\n- b"),
    ]
    assert parse_minutes(made.markdown).sections[1].heading == "Övrigt"
    assert parse_minutes(made.markdown).front == parse_minutes(TEXT).front


@pytest.mark.parametrize("text", ["## A", "", "---\na: b", f"{FRONT}text\n## A"])
def test_what_has_no_fields_or_text_before_a_paragraph_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput):
        begun(text, Source.TEXT)


def test_two_who_write_two_paragraphs_do_not_meet_and_the_second_on_one_is_told() -> None:
    made = draft()
    first = rules.with_text(made, "p1", "Ekonomi", "Ny text.", seen=1)
    both = rules.with_text(first, "p2", "Övrigt", "Annan text.", seen=1)
    assert [one.version for one in both.pieces] == [2, 3]
    with pytest.raises(Refused, match="changed by someone else"):
        rules.with_text(both, "p1", "Ekonomi", "För sent.", seen=1)
    assert rules.with_text(both, "p1", "Ekonomi", "Ny text.", seen=2) is both


@pytest.mark.parametrize(
    ("heading", "below", "said"),
    [
        ("", "a", "line -1: a heading ## must"),
        ("x" * 301, "a", "line -1: a heading ## must"),
        ("A", "a\n\n## B", "line 3: another paragraph"),
        ("A", "a\n#### B", "line 2: only ##"),
        ("A", "- a\n  - b", "line 2: a list, heading"),
        ("A", "a\nb\x1b", "line 2: holds"),
        ("A\x1b", "", "line 0: holds"),
    ],
)
def test_what_cannot_be_read_is_refused_with_the_line_of_the_text(heading: str, below: str, said: str) -> None:
    with pytest.raises(InvalidInput, match=said):
        rules.with_text(draft(), "p1", heading, below, seen=1)


def test_paragraphs_are_added_moved_and_removed_but_never_the_last() -> None:
    made = rules.with_more(draft(), "Val")
    assert [one.id for one in rules.stepped(made, "p3", -5).pieces] == ["p3", "p1", "p2"]
    assert rules.stepped(made, "p3", 1) is made
    one = rules.without(rules.without(made, "p1", seen=1), "p2", seen=1)
    assert rules.with_more(one, "Sist").pieces[-1].id == "p4"
    with pytest.raises(Refused, match="one paragraph"):
        rules.without(one, "p3", seen=2)
    with pytest.raises(NotFound):
        rules.without(made, "p9", seen=1)


def test_minutes_have_an_end() -> None:
    with pytest.raises(TooLarge):
        rules.with_more(draft(), "A", "x" * 1_048_576)
    with pytest.raises(Refused, match="at most 1000 paragraphs"):
        begun(FRONT + "## A\n" * 1001, Source.TEXT)


def test_fields_stand_in_a_form_and_come_back() -> None:
    yaml = as_yaml(
        {
            "title": 'Protokoll: "styrelsen"',
            "body": "A",
            "place": "Granvik",
            "starts": "2022-09-23T13:00",
            "ends": "2022-09-23T15:00",
            "present": [
                {"name": "Olof Berg", "role": "ordförande"},
                {"name": "Eva Ek", "serves_for": "Per Ros", "items": ["1", "3-4"]},
            ],
            "absent": [{"name": "Per Ros", "party": "C"}],
            "secretary": "Sara Falk",
            "adjuster": ["Eva Ek", "Olof Berg"],
        }
    )
    form = in_a_form(yaml)
    assert form["present"] == "Olof Berg; ; ; ordförande\nEva Ek; ; ; ; Per Ros; 1, 3-4"
    assert form["adjuster"] == "Eva Ek, Olof Berg"
    assert read_front_matter(of_a_form(form, "A")) == read_front_matter(yaml)


def test_a_form_that_cannot_be_fields_says_which() -> None:
    form = in_a_form(draft().fields)
    for field, value, said in (
        ("present", "A; b; c; d; e; 1; g", "present, number 1: has more than 6"),
        ("present", "", "present: must be a list|present: is missing"),
        ("present", "A\n; C", "present, number 2: name is missing"),
        ("starts", "i går", "starts: must be a local date"),
        ("ends", "2022-09-22T13:00", "ends: is before starts"),
        ("others", "A; ; ; 7", "others, number 1"),
        ("absent", "A", "absent, number 1: A is present as well"),
    ):
        with pytest.raises(InvalidInput, match=said):
            rules.with_fields(draft(), of_a_form({**form, field: value}, "A"), seen=1)


ODD = st.text(st.sampled_from("aå1;,:#{}[]\"'\\\n \t-§–&*|T"), max_size=30)


@given(st.fixed_dictionaries(dict.fromkeys((*LINES, *COLUMNS), ODD)))
def test_whatever_stands_in_the_form_is_taken_or_refused_and_comes_back(form: dict[str, str]) -> None:
    try:
        made = rules.with_fields(draft(), of_a_form(form, "A"), seen=1)
    except InvalidInput:
        try:
            again = of_a_form(form, "A")
        except InvalidInput:
            return
        assert in_a_form(again).keys() == form.keys()
        return
    assert of_a_form(in_a_form(made.fields), "A") == of_a_form(form, "A")


class Writing(RuleBasedStateMachine):
    """Two at one draft, with what each of them saw last: what was saved since is never written over."""

    @initialize()
    def begin(self) -> None:
        self.now = draft()
        self.seen = [self.now, self.now]

    @rule(who=st.integers(0, 1))
    def look(self, who: int) -> None:
        self.seen[who] = self.now

    @rule(who=st.integers(0, 1), place=st.integers(0, 3), below=st.text("a#- \n|*", max_size=9))
    def write(self, who: int, place: int, below: str) -> None:
        mine = self.seen[who].pieces[place % len(self.seen[who].pieces)]
        there = {one.id: one for one in self.now.pieces}
        changed = mine.id not in there or there[mine.id].version != mine.version
        with suppress(InvalidInput) if not changed else pytest.raises((Refused, NotFound)):
            made = rules.with_text(self.now, mine.id, mine.heading, below, seen=mine.version)
            assert there[mine.id].text == mine.text
            self.now = made

    @rule(who=st.integers(0, 1), place=st.integers(0, 3))
    def remove(self, who: int, place: int) -> None:
        mine = self.seen[who].pieces[place % len(self.seen[who].pieces)]
        there = {one.id: one.text for one in self.now.pieces}
        try:
            self.now = rules.without(self.now, mine.id, seen=mine.version)
        except JusteraError:
            return
        assert there[mine.id] == mine.text

    @rule(place=st.integers(0, 3), steps=st.integers(-2, 2))
    def step(self, place: int, steps: int) -> None:
        self.now = rules.stepped(self.now, self.now.pieces[place % len(self.now.pieces)].id, steps)

    @rule(heading=st.text("aå#*", max_size=5))
    def add(self, heading: str) -> None:
        if len(self.now.pieces) < 6:
            try:
                self.now = rules.with_more(self.now, heading)
            except InvalidInput:
                return

    @invariant()
    def is_minutes(self) -> None:
        now = self.now
        assert len({one.id for one in now.pieces}) == len(now.pieces)
        assert all(one.version <= now.version for one in now.pieces)
        assert len(parse_minutes(now.markdown).sections) == len(now.pieces)
        again = begun(now.markdown, Source.TEXT)
        assert [one.text for one in again.pieces] == [one.text for one in now.pieces]
        assert again.fields == now.fields


def test_a_paragraph_is_told_in_a_list_without_its_marks() -> None:
    piece = Piece(id="p1", version=1, text="## A\n\n### Beslut\n\n- **Ja** till 2.\n\n1\\. Enligt *A*_B, 9-12.")
    assert piece.gist == "Beslut Ja till 2. 1. Enligt *A*_B, 9-12."


TestWriting = Writing.TestCase
TestWriting.settings = settings(max_examples=30, stateful_step_count=25, deadline=None)
