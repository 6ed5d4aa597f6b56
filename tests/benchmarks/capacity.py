"""What an event, a meeting, an agreement and an archived year cost, measured with stored rows; and what that makes.

    python -m tests.benchmarks.capacity meetings agreements    measures some parts, and adds to docs/capacity.json
    python -m tests.benchmarks.capacity --for-sweden           prints docs/capacity.md's tables of that file

`make capacity` is the first with its defaults. It needs what `make bench` needs, half an hour and some 40 GB of disk.
"""

import argparse
import asyncio
import json
import logging
import os
import platform
import random
import shutil
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

import asyncpg
import psutil
import structlog

from shared.names import SERVICES
from shared.row_security import for_all
from tests.benchmarks.decision_rows import decisions_of
from tests.benchmarks.journal_rows import journal_of
from tests.benchmarks.pipeline import Pipeline, pipeline
from tests.benchmarks.servers import Servers, plain, servers
from tests.benchmarks.stored import copy_rows
from tests.benchmarks.sweden import tables
from tests.benchmarks.whole import played_years
from tests.support.kafka import Kafka

RECORD = Path(__file__).parents[2] / "docs" / "capacity.json"
_WARM_UP = 50
_EVENTS_OF_MONTHS = 200_000

_SIZES = """
SELECT coalesce((SELECT inhparent::regclass FROM pg_inherits WHERE inhrelid = c.oid), c.oid::regclass)::text AS name,
       sum(pg_table_size(c.oid))::bigint AS rows, sum(pg_indexes_size(c.oid))::bigint AS indexes
FROM pg_class c WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace GROUP BY 1
"""

Found = dict[str, Any]
Keep = Callable[[Found], None]


async def sizes(database_url: str) -> dict[str, dict[str, tuple[int, int]]]:
    """Of each table of each service, the bytes of its rows and of its indexes, all partitions together."""
    found = {}
    for service in SERVICES:
        connection = await asyncpg.connect(plain(database_url.replace("{service}", service)))
        try:
            await connection.execute("CHECKPOINT")
            found[service] = {row["name"]: (row["rows"], row["indexes"]) for row in await connection.fetch(_SIZES)}
        finally:
            await connection.close()
    return found


def together(found: dict[str, dict[str, tuple[int, int]]]) -> dict[str, int]:
    return {service: sum(sum(both) for both in each.values()) for service, each in found.items()}


def passing(found: dict[str, dict[str, tuple[int, int]]]) -> int:
    """Of it, what is deleted again."""
    return sum(sum(both) for each in found.values() for table, both in each.items() if table in ("inbox", "outbox"))


async def meetings(folder: Path, machine: Servers, wanted: argparse.Namespace, keep: Keep) -> None:
    """Whole meetings by API, from the register to minutes that are signed by three, posted and archived."""
    async with played_years(folder / "years", machine) as years:
        await years.play(4)
        before, spent, events = await sizes(years.database_url), years.cpu(), await years.events()
        blobs, begun = years.blob_bytes(), time.perf_counter()
        await years.play(wanted.meetings)
        seconds = time.perf_counter() - begun
        after, used = await sizes(years.database_url), years.cpu()
        found = {
            "meetings": wanted.meetings,
            "seconds": round(seconds, 1),
            "events": round((await years.events() - events) / wanted.meetings, 1),
            "cpu_ms": {name: round(1000 * (used[name] - spent[name]) / wanted.meetings, 1) for name in used},
            "database_bytes": {
                service: (together(after)[service] - together(before)[service]) // wanted.meetings
                for service in SERVICES
            },
            "passing_bytes": (passing(after) - passing(before)) // wanted.meetings,
            "blob_bytes": (years.blob_bytes() - blobs) // wanted.meetings,
        }
        keep(found)


async def agreements(folder: Path, machine: Servers, wanted: argparse.Namespace, keep: Keep) -> None:
    """Agreements without documents, on tables that hold more and more of them."""
    async with pipeline(folder / "pipeline", machine) as services:
        await services.run(_WARM_UP)
        stored, found = _WARM_UP, []
        for number in wanted.agreements:
            if (times := round((number - stored) / stored)) > 0:
                begun = time.perf_counter()
                await copy_rows(services.database_url, times)
                stored *= 1 + times
                _say(f"{stored:,} agreements stored in {time.perf_counter() - begun:.0f} s")
            found.append(await _with_agreements(services, stored, wanted.round))
            stored += wanted.round
            keep({"sizes": found})


