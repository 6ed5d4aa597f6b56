"""Minutes as the text of a page: the same words as on their pages, from the data that those were set from. Pure."""

from typing import Any

from shared.rendering.minutes import MinutesDocument
from shared.rendering.people import changes_of, people_of


def words_of(document: MinutesDocument) -> dict[str, Any]:
    """What `signer/words.html` shows."""
    changes = changes_of(document)
    return {
        "language": document.language,
        "title": document.title,
        "reference": document.reference,
        "place": document.place,
        "time": _span(document),
        "people": people_of(document),
        "adjusters": document.adjusters,
        "places": document.places,
        "numbers": tuple(dict.fromkeys((document.paragraphs[0].number, document.paragraphs[-1].number))),
        "paragraphs": [
            paragraph.model_dump() | {"changes": changes.get(paragraph.number, ())} for paragraph in document.paragraphs
        ],
    }


def _span(document: MinutesDocument) -> str:
    """`2022-09-23 kl. 13.00–15.00`, as on the first page."""
    swedish = document.language == "sv"
    day, hour = ("%Y-%m-%d kl. ", "%H.%M") if swedish else ("%Y-%m-%d, ", "%H:%M")
    same_day = document.starts.date() == document.ends.date()
    end = f"{document.ends:{hour}}" if same_day else f" {document.ends:{day}{hour}}"
    return f"{document.starts:{day}{hour}}–{end}"
