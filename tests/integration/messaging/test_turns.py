"""The outbox is read by the rule of `shared.turns`: the statement takes what the rule says, round by round."""

import random

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.messaging import outbox
from shared.messaging.outbox import OutgoingMessage
from shared.turns import Turns, taken
from tests.integration.messaging.ledger import Ledger

_CHANCE = random.Random(7)  # the same each time


async def fill(ledger: Ledger, events: int) -> None:
    """Of some organisations, as chance will have it."""
    names = [f"o{number}" for number in range(_CHANCE.randint(2, 9))]
    async with ledger.unit_of_work.begin() as transaction:
        for number in range(events):
            transaction.announce("meeting", number, _CHANCE.choice(names))


async def waiting_in(connection: AsyncConnection) -> dict[str, list[int]]:
    rows = await connection.execute(
        text("SELECT id, attributes ->> 'organisation' FROM outbox WHERE published_at IS NULL ORDER BY id")
    )
    waiting: dict[str, list[int]] = {}
    for position, name in rows:
        waiting.setdefault(name, []).append(position)
    return waiting


@pytest.mark.parametrize("most", [1, 3, 8, 30])
async def test_what_a_round_reads_is_what_the_rule_says(ledger: Ledger, most: int) -> None:
    await fill(ledger, 90)
    turns, rule = Turns(), Turns()
    async with ledger.database.single() as connection:
        while waiting := await waiting_in(connection):
            found = await outbox.unpublished(connection, most, turns=turns)
            assert [one.id for one in found] == [position for _, position in taken(waiting, most, rule)]
            assert turns == rule
            await outbox.unpublished(connection, 0, published=found)


@pytest.mark.parametrize("most", [1, 3, 8, 30])
async def test_what_is_read_ahead_is_full_in_order_and_nothing_twice(ledger: Ledger, most: int) -> None:
    """As the relay does it: one round is being marked, and another in hand."""
    await fill(ledger, 90)
    turns, published, in_hand = Turns(), list[OutgoingMessage](), list[OutgoingMessage]()
    seen: list[int] = []
    async with ledger.database.single() as connection:
        waiting = await waiting_in(connection)
        while len(seen) < 90:
            found = await outbox.unpublished(connection, most, published=published, in_hand=in_hand, turns=turns)
            assert len(found) == min(most, 90 - len(seen))
            seen += [one.id for one in found]
            published, in_hand = in_hand, found
    for positions in waiting.values():
        assert [one for one in seen if one in positions] == positions


async def test_one_event_is_read_with_the_first_of_another_organisations_thousands(ledger: Ledger) -> None:
    await ledger.announce(["noisy"], range(3000), "bjorka")
    await ledger.announce(["quiet"], [1], "norrdalen")
    async with ledger.database.single() as connection:
        found = await outbox.unpublished(connection, 500)
        read = "SELECT idx_tup_read FROM pg_stat_user_indexes WHERE indexrelname = 'outbox_unpublished'"
        assert [one.key for one in found].count("quiet") == 1
        assert len(found) == 500, "and the round is full all the same"
        await connection.execute(text("SELECT pg_stat_force_next_flush()"))
        assert (await connection.execute(text(read))).scalar_one() <= 500, "what waits is not read"
