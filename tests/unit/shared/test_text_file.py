"""Files of text, as editors and spreadsheets write them."""

import codecs

import pytest

from shared.errors import InvalidInput
from shared.text_file import decoded, read_text

TABLE = "namn;e-post\nÅsa Ek;asa.ek@bjorka.example\n"
UNICODE_TEXT = TABLE.replace(";", "\t")  # as Excel saves it
PLAN = "plan: förbund\nyear: 2027\n"


@pytest.mark.parametrize(
    "data",
    [
        UNICODE_TEXT.encode("utf-16"),
        codecs.BOM_UTF16_BE + UNICODE_TEXT.encode("utf-16-be"),
        UNICODE_TEXT.encode("utf-16-le"),
        UNICODE_TEXT.encode("utf-16-be"),
        UNICODE_TEXT.encode("utf-32"),
        UNICODE_TEXT.encode("utf-8-sig"),
        UNICODE_TEXT.encode("cp1252"),
    ],
)
def test_a_table_is_read_as_it_was_written(data: bytes) -> None:
    assert decoded(data) == UNICODE_TEXT


def test_yaml_says_itself_in_which_encoding_it_is() -> None:
    for encoding in ("utf-8", "utf-8-sig", "utf-16"):
        assert read_text(PLAN.encode(encoding), "plan.yaml") == PLAN


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (PLAN.encode("cp1252"), "plan.yaml: is no text, or not UTF-8"),
        (codecs.BOM_UTF16_LE + b"\x00\xd8", "is no text"),
        (b"%PDF-1.7\n\x00\xff\x00", "is no text"),
        (b"a\x00\x00b", "is no text"),
        (b"PK\x03\x04...", "is a workbook"),
        (bytes.fromhex("d0cf11e0a1b11ae1") + b"..", "is a workbook"),
    ],
)
def test_what_is_no_text_is_told_so(data: bytes, said: str) -> None:
    with pytest.raises(InvalidInput, match=said) as refused:
        read_text(data, "plan.yaml")
    assert refused.value.hint
