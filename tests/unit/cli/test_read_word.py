"""`justera read-word`: Markdown on the one hand, what is not in it on the other; nothing is written over."""

from pathlib import Path

from tests.unit.cli.conftest import Justera
from tests.unit.meetings.test_word import FRONT
from tests.unit.meetings.word_documents import document, external, text


def test_a_document_is_printed_as_minutes(justera: Justera, tmp_path: Path) -> None:
    file = tmp_path / "protokoll.docx"
    file.write_bytes(document(*FRONT, text("§ 28 Delårsrapport"), text("Rapporten godkänns.")))
    printed = justera("read-word", str(file))
    assert printed.status == 0
    assert printed.out.startswith("---\ntitle: ")
    assert 'starts: "…"' in printed.out
    assert "## Delårsrapport\n\nRapporten godkänns." in printed.out
    assert printed.err == "not kept: before the first paragraph: Kallade: alla\n"
    made = tmp_path / "minutes.md"
    assert justera("read-word", str(file), "--out", str(made)).out == ""
    assert made.read_text(encoding="utf-8") == printed.out


def test_what_cannot_be_read_is_one_line_and_a_file_that_is_there_stays(justera: Justera, tmp_path: Path) -> None:
    file = tmp_path / "protokoll.docx"
    file.write_bytes(external("attachedTemplate"))
    refused = justera("read-word", str(file))
    assert (refused.status, refused.out) == (1, "")
    assert refused.err.startswith("error: the Word document loads a template from elsewhere")
    assert justera("read-word", str(tmp_path / "none.docx")).status == 1
    file.write_bytes(document(text("§ 1 A")))
    there = tmp_path / "there.md"
    there.write_text("mine", encoding="utf-8")
    assert justera("read-word", str(file), "--out", str(there)).status == 1
    assert there.read_text(encoding="utf-8") == "mine"
