"""What keeps a draft from being minutes has words in the reader's language, at its field."""

import pytest

from services.meetings.minutes.minutes import parse_minutes
from services.meetings.pages.manuscript_troubles import Trouble, of_fields, of_text
from shared.errors import InvalidInput
from shared.web import Catalogue
from tests.unit.meetings.test_from_sitting import FRONT as WITH_LINES

FRONT = WITH_LINES.strip().strip("-").strip()
_TEXTS = Catalogue("shared.web", "services.meetings.pages").keys("sv")
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
