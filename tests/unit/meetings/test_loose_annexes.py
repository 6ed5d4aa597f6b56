"""What a draft and its annexes do not say of each other."""

from services.meetings.annex.annex import MeetingFile
from services.meetings.minutes.loose_annexes import left_out, loose_in
from services.meetings.minutes.minutes import parse_minutes
from shared.events.base import BlobRef
from tests.unit.meetings.test_minutes import FRONT

BLOB = BlobRef(sha256="0" * 64, size=1, media_type="application/pdf")
ANNEX = "annexes: [{title: Delårsrapport, file: delar.pdf}]\n---\n"
WITH_ANNEX = FRONT.rstrip().removesuffix("---") + ANNEX
TEXT = """## Ekonomi

Se bilaga 1 och Bilaga 2, sidan 3.

| Vad | Var |
| --- | --- |
| Budget | (bilaga 7) |

### Bilaga
- Delårsrapport

## Resor

Bilagan är muntlig; se annex 12, annex 12.
"""


def test_an_annex_that_is_only_written_is_told_with_its_paragraph() -> None:
    found = loose_in(parse_minutes(WITH_ANNEX + TEXT))
    assert [(one.label, one.place, one.heading) for one in found] == [
        ("Bilaga 2", 0, "Ekonomi"),
        ("bilaga 7", 0, "Ekonomi"),
        ("annex 12", 1, "Resor"),
    ]
    assert loose_in(parse_minutes(WITH_ANNEX + "## Ekonomi\n\nBilaga 1.\n\n### Bilaga\n- Bilaga 1\n")) == ()


def test_a_file_that_was_handed_in_and_is_no_annex_is_told() -> None:
    draft = parse_minutes(WITH_ANNEX + TEXT)
    files = [MeetingFile("f1", "Delar.pdf", BLOB), MeetingFile("f2", "karta.pdf", BLOB)]
    agenda = MeetingFile("f3", "underlag.pdf", BLOB, origin="agenda")
    assert left_out(draft, [*files, agenda]) == ("karta.pdf",)
