"""What the measured costs make for a country and for a million agreements a day: pure sums over docs/capacity.json.

What is not measured is an assumption, and stands in `Assumed` with its reason; prices are such.
"""

from dataclasses import dataclass
from math import ceil
from typing import Any

SERVICES = ("meetings", "signing", "notifications", "archive")
_EXTRAPOLATED = 1_000_000


@dataclass(frozen=True)
class Assumed:
    """`busiest`: the share of a year's work that falls into its busiest hour; `fill`: of a core that is planned to be
    used then. `core`, `memory`, `disk`, `objects`: euros a month for a vCPU, and for a GB of memory, of replicated
    block storage, of object storage; list prices differ by three times either way."""

    busiest: float = 1 / 500
    fill: float = 0.5
    core: float = 15.0
    memory: float = 3.0
    disk: float = 0.12
    objects: float = 0.025
    memory_a_pod: float = 0.25  # GB, between request and limit of deploy/kubernetes/base
    least_pods: int = 2
    copies: int = 3  # of PostgreSQL's data, as overlays/production has it
    partitions: int = 12  # of a topic, as `justera migrate` makes it
    forgotten: float = 60 / 365  # of a year: when inboxes forget; outboxes do in half of that


@dataclass(frozen=True)
class Cost:
    """Of one meeting with its agreement: CPU in ms by process, bytes by service, those of them that outboxes and
    inboxes hold and forget, bytes of documents, events."""

    cpu: dict[str, float]
    database: dict[str, int]
    passing: int
    blobs: int
    events: float

    @classmethod
    def of(cls, measured: dict[str, Any]) -> "Cost":
        return cls(
            measured["cpu_ms"],
            measured["database_bytes"],
            measured["passing_bytes"],
            measured["blob_bytes"],
            measured["events"],
        )


@dataclass(frozen=True)
class Load:
    """How many meetings a year, and the share of them in the busiest hour."""

    name: str
    meetings: int
    busiest: float

    @property
    def a_second(self) -> float:
        return self.meetings * self.busiest / 3600


# 290 municipalities with 120 minutes a year each (council, board and ten committees, ten each), 21 regions with 150,
# 300 municipal federations and companies with 40.
SWEDEN = 290 * 120 + 21 * 150 + 300 * 40


def loads(assumed: Assumed) -> list[Load]:
    return [
        Load("one municipality", 120, assumed.busiest),
        Load("all of Sweden", SWEDEN, assumed.busiest),
        Load("a million a day", 365_000_000, 2 / (365 * 24)),  # day and night, twice the mean in the busiest hour
    ]


@dataclass(frozen=True)
class Need:
    """For a load: cores in the busiest hour by process, pods by service, bytes that a year adds, euros a month."""

    load: Load
    cores: dict[str, float]
    pods: dict[str, int]
    database: dict[str, int]
    blobs: int
    events_a_month: float
    euros: dict[str, float]


def need(load: Load, cost: Cost, assumed: Assumed, *, years: int = 1) -> Need:
    """`years`: how many are kept when the euros are paid. PostgreSQL's and Kafka's servers have one core at least."""
    cores = {name: load.a_second * spent / 1000 / assumed.fill for name, spent in cost.cpu.items()}
    pods = {name: max(assumed.least_pods, ceil(cores[name])) for name in SERVICES}
    database = {name: load.meetings * each for name, each in cost.database.items()}
    blobs = load.meetings * cost.blobs
    stays, passes = sum(cost.database.values()) - cost.passing, cost.passing * assumed.forgotten
    servers = assumed.copies * max(1, ceil(cores["postgres"])) + 3 * max(1, ceil(cores["kafka"]))
    paid = sum(max(cores[name], assumed.least_pods * 0.1) for name in SERVICES) + servers
    memory = sum(pods.values()) * assumed.memory_a_pod + servers * 4
    euros = {
        "cores": paid * assumed.core,
        "memory": memory * assumed.memory,
        "disk": load.meetings * (stays * years + passes) / 1e9 * assumed.copies * assumed.disk,
        "objects": blobs * years / 1e9 * assumed.objects,
    }
    return Need(load, cores, pods, database, blobs, load.meetings * cost.events / 12, euros)


def tables(record: dict[str, Any]) -> str:
    """Markdown, as it stands in docs/capacity.md."""
    assumed, cost = Assumed(), Cost.of(record["meetings"])
    parts = (
        _measured(record),
        _journal(record["journal"]),
        _months(record["months"]),
        _agreements(record["agreements"]),
        _search(record["search"]),
        _needs(cost, assumed),
    )
    return "\n\n".join(parts)


def _measured(record: dict[str, Any]) -> str:
    meeting, agreement, journal = record["meetings"], record["agreements"]["sizes"][-1], record["journal"]["sizes"][-1]
    event = journal["take"]["500"]
    share = 120
    return _table(
        ["", "CPU", "databases", "documents", "events"],
        [
            [
                "an event taken into the journal",
                f"{(event['cpu_ms'] + event['postgres_ms']) / 500:.2f} ms",
                f"{journal['bytes']['rows'] + journal['bytes']['indexes']:,} bytes",
                "",
                "1",
            ],
            [
                "an agreement, without documents",
                f"{sum(agreement['cpu_ms'].values()):.0f} ms",
                f"{sum(agreement['bytes'].values()) / 1000:.0f} kB",
                "",
                f"{agreement['events']:.0f}",
            ],
            [
                "a meeting with all that belongs to it",
                f"{sum(meeting['cpu_ms'].values()):,.0f} ms",
                f"{sum(meeting['database_bytes'].values()) / 1000:.0f} kB",
                f"{meeting['blob_bytes'] / 1000:.0f} kB",
                f"{meeting['events']:.0f}",
            ],
            [
                f"a year of {share} such meetings, archived",
                f"{share * sum(meeting['cpu_ms'].values()) / 1000:.0f} s",
                f"{share * sum(meeting['database_bytes'].values()) / 1e6:.0f} MB",
                f"{share * meeting['blob_bytes'] / 1e6:.0f} MB",
                f"{share * meeting['events']:,.0f}",
            ],
        ],
    )


