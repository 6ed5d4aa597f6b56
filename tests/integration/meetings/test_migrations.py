"""What the migrations of meetings do with rows that are there."""

import alembic.command
from sqlalchemy import Connection, text

from shared.database import Database
from shared.migrations import _config, migrate
from tests.support.postgres import Postgres

COMPOSED, DECOMPOSED = "nämnden", "na\u0308mnden"


async def test_a_body_in_two_forms_becomes_one_that_goes_on_after_the_highest(postgres: Postgres) -> None:
    database = Database(await postgres.create_database())
    async with database.engine.begin() as connection:
        await connection.run_sync(_migrate_to, "meetings_0001")
    rows = [(COMPOSED, 2025, 7), (DECOMPOSED, 2025, 9), (DECOMPOSED, 2026, 3), ("styrelsen", 2026, None)]
    async with database.transaction() as connection:
        for body, year, following in rows:
            await connection.execute(
                text("INSERT INTO numbering VALUES ('norrdalen', :body, :year, :following)"),
                {"body": body, "year": year, "following": following},
            )
    await migrate(database.engine, "meetings")
    async with database.single() as connection:
        kept = await connection.execute(text("SELECT body_key, year, next_paragraph FROM numbering ORDER BY 1, 2"))
        assert [tuple(row) for row in kept] == [(COMPOSED, 2025, 9), (COMPOSED, 2026, 3), ("styrelsen", 2026, None)]
    await database.close()


async def test_meetings_and_items_become_their_bodys_however_its_name_was_written(postgres: Postgres) -> None:
    database = Database(await postgres.create_database())
    async with database.engine.begin() as connection:
        await connection.run_sync(_migrate_to, "meetings_0009")
    async with database.transaction() as connection:
        for statement in _BODIES_AND_MEETINGS:
            await connection.execute(text(statement))
    await migrate(database.engine, "meetings")
    async with database.single() as connection:
        meetings = await connection.execute(text("SELECT organisation, id, body_id FROM meeting ORDER BY 1, 2"))
        assert [tuple(row) for row in meetings] == [
            ("forsby", "1", None),
            ("norrdalen", "1", "b"),
            ("norrdalen", "2", "b"),
            ("norrdalen", "3", None),
        ]
        assert (await connection.execute(text("SELECT body_id FROM agenda_item"))).scalar_one() == "b"
    await database.close()


async def test_minutes_that_somebody_had_signed_were_out(postgres: Postgres) -> None:
    database = Database(await postgres.create_database())
    async with database.engine.begin() as connection:
        await connection.run_sync(_migrate_to, "meetings_0042")
    async with database.transaction() as connection:
        for name in ("a", "b"):
            row = f"'o', '{name}', 1, '{name}', 'Protokoll', 2022, 1, 2, '{{}}', '2022-09-23Z'"
            columns = "organisation, meeting_id, version, agreement_id, document_name, year, first_paragraph"
            await connection.execute(
                text(f"INSERT INTO minutes ({columns}, last_paragraph, pdf, drafted_at) VALUES ({row})")
            )
        for place, day in ((1, 27), (2, 26)):
            signed = f"'o', 'a', {place}, 'chair', 'Olof Berg', '2022-09-{day} 08:00Z'"
            await connection.execute(text(f"INSERT INTO minutes_signature VALUES ({signed})"))
    await migrate(database.engine, "meetings")
    async with database.single() as connection:
        found = await connection.execute(text("SELECT meeting_id, released_at::date::text FROM minutes ORDER BY 1"))
        assert [tuple(row) for row in found] == [("a", "2022-09-26"), ("b", None)]
    await database.close()


async def test_meetings_that_were_struck_before_name_the_one_that_took_their_items(postgres: Postgres) -> None:
    database = Database(await postgres.create_database())
    async with database.engine.begin() as connection:
        await connection.run_sync(_migrate_to, "meetings_0022")
    async with database.transaction() as connection:
        for statement in _STRUCK:
            await connection.execute(text(statement))
    await migrate(database.engine, "meetings")
    async with database.single() as connection:
        found = await connection.execute(text("SELECT id, taken_over_by FROM meeting ORDER BY 1"))
        assert [tuple(row) for row in found] == [("called off", None), ("struck", "to"), ("to", None)]
    await database.close()


_MEETING = "INSERT INTO meeting (organisation, id, version, status, body, title, place, starts, ends, timezone,"
_VALUES = "'Möte', 'Digitalt', '2022-09-23T13:00', '2022-09-23T15:00', 'Europe/Stockholm', '[]')"
_STAY = "INSERT INTO agenda_stay (item_id, reason, meeting_id, organisation, number, body, starts, how, at,"
_LEFT = "'norrdalen', 1, 'Styrelsen', '2022-10-28T13:00', 'moved', now(), 'to'"
_STRUCK = (
    f"{_MEETING} participants) VALUES ('norrdalen', 'to', 1, 'scheduled', 'Styrelsen', {_VALUES}",
    f"{_MEETING} participants) VALUES ('norrdalen', 'struck', 2, 'cancelled', 'Styrelsen', {_VALUES}",
    f"{_MEETING} participants) VALUES ('norrdalen', 'called off', 2, 'cancelled', 'Styrelsen', {_VALUES}",
    "UPDATE meeting SET reason = CASE id WHEN 'struck' THEN 'Krock' WHEN 'called off' THEN 'Snö' END",
    f"{_STAY} to_meeting_id) VALUES ('i', 'Krock', 'struck', {_LEFT})",
    f"{_STAY} to_meeting_id) VALUES ('j', 'Hinner inte', 'called off', {_LEFT})",
)
_BODIES_AND_MEETINGS = (
    "INSERT INTO body VALUES ('norrdalen', 'b', 1, 'board', 'Styrelsen', 'styrelsen', 'board', '{}')",
    f"{_MEETING} participants) VALUES ('norrdalen', '1', 1, 'scheduled', 'Styrelsen', {_VALUES}",
    f"{_MEETING} participants) VALUES ('norrdalen', '2', 1, 'scheduled', 'STYRELSEN', {_VALUES}",
    f"{_MEETING} participants) VALUES ('norrdalen', '3', 1, 'scheduled', 'Arbetsutskottet', {_VALUES}",
    f"{_MEETING} participants) VALUES ('forsby', '1', 1, 'scheduled', 'Styrelsen', {_VALUES}",
    "INSERT INTO agenda_item VALUES ('norrdalen', 'i', 1, 'Styrelsen', 'styrelsen', NULL, 1, false, '{}')",
)


def _migrate_to(connection: Connection, revision: str) -> None:
    config = _config("meetings")
    config.attributes.update(connection=connection, metadata=None)
    alembic.command.upgrade(config, revision)
