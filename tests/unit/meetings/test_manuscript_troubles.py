"""What keeps a draft from being minutes has words in the reader's language, at its field."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from services.meetings.minutes.minutes import parse_minutes
from services.meetings.minutes.numbering import first_number, first_of_meeting
from services.meetings.minutes.revision import Version, kept_numbers, next_version
from services.meetings.pages.manuscript_forward import _WHYS
from services.meetings.pages.manuscript_troubles import Trouble, of_fields, of_text
from shared.errors import InvalidInput, Refused
from shared.web import Catalogue
from shared.web.catalogue import LANGUAGES
from tests.unit.meetings.test_from_sitting import FRONT as WITH_LINES

FRONT = WITH_LINES.strip().strip("-").strip()
_CATALOGUE = Catalogue("shared.web", "services.meetings.pages")
_TEXTS = _CATALOGUE.keys("sv")
_ANNEX = "annexes: [{title: Budget, file: budget.pdf}]"


def refused(fields: str, text: str = "## Val\n\nMaja.\n") -> InvalidInput:
    with pytest.raises(InvalidInput) as error:
        parse_minutes(f"---\n{fields}\n---\n\n{text}")
    return error.value


@pytest.mark.parametrize(
    ("fields", "trouble"),
    [
        ("title: A\nbody: B", Trouble("line", "place")),
        (f"{FRONT}\n{_ANNEX}", Trouble("annex_unnamed", number=1)),
        (f"{FRONT}\nabsent: [{{party: C}}]", Trouble("name", "absent", 1)),
        (f"{FRONT}\ncolour: red", Trouble("fields")),
    ],
)
def test_of_the_fields(fields: str, trouble: Trouble) -> None:
    assert of_fields(refused(fields)) == trouble
    assert f"error.manuscript.{trouble.key}" in _TEXTS


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("## Val\n\n#### För djup\n", "level"),
        ("## Val\n\n### Bilaga\n\n- Bilaga 7\n", "annex_number"),
    ],
)
def test_of_a_paragraph(text: str, key: str) -> None:
    _, trouble = of_text(refused(f"{FRONT}\n{_ANNEX}", text))
    assert trouble.key == key
    assert f"error.manuscript.{key}" in _TEXTS


BEFORE = Version(number=1, agreement_id="a", year=2026, first=28, last=30, ended="cancelled")


@pytest.mark.parametrize(
    ("refuse", "said"),
    [
        (lambda: first_number(37, 36), "§ 36 är redan tagen: organets nästa paragraf är § 37."),
        (lambda: first_number(37, 38), "§ 38 skulle lämna en lucka: organets nästa paragraf är § 37."),
        (lambda: first_of_meeting(3), "börjar om på § 1 vid varje möte, men uppgifterna säger § 3"),
        (lambda: next_version(replace(BEFORE, ended=None)), "Mötet har redan ett framlagt protokoll."),
        (lambda: kept(year=2027), "har § 28–30 år 2026, men den här är daterad 2027"),
        (lambda: kept(wanted=5), "börjar på § 28, men uppgifterna säger § 5"),
        (lambda: kept(count=4), "har 4 paragrafer och måste ha lika många"),
    ],
)
def test_each_refusal_of_numbers_says_what_is_wrong_and_what_to_do(refuse: Callable[[], object], said: str) -> None:
    with pytest.raises(Refused) as error:
        refuse()
    says = error.value.says
    assert says is not None
    assert says.key in _WHYS
    for language in LANGUAGES:
        text = _CATALOGUE.text(language, f"forward.why.{says.key}", **says.values)
        assert "{" not in text
        assert language != "sv" or said in text


def kept(*, year: int = 2026, wanted: int | None = None, count: int = 3) -> int:
    return kept_numbers(BEFORE, year=year, wanted=wanted, count=count, next_in_year=40)
