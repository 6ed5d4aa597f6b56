"""The small parts of pages that need no browser."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markupsafe import Markup

from services.notifications.pages.inbox import linked
from shared.text import MAX_NAME, clean_name
from shared.web import RateLimit, TooMany, preferred_language, text_error
from shared.web.look import begun_large


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("", "sv"),
        ("en-GB,en;q=0.9,sv;q=0.8", "en"),
        ("de,sv-SE;q=0.7,en;q=0.6", "sv"),
        ("en;q=0", "sv"),
        ("en;q=nan", "sv"),
        ("*", "sv"),
        ("EN", "en"),
    ],
)
def test_the_language_is_the_best_of_ours_that_the_browser_asks_for(header: str, language: str) -> None:
    assert preferred_language(header, "sv") == language


@given(st.text())
def test_any_header_yields_a_language(header: str) -> None:
    assert preferred_language(header, "sv") in ("sv", "en")


def test_what_begins_large_keeps_the_rest_as_it_was() -> None:
    assert begun_large("friday 4 December") == "Friday 4 December"
    assert begun_large("VD") == "VD"
    assert begun_large("äldste ledamot i AU") == "Äldste ledamot i AU"
    assert begun_large("") == ""
    assert begun_large(Markup("a &lt; b")) == Markup("A &lt; b")
    assert isinstance(begun_large(Markup("a")), Markup)


def test_a_bucket_empties_and_fills_again() -> None:
    now = [0.0]
    limit = RateLimit(burst=2, per_second=0.5, now=lambda: now[0])
    limit.spend("a")
    limit.spend("a")
    with pytest.raises(TooMany):
        limit.spend("a")
    limit.spend("b")
    now[0] = 2.0
    limit.spend("a")
    with pytest.raises(TooMany):
        limit.spend("a")


def test_attempts_that_are_refused_do_not_put_off_the_next_one_that_is_not() -> None:
    now = [0.0]
    limit = RateLimit(burst=1, per_second=0.5, now=lambda: now[0])
    limit.spend("a")
    for _ in range(3):  # at 0.5 s each: less than what the bucket needs to fill
        now[0] += 0.5
        with pytest.raises(TooMany):
            limit.spend("a")
    now[0] += 0.5
    limit.spend("a")


def test_many_addresses_together_meet_the_backstop_which_one_alone_cannot_empty() -> None:
    now = [0.0]
    limit = RateLimit(
        burst=2, per_second=0.1, now=lambda: now[0], backstop=RateLimit(burst=4, per_second=0.1, now=lambda: now[0])
    )
    for _ in range(2):
        limit.spend("a")
    for _ in range(10):
        with pytest.raises(TooMany):
            limit.spend("a")
    for _ in range(2):
        limit.spend("b")
    with pytest.raises(TooMany):
        limit.spend("c")


def test_whom_the_backstop_refuses_is_charged_nothing() -> None:
    now = [0.0]
    backstop = RateLimit(burst=1, per_second=1, now=lambda: now[0])
    limit = RateLimit(burst=2, per_second=0, now=lambda: now[0], backstop=backstop)
    limit.spend("a")
    for _ in range(3):
        with pytest.raises(TooMany):
            limit.spend("b")
    for _ in range(2):
        now[0] += 1
        limit.spend("b")
    now[0] += 1
    with pytest.raises(TooMany):
        limit.spend("b")


def test_buckets_do_not_grow_without_end() -> None:
    limit = RateLimit(burst=1, per_second=0.1)
    for n in range(10_100):
        limit.spend(str(n))
    assert len(limit._buckets) == 10_000


@pytest.mark.parametrize(
    ("text", "error"),
    [("Maja Lind", None), ("", "empty"), ("  \t", "empty"), ("x" * 201, "too_long"), ("a\u202eb", "characters")],
)
def test_what_is_wrong_with_a_name_is_told_apart(text: str, error: str | None) -> None:
    assert text_error(clean_name, text, longest=MAX_NAME) == error


def test_addresses_in_a_mail_can_be_clicked() -> None:
    pieces = linked("Läs (https://a.example/x). Sedan http://b.example/y?z=1, eller inte.")
    assert [piece for piece, is_link in pieces if is_link] == ["https://a.example/x", "http://b.example/y?z=1"]


@given(st.text())
def test_a_mails_text_is_kept_whole(text: str) -> None:
    assert "".join(piece for piece, _ in linked(text)) == text
