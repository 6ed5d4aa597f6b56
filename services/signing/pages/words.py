"""Minutes as the text of a page: the same words as on their pages, from the data that those were set from. Pure."""

from typing import Any

from shared.rendering.annexes import annexes_heading, annexes_of
from shared.rendering.html import span_of
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
        "time": span_of(document),
        "people": people_of(document),
        "adjusters": document.adjusters,
        "places": document.places,
        "numbers": tuple(dict.fromkeys((document.paragraphs[0].number, document.paragraphs[-1].number))),
        "paragraphs": [
            paragraph.model_dump() | {"changes": changes.get(paragraph.number, ())} for paragraph in document.paragraphs
        ],
        "annexes_heading": annexes_heading(document.language),
        "annexes": annexes_of(document),
    }
