"""Minutes as one HTML file, of the data that their pages are set from: for readers whom a PDF does not serve. Pure."""

import base64
import hashlib
from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from shared.rendering.minutes import Language, MinutesDocument
from shared.rendering.people import changes_of, people_of

_FOLDER = Path(__file__).parent / "pages"
_WORDS: dict[Language, dict[str, str]] = {
    "sv": {
        "reference": "Diarienummer",
        "place": "Plats",
        "time": "Tid",
        "adjusting": "Utses att justera",
        "signatures": "Signaturer",
        "contents": "Paragrafer",
    },
    "en": {
        "reference": "Reference number",
        "place": "Place",
        "time": "Time",
        "adjusting": "Appointed to approve the minutes",
        "signatures": "Signatures",
        "contents": "Paragraphs",
    },
}


def minutes_html(document: MinutesDocument) -> str:
    """No script, nothing that is loaded from elsewhere, and only text of what people wrote."""
    words = _WORDS[document.language]
    facts = {
        "reference": document.reference,
        "place": document.place,
        "time": span_of(document),
        "adjusting": ", ".join(document.adjusters),
    }
    return (
        _pages()
        .get_template("minutes.html")
        .render(
            document=document,
            facts=[(words[key], value) for key, value in facts.items() if value],
            lists=people_of(document),
            changes=changes_of(document),
            words=words,
        )
    )


def content_policy() -> str:
    """The `Content-Security-Policy` of such a file: its own style, and nothing else."""
    digest = base64.b64encode(hashlib.sha256(_style().encode()).digest()).decode()
    return f"default-src 'none'; style-src 'sha256-{digest}'; img-src data:; base-uri 'none'; frame-ancestors 'none'"


def span_of(document: MinutesDocument) -> str:
    """`2022-09-23 kl. 13.00–15.00`, as on the first page."""
    day, hour = ("%Y-%m-%d kl. ", "%H.%M") if document.language == "sv" else ("%Y-%m-%d, ", "%H:%M")
    same_day = document.starts.date() == document.ends.date()
    end = f"{document.ends:{hour}}" if same_day else f" {document.ends:{day}{hour}}"
    return f"{document.starts:{day}{hour}}–{end}"


@cache
def _style() -> str:
    return _pages().get_template("minutes.css").render()


@cache
def _pages() -> Environment:
    return Environment(
        loader=FileSystemLoader(_FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
