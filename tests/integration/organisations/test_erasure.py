"""An organisation is erased by each service: nothing of it is left in any table, nothing of another is touched."""

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from services.embedded.exporting import holdings_of
from shared import organisations
from shared.blobs import BlobStore, open_blobs
from shared.database import Database
from shared.erasing import AT_ONCE, Eraser
from shared.events import OrganisationErased
from shared.events.base import event_type
from shared.messaging import inbox
from shared.messaging.message import headers_as_json
from shared.names import SERVICES
from shared.row_security import acting_for, for_all
from shared.settings import Settings, load_settings
from tests.integration.meetings.test_organisations import NOW
from tests.integration.organisations.filled import OURS, THEIRS, add_people, connected, fill, word_of
from tests.support.postgres import Postgres

PEOPLE = 2 * AT_ONCE + 7
_TABLES = text(
    "SELECT relname FROM pg_class WHERE relkind IN ('r', 'p') AND relnamespace = 'public'::regnamespace "
    "AND NOT relispartition ORDER BY relname"
)


@pytest.fixture
async def settings(postgres: Postgres, tmp_path: Path) -> Settings:
    url = await postgres.create_service_databases(migrated=True)
    settings = load_settings(database_url=url, blobs=f"file:{tmp_path / 'blobs'}")
    await fill(settings)
    for service in SERVICES:
        for organisation in (OURS, THEIRS):
            await _on_their_way(settings, service, organisation)
    return settings


@pytest.fixture
async def blobs(settings: Settings) -> BlobStore:
    blobs = open_blobs(settings.blobs)
    for organisation in (OURS, THEIRS):
        await blobs.put(organisation, word_of(organisation).encode(), "text/plain")
    return blobs


@pytest.fixture
async def meetings(settings: Settings) -> AsyncIterator[Database]:
    database = Database(settings.database_url_of("meetings"))
    yield database
    await database.close()


@pytest.mark.parametrize("service", SERVICES)
async def test_nothing_of_it_is_left_in_any_table_and_nothing_of_another_is_touched(
    service: str, settings: Settings, blobs: BlobStore
) -> None:
    before = await _rows(settings, service)
    assert [name for name, rows in before.items() if not _of(rows, OURS)] == _WITHOUT_ORGANISATIONS[service]
    database = Database(settings.database_url_of(service))
    eraser = Eraser(database, holdings_of(service), blobs, timedelta(days=30))
    await eraser.run()
    assert await _rows(settings, service) == before, "nobody said so"
    assert await eraser.held() == dict.fromkeys((OURS, THEIRS), len(holdings_of(service).tables))
    await _told(database)
    await eraser.run()
    await eraser.run()
    assert set(await eraser.held()) == {THEIRS}
    after = await _rows(settings, service)
    left = {name: [row for row in _of(rows, OURS) if "organisation-erased" not in row] for name, rows in after.items()}
    assert {name for name, rows in left.items() if rows} == {"organisation"}, "what stays of it, and the word of it"
    assert {name: _of(rows, THEIRS) for name, rows in after.items()} == {
        name: _of(rows, THEIRS) for name, rows in before.items()
    }
    [stays] = await eraser.erasures()
    assert (stays.organisation, stays.ended_at is not None, stays.late) == (OURS, True, 0)
    assert stays.rows["outbox"] == stays.rows["dead_letter"] == stays.rows["documents"] == 1
    assert [word_of(OURS) in row for row in left["organisation"]] == [False], "no name stays"
    assert [name async for name in blobs.names(OURS)] == []
    assert len([name async for name in blobs.names(THEIRS)]) == 1
    await database.close()


