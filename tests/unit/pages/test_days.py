"""Days and sizes stand on pages as people read them, by the filters of the common look."""

import re
from datetime import UTC, date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from shared import readable
from shared.settings import Settings
from shared.web import Look
from shared.web.catalogue import Language
from shared.web.look import Say

ROOT = Path(__file__).parents[3]
TEMPLATES = [*(ROOT / "services").rglob("templates/**/*.html"), *(ROOT / "shared").rglob("templates/web/*.html")]
# What would print a day as programs write it, or a size in a unit without its language.
_PRINTED = re.compile(
    r"\{\{[^}]*(\.date\(\)(?! ==)|\.isoformat|%Y|%m|size_of)[^}]*\}\}|\.date\(\) ~|~ [a-z_.]+\.date\(\)"
)


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: path.name)
def test_no_template_prints_a_day_as_programs_write_it(template: Path) -> None:
    found = [line for line in template.read_text(encoding="utf-8").splitlines() if _PRINTED.search(line)]
    assert [line for line in found if "details.starts.date() == today" not in line] == []


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("sv", "25 november 2022; fredag 25 november 2022; 1 maj 2023; 26,2\N{NO-BREAK SPACE}MB"),
        ("en", "25 November 2022; Friday 25 November 2022; 1 May 2023; 26.2\N{NO-BREAK SPACE}MB"),
    ],
)
def test_the_filters_speak_the_readers_language_also_in_macros(language: Language, said: str) -> None:
    look = Look("services.meetings.pages", Settings())
    text = "{% macro one(t, day) %}{{ day|day(t) }}{% endmacro %}"
    text += "{{ one(t, at) }}; {{ at|weekday(t) }}; {{ written|day(t) }}; {{ octets|size(t) }}"
    facts = {"at": datetime(2022, 11, 25, 13), "written": date(2023, 5, 1).isoformat(), "octets": 26_214_400}
    template = look._environment.from_string(text)
    assert template.render(t=Say(look.texts, language), **facts) == said


def test_when_something_happened_is_said_in_words_and_in_the_zone_of_the_place() -> None:
    moment = datetime(2022, 9, 26, 8, 40, tzinfo=UTC).astimezone(ZoneInfo("Europe/Stockholm"))
    assert [readable.at(moment, language) for language in ("sv", "en")] == [
        "26 september 2022 kl. 10:40",
        "26 September 2022 10:40",
    ]
