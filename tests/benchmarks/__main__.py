"""`make bench`: how fast it is, beside bare baselines measured in the same run. `docs/performance.md` explains it.

On an otherwise idle machine. Needs Java, Maven and PostgreSQL; with 100,000 stored agreements 20 GB and some minutes.
"""

import argparse
import asyncio
import logging
import os
import platform
import tempfile
from collections.abc import Callable, Coroutine, Sequence
from pathlib import Path
from statistics import median
from typing import Any

import psutil
import structlog

from shared.names import SERVICES
from shared.row_security import for_all
from tests.benchmarks.baseline import baseline
from tests.benchmarks.copies import copies
from tests.benchmarks.fairness import Fairness, mailed, relayed
from tests.benchmarks.notices import notices
from tests.benchmarks.open_data import open_data
from tests.benchmarks.papers import papers
from tests.benchmarks.peers import celery_on_redis, faststream_outbox
from tests.benchmarks.pipeline import Pipeline, Throughput, pipeline
from tests.benchmarks.registers import registers
from tests.benchmarks.relay import relay_speed
from tests.benchmarks.servers import Servers, servers
from tests.benchmarks.stored import copy_rows
from tests.benchmarks.whole import Office, Whole, office
from tests.support.kafka import Kafka
from tests.support.parts import PartMissing

_IN_FLIGHT = (1, 4, 16)
_WARM_UP = 50
_ROUNDS = 3

Say = Callable[[str], None]


async def events(say: Say, folder: Path, machine: Servers, wanted: argparse.Namespace) -> None:
    """(a) bare baseline, (b) the four services without documents, (c) their ratio, (h) with many agreements stored."""
    count = wanted.agreements
    async with baseline(folder, machine) as bare:
        await bare.run(_WARM_UP)
        a = await _median(bare.run, count)
    say(f"(a) bare aiokafka and asyncpg        {_throughput(a)}")
    await _without_topics(machine)
    async with pipeline(folder / "pipeline", machine) as services:
        await services.run(_WARM_UP)
        b = await _median(services.run, count)
        say(f"(b) four services, no documents      {_throughput(b)}")
        say(f"(c) b / a                            {b.per_second / a.per_second:.2f}    (aim: 0.5 or better)")
        say(f"    by CPU time, a / b               {_all_cpu(a) / _all_cpu(b):.2f}")
        _say_counts(say, a, b)
        await _with_stored(say, services, b, wanted)
    await _without_topics(machine)


async def _with_stored(say: Say, services: Pipeline, empty: Throughput, wanted: argparse.Namespace) -> None:
    before = _WARM_UP + _ROUNDS * wanted.agreements
    stored = before
    for number in wanted.stored:
        rows = await copy_rows(services.database_url, max(1, round((number - stored) / stored)))
        stored = stored * (1 + max(1, round((number - stored) / stored)))
        await services.run(_WARM_UP)
        found = await _median(services.run, wanted.agreements)
        stored += _WARM_UP + _ROUNDS * wanted.agreements
        say(
            f"(h) b with {stored:,} stored".ljust(37)
            + f"{_throughput(found)}, {found.per_second / empty.per_second:.2f} of b"
            + f"    (aim: within 10 %; {rows:,} rows added)"
        )


