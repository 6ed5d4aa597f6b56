"""Minutes as one HTML file, of the data that their pages are set from: for readers whom a PDF does not serve. Pure."""

import base64
import hashlib
from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from shared.rendering.annexes import annexes_heading, annexes_of
from shared.rendering.minutes import Language, Letterhead, Logo, MinutesDocument
from shared.rendering.people import changes_of, people_of

_FOLDER = Path(__file__).parent / "pages"
_WORDS: dict[Language, dict[str, str]] = {
    "sv": {
        "reference": "Diarienummer",
        "place": "Plats",
        "time": "Tid",
        "adjusting": "Utses att justera",
        "signatures": "Underskrifter",
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
    letterhead = document.letterhead or Letterhead()
    return (
        _pages()
        .get_template("minutes.html")
        .render(
            document=document,
            facts=facts_of(document),
            lists=people_of(document),
            changes=changes_of(document),
            annexes=annexes_of(document),
            annexes_heading=annexes_heading(document.language),
            words=_WORDS[document.language],
            letterhead=letterhead,
            logo=_as_address(letterhead.logo) if letterhead.logo else "",
        )
    )


def facts_of(document: MinutesDocument) -> list[tuple[str, str]]:
    """Reference number, place, time and who adjusts, each below its label; what is empty is left out."""
    words = _WORDS[document.language]
    facts = {
        "reference": document.reference,
        "place": document.place,
        "time": span_of(document),
        "adjusting": ", ".join(document.adjusters),
    }
    return [(words[key], value) for key, value in facts.items() if value]


def content_policy(html: str) -> str:
    """The `Content-Security-Policy` of such a file: its own style, which comes before all text, and nothing else."""
    style = html.partition("<style>")[2].partition("</style>")[0]
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    return f"default-src 'none'; style-src 'sha256-{digest}'; img-src data:; base-uri 'none'; frame-ancestors 'none'"


def span_of(document: MinutesDocument) -> str:
    """`2022-09-23 kl. 13.00–15.00`, as on the first page."""
    day, hour = ("%Y-%m-%d kl. ", "%H.%M") if document.language == "sv" else ("%Y-%m-%d, ", "%H:%M")
    same_day = document.starts.date() == document.ends.date()
    end = f"{document.ends:{hour}}" if same_day else f" {document.ends:{day}{hour}}"
    return f"{document.starts:{day}{hour}}–{end}"


def _as_address(logo: Logo) -> str:
    """As a picture, an SVG runs nothing and loads nothing (SVG 2, section 2.2.2)."""
    media_type = {"png": "image/png", "svg": "image/svg+xml"}[logo.type]
    return f"data:{media_type};base64,{base64.b64encode(logo.content).decode()}"


@cache
def _pages() -> Environment:
    return Environment(
        loader=FileSystemLoader(_FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
