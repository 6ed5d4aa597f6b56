"""Decisions of one association, as many as are wanted, and as many of others; a word that one in a hundred has."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from pydantic import SecretStr
from sqlalchemy import text

from services.meetings.commands import MeetingsCommands
from services.meetings.decision.decision import Wanted
from services.meetings.main import build
from shared.auth import Access
from shared.blobs import open_blobs
from shared.clock import SystemClock
from shared.keys import new_keys
from shared.messaging.signatures import new_event_keys
from shared.settings import load_settings
from tests.benchmarks.servers import Servers

_OURS = "association-0"
_FILL = text(
    """
    INSERT INTO decision (organisation, meeting_id, paragraph, version, agreement_id, document_name, body, body_key,
        held_on, language, heading, decision, background, people, words, named)
    SELECT 'association-' || n % 2, 'meeting-' || n / 40, n % 40, 1, 'agreement-' || n / 40, 'protokoll', 'Styrelsen',
        'styrelsen', date '2020-01-01' + n % 2000, 'sv', 'Ärende ' || n, decided, background, '[]',
        setweight(to_tsvector('swedish', decided), 'B') || setweight(to_tsvector('swedish', background), 'C'),
        to_tsvector('simple', 'Olof Berg Ingrid Sand')
    FROM generate_series(0, :rows - 1) AS n, LATERAL (SELECT
        'Styrelsen beslutar att anta förslag ' || n || CASE WHEN n / 2 % 100 = 0 THEN ' om snöröjning' ELSE '' END
            AS decided,
        'Förvaltningen har berett ärendet och föreslår att styrelsen antar förslaget, som inte medför kostnader utöver '
            || 'den budget som förbundsmötet har fastställt. Handling ' || md5(n::text) AS background) AS told
    """
)


@asynccontextmanager
async def decisions_of(machine: Servers, folder: str, rows: int) -> AsyncIterator[Callable[[], Awaitable[object]]]:
    """What searches for the word among `rows` decisions of one association."""
    settings = load_settings(
        database_url=await machine.postgres.create_database("meetings"),
        organisation=_OURS,
        public_url="https://justera.norrdalen.example",
        blobs=f"file:{folder}",
        event_keys=SecretStr(new_event_keys()),
        member_link_keys=SecretStr(new_keys()),
    )
    service = build(settings, clock=SystemClock(), access=Access((), bytes(32)), blobs=open_blobs(settings.blobs))
    commands: MeetingsCommands = service.commands
    try:
        async with service.database.transaction() as connection:
            await connection.execute(_FILL, {"rows": 2 * rows})
        async with service.database.single() as connection:
            await connection.execute(text("VACUUM ANALYZE decision"))

        async def search() -> None:
            found = await commands.decisions.find(_OURS, Wanted(words="snöröjning"))
            assert found.total == rows // 100

        yield search
    finally:
        await service.database.close()
