"""What alerts stand on: each event counts once, when its transaction has committed, however often it is published."""

from datetime import UTC, datetime, timedelta

import pytest

from shared.events import MeetingCancelled, event_type
from shared.messaging import outbox
from shared.messaging.broker import KafkaSettings
from shared.messaging.relay import EVENTS_PUBLISHED
from shared.messaging.transaction import EVENTS_WRITTEN, Received
from tests.integration.messaging.ledger import Ledger, LedgerTransaction, until
from tests.integration.messaging.messages import message


def written() -> float:
    return float(EVENTS_WRITTEN.labels(event_type(MeetingCancelled))._value.get())


def published() -> float:
    return float(EVENTS_PUBLISHED.labels(event_type(MeetingCancelled))._value.get())


async def test_an_event_that_is_published_again_has_not_happened_again(
    ledger: Ledger, kafka_settings: KafkaSettings
) -> None:
    was_written, was_published = written(), published()
    relay = ledger.relay(kafka_settings)
    relay.start()
    await ledger.announce(["m"], range(3))
    await until(lambda: _all_published(ledger), what="an empty outbox")
    async with ledger.database.transaction() as connection:
        assert await outbox.republish(connection, since=datetime.now(UTC) - timedelta(hours=1)) == 3
    await until(lambda: _all_published(ledger), what="an empty outbox")
    await relay.stop()
    assert (written() - was_written, published() - was_published) == (3, 6)


async def test_what_is_rolled_back_does_not_count(ledger: Ledger) -> None:
    before = written()

    async def work(transaction: LedgerTransaction) -> None:
        transaction.announce("m", 1)
        await transaction.flush()
        raise RuntimeError

    with pytest.raises(RuntimeError):
        await ledger.unit_of_work.run(work)
    assert written() == before


async def test_beside_poison_each_message_that_is_handled_counts_once(ledger: Ledger) -> None:
    before = written()

    async def answer(transaction: LedgerTransaction, received: Received[MeetingCancelled]) -> None:
        transaction.announce(f"answer-{received.event.meeting_id}", 1)
        if received.event.meeting_id == "bad":
            raise KeyError("a bug")

    await ledger.inbound(answer).handle([message("good", 1), message("bad", 1), message("better", 1)])
    assert written() - before == 2


async def _all_published(ledger: Ledger) -> bool:
    return await ledger.unpublished() == 0
