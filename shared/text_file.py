"""What files of text begin as: octets in some encoding. Pure.

UTF-8 is what we ask for. What spreadsheets and editors write besides says so itself: UTF-16 (`Unicode text` of Excel)
by its first two octets or by the NULs between ASCII, and a table of Windows by what is in it.
"""

import codecs

from shared.errors import InvalidInput

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # begins as UTF-16 does: asked first
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_WORKBOOKS = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1")  # of ZIP and of OLE: .xlsx, .xls, and other archives
_LOOKED_AT = 200  # octets


def is_workbook(data: bytes) -> bool:
    """Of Excel, or another archive: to be saved as a table or as text."""
    return data.startswith(_WORKBOOKS)


def decoded(data: bytes, *, table: bool = False) -> str | None:
    """None for what is no text. `table`: it is one by its name; else what looks like one may be of Windows (CP1252)."""
    try:
        return data.decode(_encoding(data))
    except UnicodeDecodeError:
        text = data.decode("cp1252", "replace")
        is_text = "\ufffd" not in text and "\0" not in text
        return text if is_text and (table or looks_like_a_table(text)) else None


def read_text(data: bytes, name: str, *, table: bool = False) -> str:
    """`name`: of the file, for the message. Raises InvalidInput."""
    if is_workbook(data):
        raise InvalidInput(
            f"{name}: is a workbook of Excel or another archive", hint="save it as CSV, or as text, and give that"
        )
    text = decoded(data, table=table)
    if text is None or "\0" in text:
        raise InvalidInput(f"{name}: is no text, or not UTF-8", hint="save it as text in UTF-8, and give that")
    return text


def looks_like_a_table(text: str) -> bool:
    """A table begins with its headings, YAML with a name and a colon."""
    lines = (line.strip() for line in text.splitlines())
    first = next((line for line in lines if line and not line.startswith("#")), "")
    return any(mark in first for mark in ";,\t") and ":" not in first and first[0] not in "{["


def _encoding(data: bytes) -> str:
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return encoding
    head = data[:_LOOKED_AT]
    even, odd = head[::2].count(0), head[1::2].count(0)
    mostly = len(head) // 3  # of one half of the octets
    if even == 0 and odd > mostly:
        return "utf-16-le"
    return "utf-16-be" if odd == 0 and even > mostly else "utf-8"