def _journal(record: dict[str, Any]) -> str:
    found = record["sizes"]
    read = [(name, [one["read"][name] for one in found]) for name in found[0]["read"]]
    taken = [
        (f"{size} event{'' if size == '1' else 's'} taken in at once", [one["take"][size] for one in found])
        for size in found[0]["take"]
    ]
    return _table(
        ["ms", *(f"{one['events']:,} events" for one in found)],
        [
            *([name, *(_cpu(one) for one in costs)] for name, costs in [*read, *taken]),
            ["bytes an event: row", *(f"{one['bytes']['rows']:,}" for one in found)],
            ["bytes an event: indexes", *(f"{one['bytes']['indexes']:,}" for one in found)],
            ["GB", *(f"{one['events'] * sum(one['bytes'].values()) / 1e9:.1f}" for one in found)],
        ],
    )


def _months(record: dict[str, Any]) -> str:
    found = record["sizes"]
    return _table(
        ["ms", *(f"{one['months']} months" for one in found)],
        [[name, *(_cpu(one["read"][name]) for one in found)] for name in found[0]["read"]],
    )


def _search(record: dict[str, Any]) -> str:
    found = record["sizes"]
    return _table(
        ["ms", *(f"{one['decisions']:,} decisions" for one in found)], [["a search", *(_cpu(one) for one in found)]]
    )


def _cpu(cost: dict[str, float]) -> str:
    return f"{cost['cpu_ms'] + cost['postgres_ms']:.1f} ({cost['ms']:.0f})"


def _agreements(record: dict[str, Any]) -> str:
    """With a column for a million, which no disk here holds: as the largest that was measured, times what lacks."""
    found = record["sizes"]
    last = found[-1]["bytes"]
    rows = [
        ["agreements a second", *(f"{one['per_second']:.1f}" for one in found), "not measured"],
        ["CPU an agreement, ms", *(f"{sum(one['cpu_ms'].values()):.0f}" for one in found), "not measured"],
        ["of it PostgreSQL", *(f"{one['cpu_ms']['postgres']:.0f}" for one in found), "not measured"],
        *(
            [f"{name}, bytes an agreement", *(f"{one['bytes'][name]:,}" for one in found), f"{last[name]:,}"]
            for name in SERVICES
        ),
        [
            "all databases",
            *(_bytes(one["stored"] * sum(one["bytes"].values())) for one in found),
            _bytes(_EXTRAPOLATED * sum(last.values())),
        ],
    ]
    return _table(["", *(f"{one['stored']:,} stored" for one in found), f"{_EXTRAPOLATED:,}, extrapolated"], rows)


def _needs(cost: Cost, assumed: Assumed) -> str:
    found = [need(load, cost, assumed) for load in loads(assumed)]
    ten = [need(load, cost, assumed, years=10) for load in loads(assumed)]
    rows = [
        ["meetings a year", *(f"{one.load.meetings:,}" for one in found)],
        ["meetings a second in the busiest hour", *(_small(one.load.a_second) for one in found)],
        ["events a month: rows of a partition of the journal", *(f"{one.events_a_month:,.0f}" for one in found)],
        *(
            [f"{name}: cores, pods", *(f"{_small(one.cores[name])}, {one.pods[name]:,}" for one in found)]
            for name in SERVICES
        ),
        *(
            [f"{called}: cores", *(_small(one.cores[name]) for one in found)]
            for name, called in (("kafka", "Kafka"), ("postgres", "PostgreSQL"))
        ),
        [
            "partitions of a topic: 12, or as many as pods",
            *(f"{max(assumed.partitions, *one.pods.values()):,}" for one in found),
        ],
        *([f"database of {name}, a year", *(_bytes(one.database[name]) for one in found)] for name in SERVICES),
        ["of all four, forgotten within 60 days", *(_bytes(one.load.meetings * cost.passing) for one in found)],
        ["documents, a year", *(_bytes(one.blobs) for one in found)],
        ["euros a month with one year kept", *(f"{sum(one.euros.values()):,.0f}" for one in found)],
        ["of it CPU and memory", *(f"{one.euros['cores'] + one.euros['memory']:,.0f}" for one in found)],
        ["euros a month with ten years kept", *(f"{sum(one.euros.values()):,.0f}" for one in ten)],
    ]
    return _table(["", *(one.load.name for one in found)], rows)


def _small(number: float) -> str:
    return f"{number:.2g}" if number >= 0.001 else "below 0.001"


def _bytes(number: float) -> str:
    for unit, size in (("TB", 1e12), ("GB", 1e9)):
        if number >= size:
            return f"{number / size:,.1f} {unit}"
    return f"{number / 1e6:,.0f} MB"


def _table(head: list[str], rows: list[list[str]]) -> str:
    lines = [head, ["---", *["---:"] * (len(head) - 1)], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
