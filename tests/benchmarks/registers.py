"""Many associations in one database: what the year's page and the clash check cost one of them.

    found = await registers(machine, associations=300)
    found.page, found.check

Each association has a board, its committee, a congress of 65 and 40 networks: 100 people with 333 places, and the 178
meetings of a year. One is put in by the commands that anybody uses, the others are its copies.
"""

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from statistics import median
from typing import Any

import httpx
import yaml
from pydantic import SecretStr
from sqlalchemy import text

from services.meetings.commands import MeetingsCommands
from services.meetings.main import build
from services.meetings.tables import MeetingsTable
from shared.auth import Access, Role, TokenRecord, token_hash
from shared.blobs import open_blobs
from shared.clock import ManualClock
from shared.database import Database
from shared.keys import new_keys
from shared.messaging.signatures import new_event_keys
from shared.migrations import migrate
from shared.settings import load_settings
from tests.benchmarks.servers import Servers

_ROUNDS = 25
_PEOPLE, _NETWORKS = 100, 40
_NOW = datetime(2023, 1, 9, 8, tzinfo=UTC)
_FIRST = "association-1"
_TOKEN = "a token of the benchmark"
_COPIED = ("register", "body", "person", "membership", "meeting")


@dataclass(frozen=True)
class Cost:
    """Milliseconds: CPU of this process and the clock's of the median round; PostgreSQL's CPU of the average one, since
    it is counted in steps of 10 ms."""

    cpu: float
    database: float
    took: float


@dataclass(frozen=True)
class Registers:
    associations: int
    memberships: int
    meetings: int
    page: Cost
    check: Cost


async def registers(machine: Servers, folder: str, *, associations: int) -> Registers:
    url = await machine.postgres.create_database("meetings")
    settings = load_settings(
        database_url=url,
        organisation=_FIRST,
        organisation_name="Kommunalförbundet Norrdalen",
        public_url="https://justera.norrdalen.example",
        blobs=f"file:{folder}",
        event_keys=SecretStr(new_event_keys()),
        member_link_keys=SecretStr(new_keys()),
    )
    database = Database(settings.database_url_of("meetings"))
    await migrate(database.engine, "meetings")
    await database.close()
    token = TokenRecord(name="bench", role=Role.SECRETARY, organisation=_FIRST, sha256=token_hash(_TOKEN))
    service = build(
        settings, clock=ManualClock(_NOW), access=Access((token,), bytes(32)), blobs=open_blobs(settings.blobs)
    )
    try:
        commands: MeetingsCommands = service.commands
        await commands.register.apply(_FIRST, _register(), "yaml")
        plan = _plan()
        await commands.plans.apply(_FIRST, plan, despite_clashes=True, tell=False)
        async with service.database.transaction() as connection:
            for number in range(2, associations + 1):
                for table in _COPIED:
                    await connection.execute(text(_copy(table)), {"number": f"association-{number}", "of": _FIRST})
        async with service.database.single() as connection:
            await connection.execute(text("ANALYZE"))
            memberships = (await connection.execute(text("SELECT count(*) FROM membership"))).scalar_one()
            meetings = (await connection.execute(text("SELECT count(*) FROM meeting"))).scalar_one()
        transport = httpx.ASGITransport(app=service.app)
        headers = {"authorization": f"Bearer {_TOKEN}"}
        async with httpx.AsyncClient(transport=transport, base_url="https://bench.example", headers=headers) as client:

            async def page() -> None:
                found = await client.get("/office/meetings", params={"year": 2023})
                assert found.status_code == 200, found.text
                assert found.text.count("row-title") > _NETWORKS

            async def check() -> None:
                found = await client.post("/plans/check", json={"text": plan})
                assert found.json()["problems"] == [], found.text
                assert found.json()["changes"] == []

            return Registers(
                associations, memberships, meetings, await measured(machine, page), await measured(machine, check)
            )
    finally:
        await service.database.close()


async def measured(
    machine: Servers, do: Callable[[], Awaitable[None]], *, before: Callable[[], Awaitable[None]] | None = None
) -> Cost:
    """What `do` costs. `before`: done ahead of each round, and not counted."""
    await do()
    rounds = []
    for _ in range(_ROUNDS):
        if before is not None:
            await before()
        database, cpu, began = machine.cpu({})["postgres"], time.process_time(), time.perf_counter()
        await do()
        rounds.append((time.process_time() - cpu, machine.cpu({})["postgres"] - database, time.perf_counter() - began))
    cpu_times, databases, times = zip(*rounds, strict=True)
    return Cost(1000 * median(cpu_times), 1000 * sum(databases) / _ROUNDS, 1000 * median(times))


def _copy(table: str) -> str:
    columns = [column.name for column in MeetingsTable.metadata.tables[table].columns if column.name != "organisation"]
    names = ", ".join(columns)
    return (
        f"INSERT INTO {table} (organisation, {names}) SELECT :number, {names} FROM {table} "
        f"WHERE {table}.organisation = :of"
    )


def _register() -> str:
    people = {
        f"p{n}": {
            "name": f"Person Nummer {n}",
            "email": f"p{n}@kommun{n % 12}.example",
            "municipality": f"Ort {n % 12}",
        }
        for n in range(_PEOPLE)
    }
    bodies = {
        "styrelsen": _body("Styrelsen", "board", range(15)),
        "au": _body("Arbetsutskottet", "committee", range(5)),
        "forbundsmotet": _body("Förbundsmötet", "congress", range(65)),
        **{
            f"n{n}": _body(f"Nätverk {n}", "network", range(15 + n * 2, 15 + n * 2 + 6 + (n < 8)))
            for n in range(_NETWORKS)
        },
    }
    return yaml.safe_dump({"people": people, "bodies": bodies}, allow_unicode=True)


def _body(name: str, kind: str, who: range) -> dict[str, Any]:
    roles = ["ordförande", *["ledamot"] * (len(who) - 1)]
    members = [{"person": f"p{n % _PEOPLE}", "role": role} for n, role in zip(who, roles, strict=True)]
    return {"name": name, "kind": kind, "members": members}


def _plan() -> str:
    def meets(first: date, every: int, times: int, hours: str) -> dict[str, Any]:
        days = [first + timedelta(days=every * n) for n in range(times)]
        return {
            "title": "Sammanträde",
            "time": hours,
            "mode": "digital",
            "meetings": [{"date": day.isoformat()} for day in days],
        }

    bodies = {
        "styrelsen": meets(date(2023, 1, 27), 35, 9, "09:00-12:00"),
        "au": meets(date(2023, 1, 20), 35, 8, "08:15-09:00"),
        "forbundsmotet": meets(date(2023, 4, 27), 1, 1, "13:00-15:00"),
        **{
            f"n{n}": meets(date(2023, 1, 10) + timedelta(days=n % 4), 70, 4, f"{8 + n % 9:02}:00-{9 + n % 9:02}:30")
            for n in range(_NETWORKS)
        },
    }
    return yaml.safe_dump({"plan": "2023", "year": "2023", "bodies": bodies}, allow_unicode=True)
