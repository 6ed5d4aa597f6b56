"""The one rule of text."""

import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from shared.plain_text import lines_of, one_line, unfit


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("Na\u0308mnd\u00a0en\u2009två\u202ftre\tfyra\u3000", "Nämnd en två tre fyra"),
        ("ett\r\ntvå\u2028tre\u2029fyra\x0bfem\x85sex\x0c", "ett två tre fyra fem sex"),
        ("\ufeffför\u00adbund\u200bs\u2060möte\u200d\ufe0f\U000e0041", "förbundsmöte"),
        ("a\u200b\u030a", "å"),
        ("\u200eרות\u200f", "רות"),
        ("i\u2011ett ﬁnt – ”citat” § 28", "i\u2011ett ﬁnt – ”citat” § 28"),
    ],
)
def test_one_line_has_one_form(typed: str, kept: str) -> None:
    assert one_line(typed) == kept
    assert unfit(kept) is None


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("##\u00a0Ekonomi", "## Ekonomi"),
        ("\u00a0##\u00a0 Ekonomi\u00a0", " ##  Ekonomi"),
        ("-\u00a0punkt", "- punkt"),
        ("12.\u202fpunkt", "12. punkt"),
        ("1\u00a0234\u202f567 kr", "1\u00a0234\u00a0567 kr"),
        ("10\u2009000 \u00a0 kr", "10 000 kr"),
        ("\u00a0", " "),
        ("två\u00a0\u00a0", "två"),
        ("-\tpunkt", "-\tpunkt"),
        ("radbrytning  ", "radbrytning  "),
    ],
)
def test_a_no_break_space_stays_only_between_two_words(typed: str, kept: str) -> None:
    assert lines_of(typed) == [kept]


def test_every_line_end_is_one() -> None:
    assert lines_of("\ufeffa\r\nb\rc\u2028d\u2029e\x0bf\x85g\x0ch\n") == [*"abcdefgh", ""]


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("a\x07", "U+0007, a control character"),
        ("a\ud800", "U+D800, a control character"),
        ("a\u202eb", "U+202E, which turns the direction of text"),
        ("a\u2066b", "U+2066, which turns the direction of text"),
        ("fr\ufffdga", "U+FFFD, which stands for something that was lost"),
        ("\ufffc", "U+FFFC, which stands for something that was lost"),
        ("\ue000", "U+E000, which our documents cannot show"),
        ("\U0001f9ff", "U+1F9FF, which our documents cannot show"),
        ("\u0378", "U+0378, which our documents cannot show"),
        (" \u0301", None),
        ("\u0301", "U+0301, a mark that stands on no letter"),
        ("李\u20dd", "U+674E U+20DD, which our documents cannot show together"),
        ("Z\u0351\u036b\u0343\u0301\u0302", "a letter with more than 4 marks"),
    ],
)
def test_what_cannot_be_shown_is_refused_by_name(text: str, what: str | None) -> None:
    found = unfit(text)
    assert found is None if what is None else found is not None and found.startswith(what)


def test_a_long_run_of_spaces_takes_no_time() -> None:
    for spaces in (" " * 300_000, "\t" * 300_000, " \xa0" * 150_000, "\u2003" * 300_000):
        assert lines_of(f"a{spaces}b")
        assert one_line(f"a{spaces}b") == "a b"


@given(st.text())
@example("a\u200b\u030a")
@example("\u2028 \u0301")
def test_the_form_is_final(typed: str) -> None:
    line = one_line(typed)
    assert one_line(line) == line == unicodedata.normalize("NFC", line)
    assert len(line.splitlines()) <= 1 or unfit(line) is not None
    lines = lines_of(typed)
    assert lines_of("\n".join(lines)) == lines
