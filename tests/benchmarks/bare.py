"""The bare baseline: aiokafka and asyncpg make the same durable hops with the same rows, batched and paced the same.

Four processes with an outbox, a relay, consumers with an inbox, and commands, as the four services; but what they carry
means nothing. `STEPS` says what each event and command of an agreement with three signers writes and publishes: it is
what PostgreSQL counted for the services (`make bench` prints both counts).

A process is `python -m tests.benchmarks.bare SERVICE BOOTSTRAP DATABASE_URL`; it works off the table `go` of meetings.
"""

import asyncio
import json
import sys
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import asyncpg
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from shared.messaging.pace import Pace

BATCH = 500
AT_ONCE = 16
MAILS_AT_ONCE = 16
_JOURNAL_FETCHES = {"fetch_min_bytes": 64 * 1024, "fetch_max_wait_ms": 250}
_ATTRIBUTES = "a" * 420  # bytes of an event's attributes and body, as the services' own
_PADDING = "d" * 480

SCHEMA = """
CREATE TABLE outbox (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, event_id text NOT NULL UNIQUE, topic text NOT NULL,
    key text NOT NULL, attributes text NOT NULL, data text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(), published_at timestamptz
);
CREATE INDEX outbox_unpublished ON outbox (id) WHERE published_at IS NULL;
CREATE TABLE inbox (
    consumer text, event_id text, received_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (consumer, event_id)
);
CREATE TABLE aggregate (id text PRIMARY KEY, version integer NOT NULL, state text NOT NULL);
CREATE TABLE fact (aggregate text, n text, state text NOT NULL, PRIMARY KEY (aggregate, n));
CREATE TABLE mail (id text PRIMARY KEY, aggregate text NOT NULL, kind text NOT NULL, status text NOT NULL);
CREATE INDEX mail_waiting ON mail (id) WHERE status = 'waiting';
CREATE TABLE job (aggregate text PRIMARY KEY, claimed boolean NOT NULL DEFAULT false);
CREATE TABLE go (count integer NOT NULL);
"""


@dataclass(frozen=True)
class Step:
    """What one event or command does: a new aggregate or an update of one, facts beside it, events, commands."""

    new: bool = False
    update: bool = False
    facts: int = 0
    publishes: tuple[str, ...] = ()
    commands: tuple[str, ...] = ()
    mails: tuple[str, ...] = ()
    job: bool = False


STEPS: dict[str, dict[str, Step]] = {
    "meetings": {
        "schedule": Step(new=True, publishes=("scheduled",), commands=("draft",)),
        "draft": Step(update=True, facts=1, publishes=("drafted",)),
    },
    "signing": {
        "drafted": Step(new=True, facts=1, publishes=("created",), commands=("send",)),
        "send": Step(update=True, facts=4, publishes=("requested-1",)),
        **{f"sent-{i}": Step(update=True, facts=1, commands=(f"view-{i}",)) for i in "123"},
        **{f"view-{i}": Step(update=True, facts=1, publishes=(f"viewed-{i}",), commands=(f"sign-{i}",)) for i in "123"},
        "sign-1": Step(update=True, facts=4, publishes=("named-1", "signed-1", "requested-2")),
        "sign-2": Step(update=True, facts=4, publishes=("named-2", "signed-2", "requested-3")),
        "sign-3": Step(update=True, facts=3, publishes=("named-3", "signed-3", "completed")),
        "sent-0": Step(),
    },
    "notifications": {
        "created": Step(facts=1),
        **{f"requested-{i}": Step(mails=(f"sent-{i}",)) for i in "123"},
        **{f"signed-{i}": Step(mails=("sent-0",)) for i in "123"},
        "archived": Step(mails=("sent-0",) * 4),
    },
    "archive": {"completed": Step(job=True)},
}
CONSUMES = {
    "signing": ("meetings", "notifications"),
    "notifications": ("signing", "archive"),
    "archive": ("signing",),
}
TOPICS = ("meetings", "signing", "notifications", "archive")


@dataclass(frozen=True)
class Message:
    event_id: str
    aggregate: str
    kind: str
    body: bytes


def _new_id() -> str:
    return str(uuid.uuid4())