async def peers(say: Say, folder: Path, machine: Servers, wanted: argparse.Namespace) -> None:
    """(j) a Celery chain on Redis, and faststream-outbox, with the hops and rows of (a)."""
    count = wanted.peer_agreements
    for name, peer in (("a Celery chain on Redis", celery_on_redis), ("faststream-outbox", faststream_outbox)):
        label = f"(j) {name}".ljust(37)
        try:
            async with peer(folder / peer.__name__, machine) as running:
                await running.run(max(1, count // 10))
                found = await _median(running.run, count)
        except PartMissing as missing:
            say(f"{label}not measured: {missing}")
            continue
        cpu = ", ".join(f"{process} {1000 * seconds / count:.0f}" for process, seconds in found.cpu.items())
        say(f"{label}{_throughput(found)} ({cpu})    (aim: (b) ahead of it)")


async def relay(say: Say, folder: Path, machine: Servers, wanted: argparse.Namespace) -> None:
    """(d) the relay against a bare idempotent producer."""
    speed = await relay_speed(machine)
    say(
        f"(d) relay / bare idempotent producer {speed.ratio:.2f}    {speed.relay:,.0f} / {speed.bare:,.0f} events/s"
        "    (aim: 0.7 or better)"
    )
    await _without_topics(machine)


async def documents(say: Say, folder: Path, machine: Servers, wanted: argparse.Namespace) -> None:
    """(e) final copies rendered and sealed."""
    made = await copies()
    say(
        f"(e) final copies a second per core   {made.a_second_per_core:.1f}    render {made.render_ms:.1f} ms,"
        f" seal {made.seal_ms:.1f} ms, minutes {made.draft_ms:.1f} ms of CPU each;"
        f" {made.ratio:.2f} of bare typst and pyHanko ({made.bare_typst_ms:.1f} + {made.bare_pyhanko_ms:.1f} ms)"
    )


async def notice(say: Say, folder: Path, machine: Servers, wanted: argparse.Namespace) -> None:
    """(n) a notice to a congress, and with ten times its delegates."""
    for delegates in (65, 650):
        found = await notices(machine, delegates=delegates)
        say(
            f"(n) notice to {delegates} delegates".ljust(37)
            + f"taken by SMTP in {found.accepted:.2f} s, on record in {found.recorded:.2f} s;"
            f" CPU {1000 * found.cpu / delegates:.1f} ms a mail, {found.connections} connections"
            + ("    (aim: taken in 2 s)" if delegates == 65 else "")
        )


async def meeting_papers(say: Say, folder: Path, machine: Servers, wanted: argparse.Namespace) -> None:
    """(p) the papers of a meeting as one PDF, and of ones with fewer and more pages."""
    for items, pages in ((5, 30), (20, 300), (50, 2500)):
        found = await papers(items=items, pages=pages)
        say(
            f"(p) papers, {items} items, {pages} pages".ljust(37)
            + f"{found.seconds:.2f} s; {found.pages} pages, {found.size / 1_000_000:.1f} MB"
            + ("    (aim: under 3 s)" if pages == 300 else "")
        )


async def register(say: Say, folder: Path, machine: Servers, wanted: argparse.Namespace) -> None:
    """(r) the year's page and the clash check of one association among more and more."""
    for associations in (1, 30, 300):
        found = await registers(machine, str(folder), associations=associations)
        say(
            f"(r) {associations} associations".ljust(37)
            + f"{found.memberships} memberships, {found.meetings} meetings; CPU ms, with PostgreSQL's: "
            + ", ".join(
                f"{name} {cost.cpu:.0f} + {cost.database:.0f} ({cost.took:.0f} ms)"
                for name, cost in (("the year's page", found.page), ("the clash check", found.check))
            )
            + "    (aim: 200 each)"
        )


async def open_data_of(say: Say, folder: Path, machine: Servers, wanted: argparse.Namespace) -> None:
    """(o) open data after a change of one meeting, with more and more meetings behind it."""
    for meetings in (200, 2_000, 20_000):
        found = await open_data(machine, str(folder), meetings=meetings)
        say(
            f"(o) open data, {meetings:,} meetings".ljust(37)
            + "CPU ms, with PostgreSQL's: "
            + ", ".join(
                f"{name} {cost.cpu:.0f} + {cost.database:.0f} ({cost.took:.0f} ms)"
                for name, cost in (("after a change", found.change), ("after none", found.same))
            )
        )


async def fairness(say: Say, folder: Path, machine: Servers, wanted: argparse.Namespace) -> None:
    """(t) what one organisation's event and mail wait behind another's thousands."""
    for before in (5_000, 20_000):
        _say_fairness(say, f"an event behind {before:,}", await relayed(machine, before=before))
        await _without_topics(machine)
    for before in (1_000, 5_000):
        _say_fairness(say, f"a mail behind {before:,}", await mailed(machine, before=before))


def _say_fairness(say: Say, what: str, found: Fairness) -> None:
    say(
        f"(t) {what}".ljust(37) + f"alone {1000 * found.alone:.0f} ms, behind them {1000 * found.behind:.0f} ms"
        f" ({found.behind / found.alone:.1f} times); theirs took {found.drained:.1f} s"
    )


async def whole(say: Say, folder: Path, machine: Servers, wanted: argparse.Namespace) -> None:
    """(f) idle latency, (g) memory, (i) the whole thing at 1, 4 and 16 agreements in flight."""
    async with office(folder / "office", machine) as services:
        await services.run(_WARM_UP // 2, in_flight=4)
        runs = [await services.run(min(150, 30 * each), in_flight=each) for each in _IN_FLIGHT]
        idle = runs[0]
        say(
            f"(f) signed to the next mail, idle    p50 {idle.p50 * 1000:.0f} ms, p99 {idle.p99 * 1000:.0f} ms"
            "    (aim: p50 under 60 ms)"
        )
        _say_memory(say, services)
        for run in runs:
            say(_whole(run))
    await _without_topics(machine)


PARTS: dict[str, Callable[[Say, Path, Servers, argparse.Namespace], Coroutine[Any, Any, None]]] = {
    "events": events,
    "peers": peers,
    "relay": relay,
    "documents": documents,
    "notice": notice,
    "papers": meeting_papers,
    "register": register,
    "open-data": open_data_of,
    "fairness": fairness,
    "whole": whole,
}


async def _median(run: Callable[[int], Coroutine[Any, Any, Throughput]], count: int) -> Throughput:
    """The run of the middle throughput."""
    found = [await run(count) for _ in range(_ROUNDS)]
    middle = median(one.per_second for one in found)
    return next(one for one in found if one.per_second == middle)


async def _without_topics(machine: Servers) -> None:
    """The next part has its own topics: nothing of this one is consumed there."""
    await Kafka(machine.bootstrap, "machine").delete_topics()


def _throughput(run: Throughput) -> str:
    return f"{run.per_second:.1f} agreements/s, {_all_cpu(run):.0f} ms of CPU each"


def _all_cpu(run: Throughput) -> float:
    """Milliseconds an agreement, servers included."""
    return 1000 * sum(run.cpu.values()) / run.agreements


def _say_counts(say: Say, a: Throughput, b: Throughput) -> None:
    for name, run in (("a", a), ("b", b)):
        rows = ", ".join(
            f"{service} {one.inserted / run.agreements:.0f}+{one.updated / run.agreements:.0f}+"
            f"{one.deleted / run.agreements:.0f} in {one.commits / run.agreements:.1f}"
            for service, one in run.written.items()
        )
        cpu = ", ".join(f"{process} {1000 * seconds / run.agreements:.0f}" for process, seconds in run.cpu.items())
        say(f"    {name}, an agreement: {run.events / run.agreements:.0f} events; rows inserted+updated+deleted in")
        say(f"       transactions: {rows}; CPU ms: {cpu}")


def _say_memory(say: Say, services: Office) -> None:
    memory = services.memory()
    each = ", ".join(f"{name} {rss / 1e6:.0f} / {pss / 1e6:.0f}" for name, (rss, pss) in memory.items())
    say(
        f"(g) resident memory, RSS / PSS MB    {each}; together {sum(rss for rss, _ in memory.values()) / 1e6:.0f}"
        f" / {sum(pss for _, pss in memory.values()) / 1e6:.0f}    (aim: 400)"
    )


def _whole(run: Whole) -> str:
    services = 1000 * sum(run.cpu[name] for name in SERVICES)
    return (
        f"(i) whole, {run.in_flight} in flight".ljust(37)
        + f"{run.per_second:.1f} agreements/s; signed to the next mail p50 {run.p50 * 1000:.0f} ms,"
        f" p99 {run.p99 * 1000:.0f} ms; CPU an agreement {sum(run.cpu.values()):.2f} s"
        f" (services {services:.0f} ms, Kafka {1000 * run.cpu['kafka']:.0f},"
        f" PostgreSQL {1000 * run.cpu['postgres']:.0f})"
        + ("    (aim: 10/s, p50 under 100 ms)" if run.in_flight == _IN_FLIGHT[-1] else "")
    )


async def _run(wanted: argparse.Namespace, say: Say) -> None:
    with tempfile.TemporaryDirectory(prefix="justera-bench-") as scratch:
        folder = Path(scratch)
        async with servers(folder) as machine:
            for name in wanted.parts or PARTS:
                await PARTS[name](say, folder, machine, wanted)


def _part(name: str) -> str:
    if name not in PARTS:
        raise argparse.ArgumentTypeError(f"{name} is none of {', '.join(PARTS)}")
    return name


def _arguments(given: Sequence[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("parts", nargs="*", type=_part, metavar="|".join(PARTS), help="default: all")
    parser.add_argument("--agreements", type=int, default=300, help="a round of (a) and (b); default: 300")
    parser.add_argument("--peer-agreements", type=int, default=100, help="a round of (j); default: 100")
    parser.add_argument(
        "--stored", type=int, nargs="*", default=[10_000, 100_000], help="agreements stored for (h), growing"
    )
    return parser.parse_args(given)


def main() -> None:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    wanted = _arguments()
    load = os.getloadavg()[0]
    version = platform.python_version()
    print(f"{platform.machine()}, {psutil.cpu_count()} CPUs, Python {version}, load {load:.1f} at the start")
    if load > 0.5:
        print("The machine is busy: the figures will be worse than they are.")
    try:
        with for_all("benchmarks, which come by no door"):
            asyncio.run(_run(wanted, lambda line: print(line, flush=True)))
    except PartMissing as missing:
        raise SystemExit(f"The benchmarks need Java 17, Maven and PostgreSQL: {missing}") from None


if __name__ == "__main__":
    main()
