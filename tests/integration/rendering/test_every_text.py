"""Every text that a person can enter, through the rule at the door and into the final copy.

What the rule lets pass is set at the first try, without a replacement; what was taken in before there was a rule is
set all the same.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from services.meetings.minutes.minutes import number_paragraphs, parse_minutes
from shared.errors import InvalidInput
from shared.rendering import typesetting
from shared.rendering.coverage import LOST, printable
from shared.rendering.minutes import (
    CURRENT_TEMPLATE,
    Attendee,
    BulletList,
    Paragraph,
    Run,
    SignaturePlace,
    Stamp,
    Subheading,
    Table,
    Text,
)
from shared.rendering.render import render_final
from shared.rendering.report import ReportEntry
from shared.text import clean_email, clean_line, clean_name, clean_reason
from tests.integration.rendering.sample import CREATED, sample_minutes, sample_report
from tests.integration.rendering.tools import plain_attachments

# Letters of every script that our fonts draw, marks, joiners, spaces, digits, signs: where the shaping is.
_BUSY = st.sampled_from(
    "aÅŽßǅﬁ ӁжΆάὧ"
    "עִשׁבًّلاﷺ٣"
    "李ㄱ가각ｶﾞ"
    "\u0301\u0308\u0323\u20dd\u0651\u05bc"
    "\u1100\u1161\u11a8"
    "🎉🇸👩🏽"
    "\ufeff\u200b\u200d\u200c\xad\u2028\u00a0\u202f\u2009\t\u2800\u3164\ufe0f\u2060"
    "§–”…\u2011€№℅½①*_#-|[]\\`1."
)
ANY_TEXT = st.text(st.characters(), min_size=1, max_size=60) | st.text(_BUSY, min_size=1, max_size=60)
# The same texts at each run: a text that is newly found to fail is an example of its own, not a surprise in CI.
FUZZ = settings(
    max_examples=150, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@pytest.fixture
def only_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """No second try, and nothing replaced at the first."""

    def unchanged(data: Mapping[str, Any]) -> Mapping[str, Any]:
        assert LOST not in str(printable(data))
        return data

    monkeypatch.setattr(typesetting, "_WAYS", (unchanged,))


def everywhere(text: str) -> bytes:
    """`text` in each place of the final copy that a person fills."""
    runs = (
        Run(text=text),
        Run(text=text, bold=True),
        Run(text=text, italic=True),
        Run(text=text, bold=True, italic=True),
    )
    table = Table(header=(runs, runs), align=("left", "right"), rows=((runs, runs),))
    blocks = (Subheading(text=text), Text(runs=runs), BulletList(items=(runs, runs)), table)
    minutes = sample_minutes().model_copy(
        update={
            "title": text,
            "body": text,
            "place": text,
            "present": (Attendee(name=text, party=text, municipality=text, role=text, serves_for=text),),
            "absent": (Attendee(name=text),),
            "others": (Attendee(name=text, role=text, paragraphs=((1, 1),)),),
            "reference": text,
            "adjusters": (text,),
            "places": (SignaturePlace(role="chair", label=text, name=text),),
            "paragraphs": (Paragraph(number=1, heading=text, blocks=blocks),),
        }
    )
    entry = ReportEntry(kind="DocumentSigned", text=f"Dokumentet har e-signerats av {text}", detail=text)
    report = sample_report().model_copy(update={"entries": (entry,), "document_name": text, "fields": (("Av", text),)})
    stamps = [Stamp(role="chair", name=text, at=CREATED)]
    return render_final(minutes, stamps=stamps, report=report, attachments=plain_attachments(), at=CREATED)


_DOORS: Sequence[Callable[[str], str]] = (
    clean_name,
    clean_reason,
    lambda text: clean_line(text, "title"),
    lambda text: clean_email(f"{text}@a.example"),
)


@FUZZ
@given(ANY_TEXT)
@example("Sven Dahl Ž\ufeff")
@example("a\u0301\u0302\u0303\u0323")
def test_what_the_rule_lets_pass_is_set_as_it_is(only_as_it_is: None, typed: str) -> None:
    for clean in _DOORS:
        try:
            text = clean(typed)
        except InvalidInput:
            continue
        assert everywhere(text).startswith(b"%PDF-")


@FUZZ
@given(st.lists(ANY_TEXT, min_size=1, max_size=12))
def test_minutes_that_are_read_are_set_as_they_are(only_as_it_is: None, lines: list[str]) -> None:
    head = "---\ntitle: T\nbody: B\nplace: P\nstarts: 2022-09-23T13:00\nends: 2022-09-23T15:00\n"
    try:
        draft = parse_minutes(
            f"{head}present: [{{name: A}}]\nsecretary: S\nadjuster: J\n---\n## A\n" + "\n".join(lines)
        )
    except InvalidInput:
        return
    document = number_paragraphs(draft, 1)
    stamps = [Stamp(role="secretary", name="S", at=CREATED)]
    pdf = render_final(document, stamps=stamps, report=sample_report(), attachments=plain_attachments(), at=CREATED)
    assert pdf.startswith(b"%PDF-")


@FUZZ
@given(ANY_TEXT)
@example("Sven Dahl Ž\ufeff")
@example("👩‍👩‍👧 🇸🇪 a\u0301\u20dd हिन्दी \x07\ud800\U0010ffff")
def test_whatever_was_taken_in_before_is_set_too(typed: str) -> None:
    assert everywhere(typed).startswith(b"%PDF-")


@pytest.mark.parametrize("template", range(1, CURRENT_TEMPLATE + 1))
@pytest.mark.parametrize("text", ["a" * 40_000, "ع" * 33_000, "[" * 50_000, "a" + "\u0301" * 40_000])
def test_no_run_of_letters_stops_a_document(text: str, template: int) -> None:
    """By the first template the Arabic one panics in typst, which is no exception of Python's."""
    minutes = sample_minutes().model_copy(
        update={
            "paragraphs": (Paragraph(number=1, heading="A", blocks=(Text(runs=(Run(text=text),)),)),),
            "template_version": template,
        }
    )
    pdf = render_final(minutes, stamps=[], report=sample_report(), attachments=plain_attachments(), at=CREATED)
    assert pdf.startswith(b"%PDF-")
