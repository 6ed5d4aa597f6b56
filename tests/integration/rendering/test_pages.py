"""What a reader finds on the pages, as poppler reads them."""

import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from shared.errors import InvalidInput
from shared.rendering.minutes import Attendee, MinutesDocument, Paragraph, Run, Stamp, Text
from shared.rendering.render import render_final, render_minutes
from tests.integration.rendering.sample import CREATED, sample_minutes, sample_report, sample_stamps
from tests.integration.rendering.tools import attachments_of, page_texts, placed_words, plain_attachments, poppler


def write(folder: Path, name: str, pdf: bytes) -> Path:
    path = folder / name
    path.write_bytes(pdf)
    return path


def final(document: MinutesDocument, stamps: list[Stamp]) -> bytes:
    return render_final(document, stamps=stamps, report=sample_report(), attachments=plain_attachments(), at=CREATED)


def test_the_same_input_gives_the_same_bytes() -> None:
    assert render_minutes(sample_minutes(), at=CREATED) == render_minutes(sample_minutes(), at=CREATED)
    assert final(sample_minutes(), sample_stamps()) == final(sample_minutes(), sample_stamps())


def test_documents_rendered_at_once_do_not_mix() -> None:
    documents = [sample_minutes().model_copy(update={"title": f"Protokoll {n}"}) for n in range(4)]
    with ThreadPoolExecutor(4) as pool:
        at_once = list(pool.map(lambda document: final(document, sample_stamps()), documents * 2))
    assert at_once == [final(document, sample_stamps()) for document in documents] * 2


def test_the_first_page_names_the_meeting_and_the_places(tmp_path: Path) -> None:
    pdf = write(tmp_path, "a.pdf", render_minutes(sample_minutes(), at=CREATED))
    first = " ".join(page_texts(pdf)[0])
    for line in (
        "Protokoll styrelsen Kommunalförbundet Norrdalen",
        "Plats: Digitalt via Teams",
        "Tid: 2022-09-23 kl. 13.00–15.00",
        "Olof Berg (S), Björkå, ordförande",
        "Utses att justera: Sven Dahl",
        "Paragrafer 28 – 32",
        "Sekreterare: Maja Lind",
        "Ordförande: Olof Berg",
        "Justerande: Sven Dahl",
    ):
        assert line in first
    assert "§ 28 Ledningens information" in " ".join(page_texts(pdf)[1])
    information = poppler("pdfinfo", str(pdf))
    assert "Protokoll styrelsen Kommunalförbundet Norrdalen 2022-09-23" in information
    assert "Mon Sep 26" in information


def test_each_line_is_a_paragraph_to_a_reader_of_the_tagged_text(tmp_path: Path) -> None:
    tagged = poppler("pdfinfo", "-struct-text", str(write(tmp_path, "a.pdf", final(sample_minutes(), sample_stamps()))))
    paragraphs = {"".join(re.findall(r'"(.*)"', part)) for part in re.split(r"^ *\w+ \(block\)", tagged, flags=re.M)}
    assert {"Plats: Digitalt via Teams", "Tid: 2022-09-23 kl. 13.00–15.00", "Sekreterare: Maja Lind"} <= paragraphs
    assert "Maja Lind (26 sep 2022 10:58 GMT+2)" in paragraphs
    assert "Dokumentet har e-signerats av Maja Lind (maja.lind19@norrdalen.example)" in paragraphs


@pytest.mark.parametrize("adjuster", ["Sven Dahl", "Eva Alm", "E" * 200, "Ђорђе 李小龙 علي 🎉"])
def test_signatures_only_add_words_and_move_none(tmp_path: Path, adjuster: str) -> None:
    original = placed_words(write(tmp_path, "o.pdf", render_minutes(sample_minutes(), at=CREATED)))
    signed = placed_words(write(tmp_path, "f.pdf", final(sample_minutes(), sample_stamps(adjuster))))
    assert len(original) > 3
    assert len(signed) == len(original) + 2, "the report has two pages"
    for number, (before, after) in enumerate(zip(original, signed, strict=False)):
        assert before < after, "all words are where they were, and some are new"
        assert number == 0 or len(after - before) <= 3, "only initials are new"


