"""What a later version of minutes took away and added."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.meetings.minutes.difference import Difference, Piece, difference, words
from services.meetings.minutes.minutes import number_paragraphs, parse_minutes
from shared.events.base import BlobRef
from shared.rendering.minutes import Annex, MinutesDocument

FRONT = """---
title: Protokoll styrelsen
body: Styrelsen
place: {place}
starts: 2026-09-24T13:00
ends: 2026-09-24T15:00
present:
  - {{name: Olof Berg, role: ordförande}}
  - {{name: Sven Dahl}}
secretary: Maja Lind
adjuster: Sven Dahl
---
"""


def document(text: str, *, place: str = "Granvik", first: int = 28) -> MinutesDocument:
    return number_paragraphs(parse_minutes(FRONT.format(place=place) + text), first)


def compared(before: str, after: str) -> Difference:
    return difference(document(before), document(after), (1, 2))


def shown(pieces: tuple[Piece, ...]) -> str:
    marks = {"same": "{}", "removed": "[-{}-]", "added": "[+{}+]"}
    return "".join(marks[piece.change].format(piece.text) for piece in pieces)


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ("Styrelsen beslutar", "Styrelsen beslutar", "Styrelsen beslutar"),
        ("godkänna rapporten", "godkänna delårsrapporten", "godkänna [-rapporten-][+delårsrapporten+]"),
        ("att betala 40 000 kr", "att betala 45 000 kr", "att betala [-40-][+45+] 000 kr"),
        ("Avslag i dag.", "Avslag i dag, enligt förslaget.", "Avslag i dag[+, enligt förslaget+]."),
        ("ett två tre fyra fem sex", "ett två åtta nio fem sex", "ett två [-tre fyra-][+åtta nio+] fem sex"),
        ("Bordläggs", "Styrelsen godkänner budgeten.", "[-Bordläggs-][+Styrelsen godkänner budgeten.+]"),
    ],
)
def test_words_that_differ_are_told(before: str, after: str, expected: str) -> None:
    assert shown(words(before, after)) == expected


_LINES = st.text(alphabet=string.ascii_lowercase[:4] + " .\n", max_size=40)


@given(_LINES, _LINES)
def test_what_was_and_what_is_can_be_read_out_of_the_pieces(before: str, after: str) -> None:
    pieces = words(before, after)
    assert "".join(piece.text for piece in pieces if piece.change != "added") == before
    assert "".join(piece.text for piece in pieces if piece.change != "removed") == after
    assert all(piece.text for piece in pieces)


def test_a_version_against_itself_differs_in_nothing() -> None:
    found = compared("## Ett\n\nText.\n", "## Ett\n\nText.\n")
    assert not found.front_differs
    assert not found.changed
    assert [line.kind for line in found.paragraphs[0].lines] == ["text"]


def test_a_paragraph_is_followed_by_its_heading_when_one_comes_before_it() -> None:
    found = compared(
        "## Budget\n\nGodkänns.\n\n## Val\n\nSven.\n",
        "## Tillägg\n\nNytt.\n\n## Budget\n\nGodkänns.\n\n## Val\n\nEva.\n",
    )
    told = [(one.number, one.number_before, one.heading, one.change) for one in found.paragraphs]
    assert told == [
        (28, None, "Tillägg", "added"),
        (29, 28, "Budget", "changed"),
        (30, 29, "Val", "changed"),
    ]
    assert shown(found.paragraphs[1].lines[0].pieces) == "Godkänns."
    assert shown(found.paragraphs[2].lines[0].pieces) == "[-Sven-][+Eva+]."


def test_another_heading_under_the_same_number_is_the_same_paragraph() -> None:
    found = compared("## Budget\n\nGodkänns.\n", "## Budgeten 2027\n\nGodkänns.\n")
    [one] = found.changed
    assert (one.number, one.heading_before, one.heading, one.change) == (28, "Budget", "Budgeten 2027", "changed")
    assert one.lines[0].is_same


def test_one_that_is_gone_is_told_with_its_words() -> None:
    found = compared("## Ett\n\nText.\n\n## Två\n\nMer.\n", "## Ett\n\nText.\n")
    [one] = found.changed
    assert (one.number, one.heading, one.change) == (29, "Två", "removed")
    assert shown(one.lines[0].pieces) == "[-Mer.-]"


def test_lists_tables_and_headings_are_compared_line_by_line() -> None:
    before = "## Ett\n\n### Beslut\n\n- a b c d\n- e\n\n| Post | Kronor |\n| --- | --- |\n| Resor | 10 |\n"
    after = "## Ett\n\n### Beslut\n\n- a b c d\n- f\n- g\n\n| Post | Kronor |\n| --- | --- |\n| Resor | 20 |\n"
    told = [(line.kind, shown(line.pieces)) for line in compared(before, after).paragraphs[0].lines]
    assert told == [
        ("heading", "Beslut"),
        ("item", "a b c d"),
        ("item", "[-e-][+f+]"),
        ("item", "[+g+]"),
        ("row", "Post | Kronor"),
        ("row", "Resor | [-10-][+20+]"),
    ]


def test_what_stands_before_the_paragraphs_is_compared() -> None:
    found = difference(document("## Ett\n"), document("## Ett\n", place="Björkå"), (1, 3))
    assert found.front_differs
    assert (found.before, found.after) == (1, 3)
    assert "Plats: [-Granvik-][+Björkå+]" in [shown(line.pieces) for line in found.front]


def test_another_file_of_an_annex_is_a_difference() -> None:
    one = document("## Ett\n")
    files = [BlobRef(sha256=digit * 64, size=7) for digit in "ab"]
    versions = [
        one.model_copy(update={"annexes": (Annex(number=1, title="Plan", file_name="plan.pdf", content=file),)})
        for file in files
    ]
    assert difference(versions[0], versions[1], (1, 2)).front_differs
    assert not difference(versions[0], versions[0], (1, 2)).front_differs


def test_long_lines_are_compared_in_a_moment() -> None:
    line = "ord och mening " * 20_000
    assert [piece.change for piece in words(line, line + "x")] == ["removed", "added"]
