"""The notice board as an Atom feed (RFC 4287). Pure.

An entry's id is the publication's own UUID (RFC 9562): a correction, or another address of the service, leaves it as it
is.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from xml.etree.ElementTree import Element, SubElement, tostring

from shared.rendering.minutes import Language

ATOM = "http://www.w3.org/2005/Atom"
MEDIA_TYPE = "application/atom+xml; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Entry:
    """Something on the board. `page`, `pdf`: whole addresses; `pdf_size`: bytes; moments are aware."""

    publication_id: str
    title: str
    summary: str
    body: str
    language: Language
    posted_at: datetime
    edited_at: datetime
    page: str
    pdf: str
    pdf_size: int


def feed(
    entries: Sequence[Entry],
    *,
    title: str,
    language: Language,
    author: str,
    updated: datetime,
    own_address: str,
    page_address: str,
) -> bytes:
    """UTF-8, with its declaration. `own_address` is the feed's id, too."""
    root = Element("feed", {"xmlns": ATOM, "xml:lang": language})
    _text(root, "id", own_address)
    _text(root, "title", title)
    _text(root, "updated", _moment(updated))
    SubElement(root, "link", {"rel": "self", "type": "application/atom+xml", "href": own_address})
    SubElement(root, "link", {"rel": "alternate", "type": "text/html", "href": page_address})
    _text(SubElement(root, "author"), "name", author)
    for one in entries:
        entry = SubElement(root, "entry", {"xml:lang": one.language})
        _text(entry, "id", f"urn:uuid:{one.publication_id}")
        _text(entry, "title", one.title)
        _text(entry, "published", _moment(one.posted_at))
        _text(entry, "updated", _moment(one.edited_at))
        SubElement(entry, "category", {"term": one.body})
        SubElement(entry, "link", {"rel": "alternate", "type": "text/html", "href": one.page})
        pdf = {"rel": "enclosure", "type": "application/pdf", "href": one.pdf, "length": str(one.pdf_size)}
        SubElement(entry, "link", pdf)
        _text(entry, "summary", one.summary).set("xml:lang", language)
    made: bytes = tostring(root, encoding="utf-8", xml_declaration=True)
    return made


def _text(parent: Element, name: str, text: str) -> Element:
    child = SubElement(parent, name)
    child.text = text
    return child


def _moment(moment: datetime) -> str:
    return moment.astimezone(UTC).replace(microsecond=0).isoformat().replace("+00:00", "Z")
