"""What a reader finds on the pages, as poppler reads them."""

import re
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from shared.errors import InvalidInput
from shared.events.base import BlobRef
from shared.rendering.minutes import (
    CURRENT_TEMPLATE,
    Annex,
    Attendee,
    Block,
    BulletList,
    MinutesDocument,
    OrderedList,
    Paragraph,
    Run,
    Stamp,
    Subheading,
    Table,
    Text,
)
from shared.rendering.render import minutes_job, render_final, render_minutes
from shared.rendering.typesetting import AS_IT_IS, typeset
from tests.integration.rendering.sample import CREATED, full_minutes, sample_minutes, sample_report, sample_stamps
from tests.integration.rendering.tools import (
    attachments_of,
    needs_poppler,
    page_texts,
    placed_words,
    plain_attachments,
    poppler,
)


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


def test_the_pages_say_who_was_absent_who_served_and_where_it_changed(tmp_path: Path) -> None:
    pdf = write(tmp_path, "a.pdf", render_minutes(full_minutes(), at=CREATED))
    pages = [" ".join(page).replace("\u00a0", " ") for page in page_texts(pdf)]
    for line in (
        "Diarienummer: KF 2022/14",
        "Eva Alm (C), tjänstgör för Leo Ström, §§ 28–29, 31–32",
        "Frånvarande: Leo Ström (C), Granvik",
        "Övriga närvarande: Karin Ek, ekonom, § 30",
    ):
        assert line in pages[0]
    text = " ".join(pages[1:])
    assert "§ 30 Arbetsordning Deltar inte längre: Eva Alm Beslut" in text
    assert "§ 31 Möten 2023 Deltar från och med denna paragraf: Eva Alm Beslut" in text


@pytest.mark.parametrize("adjuster", ["Sven Dahl", "Eva Alm", "E" * 200, "Ђорђе 李小龙 علي 🎉"])
def test_signatures_only_add_words_and_move_none(tmp_path: Path, adjuster: str) -> None:
    original = placed_words(write(tmp_path, "o.pdf", render_minutes(full_minutes(), at=CREATED)))
    signed = placed_words(write(tmp_path, "f.pdf", final(full_minutes(), sample_stamps(adjuster))))
    assert len(original) > 3
    assert len(signed) == len(original) + 2, "the report has two pages"
    for number, (before, after) in enumerate(zip(original, signed, strict=False)):
        total = f">({len(original)})</word>"  # of pages, which the report adds to
        assert {word for word in before if not word.endswith(total)} < after, "all words are where they were"
        assert number == 0 or len(after - before) <= 4, "only initials and the number of pages are new"


@pytest.mark.parametrize("template", range(1, CURRENT_TEMPLATE))
def test_minutes_of_an_older_template_are_set_as_they_were_signed(tmp_path: Path, template: int) -> None:
    first = sample_minutes().model_copy(update={"template_version": template})
    original = placed_words(write(tmp_path, "o.pdf", render_minutes(first, at=CREATED)))
    signed = placed_words(write(tmp_path, "f.pdf", final(first, sample_stamps())))
    total = f">({len(original)})</word>"  # of pages, which the report adds to
    for before, after in zip(original, signed, strict=False):
        assert {word for word in before if not word.endswith(total)} < after


def test_each_paragraph_begins_a_page_that_is_initialled_by_itself(tmp_path: Path) -> None:
    annex = Annex(
        number=1, title="Bildspel", file_name="b.pdf", content=BlobRef(sha256="0" * 64, size=1), paragraphs=(28,)
    )
    listed = sample_minutes().model_copy(update={"annexes": (annex,)})
    pages = [" ".join(page) for page in page_texts(write(tmp_path, "f.pdf", final(listed, sample_stamps())))]
    heads = ["§ 28 ", "§ 29 ", "§ 30 ", "§ 31 ", "§ 32 ", "Bilagor "]
    name = f"{listed.name} "
    assert [page.removeprefix(name)[: len(head)] for page, head in zip(pages[1:], heads, strict=False)] == heads
    assert all("Justerandes signatur OB SD" in page for page in pages[1 : 1 + len(heads)])


def test_the_first_page_says_underskrifter_as_minutes_do_since_template_4(tmp_path: Path) -> None:
    for template, word in ((3, "Signaturer"), (4, "Underskrifter")):
        minutes = sample_minutes().model_copy(update={"template_version": template})
        pages = page_texts(write(tmp_path, "o.pdf", render_minutes(minutes, at=CREATED)))
        assert word in pages[0]


