"""The check after every drill bites: each kind of damage is done once, to see it found."""

import random
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from tests.drills.outcome import check_outcome
from tests.drills.world import Processes, processes
from tests.support.kafka_server import RealKafka
from tests.support.postgres_server import RealPostgres
from tests.support.smtp_sink import Conversation
from tests.support.workload import Agreement, Workload

pytestmark = [pytest.mark.drill, pytest.mark.short, pytest.mark.timeout(300)]

Damage = Callable[[Processes], Awaitable[None]]


def _sql(service: str, statement: str) -> Damage:
    async def damage(world: Processes) -> None:
        connection = await world.connect(service)
        try:
            assert not (await connection.execute(statement)).endswith(" 0"), statement
        finally:
            await connection.close()

    return damage


async def _mail_twice(world: Processes) -> None:
    """At once, over a connection that stayed."""
    mail = world.sink.mails[0]
    mail.conversation = Conversation()
    world.sink.mails.append(replace(mail))


async def _mail_forgotten(world: Processes) -> None:
    """The mailer had its answer; then the connection died, and it sent the mail again as if it had heard nothing."""
    mail = world.sink.mails[1]
    mail.conversation = Conversation(ended_at=mail.accepted_at + 0.1)
    world.sink.mails.append(replace(mail))


async def _mail_again(world: Processes) -> None:
    """Under the same Message-ID, long after the first was noted."""
    mail = world.sink.mails[2]
    world.sink.mails.append(replace(mail, taken_at=mail.taken_at + 60))


async def _mail_nobody_knows(world: Processes) -> None:
    world.sink.mails.append(replace(world.sink.mails[0], message_id="<unknown@norrdalen.example>"))


async def _log_traceback(world: Processes) -> None:
    log_file = world.cluster.instances[0].log_file
    log_file.write_text(log_file.read_text() + "Traceback (most recent call last):\n")


_JOURNAL_ROW = "(SELECT id FROM journal WHERE event_type LIKE '%document-signed%' ORDER BY id LIMIT 1)"
_TWO_OF_A_KEY = "SELECT min(id) AS a, max(id) AS b FROM journal WHERE topic = 'signing.agreement' GROUP BY key LIMIT 1"

DAMAGES: tuple[tuple[Damage, str], ...] = (
    (_mail_twice, "was sent again although its mailer lived"),
    (_mail_forgotten, "was sent again although it was answered and no mailer died"),
    (_mail_again, "was sent again after it was noted as sent"),
    (_mail_nobody_knows, "is no mail of ours"),
    (_log_traceback, "logged a traceback"),
    (
        _sql(
            "archive",
            f"UPDATE journal SET event_id = other.event_id FROM ({_TWO_OF_A_KEY}) AS two JOIN journal AS other "
            "ON other.id IN (two.a, two.b) WHERE journal.id IN (two.a, two.b) AND journal.id <> other.id",
        ),
        "the journal has another order",
    ),
    (_sql("archive", f"DELETE FROM journal WHERE id = {_JOURNAL_ROW}"), "the journal lacks"),
    (
        _sql("archive", "UPDATE journal SET event_id = event_id || 'x' WHERE id = (SELECT max(id) FROM journal)"),
        "the journal has too much",
    ),
    (_sql("notifications", "UPDATE delivery SET status = 'bounced' WHERE purpose = 'receipt'"), "mail {"),
    (
        _sql(
            "notifications",
            "UPDATE delivery SET cause_id = (SELECT max(cause_id) FROM delivery AS d WHERE d.recipient = "
            "delivery.recipient)",
        ),
        " got [",
    ),
    (_sql("archive", "DELETE FROM archived_protocol"), "0 of 3 are archived"),
    (_sql("signing", "UPDATE agreement SET status = 'out'"), "expected 3 completed"),
    (
        _sql("signing", "UPDATE history_entry SET commitment = repeat('0', 64) WHERE n = 3"),
        "history of 1 (plain): history: entry 3: the payload does not match its commitment",
    ),
)


async def test_each_damage_is_found(tmp_path: Path, real_kafka: RealKafka, real_postgres: RealPostgres) -> None:
    async with processes(tmp_path / "cluster", real_kafka, real_postgres) as world:
        agreements = await _calm(world)
        await check_outcome(world, agreements)
        told = ""
        for damage, found in DAMAGES:
            assert found not in told, f"an earlier damage brings it, too: {found}"
            await damage(world)
            told = await _problems(world, agreements)
            assert found in told, found


async def _problems(world: Processes, agreements: Sequence[Agreement]) -> str:
    with pytest.raises(AssertionError) as told:
        await check_outcome(world, agreements)
    return str(told.value)


async def _calm(world: Processes) -> list[Agreement]:
    async with Workload(world.site, world.sink, random.Random(1), plain=True) as workload:
        workload.feed(3)
        return await workload.finish(seconds=60)
