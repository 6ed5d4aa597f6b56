"""What one event, and one mail, of an organisation wait when another has put thousands before them.

    found = await relayed(machine, before=20_000)
    found.alone, found.behind, found.drained

`alone` is the wait with nothing else to do, `behind` that after the other's, `drained` how long the other's took: where
rows were taken in the order in which they came, `behind` would be as long. Medians, the rounds of which took turns.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from statistics import median

from pydantic import SecretStr
from sqlalchemy import text

from services.notifications.main import build
from shared.auth import Access
from shared.clock import ManualClock
from shared.database import Database
from shared.events import MeetingCancelled
from shared.keys import new_keys
from shared.messaging.broker import KafkaSettings
from shared.messaging.relay import Relay
from shared.messaging.signatures import new_event_keys, parse_event_keys
from shared.messaging.transaction import Transaction
from shared.migrations import migrate
from shared.settings import load_settings
from shared.wakeup import Wakeup
from tests.benchmarks.servers import Servers
from tests.support.kafka import Kafka
from tests.support.smtp_sink import SmtpSink

_ROUNDS = 3
_NOISY, _QUIET = "bjorka", "norrdalen"
_AT = datetime(2023, 3, 1, 7, tzinfo=UTC)


@dataclass(frozen=True)
class Fairness:
    """Seconds."""

    before: int
    alone: float
    behind: float
    drained: float


async def relayed(machine: Servers, *, before: int) -> Fairness:
    """From the commit of the quiet one's event to its mark that Kafka has it."""
    await Kafka(machine.bootstrap, "machine").create_topic(MeetingCancelled.topic)
    url = (await machine.postgres.create_service_databases()).replace("{service}", "meetings")
    database, wakeup = Database(url), Wakeup()
    await migrate(database.engine, "meetings")
    signer = parse_event_keys(new_event_keys()).signer("meetings")
    relay = Relay(database, KafkaSettings(machine.bootstrap), wakeup, signer)
    relay.start()

    async def tell(organisation: str, count: int) -> None:
        async with database.transaction() as connection:
            transaction = Transaction(connection)
            for number in range(count):
                _publish(transaction, organisation, number)
            await transaction.flush()
        wakeup.set()

    async def left(organisation: str) -> bool:
        async with database.single() as connection:
            return bool((await connection.execute(_EVENTS_LEFT, {"of": organisation})).scalar_one())

    try:
        await tell(_QUIET, 1)  # connected, and loaded
        return await _measured(before, tell, left)
    finally:
        await relay.stop()
        await database.close()


async def mailed(machine: Servers, *, before: int) -> Fairness:
    """From the moment when the quiet one's mail is due to its record that a mail server took it; the service and the
    mail server are one process."""
    url = await machine.postgres.create_database("notifications")
    async with SmtpSink() as sink:
        settings = load_settings(
            database_url=url,
            organisation=_QUIET,
            link_keys=SecretStr(new_keys()),
            copy_link_keys=SecretStr(new_keys()),
            member_link_keys=SecretStr(new_keys()),
            event_keys=SecretStr(new_event_keys()),
            bounce_keys=SecretStr(new_keys()),
            smtp_port=sink.port,
        )
        service = build(settings, clock=ManualClock(_AT), access=Access((), None))
        wakeup = service.commands._mailer_wakeup
        for worker in service.workers:
            worker.start()
        made = 0

        async def queue(organisation: str, count: int) -> None:
            nonlocal made
            async with service.database.transaction() as connection:
                await connection.execute(_MAILS, {"of": organisation, "first": made, "count": count})
            made += count
            wakeup.set()

        async def left(organisation: str) -> bool:
            async with service.database.single() as connection:
                return bool((await connection.execute(_MAILS_LEFT, {"of": organisation})).scalar_one())

        try:
            await queue(_QUIET, 20)
            return await _measured(before, queue, left)
        finally:
            for worker in service.workers:
                await worker.stop()
            await service.database.close()


async def _measured(
    before: int, put: Callable[[str, int], Awaitable[None]], left: Callable[[str], Awaitable[bool]]
) -> Fairness:
    alone, behind, drained = [], [], []
    await _until_gone(left, _QUIET)
    for _ in range(_ROUNDS):
        begun = time.perf_counter()
        await put(_QUIET, 1)
        alone.append(await _until_gone(left, _QUIET) - begun)
        await put(_NOISY, before)
        begun = time.perf_counter()
        await put(_QUIET, 1)
        behind.append(await _until_gone(left, _QUIET) - begun)
        drained.append(await _until_gone(left, _NOISY) - begun)
    return Fairness(before, median(alone), median(behind), median(drained))


async def _until_gone(left: Callable[[str], Awaitable[bool]], organisation: str) -> float:
    while await left(organisation):  # noqa: ASYNC110  (there is no event to wait for)
        await asyncio.sleep(0.002)
    return time.perf_counter()


_EVENTS_LEFT = text(
    "SELECT EXISTS (SELECT FROM outbox WHERE published_at IS NULL AND attributes ->> 'organisation' = :of)"
)
_MAILS_LEFT = text("SELECT EXISTS (SELECT FROM delivery WHERE status = 'waiting' AND organisation = :of)")
_MAILS = text(
    """
    INSERT INTO delivery (organisation, id, agreement_id, purpose, recipient, recipient_key, request_id,
        request_version, cause_id, correlation_id, facts, created_at, status)
    SELECT :of, gen_random_uuid()::text, 'agreement', 'receipt', 'p' || n || '@kommun.example',
        'p' || n || '@kommun.example', 'request', 1, 'cause-' || n, 'meeting',
        '{"language": "sv", "document": "Protokoll", "sender": null, "recipient_name": "Maja Lind"}',
        clock_timestamp(), 'waiting'
    FROM generate_series(CAST(:first AS bigint), :first + :count - 1) AS n
    """
)


def _publish(transaction: Transaction, organisation: str, number: int) -> None:
    meeting = f"meeting-{number % 500}"
    transaction.publish(
        MeetingCancelled(meeting_id=meeting, body="Styrelsen", title="Sammanträde", reason="x" * 400),
        organisation=organisation,
        subject=meeting,
        key=meeting,
        sequence=number,
        time=_AT,
        correlation_id=meeting,
    )