def test_the_number_of_pages_is_the_files_and_the_report_says_whose_it_is(tmp_path: Path) -> None:
    for name, pdf in (
        ("o.pdf", render_minutes(sample_minutes(), at=CREATED)),
        ("f.pdf", final(sample_minutes(), sample_stamps())),
    ):
        pages = page_texts(write(tmp_path, name, pdf))
        for number, page in enumerate(pages, 1):
            assert f"Sida {number} ({len(pages)})" in " ".join(page)
    for page in pages[-2:]:
        assert "Transaktions-ID: Xk29fQpLr8sTuVwYz1A3bC5dE7gH9jKmNoPqRsTuVwXy Sida" in " ".join(page)
        assert "Protokoll styrelsen Kommunalförbundet Norrdalen 2022-09-23 Slutgiltig" in " ".join(page)


def test_poppler_has_no_complaint(tmp_path: Path) -> None:
    for name, pdf in (
        ("o.pdf", render_minutes(sample_minutes(), at=CREATED)),
        ("f.pdf", final(sample_minutes(), sample_stamps())),
    ):
        path = write(tmp_path, name, pdf)
        for tool in (["pdftotext", str(path), "-"], ["pdfinfo", str(path)], ["pdfsig", str(path)]):
            needs_poppler(tool[0])
            complaints = subprocess.run(tool, capture_output=True, check=False).stderr
            assert complaints == b"", tool


TABLE = Table(
    header=((Run(text="Post"),), (Run(text="Belopp i kronor"),)),
    align=("left", "right"),
    rows=tuple(((Run(text=f"Rad{n}", bold=n == 1),), (Run(text=f"{n}\u00a0000"),)) for n in range(1, 91)),
)


def with_blocks(*blocks: Block) -> MinutesDocument:
    paragraph = Paragraph(number=1, heading="Ärende", blocks=blocks)
    return sample_minutes().model_copy(update={"paragraphs": (paragraph,)})


def test_a_table_has_its_header_on_each_page_and_is_a_table_to_a_reader(tmp_path: Path) -> None:
    pdf = write(tmp_path, "o.pdf", render_minutes(with_blocks(TABLE), at=CREATED))
    pages = [" ".join(page) for page in page_texts(pdf)[1:]]
    assert len(pages) > 1
    assert all("Post Belopp i kronor" in page for page in pages)
    assert " ".join(pages).count("Rad") == 90
    tagged = poppler("pdfinfo", "-struct-text", str(pdf))
    assert tagged.count("TH ") == 2, "the header is repeated to the eye alone"
    assert len(re.findall(r"^ *TD", tagged, flags=re.M)) == 180


LONG = {
    "a word": "Donaudampfschifffahrt" * 20,
    "a link": "https://arkiv.norrdalen.example/handlingar?token=" + "a8f3e2c19b7d4f60" * 20,
    "digits held together": "1\u00a0234" * 60,
    "one letter": "W" * 700,
    "marks": "[" * 700,
    "Arabic": "ع" * 700,
}


@pytest.mark.parametrize("kind", LONG)
def test_no_letter_leaves_the_page(tmp_path: Path, kind: str) -> None:
    word = LONG[kind]
    runs = (Run(text=f"Före {word} efter"),)
    cells = (runs, (Run(text=word[:300], bold=True),), (Run(text="kort"),))
    document = with_blocks(
        Subheading(text=word[:200]),
        Text(runs=runs),
        BulletList(items=(runs,)),
        OrderedList(start=999, items=(runs,)),
        Table(header=cells, align=("left", "right", "center"), rows=(cells, cells)),
    ).model_copy(update={"title": word[:200], "place": word[:200], "present": (Attendee(name=word[:200]),) * 15})
    pdf = write(tmp_path, "f.pdf", final(document, [Stamp(role="chair", name="Olof Berg", at=CREATED)]))
    boxes = re.findall(
        r'<word xMin="([\d.-]+)" yMin="[\d.-]+" xMax="([\d.-]+)"', poppler("pdftotext", "-bbox", str(pdf), "-")
    )
    assert min(float(left) for left, _ in boxes) > 60
    assert max(float(right) for _, right in boxes) < 595 - 60
    text = "".join(poppler("pdftotext", str(pdf), "-").split())
    shown = [char for char in text if char == word[0]]
    assert len(shown) >= 4 * word.count(word[0])


def test_a_paragraph_may_have_many_long_words() -> None:
    runs = (Run(text="styrelseledamöterna " * 4000),)
    document = with_blocks(Text(runs=runs), BulletList(items=(runs[:1],) * 3), *[TABLE] * 20)
    assert typeset(minutes_job(document, at=CREATED), ways=AS_IT_IS).startswith(b"%PDF-")


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
