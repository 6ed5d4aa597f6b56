"""The catalogues: both languages say the same things, and every text that a template asks for is there."""

import re
from importlib.resources import files
from string import Formatter

import pytest

from shared.web import Catalogue
from shared.web.catalogue import LANGUAGES

PACKAGES = (
    "services.meetings.pages",
    "services.signing.pages",
    "services.archive.pages",
    "services.notifications.pages",
    "services.embedded.pages",
)
_ASKED = re.compile(r"""\bt\(["']([a-z0-9_.-]+)["']\s*(~)?""")


def _values(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name is not None}


@pytest.mark.parametrize("package", PACKAGES)
def test_both_languages_have_the_same_texts_with_the_same_values(package: str) -> None:
    texts = Catalogue("shared.web", package)
    swedish, english = texts.keys("sv"), texts.keys("en")
    assert swedish.keys() == english.keys()
    assert {key: _values(text) for key, text in swedish.items()} == {k: _values(t) for k, t in english.items()}


@pytest.mark.parametrize("package", ["shared.web", *PACKAGES])
def test_no_text_ends_where_yaml_sees_a_comment(package: str) -> None:
    """Of text without quotes, YAML leaves out what follows a `#` behind a space."""
    read = sorted((files(package) / "texts").glob("*.yaml"))  # type: ignore[attr-defined]
    lines = [(path.name, line) for path in read for line in path.read_text(encoding="utf-8").splitlines()]
    cut = re.compile(r"""\s*[\w.-]+: (?!["'|>]).* #""")
    assert len(lines) > 10
    assert [(name, line) for name, line in lines if cut.match(line)] == []


@pytest.mark.parametrize("package", PACKAGES)
def test_every_text_that_a_template_asks_for_exists(package: str) -> None:
    known = Catalogue("shared.web", package).keys("sv")
    for folder in (files(package) / "templates", files("shared.web") / "templates"):
        for template in folder.rglob("*.html"):  # type: ignore[attr-defined]
            for key, continued in _ASKED.findall(template.read_text(encoding="utf-8")):
                found = any(one.startswith(key) for one in known) if continued else key in known
                assert found, f"{template.name}: {key}"


@pytest.mark.parametrize("package", PACKAGES)
def test_no_text_is_left_over(package: str) -> None:
    own = set(Catalogue("shared.web", package).keys("sv")) - set(Catalogue("shared.web").keys("sv"))
    folder = files(package)
    sources = "".join(
        path.read_text(encoding="utf-8")
        for path in folder.rglob("*")  # type: ignore[attr-defined]
        if path.suffix in {".html", ".py"}
    ).replace("'", '"')
    own = {key.removesuffix("_one") if key.removesuffix("_one") in own else key for key in own}
    unused = {key for key in own if f'"{key}"' not in sources and not _by_part(key, sources)}
    assert not unused


def _by_part(key: str, sources: str) -> bool:
    """Asked for by its beginning, with the rest made up: `t("status." ~ status)`; problems by their slug."""
    parts = key.split(".")
    beginnings = (".".join(parts[:n]) + "." for n in range(1, len(parts)))
    return parts[0] == "problem" or any(f'"{beginning}"' in sources for beginning in beginnings)


def test_of_one_it_is_not_said_as_of_many() -> None:
    texts = Catalogue("services.meetings.pages")
    said = [texts.text(language, "body.days_of", number=number) for language in LANGUAGES for number in (1, 2)]
    assert said == ["En dag", "2 dagar", "One day", "2 days"]
    assert texts.text("en", "decisions.found", number=1) == "One paragraph."
    many = re.compile(r"\{number\} (dagar|minuter|paragrafer|days|minutes|paragraphs)\b")
    for language in LANGUAGES:
        keys = texts.keys(language)
        assert [key for key, text in keys.items() if many.search(text) and f"{key}_one" not in keys] == []