async def _with_agreements(services: Pipeline, stored: int, count: int) -> Found:
    held = await sizes(services.database_url)
    run = await services.run(count)
    largest = sorted(
        ((service, table, *both) for service, each in held.items() for table, both in each.items()),
        key=lambda one: -one[2] - one[3],
    )
    return {
        "stored": stored,
        "bytes": {service: number // stored for service, number in together(held).items()},
        "largest": {f"{one[0]}.{one[1]}": [one[2] // stored, one[3] // stored] for one in largest[:8]},
        "events": round(run.events / count, 1),
        "per_second": round(run.per_second, 2),
        "cpu_ms": {name: round(1000 * seconds / count, 1) for name, seconds in run.cpu.items()},
    }


async def journal(folder: Path, machine: Servers, wanted: argparse.Namespace, keep: Keep) -> None:
    """The journal alone, of 24 months, with more and more events in it that real agreements told."""
    originals = await _originals(folder, machine)
    found = []
    for number in wanted.events:
        async with journal_of(machine, originals, number, _say) as rows:
            found.append(await rows.measured(_cost_of(machine)))
            keep({"sizes": found})


async def _originals(folder: Path, machine: Servers) -> Path:
    """A file of what some agreements told the journal."""
    async with pipeline(folder / "originals", machine) as services:
        await services.run(_WARM_UP)
        source = plain(services.database_url.replace("{service}", "archive"))
        originals = folder / "originals.copy"
        await _export(source, originals)
    await Kafka(machine.bootstrap, "machine").delete_topics()
    return originals


async def months(folder: Path, machine: Servers, wanted: argparse.Namespace, keep: Keep) -> None:
    """The journal with the same events in more and more months."""
    originals = await _originals(folder, machine)
    found = []
    for number in wanted.months:
        async with journal_of(machine, originals, _EVENTS_OF_MONTHS, _say, months_of=number) as rows:
            found.append(await rows.measured(_cost_of(machine)))
            keep({"sizes": found})


async def search(folder: Path, machine: Servers, wanted: argparse.Namespace, keep: Keep) -> None:
    """A word that one decision in a hundred has, among more and more of one association."""
    found = []
    for number in wanted.decisions:
        async with decisions_of(machine, str(folder), number) as searched:
            found.append({"decisions": number, **await _cost_of(machine)(searched, 25)})
            keep({"sizes": found})


async def _export(url: str, file: Path) -> None:
    connection = await asyncpg.connect(url)
    try:
        await connection.copy_from_query("SELECT * FROM journal ORDER BY id", output=file, format="binary")
    finally:
        await connection.close()


def _cost_of(machine: Servers) -> Callable[[Callable[[], Awaitable[object]], int], Awaitable[Found]]:
    async def cost(do: Callable[[], Awaitable[object]], rounds: int) -> Found:
        """The median's milliseconds, the slowest's, the first's; and CPU a round, ours and PostgreSQL's."""
        times = []
        own, server = time.process_time(), machine.cpu({})["postgres"]
        for _ in range(rounds):
            begun = time.perf_counter()
            await do()
            times.append(1000 * (time.perf_counter() - begun))
        used = 1000 * (time.process_time() - own), 1000 * (machine.cpu({})["postgres"] - server)
        names = ("ms", "slowest", "first", "cpu_ms", "postgres_ms")
        values = (median(times), max(times), times[0], used[0] / rounds, used[1] / rounds)
        return {name: round(value, 2) for name, value in zip(names, values, strict=True)}

    return cost


PARTS = {"meetings": meetings, "agreements": agreements, "journal": journal, "months": months, "search": search}


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _keep(file: Path, part: str, about: Found, found: Found) -> None:
    """As far as it has come: a size that needs too much disk or time takes nothing along."""
    record = json.loads(file.read_text()) if file.exists() else {}
    record[part] = about | found
    file.write_text(json.dumps(record, indent=2) + "\n")
    _say(json.dumps(found))


async def _measure(wanted: argparse.Namespace) -> None:
    with tempfile.TemporaryDirectory(prefix="justera-capacity-") as scratch:
        for name in wanted.parts:
            folder = Path(scratch) / name
            folder.mkdir()
            load = os.getloadavg()[0]
            about = {
                "taken": datetime.now(UTC).date().isoformat(),
                "command": f"python -m tests.benchmarks.capacity {' '.join(wanted.given)}",
                "machine": f"{platform.machine()}, {psutil.cpu_count()} CPUs, {psutil.virtual_memory().total >> 30} GB,"
                f" load {load:.1f} at the start",
            }
            async with servers(folder) as machine:
                await PARTS[name](folder, machine, wanted, partial(_keep, wanted.out, name, about))
            shutil.rmtree(folder)


def _part(name: str) -> str:
    if name not in PARTS:
        raise argparse.ArgumentTypeError(f"{name} is none of {', '.join(PARTS)}")
    return name


def _arguments(given: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.capacity", description=__doc__)
    parser.add_argument("parts", nargs="*", type=_part, metavar="|".join(PARTS), help="default: all")
    parser.add_argument("--for-sweden", action="store_true", help="measure nothing: the tables of what was recorded")
    parser.add_argument("--meetings", type=int, default=40, help="meetings played; default: 40")
    parser.add_argument("--agreements", type=int, nargs="*", default=[1_000, 10_000, 100_000], help="stored, growing")
    parser.add_argument("--round", type=int, default=200, help="agreements measured at each size; default: 200")
    parser.add_argument(
        "--events", type=int, nargs="*", default=[100_000, 1_000_000, 10_000_000], help="in the journal"
    )
    parser.add_argument("--months", type=int, nargs="*", default=[12, 24, 60, 120], help="of the journal")
    parser.add_argument("--decisions", type=int, nargs="*", default=[1_000, 10_000, 100_000], help="of an association")
    parser.add_argument("--out", type=Path, default=RECORD)
    wanted = parser.parse_args(given)
    wanted.parts = wanted.parts or list(PARTS)
    wanted.given = [one for one in given if one not in ("--out", str(wanted.out))]
    return wanted


def main() -> None:
    wanted = _arguments(sys.argv[1:])
    if wanted.for_sweden:
        print(tables(json.loads(RECORD.read_text())))
        return
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    random.seed(1)
    with for_all("benchmarks, which come by no door"):
        asyncio.run(_measure(wanted))


if __name__ == "__main__":
    main()