class BareService:
    def __init__(self, name: str, bootstrap: str, pool: "asyncpg.Pool[Any]") -> None:
        self._name = name
        self._bootstrap = bootstrap
        self._pool = pool
        self._steps = STEPS[name]
        self._commands: asyncio.Queue[tuple[str, str]] = asyncio.Queue()
        self._published = asyncio.Event()
        self._mails = asyncio.Event()
        self._jobs = asyncio.Event()

    async def run(self) -> None:
        work = [self._relay(), *(self._command_loop() for _ in range(AT_ONCE))]
        if self._name in CONSUMES:
            work.append(self._consume(self._name, CONSUMES[self._name], self._handle))
        if self._name == "meetings":
            work.append(self._go())
        if self._name == "notifications":
            work.append(self._send_mails())
        if self._name == "archive":
            work += [self._consume("journal", TOPICS, self._journal, **_JOURNAL_FETCHES), self._work_jobs()]
        await asyncio.gather(*work)

    # in

    async def _consume(self, group: str, topics: Sequence[str], handle: Any, **fetches: int) -> None:
        consumer = AIOKafkaConsumer(
            *topics,
            bootstrap_servers=self._bootstrap,
            group_id=f"bare-{group}",
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            **fetches,
        )
        await consumer.start()
        pace = Pace()
        while True:
            found = await consumer.getmany(timeout_ms=200, max_records=BATCH)
            messages = [_read(record) for records in found.values() for record in records]
            if not messages:
                continue
            pace.begin()
            await handle(messages)
            await consumer.commit(
                {TopicPartition(p.topic, p.partition): records[-1].offset + 1 for p, records in found.items()}
            )
            if len(messages) < BATCH:
                await pace.keep()

    async def _handle(self, batch: Sequence[Message]) -> None:
        wanted = [message for message in batch if message.kind in self._steps]
        if not wanted:
            return
        async with self._pool.acquire() as connection, connection.transaction():
            new = await _accept(connection, self._name, wanted)
            fresh = [message for message in wanted if message.event_id in new]
            steps = [(message.aggregate, self._steps[message.kind]) for message in fresh]
            await self._write(connection, steps)
        self._follow(steps)

    async def _journal(self, batch: Sequence[Message]) -> None:
        async with self._pool.acquire() as connection, connection.transaction():
            new = await _accept(connection, "journal", batch)
            await connection.execute("SELECT pg_advisory_xact_lock(1)")
            await connection.executemany(
                "INSERT INTO fact VALUES ($1, $2, $3)",
                [(one.aggregate, one.event_id, _ATTRIBUTES + _PADDING) for one in batch if one.event_id in new],
            )

    # commands

    async def _go(self) -> None:
        while True:
            count = await self._pool.fetchval("DELETE FROM go RETURNING count")
            for _ in range(count or 0):
                self._commands.put_nowait((_new_id(), "schedule"))
            await asyncio.sleep(0.05)

    async def _command_loop(self) -> None:
        while True:
            aggregate, kind = await self._commands.get()
            step = self._steps[kind]
            async with self._pool.acquire() as connection, connection.transaction():
                await connection.fetch("SELECT * FROM aggregate WHERE id = $1 FOR UPDATE", aggregate)
                await self._write(connection, [(aggregate, step)])
            self._follow([(aggregate, step)])

    # writing

    async def _write(self, connection: Any, steps: Sequence[tuple[str, Step]]) -> None:
        new = [(aggregate, 1, _PADDING) for aggregate, step in steps if step.new]
        updated = [aggregate for aggregate, step in steps if step.update]
        facts = [(aggregate, _new_id(), _PADDING) for aggregate, step in steps for _ in range(step.facts)]
        mails = [(_new_id(), aggregate, kind, "waiting") for aggregate, step in steps for kind in step.mails]
        jobs = [(aggregate,) for aggregate, step in steps if step.job]
        if new:
            await connection.executemany("INSERT INTO aggregate VALUES ($1, $2, $3)", new)
        if updated:
            await connection.execute("UPDATE aggregate SET version = version + 1 WHERE id = ANY($1)", updated)
        if facts:
            await connection.executemany("INSERT INTO fact VALUES ($1, $2, $3)", facts)
        if mails:
            await connection.executemany("INSERT INTO mail VALUES ($1, $2, $3, $4)", mails)
        if jobs:
            await connection.executemany("INSERT INTO job VALUES ($1)", jobs)
        await self._publish(connection, [(a, kind) for a, step in steps for kind in step.publishes])

    async def _publish(self, connection: Any, events: Sequence[tuple[str, str]]) -> None:
        rows = []
        for aggregate, kind in events:
            event_id = _new_id()
            data = json.dumps({"id": event_id, "aggregate": aggregate, "kind": kind, "padding": _PADDING})
            rows.append((event_id, self._name, aggregate, _ATTRIBUTES, data))
        if rows:
            await connection.executemany(
                "INSERT INTO outbox (event_id, topic, key, attributes, data) VALUES ($1, $2, $3, $4, $5)", rows
            )

    def _follow(self, steps: Sequence[tuple[str, Step]]) -> None:
        self._published.set()
        for aggregate, step in steps:
            for command in step.commands:
                self._commands.put_nowait((aggregate, command))
            if step.mails:
                self._mails.set()
            if step.job:
                self._jobs.set()

    # out

    async def _relay(self) -> None:
        producer = AIOKafkaProducer(
            bootstrap_servers=self._bootstrap, acks="all", enable_idempotence=True, max_batch_size=256 * 1024
        )
        await producer.start()
        pace = Pace()
        while True:
            self._published.clear()
            rows = await self._pool.fetch(
                "SELECT id, topic, key, attributes, data FROM outbox WHERE published_at IS NULL ORDER BY id LIMIT $1",
                BATCH,
            )
            if not rows:
                await _wait(self._published, 0.1)
                continue
            pace.begin()
            sent = [
                await producer.send(
                    row["topic"],
                    row["data"].encode(),
                    key=row["key"].encode(),
                    headers=[("attributes", row["attributes"].encode())],
                )
                for row in rows
            ]
            await asyncio.gather(*sent)
            await self._pool.execute(
                "UPDATE outbox SET published_at = clock_timestamp() WHERE id = ANY($1)", [row["id"] for row in rows]
            )
            if len(rows) < BATCH:
                await pace.keep()

    async def _send_mails(self) -> None:
        while True:
            self._mails.clear()
            async with self._pool.acquire() as connection, connection.transaction():
                claimed = await connection.fetch(
                    "UPDATE mail SET status = 'claimed' WHERE id IN (SELECT id FROM mail WHERE status = 'waiting'"
                    " ORDER BY id LIMIT $1 FOR UPDATE SKIP LOCKED) RETURNING id, aggregate, kind",
                    MAILS_AT_ONCE,
                )
            if not claimed:
                await _wait(self._mails, 1.0)
                continue
            ids = [row["id"] for row in claimed]
            async with self._pool.acquire() as connection, connection.transaction():
                await connection.fetch("SELECT * FROM mail WHERE id = ANY($1) ORDER BY id FOR UPDATE", ids)
                await connection.execute("UPDATE mail SET status = 'sent' WHERE id = ANY($1)", ids)
                await self._publish(connection, [(row["aggregate"], row["kind"]) for row in claimed])
            self._published.set()

    async def _work_jobs(self) -> None:
        while True:
            self._jobs.clear()
            async with self._pool.acquire() as connection, connection.transaction():
                aggregate = await connection.fetchval(
                    "UPDATE job SET claimed = true WHERE aggregate IN (SELECT aggregate FROM job WHERE NOT claimed"
                    " LIMIT 1 FOR UPDATE SKIP LOCKED) RETURNING aggregate"
                )
            if aggregate is None:
                await _wait(self._jobs, 1.0)
                continue
            async with self._pool.acquire() as connection, connection.transaction():
                await connection.execute("DELETE FROM job WHERE aggregate = $1", aggregate)
                await connection.execute("INSERT INTO aggregate VALUES ($1, 1, $2)", aggregate, _PADDING)
                await self._publish(connection, [(aggregate, "archived")])
            self._published.set()


def _read(record: Any) -> Message:
    content = json.loads(record.value)
    return Message(content["id"], content["aggregate"], content["kind"], record.value)


async def _accept(connection: Any, consumer: str, batch: Sequence[Message]) -> set[str]:
    rows = await connection.fetch(
        "INSERT INTO inbox (consumer, event_id) SELECT $1, id FROM unnest($2::text[]) AS id ORDER BY id"
        " ON CONFLICT DO NOTHING RETURNING event_id",
        consumer,
        [message.event_id for message in batch],
    )
    return {row["event_id"] for row in rows}


async def _wait(event: asyncio.Event, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        return


async def _main(name: str, bootstrap: str, url: str) -> None:
    async with asyncpg.create_pool(url, min_size=1, max_size=20) as pool:
        await BareService(name, bootstrap, pool).run()


if __name__ == "__main__":
    asyncio.run(_main(*sys.argv[1:]))
