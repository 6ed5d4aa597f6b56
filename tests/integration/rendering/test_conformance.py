"""veraPDF, an implementation that is not ours, says what our PDFs are."""

import hashlib
from pathlib import Path

import pytest

from shared.events.base import BlobRef
from shared.rendering.annexes import bound_files
from shared.rendering.minutes import (
    Annex,
    Attendee,
    BulletList,
    Language,
    Letterhead,
    Logo,
    LogoType,
    Paragraph,
    Run,
    Text,
)
from shared.rendering.render import render_final, render_minutes
from tests.integration.rendering.sample import CREATED, full_minutes, sample_minutes, sample_report, sample_stamps
from tests.integration.rendering.test_pages import TABLE
from tests.integration.rendering.tools import assert_conforms, attachments_of, page_texts, plain_attachments
from tests.unit.meetings.test_letterhead import GRADIENT, png, svg
from tests.unit.rendering.test_binding import pdf_of

ODD = "👩‍👩‍👧 \ue000 हिन्दी العربية 李小龙"


@pytest.mark.parametrize("language", ["sv", "en"])
def test_the_original_conforms(tmp_path: Path, language: Language) -> None:
    path = tmp_path / "original.pdf"
    path.write_bytes(render_minutes(full_minutes(language), at=CREATED))
    assert_conforms(path)


@pytest.mark.parametrize("language", ["sv", "en"])
def test_annexes_of_any_kind_conform_and_stay_as_they_are(tmp_path: Path, language: Language) -> None:
    """Also one that is no PDF/A itself, and one that is no PDF at all."""
    contents = {1: pdf_of(3), 2: b"PK\x03\x04 a presentation", 3: b""}
    names = ("plan.PDF", "x" * 140 + ".pptx", "utan-ändelse")
    annexes = tuple(
        Annex(
            number=number,
            title="Utvärdering " * (20 if number == 2 else 1),
            file_name=names[number - 1],
            content=BlobRef(sha256=hashlib.sha256(content).hexdigest(), size=len(content)),
            bound=True,
            paragraphs=(28, 30),
        )
        for number, content in contents.items()
    )
    listed = Annex(number=4, title="Löner", file_name="l.pdf", content=annexes[0].content, paragraphs=(31,))
    document = sample_minutes(language).model_copy(update={"annexes": (*annexes, listed)})
    path = tmp_path / "original.pdf"
    path.write_bytes(render_minutes(document, at=CREATED, annexes=contents))
    assert_conforms(path)
    words = " ".join(word for page in page_texts(path) for word in page)
    assert all(one.content.sha256 in words for one in document.annexes)
    stem = {"sv": "bilaga", "en": "annex"}[language]
    expected = {f"{stem}-1.pdf": contents[1], f"{stem}-2.pptx": contents[2], f"{stem}-3": contents[3]}
    assert attachments_of(path, tmp_path / "original") == expected
    path.write_bytes(
        render_final(
            document,
            stamps=sample_stamps(),
            report=sample_report(),
            attachments=(*plain_attachments(), *bound_files(document, contents)),
            at=CREATED,
        )
    )
    assert_conforms(path)
    assert attachments_of(path, tmp_path / "final").items() >= expected.items()


@pytest.mark.parametrize("adjuster", ["Sven Dahl", ODD])
def test_the_final_copy_conforms(tmp_path: Path, adjuster: str) -> None:
    document = sample_minutes().model_copy(update={"present": (Attendee(name=adjuster),)})
    path = tmp_path / "final.pdf"
    path.write_bytes(
        render_final(
            document,
            stamps=sample_stamps(adjuster),
            report=sample_report(),
            attachments=(*plain_attachments(),),
            at=CREATED,
        )
    )
    assert_conforms(path)


def test_tables_and_broken_words_conform(tmp_path: Path) -> None:
    long = (Run(text="Donaudampfschifffahrt" * 20), Run(text=" ع" + "ع" * 200, bold=True))
    paragraph = Paragraph(number=1, heading="Ärende", blocks=(TABLE, Text(runs=long), BulletList(items=(long,))))
    minutes = sample_minutes().model_copy(update={"paragraphs": (paragraph,)})
    path = tmp_path / "final.pdf"
    path.write_bytes(
        render_final(
            minutes,
            stamps=sample_stamps(),
            report=sample_report(),
            attachments=plain_attachments(),
            at=CREATED,
        )
    )
    assert_conforms(path)


@pytest.mark.parametrize("kind", ["png", "svg"])
def test_a_letterhead_conforms(tmp_path: Path, kind: LogoType) -> None:
    content = {"png": png(), "svg": svg(GRADIENT.replace("rect", 'rect width="4" height="4" opacity="0.5"'))}[kind]
    own = Letterhead(colour="#7a1f5f", foot="Storgatan 1 " * 20, logo=Logo(type=kind, content=content, alt="Märke"))
    minutes = full_minutes().model_copy(update={"letterhead": own})
    path = tmp_path / "original.pdf"
    path.write_bytes(render_minutes(minutes, at=CREATED))
    assert_conforms(path)
    assert all("Storgatan" in page for page in page_texts(path))
