"""The migrated database and the tables in code say the same."""

import pytest
from sqlalchemy import text

from services.notifications.agreement import store as known_agreements
from services.notifications.tables import NotificationsTable
from shared.database import Database
from shared.messaging.tables import MessagingTable
from shared.migrations import drift, is_current, migrate
from shared.settings import BadConfiguration
from tests.support.postgres import Postgres


async def test_migrations_make_the_tables_that_the_code_knows(postgres: Postgres) -> None:
    database = Database(await postgres.create_database())
    await migrate(database.engine, "notifications")
    assert await is_current(database.engine, "notifications")
    assert await drift(database.engine, [MessagingTable.metadata, NotificationsTable.metadata]) == []
    await database.close()


@pytest.mark.parametrize(("revision", "enough"), [("0001", False), ("0099", True)])
async def test_a_service_runs_on_a_later_schema_but_not_on_an_older_one(
    postgres: Postgres, revision: str, *, enough: bool
) -> None:
    """In a rolling upgrade the schema comes first, and a service of the version before may still start."""
    database = Database(await postgres.create_database())
    await migrate(database.engine, "notifications")
    async with database.transaction() as connection:
        await connection.execute(text(f"UPDATE alembic_version SET version_num = 'notifications_{revision}'"))
    assert await is_current(database.engine, "notifications") == enough
    if enough:
        await migrate(database.engine, "notifications")  # nothing to do, and nothing to complain of
    await database.close()


async def test_reports_that_were_kept_with_a_link_lose_it(postgres: Postgres) -> None:
    """As before 0007: whole, and with a link that an earlier rule did not find."""
    database = Database(await postgres.create_database())
    await migrate(database.engine, "notifications", to="notifications_0006")
    token = "k1.norrdalen.2f1c9a54-0000-4000-8000-00000000abcd.3." + "aB3-_" * 8 + "aB3"
    kept = {
        "plain": f"Hej!\n/signing/s/{token}\n",
        "rare": f"Hej!\n{token.replace('.', '&period;')}\n",
        "none": "Hej!\n",
    }
    columns = "organisation, sha256, reason, size, raw"
    row = f"INSERT INTO unmatched_report ({columns}) VALUES ('norrdalen', :name, '', 9, :raw)"
    async with database.transaction() as connection:
        for name, raw in kept.items():
            await connection.execute(text(row), {"name": name, "raw": raw.encode()})
    await migrate(database.engine, "notifications")
    async with database.transaction() as connection:
        found = (await connection.execute(text("SELECT sha256, raw FROM unmatched_report"))).all()
    assert {row.sha256: bytes(row.raw) for row in found} == {
        "plain": b"Hej!\n/signing/s/[redacted]\n",
        "rare": b"Hej!\n[redacted]\n",
        "none": b"Hej!\n",
    }
    await database.close()


async def test_of_extracts_that_were_sent_again_before_it_was_kept_the_last_link_is_known(postgres: Postgres) -> None:
    database = Database(await postgres.create_database())
    await migrate(database.engine, "notifications", to="notifications_0012")
    columns = "organisation, agreement_id, timezone, others, copy_links"
    agreement = f"INSERT INTO agreement ({columns}) VALUES ('o', :id, 'UTC', '{{}}', :links)"
    async with database.transaction() as connection:
        for name, links in (("again", '{"1 nora@a.example": 4}'), ("once", "{}")):
            await connection.execute(text(agreement), {"id": name, "links": links})
        for at, (name, number, address, version) in enumerate(
            [
                ("again", "1", "nora@a.example", 3),  # ended since, which is kept
                ("again", "2", "nora@a.example", 1),
                ("again", "2", "nora@a.example", 2),
                ("once", "1", "nora@a.example", 1),
            ]
        ):
            await connection.execute(
                text(
                    """
                    INSERT INTO delivery (organisation, id, agreement_id, purpose, recipient, recipient_key, request_id,
                        request_version, cause_id, correlation_id, facts, created_at, status)
                    VALUES ('o', :id, :agreement, 'extract', :address, :address, :number, :version, :id, :id, '{}',
                        now(), 'bounced')
                    """
                ),
                {"id": str(at), "agreement": name, "address": address, "number": number, "version": version},
            )
    await migrate(database.engine, "notifications")
    async with database.transaction() as connection:
        found = await known_agreements.agreements(connection, [("o", "again"), ("o", "once")])
    assert {key[1]: one.copy_links for key, one in found.items()} == {
        "again": {"1 nora@a.example": 4, "2 nora@a.example": 2},
        "once": {},
    }
    await database.close()


async def test_a_database_that_is_not_in_utf8_is_refused(postgres: Postgres) -> None:
    database = Database(await postgres.create_other_encoding())
    with pytest.raises(BadConfiguration, match="the database of notifications is in SQL_ASCII"):
        await migrate(database.engine, "notifications")
    await database.close()


async def test_an_older_agreements_people_are_those_who_were_mailed(postgres: Postgres) -> None:
    """But for an address that was replaced; and whoever is asked later is let in by their first request."""
    database = Database(await postgres.create_database())
    await migrate(database.engine, "notifications", to="notifications_0008")
    async with database.transaction() as connection:
        await connection.execute(
            text(
                """
                INSERT INTO agreement (organisation, agreement_id, sender, timezone, others, people) VALUES
                    ('o', 'old', '{"email": "karin.ek@norrdalen.example"}', 'UTC', '{}', NULL),
                    ('o', 'new', '{"email": "karin.ek@norrdalen.example"}', 'UTC', '{}', '["x@norrdalen.example"]'),
                    ('o', 'unknown', NULL, 'UTC', '{}', NULL)
                """
            )
        )
        for number, (address, request, version, purpose) in enumerate(
            [
                ("Maja.Lind@norrdalen.example", "r1", 1, "signature-request"),
                ("maja.lind@norrdalen.example", "r1", 0, "receipt"),
                ("wrong@norrdalen.example", "r2", 1, "signature-request"),
                ("olof.berg@bjorka.example", "r2", 2, "signature-request"),
            ]
        ):
            await connection.execute(
                text(
                    """
                    INSERT INTO delivery (organisation, id, agreement_id, purpose, recipient, recipient_key, request_id,
                        request_version, cause_id, correlation_id, facts, created_at, status)
                    VALUES ('o', :id, 'old', :purpose, :address, lower(:address), :request, :version, :id, '', '{}',
                        now(), 'sent')
                    """
                ),
                {"id": str(number), "purpose": purpose, "address": address, "request": request, "version": version},
            )
    await migrate(database.engine, "notifications")
    async with database.transaction() as connection:
        found = await known_agreements.agreements(connection, [("o", name) for name in ("old", "new", "unknown")])
        old, new, unknown = (found["o", name] for name in ("old", "new", "unknown"))
        assert old.people == {"maja.lind@norrdalen.example", "olof.berg@bjorka.example"}
        assert old.knows("Karin.Ek@norrdalen.example"), "the sender"
        assert not old.knows("wrong@norrdalen.example")
        assert not old.let_in_if_first("r2", "mallory@evil.example")
        assert old.let_in_if_first("r3", "sven.dahl@norrdalen.example")
        assert not old.let_in_if_first("r3", "mallory@evil.example")
        assert old.knows("sven.dahl@norrdalen.example")
        assert (new.people, new.asked) == ({"x@norrdalen.example"}, None)
        assert not new.let_in_if_first("r9", "mallory@evil.example")
        assert (unknown.people, unknown.asked) == (None, None)
        assert not unknown.knows("x@norrdalen.example")
    await database.close()