async def test_who_is_killed_in_between_goes_on_where_it_was(
    meetings: Database, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    with acting_for(OURS):
        async with meetings.transaction() as connection:
            await add_people(connection, OURS, PEOPLE)
    await _told(meetings)
    eraser = Eraser(meetings, holdings_of("meetings"), None, timedelta(days=30))
    pieces = 0
    piece = Eraser._piece

    async def killed(self: Eraser, organisation: str, table: Any, statement: Any) -> int:
        nonlocal pieces
        count = await piece(self, organisation, table, statement)
        if table.name == "person" and (pieces := pieces + 1) == 2:
            raise asyncio.CancelledError
        return count

    monkeypatch.setattr(Eraser, "_piece", killed)
    with pytest.raises(asyncio.CancelledError):
        await eraser.run()
    monkeypatch.undo()
    [half] = await eraser.erasures()
    assert (half.ended_at, half.rows["person"]) == (None, 2 * AT_ONCE), "in pieces, each counted with what it took"
    two = [Eraser(meetings, holdings_of("meetings"), None, timedelta(days=30)) for _ in range(2)]
    for _ in range(3):
        await asyncio.gather(*(one.run() for one in two))
    [whole] = await eraser.erasures()
    assert (whole.ended_at is not None, whole.rows["person"]) == (True, PEOPLE + 1)


async def test_what_may_have_begun_before_is_waited_for_and_what_slips_in_later_is_found(
    meetings: Database, settings: Settings
) -> None:
    eraser = Eraser(meetings, holdings_of("meetings"), None, timedelta(days=30))
    row = text("INSERT INTO timer (organisation, kind, subject, due_at) VALUES (:of, 'late', :subject, now())")
    with acting_for(OURS):
        async with connected(settings, "meetings") as slow:
            await slow.execute(row, {"of": OURS, "subject": "1"})
            await _told(meetings)
            for _ in range(3):
                await eraser.run()
            [waits] = await eraser.erasures()
            assert waits.ended_at is None
    await eraser.run()
    await eraser.run()
    [ended] = await eraser.erasures()
    assert (ended.ended_at is not None, ended.rows["timer"]) == (True, 2)
    with acting_for(OURS):
        async with meetings.transaction() as connection:
            await connection.execute(row, {"of": OURS, "subject": "2"})
    await Eraser(meetings, holdings_of("meetings"), None, timedelta(days=30)).run()  # at the next start
    [again] = await eraser.erasures()
    assert (again.ended_at, again.rows["timer"]) == (ended.ended_at, 3)


async def test_its_late_events_are_dropped_and_counted_and_those_of_others_are_not(meetings: Database) -> None:
    await _told(meetings)
    async with meetings.transaction() as connection:
        events: dict[str, str | None] = {"a": OURS, "b": THEIRS, "c": None, "d": OURS, "e": "nobody-added-it"}
        assert await inbox.accept(connection, "test", events) == {"b", "c", "e"}
        assert await inbox.accept(connection, "test", events) == set(), "a second copy is a second copy"
    [stays] = await Eraser(meetings, holdings_of("meetings"), None, timedelta(days=30)).erasures()
    assert stays.late == 2


async def _told(database: Database) -> None:
    with for_all("a test"):
        async with database.transaction() as connection:
            await organisations.save(connection, OURS, 9, NOW, organisations.erased(NOW))


# No row of these says whose it is: the inbox has ids alone; the rest is not of an organisation's people.
_WITHOUT_ORGANISATIONS = {
    "meetings": ["alembic_version", "inbox", "refused_pass"],
    "signing": ["alembic_version", "inbox", "login_identity"],
    "notifications": ["alembic_version", "inbox"],
    "archive": ["alembic_version", "inbox", "refused_pass"],
}


async def _rows(settings: Settings, service: str) -> dict[str, list[str]]:
    """Every row of every table, as text."""
    with for_all("a test"):
        async with connected(settings, service) as connection:
            names = (await connection.execute(_TABLES)).scalars().all()
            return {
                name: list((await connection.execute(text(f"SELECT t::text FROM {name} AS t ORDER BY 1"))).scalars())
                for name in names
            }


def _of(rows: list[str], organisation: str) -> list[str]:
    """Those that name it anyhow: in clear, in hexadecimal, in base64."""
    [[_, encoded]] = headers_as_json((("x", organisation.encode()),))
    said = (organisation, word_of(organisation).encode().hex(), encoded)
    return [row for row in rows if any(one in row for one in said)]


async def _on_their_way(settings: Settings, service: str, organisation: str) -> None:
    """In outbox, dead letters and what is known of organisations; and the word that it is erased, which stays."""
    erased = {"organisation": organisation, "type": event_type(OrganisationErased)}
    header = json.dumps(headers_as_json((("ce_id", b"x"), ("ce_organisation", organisation.encode()))))
    outbox = (
        "INSERT INTO outbox (event_id, topic, key, attributes, data) "
        "VALUES ('e', 't', 'k', CAST(:said AS jsonb), :word)"
    )
    statements: list[tuple[str, dict[str, Any]]] = [
        (
            outbox,
            {"said": json.dumps(erased | {"type": "other"}), "word": word_of(organisation)},
        ),
        (
            outbox,
            {"said": json.dumps(erased), "word": ""},
        ),
        (
            "INSERT INTO dead_letter (consumer, topic, partition, position, key, fingerprint, headers) "
            "VALUES ('c', 't', 1, 1, 'k', :word, CAST(:header AS jsonb))",
            {"word": word_of(organisation), "header": header},
        ),
        (
            "INSERT INTO organisation (id, version, standing, since, reason, name, language) "
            "VALUES (:id, 2, 'suspended', now(), :word, :word, 'sv')",
            {"id": organisation, "word": word_of(organisation)},
        ),
    ]
    async with connected(settings, service) as connection:
        for statement, given in statements:
            await connection.execute(text(statement), given)
