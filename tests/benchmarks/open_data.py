"""Open data of an association with more and more meetings behind it: what the first reader after a change pays.

    found = await open_data(machine, folder, meetings=2_000)
    found.change, found.same

All meetings are called by their notices, with two items each, and all but one are rows that copy the first. The change
is a meeting's: its place, told by an update of its notice.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count

import httpx
from pydantic import SecretStr
from sqlalchemy import text

from services.meetings.agenda.agenda import ItemDetails
from services.meetings.commands import MeetingsCommands
from services.meetings.main import build
from services.meetings.meeting.meeting import MeetingDetails
from services.meetings.tables import MeetingsTable
from shared.auth import Access
from shared.blobs import open_blobs
from shared.clock import ManualClock
from shared.database import Database
from shared.keys import new_keys
from shared.messaging.signatures import new_event_keys
from shared.migrations import migrate
from shared.settings import load_settings
from tests.benchmarks.registers import Cost, measured
from tests.benchmarks.servers import Servers

_NOW = datetime(2023, 1, 9, 8, tzinfo=UTC)
_OF = "norrdalen"
_REGISTER = """people:
  olof-berg: {name: Olof Berg, email: olof.berg@bjorka.example}
bodies:
  styrelsen:
    name: Styrelsen
    kind: board
    public: yes
    members: [{person: olof-berg, role: ordförande}]
"""
_DETAILS = MeetingDetails(
    body="Styrelsen",
    title="Styrelsen sammanträder",
    place="Forsby",
    starts=datetime(2023, 2, 24, 9),
    ends=datetime(2023, 2, 24, 12),
)


@dataclass(frozen=True)
class OpenData:
    """`change`: of the first request after a change; `same`: of one after which nothing changed."""

    meetings: int
    change: Cost
    same: Cost


async def open_data(machine: Servers, folder: str, *, meetings: int) -> OpenData:
    settings = load_settings(
        database_url=await machine.postgres.create_database("meetings"),
        organisation=_OF,
        organisation_name="Kommunalförbundet Norrdalen",
        public_url="https://justera.norrdalen.example",
        blobs=f"file:{folder}",
        event_keys=SecretStr(new_event_keys()),
        member_link_keys=SecretStr(new_keys()),
    )
    database = Database(settings.database_url_of("meetings"))
    await migrate(database.engine, "meetings")
    await database.close()
    clock = ManualClock(_NOW)
    service = build(settings, clock=clock, access=Access((), bytes(32)), blobs=open_blobs(settings.blobs))
    try:
        commands: MeetingsCommands = service.commands
        await commands.register.apply(_OF, _REGISTER, "yaml")
        meeting = await commands.meetings.schedule(_OF, _DETAILS)
        for title in ("Budget", "Verksamhetsplan"):
            await commands.agendas.add(_OF, meeting.id, ItemDetails(title=title))
        await commands.notices.issue(_OF, meeting.id, None)
        async with service.database.transaction() as connection:
            for table, column in (("meeting", "id"), ("notice", "meeting_id")):
                for_each = {"number": meetings - 1, "of": meeting.id}
                await connection.execute(text(_copies(table, column)), for_each)
        async with service.database.single() as connection:
            await connection.execute(text("ANALYZE"))
        numbers = count(1)
        async with httpx.AsyncClient(
            transport=httpx.ASGITransport(app=service.app), base_url="https://bench.example"
        ) as client:

            async def read() -> None:
                found = await client.get(f"/oparl/meeting/{meeting.id}")
                assert found.status_code == 200, found.text

            async def change() -> None:
                place = _DETAILS.model_copy(update={"place": f"Forsby, rum {next(numbers)}"})
                await commands.meetings.change(_OF, meeting.id, place)
                await commands.notices.update(_OF, meeting.id, None)

            await read()
            return OpenData(meetings, await measured(machine, read, before=change), await measured(machine, read))
    finally:
        await service.database.close()


def _copies(table: str, column: str) -> str:
    names = [one.name for one in MeetingsTable.metadata.tables[table].columns]
    values = [f"{table}.{column} || '-' || number" if name == column else name for name in names]
    return (
        f"INSERT INTO {table} ({', '.join(names)}) SELECT {', '.join(values)} FROM {table}, "
        f"generate_series(1, :number) AS number WHERE {table}.{column} = :of"
    )
