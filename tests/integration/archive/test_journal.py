"""The journal: everything once, whatever it is, and readable in order without gaps."""

import asyncio
import random
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.archive import journal as journal_module
from services.archive import journal_reader
from services.archive.journal import Journal, _append, identify
from services.archive.journal_reader import JournalFilter, JournalPage, types_named
from shared.errors import InvalidInput
from shared.events import AgreementExpired, BounceDetected, EmailSent, MeetingCancelled, topics
from shared.messaging.freshness import Freshness
from shared.messaging.message import RawMessage, from_record
from tests.integration.archive.completed import AGREEMENT, COMPLETED, MEETING, ORGANISATION, Archive, message
from tests.support.signed import signed_for


def expired(agreement: str = AGREEMENT, at: datetime = COMPLETED, organisation: str = ORGANISATION) -> RawMessage:
    return message(AgreementExpired(agreement_id=agreement), subject=agreement, at=at, organisation=organisation)


def cancelled(meeting: str, at: datetime = COMPLETED) -> RawMessage:
    event = MeetingCancelled(meeting_id=meeting, body="Styrelsen", title="Möte", reason="Snö")
    return message(event, subject=meeting, at=at, correlation=meeting)


def changed(raw: RawMessage, body: bytes | None = None, key: str | None = None, **headers: bytes) -> RawMessage:
    merged = dict(raw.headers) | {f"ce_{name}": value for name, value in headers.items()}
    return RawMessage(
        raw.topic,
        raw.partition,
        raw.position,
        raw.key if key is None else key,
        tuple(merged.items()),
        raw.body if body is None else body,
    )


def from_kafka(raw: RawMessage) -> RawMessage:
    """As the consumer makes it of Kafka's record."""
    record = SimpleNamespace(
        topic=raw.topic,
        partition=raw.partition,
        offset=raw.position,
        key=raw.key.encode(),
        headers=raw.headers,
        value=raw.body,
    )
    return from_record(record)


async def read(archive: Archive, after: str = "0", most: int = 100, **asked: object) -> JournalPage:
    return await archive.commands.journal.page(ORGANISATION, JournalFilter(**asked), after=after, most=most)  # type: ignore[arg-type]


async def read_back(
    archive: Archive, before: str = "end", most: int = 100, *, after: str = "0", **asked: object
) -> JournalPage:
    wanted = JournalFilter(**asked)  # type: ignore[arg-type]
    return await archive.commands.journal.page_back(ORGANISATION, wanted, before=before, after=after, most=most)


async def test_an_event_as_it_came(archive: Archive) -> None:
    raw = cancelled(MEETING)
    await archive.journal(raw)
    (event,) = (await read(archive)).events
    assert (event.name, event.topic, event.subject, event.correlation_id) == (
        "MeetingCancelled",
        topics.MEETINGS,
        MEETING,
        MEETING,
    )
    assert (event.time, event.sequence, event.readable) == (COMPLETED, "5", True)
    assert event.data == {"meeting_id": MEETING, "body": "Styrelsen", "title": "Möte", "reason": "Snö"}


async def test_each_message_once(archive: Archive) -> None:
    first, second = expired(), expired("other")
    garbage = RawMessage(topics.SIGNING, 3, 7, "k", (), b"\xff\x00")
    await archive.journal(first, first, garbage)
    await archive.journal(second, garbage, first)
    moved = RawMessage(topics.SIGNING, 0, 99, "k", (), b"\xff\x00")
    await archive.journal(moved)
    page = await read(archive)
    assert [event.subject for event in page.events] == [AGREEMENT, None, "other"]
    assert page.events[1].data == "base64:/wA="
    assert not page.events[1].readable


