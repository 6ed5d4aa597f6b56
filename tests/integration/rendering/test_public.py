"""The public rendition as a PDF: poppler and veraPDF judge what is in it."""

from pathlib import Path

from shared.rendering.public import Mask, masking, public_job
from shared.rendering.typesetting import typeset
from tests.integration.rendering.sample import CREATED, full_minutes, sample_stamps
from tests.integration.rendering.tools import assert_conforms, poppler

MASKS = [Mask(kind="name", text="Sven Dahl"), Mask(kind="passage", text="hur kommunernas behov fångas underifrån")]


def test_what_is_masked_is_gone_from_the_file_and_its_text(tmp_path: Path) -> None:
    document = full_minutes()
    confirmed = masking(document, MASKS).pin
    path = tmp_path / "public.pdf"
    path.write_bytes(typeset(public_job(document, sample_stamps(), MASKS, confirmed=confirmed, at=CREATED)))
    assert_conforms(path)
    words = " ".join(poppler("pdftotext", str(path), "-").split())
    assert "[maskerat]" in words
    assert "Olof Berg (26 sep 2022 11:09 GMT+2)" in words
    for gone in ("Sven", "Dahl", "kommunernas behov", "SD"):
        assert gone not in words
    info = poppler("pdfinfo", str(path)) + poppler("pdfinfo", "-struct-text", str(path))
    assert "Dahl" not in info
    assert "kommunernas behov" not in " ".join(info.split())
    # No audit report, no addresses, nothing attached.
    assert "example" not in words
    assert "revideringsrapport" not in words
    assert "0 embedded files" in poppler("pdfdetach", "-list", str(path))
