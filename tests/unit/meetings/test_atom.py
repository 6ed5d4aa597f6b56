"""The notice board's feed holds to RFC 4287, whatever stands on the board."""

from datetime import datetime, timedelta, timezone
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from services.meetings.publication.atom import Entry, feed
from tests.support.parts import REPOSITORY

_SCHEMA = etree.RelaxNG(etree.parse(REPOSITORY / "tests" / "data" / "atom.rng"))
_NAMES = {"atom": "http://www.w3.org/2005/Atom"}
NOW = datetime(2022, 9, 26, 10, 30, 15, 999, tzinfo=timezone(timedelta(hours=2)))
TEXT = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=40).filter(
    lambda text: not any(char in text for char in "\ufffe\uffff")
)


def entry(**changed: Any) -> Entry:
    facts: dict[str, Any] = {
        "publication_id": "01a2235c-4a20-7c11-9f3b-7d2e5c6a8b01",
        "title": "Protokoll styrelsen 2022-09-23",
        "summary": "Styrelsen, sammanträde 23 september 2022.",
        "body": "Styrelsen",
        "language": "sv",
        "posted_at": NOW,
        "edited_at": NOW,
        "page": "https://norrdalen.example/meetings/anslagstavla/1",
        "pdf": "https://norrdalen.example/meetings/anslagstavla/1/pdf",
        "pdf_size": 48211,
    }
    return Entry(**facts | changed)


def made(*entries: Entry) -> bytes:
    return feed(
        entries,
        title="Anslagstavla, Kommunförbundet Norrdalen",
        language="sv",
        author="Kommunförbundet Norrdalen",
        updated=NOW,
        own_address="https://norrdalen.example/meetings/anslagstavla/atom.xml",
        page_address="https://norrdalen.example/meetings/anslagstavla",
    )


def test_an_empty_board_is_a_feed() -> None:
    _SCHEMA.assertValid(etree.fromstring(made()))


def test_the_schema_of_the_test_knows_what_is_wrong() -> None:
    assert not _SCHEMA.validate(
        etree.fromstring(made(entry()).replace(b"<updated>2022-09-26T08:30:15Z", b"<updated>now"))
    )
    assert not _SCHEMA.validate(
        etree.fromstring(made(entry()).replace(b"urn:uuid:", b"").replace(b"<id>", b"<x>").replace(b"</id>", b"</x>"))
    )


@given(st.lists(st.tuples(TEXT, TEXT, TEXT), max_size=5))
def test_whatever_stands_there_is_text(said: list[tuple[str, str, str]]) -> None:
    root = etree.fromstring(made(*(entry(title=one, summary=two, body=three) for one, two, three in said)))
    _SCHEMA.assertValid(root)
    assert [one.text for one in root.findall("atom:entry/atom:title", _NAMES)] == [one for one, _, _ in said]


def test_moments_are_of_utc_and_a_correction_keeps_the_id() -> None:
    later = NOW + timedelta(days=1)
    root = etree.fromstring(made(entry(edited_at=later)))
    assert root.findtext("atom:entry/atom:published", namespaces=_NAMES) == "2022-09-26T08:30:15Z"
    assert root.findtext("atom:entry/atom:updated", namespaces=_NAMES) == "2022-09-27T08:30:15Z"
    assert root.findtext("atom:entry/atom:id", namespaces=_NAMES) == "urn:uuid:01a2235c-4a20-7c11-9f3b-7d2e5c6a8b01"