def test_the_stamp_names_who_signed_and_when(tmp_path: Path) -> None:
    signed = page_texts(write(tmp_path, "f.pdf", final(sample_minutes(), sample_stamps("Eva Alm"))))
    first = " ".join(signed[0])
    assert "Maja Lind (26 sep 2022 10:58 GMT+2)" in first
    assert "Olof Berg (26 sep 2022 11:09 GMT+2)" in first
    assert "Justerande: Sven Dahl Eva Alm (27 sep 2022 00:04 GMT+2)" in first


def test_initials_stand_on_every_page_of_the_minutes_but_the_first(tmp_path: Path) -> None:
    pages = page_texts(write(tmp_path, "f.pdf", final(sample_minutes(), sample_stamps())))
    assert [{"OB", "SD"} <= set(page) for page in pages] == [False, *[True] * (len(pages) - 3), False, False]


def test_the_report_reads_line_by_line(tmp_path: Path) -> None:
    pdf = write(tmp_path, "f.pdf", final(sample_minutes(), sample_stamps()))
    text = poppler("pdftotext", str(pdf), "-")
    report = sample_report()
    for line in (report.heading, report.history_heading, *(entry.detail for entry in report.entries)):
        assert f"\n{line}\n" in text.replace("\f", "\n")
    for label, value in report.fields:
        assert f"{label}: {value}\n" in text


def test_attachments_come_out_as_they_went_in(tmp_path: Path) -> None:
    pdf = write(tmp_path, "f.pdf", final(sample_minutes(), sample_stamps()))
    expected = {file.name: file.content for file in plain_attachments()}
    assert attachments_of(pdf, tmp_path / "out") == expected


def test_english_minutes_speak_english(tmp_path: Path) -> None:
    pages = page_texts(write(tmp_path, "f.pdf", final(sample_minutes("en"), sample_stamps())))
    first = " ".join(pages[0])
    for line in (
        "Place: Digitalt",
        "Time: 2022-09-23, 13:00–15:00",
        "Chair: Olof Berg",
        "Page 1 of",
        "(26 Sep 2022 10:58",
    ):
        assert line in first


@pytest.mark.parametrize(
    "typed", ['#panic("x")', '#read("/etc/passwd")', "*a* _b_ $x^2$ = c", "\\u{41} `raw` @ref <l>"]
)
def test_markup_in_minutes_is_text(tmp_path: Path, typed: str) -> None:
    document = sample_minutes().model_copy(
        update={
            "title": typed,
            "place": typed,
            "secretary": typed,
            "paragraphs": (Paragraph(number=1, heading=typed, blocks=(Text(runs=(Run(text=typed, bold=True),)),)),),
        }
    )
    pages = page_texts(write(tmp_path, "o.pdf", render_minutes(document, at=CREATED)))
    expected = typed.split()
    assert pages[0][: len(expected)] == expected
    assert " ".join(["§", "1", *expected, *expected]) in " ".join(pages[1])


@pytest.mark.parametrize(
    "name", ["\ue000\u0378\U0010ffff", "👩‍👩‍👧 🇸🇪 🎉\ufe0f", "a\u0301\u20dd हिन्दी བོད العربية", "\x07\ud800"]
)
def test_no_name_stops_the_minutes(name: str) -> None:
    document = sample_minutes().model_copy(update={"secretary": name, "present": (Attendee(name=name),)})
    assert final(document, [Stamp(role="secretary", name=name, at=CREATED)]).startswith(b"%PDF-")


def test_forty_people_leave_room_for_the_signatures(tmp_path: Path) -> None:
    people = tuple(Attendee(name=f"Namn {n}", party="S", municipality="Forsby") for n in range(40))
    document = sample_minutes().model_copy(update={"present": people})
    assert "Justerande:" in page_texts(write(tmp_path, "o.pdf", render_minutes(document, at=CREATED)))[0]


def test_an_unknown_template_is_refused() -> None:
    with pytest.raises(InvalidInput, match="template_version 99"):
        render_minutes(sample_minutes().model_copy(update={"template_version": 99}), at=CREATED)
