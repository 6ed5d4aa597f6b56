"""The annexes of minutes in words, the same on the pages and in HTML; and as files inside the PDF. Pure.

A stranger's pages cannot be among ours: a file that holds them is neither PDF/A nor PDF/UA. PDF/A-3 takes any file as
an associated one, whole and unchanged, so that its SHA-256 is still the one that the minutes list.
"""

import re
from collections.abc import Mapping
from typing import Any

from shared.rendering.minutes import Annex, Language, MinutesDocument
from shared.rendering.typesetting import Attachment

_WORDS: dict[Language, dict[str, str]] = {
    "sv": {
        "heading": "Bilagor",
        "label": "Bilaga {}",
        "bound": "Filen {} ligger i protokollets PDF.",
        "listed": "Filen {} förvaras hos organisationen och ligger inte i protokollets PDF.",
        "decimal": ",",
        "stem": "bilaga",
    },
    "en": {
        "heading": "Annexes",
        "label": "Annex {}",
        "bound": "The file {} lies in the PDF of the minutes.",
        "listed": "The file {} is kept by the organisation and does not lie in the PDF of the minutes.",
        "decimal": ".",
        "stem": "annex",
    },
}
_ENDING = re.compile(r"\.([A-Za-z0-9]{1,8})$")


def annex_label(number: int, language: Language) -> str:
    """`Bilaga 1`."""
    return _WORDS[language]["label"].format(number)


def annexes_of(document: MinutesDocument) -> tuple[dict[str, str], ...]:
    """What is said of each, as lines: `title`, `where` it is, and its `hash`."""
    return tuple(_said(one, document.language) for one in document.annexes)


def annexes_heading(language: Language) -> str:
    return _WORDS[language]["heading"]


def bound_files(document: MinutesDocument, contents: Mapping[int, bytes]) -> tuple[Attachment, ...]:
    """Those that lie in the PDF, by plain names of ours. `contents`: by number."""
    return tuple(
        Attachment(
            bound_name(one, document.language),
            contents[one.number],
            one.content.media_type,
            f"{annex_label(one.number, document.language)}: {one.title}",
            "supplement",
        )
        for one in document.annexes
        if one.bound
    )


def bound_name(annex: Annex, language: Language) -> str:
    """`bilaga-1.pdf`: a person's name for the file could be that of another file in the PDF, or no name elsewhere."""
    ending = _ENDING.search(annex.file_name)
    return f"{_WORDS[language]['stem']}-{annex.number}{ending[0].lower() if ending else ''}"


def _said(annex: Annex, language: Language) -> dict[str, Any]:
    words = _WORDS[language]
    numbers = ", ".join(f"§\N{NO-BREAK SPACE}{number}" for number in annex.paragraphs)
    size = _readable(annex.content.size, words["decimal"])
    file = f"{annex.file_name} ({size})"
    return {
        "title": f"{annex_label(annex.number, language)}: {annex.title}" + (f", {numbers}" if numbers else ""),
        "where": words["bound" if annex.bound else "listed"].format(file),
        "hash": f"SHA-256: {annex.content.sha256}",
    }


def _readable(size: int, decimal: str) -> str:
    """`174 kB`, `1,2 MB`: decimal units, as browsers show downloads."""
    if size < 1_000_000:
        return f"{max(1, round(size / 1000))}\N{NO-BREAK SPACE}kB"
    return f"{size / 1_000_000:.1f}\N{NO-BREAK SPACE}MB".replace(".", decimal)
