"""veraPDF, an implementation that is not ours, says what our PDFs are."""

from pathlib import Path

import pytest

from shared.rendering.minutes import Attendee, BulletList, Language, Letterhead, Logo, LogoType, Paragraph, Run, Text
from shared.rendering.render import render_final, render_minutes
from tests.integration.rendering.sample import CREATED, full_minutes, sample_minutes, sample_report, sample_stamps
from tests.integration.rendering.test_pages import TABLE
from tests.integration.rendering.tools import assert_conforms, page_texts, plain_attachments
from tests.unit.meetings.test_letterhead import GRADIENT, png, svg

ODD = "👩‍👩‍👧 \ue000 हिन्दी العربية 李小龙"


@pytest.mark.parametrize("language", ["sv", "en"])
def test_the_original_conforms(tmp_path: Path, language: Language) -> None:
    path = tmp_path / "original.pdf"
    path.write_bytes(render_minutes(full_minutes(language), at=CREATED))
    assert_conforms(path)


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