async def test_what_is_played_again_after_the_inbox_has_forgotten_stands_once(
    archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = expired()
    journal: Journal = archive.service.subscriptions[1].handle.__self__  # type: ignore[attr-defined]
    sent = signed_for(journal._verifier, first)
    await journal.handle([sent])
    async with archive.service.database.transaction() as connection:
        await connection.exec_driver_sql("DELETE FROM inbox")
    later = Freshness(timedelta(days=30), now=lambda: datetime.now(UTC) + timedelta(days=63))
    monkeypatch.setattr(journal, "_freshness", later)
    await journal.handle([sent, signed_for(journal._verifier, expired("late, and new"))])
    assert [event.subject for event in (await read(archive)).events] == [AGREEMENT, "late, and new"]


async def test_second_copies_change_no_order(archive: Archive) -> None:
    """A relay that died before it marked publishes a run of events again."""
    first, second, third = expired("1"), expired("2"), expired("3")
    await archive.journal(first, second, third, first, second)
    assert [event.subject for event in (await read(archive)).events] == ["1", "2", "3"]


async def test_each_query_is_planned_for_what_it_asks(archive: Archive, monkeypatch: pytest.MonkeyPatch) -> None:
    """A plan for the average would walk through all of the journal to find what is rare."""
    modes, rows = [], journal_reader._rows

    async def watched(connection: AsyncConnection, *asked: Any) -> list[Any]:
        found = await rows(connection, *asked)
        modes.append((await connection.execute(text("SHOW plan_cache_mode"))).scalar_one())
        return found

    monkeypatch.setattr(journal_reader, "_rows", watched)
    await read(archive)
    assert modes == ["force_custom_plan"]


# Not compressible: PostgreSQL would squeeze repetitions until an index takes them.
ENDLESS = random.Random(1).randbytes(50_000).hex()

GARBAGE = {
    "no headers": RawMessage(topics.SIGNING, 0, 1, "", (), b"{}"),
    "no body": RawMessage(topics.SIGNING, 0, 2, "k", expired().headers, None),
    "empty body": changed(expired(), body=b""),
    "not UTF-8": changed(expired(), body=b"\xc3\x28"),
    "a NUL in the body": changed(expired(), body=b'{"a": "\x00"}'),
    "a NUL in the id": changed(expired(), id=b"a\0b"),
    "a NUL in the key": changed(expired(), key="k\0"),
    "a NUL in the subject": changed(expired(), subject=b"\0"),
    "a NUL in a header's name": changed(expired(), **{"x\0y": b"1"}),
    "a header that is not UTF-8": changed(expired(), subject=b"\xff\xfe"),
    "an endless id": changed(expired(), id=ENDLESS.encode()),
    "an endless subject": changed(expired(), subject=ENDLESS.encode(), correlationid=ENDLESS.encode()),
    "an endless key": changed(expired(), key=ENDLESS),
    "an endless type": changed(expired(), type=f"se.justera.{ENDLESS}".encode()),
    "the first day of the calendar": changed(expired(), time=b"0001-01-01T00:00:00+14:00"),
    "the last day of the calendar": changed(expired(), time=b"9999-12-31T23:59:59-12:00"),
    "NaN": changed(expired(), body=b'{"a": NaN}'),
    "an endless number": changed(expired(), body=b"9" * 6_000),
    "a lone surrogate": changed(expired(), body=b'{"a": "\\ud800"}'),
    "endless depth": changed(expired(), body=b"[" * 20_000 + b"]" * 20_000),
    "deep, but not endless": changed(expired(), body=b"[" * 150 + b"]" * 150),
}


@pytest.mark.parametrize("what", GARBAGE)
async def test_content_is_never_refused(archive: Archive, what: str) -> None:
    raw = from_kafka(GARBAGE[what])
    await archive.journal(expired("before"), raw, expired("after"))
    await archive.journal(raw)
    page = await read(archive)
    assert [event.subject for event in (page.events[0], page.events[2])] == ["before", "after"]
    assert len(page.events) == 3
    assert page.model_dump_json().encode()


raw_messages = st.builds(
    RawMessage,
    st.sampled_from(topics.ALL),
    st.integers(0, 11),
    st.integers(0, 2**62),
    st.text(st.characters(exclude_categories=("Cs",))),
    st.lists(
        st.tuples(
            st.sampled_from(["ce_id", "ce_subject", "ce_type", "ce_time", "ce_organisation", "x"]),
            st.binary() | st.text(st.characters(exclude_categories=("Cs",))).map(str.encode),
        )
    ).map(tuple),
    st.none() | st.binary(),
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(raws=st.lists(raw_messages, max_size=8))
async def test_whatever_comes_is_kept(archive: Archive, raws: list[RawMessage]) -> None:
    await archive.journal(*(from_kafka(raw) for raw in raws))


async def test_a_reader_misses_nothing_when_writers_overlap(archive: Archive) -> None:
    """The one who drew lower ids commits later: a reader must not have gone past them."""
    first, second = expired("first"), expired("second")
    handle = archive.service.subscriptions[1].handle
    journal = handle.__self__  # type: ignore[attr-defined]
    async with archive.service.database.transaction() as connection:
        await _append(connection, [journal._row(identify(first))])
        other = asyncio.create_task(archive.journal(second))
        await asyncio.wait({other}, timeout=0.3)
        seen = await read(archive)
    await other
    rest = await read(archive, after=seen.next)
    assert [event.subject for event in (*seen.events, *rest.events)] == ["first", "second"]


async def test_many_writers_at_once(archive: Archive) -> None:
    """While they write, a reader goes on from where it was: it ends up with all of it, in order."""
    batches = [[expired(f"{writer}-{n}") for n in range(20)] for writer in range(12)]
    writing = asyncio.gather(*(archive.journal(*batch) for batch in batches))
    seen: list[int] = []
    after = "0"
    while not (done := writing.done()) or len(seen) < 240:
        page = await read(archive, after=after, most=7)
        seen += [int(event.cursor) for event in page.events]
        after = page.next
        if done and not page.events:
            break
    await writing
    assert len(seen) == len(set(seen)) == 240
    assert seen == sorted(seen)


async def _story(archive: Archive) -> Sequence[RawMessage]:
    mail = EmailSent(
        email_id="mail-1",
        agreement_id=AGREEMENT,
        purpose="signature-request",
        recipient="maja.lind@norrdalen.example",
        message_id="<1@norrdalen.example>",
    )
    bounce = BounceDetected(
        email_id="mail-1",
        agreement_id=AGREEMENT,
        purpose="signature-request",
        recipient="maja.lind@norrdalen.example",
        status="5.1.1",
        diagnostic="550 5.1.1 no such user",
        permanent=True,
    )
    story = [
        cancelled("m1", COMPLETED - timedelta(days=3)),
        message(mail, subject="mail-1", key=AGREEMENT, at=COMPLETED - timedelta(days=2)),
        message(bounce, subject="mail-1", key=AGREEMENT, at=COMPLETED - timedelta(days=1)),
        expired(at=COMPLETED),
    ]
    await archive.journal(*story, expired("foreign", organisation="elsewhere"))
    return story


FILTERS: list[tuple[dict[str, object], str]] = [
    ({}, "MeetingCancelled EmailSent BounceDetected AgreementExpired"),
    ({"subject": "mail-1"}, "EmailSent BounceDetected"),
    ({"about": "mail-1"}, "EmailSent BounceDetected"),
    ({"about": AGREEMENT}, "EmailSent BounceDetected AgreementExpired"),
    ({"about": AGREEMENT, "types": types_named("bouncedetected")}, "BounceDetected"),
    ({"about": "m1"}, "MeetingCancelled"),
    ({"about": "nobody"}, ""),
    ({"correlation": MEETING}, "EmailSent BounceDetected AgreementExpired"),
    ({"types": types_named("bouncedetected")}, "BounceDetected"),
    ({"types": types_named("se.justera.notifications")}, "EmailSent BounceDetected"),
    ({"types": types_named("se.justera.signing.agreement-expired.v1")}, "AgreementExpired"),
    ({"types": types_named("se.justera")}, "MeetingCancelled EmailSent BounceDetected AgreementExpired"),
    ({"types": types_named("se.justera"), "subject": "mail-1"}, "EmailSent BounceDetected"),
    ({"types": types_named("com.example.unheard-of.v1")}, ""),
    ({"since": COMPLETED - timedelta(days=2)}, "EmailSent BounceDetected AgreementExpired"),
    ({"until": COMPLETED - timedelta(days=1)}, "MeetingCancelled EmailSent"),
    ({"since": COMPLETED - timedelta(days=2), "until": COMPLETED}, "EmailSent BounceDetected"),
    ({"since": COMPLETED + timedelta(days=1)}, ""),
]


async def test_filters(archive: Archive) -> None:
    await _story(archive)
    for asked, found in FILTERS:
        page = await read(archive, **asked)
        assert " ".join(str(event.name) for event in page.events) == found, asked
        assert not page.more
        names: list[str] = []
        after = "0"
        for _ in range(5):
            page = await read(archive, after, 1, **asked)
            names += [str(event.name) for event in page.events]
            after = page.next
        assert " ".join(names) == found
        assert await _read_back(archive, **asked) == found.split()


async def test_an_agreement_is_followed_with_its_own_mails_and_no_others(archive: Archive) -> None:
    """Of two agreements of one meeting; and a key that an event of another meeting claims does not count."""
    mail = {"purpose": "receipt", "recipient": "maja.lind@norrdalen.example", "message_id": "<1@norrdalen.example>"}
    for number, (agreement, key, chain) in enumerate(
        [(AGREEMENT, AGREEMENT, MEETING), ("other", "other", MEETING), ("x", AGREEMENT, "another meeting")]
    ):
        sent = EmailSent(email_id=f"mail-{number}", agreement_id=agreement, **mail)
        await archive.journal(
            message(sent, subject=f"mail-{number}", key=key, correlation=chain), expired(f"later-{number}")
        )
    assert (await read(archive, about=AGREEMENT)).events == []  # nothing of it yet that says which chain is its own
    await archive.journal(expired())
    found = await read(archive, about=AGREEMENT)
    assert [event.subject for event in found.events] == ["mail-0", AGREEMENT]


async def _read_back(archive: Archive, **asked: object) -> list[str]:
    """One by one from the end, as the names then stand in order."""
    names: list[str] = []
    before: str | None = "end"
    while before is not None:
        page = await read_back(archive, before, 1, **asked)
        names = [str(event.name) for event in page.events] + names
        before = page.previous
    return names


async def test_who_reads_on_from_the_end_misses_nothing(archive: Archive) -> None:
    empty = await read_back(archive)
    assert (empty.events, empty.next, empty.previous, empty.more) == ([], "0", None, False)
    await _story(archive)
    end = await read_back(archive, most=2, types=types_named("EmailSent"))
    assert [event.name for event in end.events] == ["EmailSent"]
    last = await read_back(archive, most=2)
    assert [event.name for event in last.events] == ["BounceDetected", "AgreementExpired"]
    assert last.more
    await archive.journal(expired("new"))
    for page in (end, last):
        assert [event.subject for event in (await read(archive, page.next)).events] == ["new"]
    assert (await read_back(archive, after=last.next)).events[0].subject == "new"


@pytest.mark.parametrize("cursor", ["", "-1", "x", "1" * 30, "1.0", "٣"])
async def test_a_cursor_that_is_none(archive: Archive, cursor: str) -> None:
    with pytest.raises(InvalidInput):
        await read(archive, after=cursor)
    with pytest.raises(InvalidInput):
        await read_back(archive, before=cursor)


def test_a_type_that_nothing_bears() -> None:
    with pytest.raises(InvalidInput, match="no event is called 'Bounced'"):
        types_named("Bounced")


async def test_large_bodies_are_had_in_several_pages(archive: Archive) -> None:
    await archive.journal(*(changed(expired(f"a{n}"), body=b'"' + b"x" * 900_000 + b'"') for n in range(7)))
    page = await read(archive)
    assert (len(page.events), page.more) == (4, True)
    rest = await read(archive, after=page.next)
    assert (len(rest.events), rest.more) == (3, False)
    last = await read_back(archive)
    assert (len(last.events), last.events[-1].subject, last.more) == (4, "a6", True)
    first = await read_back(archive, last.previous or "")
    assert ([event.subject for event in first.events], first.more) == (["a0", "a1", "a2"], False)


async def test_a_flood_that_nobody_signed_fills_nothing(archive: Archive, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal_module, "MOST_KEPT", 3)
    handle = archive.service.subscriptions[1].handle
    large = replace(expired("large"), body=b"x" * 1_000_000)
    await handle([large, *(expired(f"forged-{n}") for n in range(5))])
    await handle([expired(f"forged-{n}") for n in range(5, 10)])
    await archive.journal(expired("true"))
    events = (await read(archive)).events
    assert [event.authentic for event in events] == [False, False, False, True]
    assert len(str(events[0].data)) <= 100_000
    assert events[0].attributes["subject"] == "large"
