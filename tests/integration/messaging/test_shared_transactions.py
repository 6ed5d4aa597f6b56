"""Commands that share a transaction: on PostgreSQL, each is answered as if it had been alone."""

import asyncio
import random
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pytest
from sqlalchemy import ARRAY, Text, bindparam, text
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.database import Database
from shared.errors import NotFound, Refused, Unavailable
from shared.events import MeetingCancelled, event_type
from shared.messaging.answers import KEEPING, Answer, AnsweredBefore, Keeping, KeyedRequest
from shared.messaging.shared_transactions import SharedTransaction, SharedTransactions
from shared.messaging.transaction import EVENTS_WRITTEN, OutcomeUnknown, UnitOfWork
from tests.integration.messaging.ledger import ORGANISATION, Ledger, LedgerTransaction
from tests.support.postgres import Postgres

_FREE = text("SELECT key, number FROM tally WHERE key = ANY(:keys) FOR UPDATE SKIP LOCKED").bindparams(
    bindparam("keys", type_=ARRAY(Text))
)


class Tally:
    def __init__(self, key: str, number: int) -> None:
        self.key = key
        self.number = number


class TallyTransaction(LedgerTransaction, SharedTransaction):
    """Its targets are keys of tallies."""

    def __init__(self, connection: AsyncConnection) -> None:
        super().__init__(connection)
        self.tallies: dict[str, Tally] = {}
        self.changed: list[Tally] = []

    async def reach(self, targets: Sequence[str]) -> Mapping[str, Tally]:
        rows = await self.connection.execute(_FREE, {"keys": list(targets)})
        self.tallies = {row.key: Tally(row.key, row.number) for row in rows}
        return self.tallies

    async def hold(self, target: str) -> Tally:
        query = text("SELECT key, number FROM tally WHERE key = :key FOR UPDATE")
        row = (await self.connection.execute(query, {"key": target})).one_or_none()
        if row is None:
            raise NotFound("there is no such tally")
        return Tally(row.key, row.number)

    def pending(self) -> int:
        return super().pending() + len(self.changed)

    async def flush(self) -> None:
        for tally in self.changed:
            update = text("UPDATE tally SET number = :number WHERE key = :key")
            await self.connection.execute(update, {"key": tally.key, "number": tally.number})
        self.changed.clear()
        await super().flush()

    def count_up(self, tally: Tally) -> int:
        tally.number += 1
        self.changed.append(tally)
        self.announce(tally.key, tally.number)
        return tally.number


class Counters:
    """Commands on tallies, and which transactions they ran in."""

    def __init__(self, database: Database, ledger: Ledger) -> None:
        self.unit_of_work = UnitOfWork(database, TallyTransaction, ledger.wakeup)
        self.shared = SharedTransactions(self.unit_of_work)
        self.transactions: list[TallyTransaction] = []  # kept, so that no two are taken for one

    async def count_up(self, key: str, then: Callable[[], object] = lambda: None) -> int:
        def work(transaction: TallyTransaction, tally: Tally) -> int:
            self.transactions.append(transaction)
            number = transaction.count_up(tally)
            then()
            return number

        return await self.shared.run(key, work)

    async def refuse(self, key: str) -> int:
        def work(transaction: TallyTransaction, tally: Tally) -> int:
            raise Refused(f"{key} stays at {tally.number}")

        return await self.shared.run(key, work)

    async def refuse_halfway(self, key: str) -> int:
        def work(transaction: TallyTransaction, tally: Tally) -> int:
            transaction.count_up(tally)
            raise Refused(f"{key} stays")

        return await self.shared.run(key, work)

    async def fail(self, key: str) -> int:
        def work(transaction: TallyTransaction, tally: Tally) -> int:
            transaction.count_up(tally)
            raise ZeroDivisionError("a bug")

        return await self.shared.run(key, work)

    async def write_nonsense(self, key: str) -> int:
        """PostgreSQL refuses it when it is flushed."""

        def work(transaction: TallyTransaction, tally: Tally) -> int:
            number = transaction.count_up(tally)
            tally.number = 2**70
            return number

        return await self.shared.run(key, work)

    async def with_key(self, key: str, target: str, command: Callable[[str], Any]) -> Any:
        """As a request over HTTP: its answer, kept or new."""
        request = KeyedRequest(ORGANISATION, "secretary", key, target)
        keeping = Keeping(request, lambda number: Answer(200, str(number)))
        KEEPING.set(keeping)
        try:
            await command(target)
        except AnsweredBefore as before:
            return before.answer.body
        assert keeping.answer is not None
        return keeping.answer.body


@pytest.fixture
async def counters(ledger: Ledger) -> Counters:
    await _tallies(ledger, "abcdefghij")
    return Counters(ledger.database, ledger)


async def _tallies(ledger: Ledger, keys: str) -> None:
    async with ledger.database.transaction() as connection:
        await connection.execute(text("INSERT INTO tally VALUES (:key, 0)"), [{"key": key} for key in keys])


async def _stored(ledger: Ledger) -> dict[str, int]:
    async with ledger.database.transaction() as connection:
        return {row.key: row.number for row in await connection.execute(text("SELECT key, number FROM tally"))}


async def _announced(ledger: Ledger) -> dict[str, list[int]]:
    """The events of each key, in the outbox's order."""
    found: dict[str, list[int]] = {}
    async with ledger.database.transaction() as connection:
        rows = await connection.execute(text("SELECT key, attributes ->> 'sequence' AS n FROM outbox ORDER BY id"))
        for row in rows:
            found.setdefault(row.key, []).append(int(row.n))
    return found


def _written() -> float:
    return float(EVENTS_WRITTEN.labels(event_type(MeetingCancelled))._value.get())


async def _gather(*commands: Any) -> list[Any]:
    return list(await asyncio.gather(*commands, return_exceptions=True))


async def test_one_that_comes_alone_has_a_transaction_at_once(counters: Counters) -> None:
    assert [await counters.count_up("a"), await counters.count_up("a")] == [1, 2]
    assert len(set(counters.transactions)) == 2


async def test_those_that_come_while_one_is_under_way_share_the_next(counters: Counters, ledger: Ledger) -> None:
    later: list[asyncio.Task[int]] = []

    def five_come() -> None:
        later.extend(asyncio.create_task(counters.count_up(key)) for key in "bcdef")

    await counters.count_up("a", five_come)
    assert [await one for one in later] == [1] * 5
    first, *others = counters.transactions
    assert len(others) == 5
    assert set(others) == {others[0]} != {first}
    assert await _stored(ledger) == dict.fromkeys("abcdef", 1) | dict.fromkeys("ghij", 0)


async def test_there_are_at_most_so_many_in_one(counters: Counters) -> None:
    counters.shared._most = 4
    await _gather(*(counters.count_up(key) for key in "abcdefghij"))
    sizes = [counters.transactions.count(one) for one in dict.fromkeys(counters.transactions)]
    assert sizes == [4, 4, 2]


async def test_those_on_one_target_take_effect_in_the_order_in_which_they_came(
    counters: Counters, ledger: Ledger
) -> None:
    assert await _gather(*(counters.count_up(key) for key in "ab" * 20)) == [n for n in range(1, 21) for _ in "ab"]
    assert await _announced(ledger) == {"a": list(range(1, 21)), "b": list(range(1, 21))}
    assert len(set(counters.transactions)) == 1


@pytest.mark.parametrize("refuse", ["refuse", "refuse_halfway"])
async def test_a_refused_one_hears_so_and_leaves_no_trace(counters: Counters, ledger: Ledger, refuse: str) -> None:
    refused = getattr(counters, refuse)
    first, second, third = await _gather(counters.count_up("a"), refused("b"), counters.count_up("c"))
    assert (first, str(second)[:7], third) == (1, "b stays", 1)
    assert await _announced(ledger) == {"a": [1], "c": [1]}
    assert (await _stored(ledger))["b"] == 0
    assert len(set(counters.transactions)) == (1 if refuse == "refuse" else 3)  # the halfway one took its batch with it


async def test_what_a_refusal_stands_on_is_committed_when_it_is_heard(counters: Counters, ledger: Ledger) -> None:
    """It was refused since its neighbour came first: a neighbour that was rolled back would make it untrue."""

    async def refused() -> tuple[str, int]:
        with pytest.raises(Refused) as refusal:
            await counters.refuse("a")
        return refusal.value.message, (await _stored(ledger))["a"]

    _, heard = await _gather(counters.count_up("a"), refused())
    assert heard == ("a stays at 1", 1)


@pytest.mark.parametrize("bad", ["fail", "write_nonsense"])
async def test_what_fails_fails_by_itself(counters: Counters, ledger: Ledger, bad: str) -> None:
    before = _written()
    broken = getattr(counters, bad)
    first, second, third = await _gather(counters.count_up("a"), broken("b"), counters.count_up("c"))
    assert (first, third) == (1, 1)
    assert isinstance(second, Exception)
    assert not isinstance(second, Refused | Unavailable)
    assert await _announced(ledger) == {"a": [1], "c": [1]}
    assert await counters.count_up("b") == 1
    assert _written() == before + 3


async def test_one_that_is_not_there_is_told_so(counters: Counters) -> None:
    found, missing = await _gather(counters.count_up("a"), counters.count_up("nowhere"))
    assert found == 1
    assert isinstance(missing, NotFound)


async def test_one_whose_target_is_held_elsewhere_holds_up_nobody(counters: Counters, ledger: Ledger) -> None:
    async with ledger.database.transaction() as other:
        await other.execute(text("SELECT 1 FROM tally WHERE key = 'a' FOR UPDATE"))
        held = asyncio.create_task(counters.count_up("a"))
        async with asyncio.timeout(5):
            assert await _gather(*(counters.count_up(key) for key in "bcd")) == [1, 1, 1]
            assert await counters.count_up("b") == 2
        assert not held.done()
    assert await held == 1


async def test_one_that_was_given_up_before_its_transaction_began_has_no_effect(
    counters: Counters, ledger: Ledger
) -> None:
    def work_is_under_way() -> None:
        given_up.cancel()

    first = asyncio.create_task(counters.count_up("a", work_is_under_way))
    await asyncio.sleep(0)
    counters.shared._most = 1
    given_up = asyncio.create_task(counters.count_up("b"))
    after = asyncio.create_task(counters.count_up("c"))
    assert (await first, await after) == (1, 1)
    assert given_up.cancelled()
    assert (await _stored(ledger))["b"] == 0


async def test_one_that_is_given_up_in_the_midst_takes_no_neighbour_along(counters: Counters, ledger: Ledger) -> None:
    def cancel() -> None:
        given_up.cancel()

    given_up = asyncio.create_task(counters.count_up("a"))
    neighbour = asyncio.create_task(counters.count_up("b", cancel))
    assert await neighbour == 1
    assert given_up.cancelled()
    assert await _stored(ledger) == {"a": 1, "b": 1} | dict.fromkeys("cdefghij", 0)


async def test_a_key_takes_effect_once_in_company_too(counters: Counters, ledger: Ledger) -> None:
    answers = await _gather(counters.with_key("k", "a", counters.count_up), counters.count_up("b"))
    assert answers == ["1", 1]
    again = await _gather(
        counters.count_up("b"), counters.with_key("k", "a", counters.count_up), counters.count_up("c")
    )
    assert again == [2, "1", 1]
    assert (await _stored(ledger))["a"] == 1


async def test_a_key_is_kept_once_when_its_batch_fails_and_not_at_all_when_it_is_refused(
    counters: Counters, ledger: Ledger
) -> None:
    answers = await _gather(
        counters.with_key("k", "a", counters.count_up), counters.fail("b"), counters.with_key("r", "c", counters.refuse)
    )
    assert answers[0] == "1"
    assert [type(one) for one in answers[1:]] == [ZeroDivisionError, Refused]
    assert await counters.with_key("k", "a", counters.count_up) == "1"
    assert await counters.with_key("r", "c", counters.count_up) == "1"
    assert await ledger.one("SELECT count(*) FROM kept_answer") == 2


async def test_a_callers_key_is_not_its_neighbours(counters: Counters) -> None:
    """The task that works is the first caller's doing."""
    later: list[asyncio.Task[int]] = []
    first = counters.with_key("k", "a", lambda key: counters.count_up(key, lambda: later.append(_later(counters))))
    assert await first == "1"
    assert await later[0] == 1


def _later(counters: Counters) -> asyncio.Task[int]:
    async def without_key() -> int:
        KEEPING.set(None)
        return await counters.count_up("b")

    return asyncio.create_task(without_key())


async def test_a_connection_that_is_lost_is_made_up_for(counters: Counters, ledger: Ledger) -> None:
    async def lose(transaction: TallyTransaction, targets: Sequence[str]) -> Mapping[str, Tally]:
        monkey.undo()
        pid = (await transaction.connection.execute(text("SELECT pg_backend_pid()"))).scalar_one()
        await _terminate(ledger, pid)
        return await transaction.reach(targets)

    with pytest.MonkeyPatch.context() as monkey:
        monkey.setattr(TallyTransaction, "reach", lose)
        *both, other = await _gather(*(counters.count_up(key) for key in "aab"))
    assert (sorted(both), other) == ([1, 2], 1)
    assert await _announced(ledger) == {"a": [1, 2], "b": [1]}


async def test_when_the_commit_is_lost_all_are_told_that_nobody_knows(counters: Counters, ledger: Ledger) -> None:
    async def flush_and_lose(transaction: TallyTransaction) -> None:
        monkey.undo()
        await transaction.flush()
        pid = (await transaction.connection.execute(text("SELECT pg_backend_pid()"))).scalar_one()
        await _terminate(ledger, pid)

    with pytest.MonkeyPatch.context() as monkey:
        monkey.setattr(TallyTransaction, "flush", flush_and_lose)
        outcomes = await _gather(*(counters.count_up(key) for key in "abc"))
    assert [type(one) for one in outcomes] == [OutcomeUnknown] * 3
    assert await counters.count_up("a") == 1  # here it was rolled back


async def _terminate(ledger: Ledger, pid: int) -> None:
    async with ledger.database.transaction() as connection:
        await connection.execute(text("SELECT pg_terminate_backend(:pid)"), {"pid": pid})
    await asyncio.sleep(0.05)


@pytest.mark.parametrize("seed", range(8))
async def test_any_company_is_answered_as_if_each_had_been_alone(counters: Counters, ledger: Ledger, seed: int) -> None:
    """Good ones, refused ones, bugs, what the database refuses, what is not there: in waves of any size. No neighbour
    makes a difference to what is stored, published and answered."""
    chance = random.Random(seed)
    kinds = ["count_up"] * 6 + ["refuse", "refuse_halfway", "fail", "write_nonsense"]
    expected: dict[str, int] = dict.fromkeys("abcdefghij", 0)
    for _ in range(6):
        asked = [(chance.choice(kinds), chance.choice("abcdefghij")) for _ in range(chance.randint(1, 12))]
        outcomes = await _gather(*(getattr(counters, kind)(key) for kind, key in asked))
        given: dict[str, list[int]] = {}
        for (kind, key), outcome in zip(asked, outcomes, strict=True):
            assert isinstance(outcome, int) == (kind == "count_up"), (kind, outcome)
            if kind.startswith("refuse"):
                assert isinstance(outcome, Refused)
            elif kind == "count_up":
                given.setdefault(key, []).append(outcome)
        for key, numbers in given.items():
            assert sorted(numbers) == list(range(expected[key] + 1, expected[key] + 1 + len(numbers)))
            expected[key] += len(numbers)
    assert await _stored(ledger) == expected
    assert await _announced(ledger) == {key: list(range(1, count + 1)) for key, count in expected.items() if count}


async def test_two_processes_share_the_targets_without_deadlock(
    counters: Counters, ledger: Ledger, postgres: Postgres
) -> None:
    """And with a consumer that locks some of them in an order of its own, as batches of events do."""
    other_database = Database(ledger.database.engine.url.render_as_string(hide_password=False))
    other = Counters(other_database, ledger)
    chance = random.Random(1)

    async def consume() -> None:
        for _ in range(20):
            async with ledger.database.transaction() as connection:
                for key in sorted(chance.sample("abcdef", 3)):
                    row = await connection.execute(
                        text("SELECT number FROM tally WHERE key = :k FOR UPDATE"), {"k": key}
                    )
                    row.scalar_one()
                    await asyncio.sleep(0.001)

    async def person(whose: Counters, number: int) -> None:
        mine = random.Random(number)
        for _ in range(15):
            await whose.count_up(mine.choice("abcdef"))

    people = [person(whose, number) for number in range(8) for whose in (counters, other)]
    async with asyncio.timeout(60):
        outcomes = await _gather(consume(), *people)
    await other_database.close()
    assert [one for one in outcomes if one is not None] == []
    stored = await _stored(ledger)
    assert sum(stored.values()) == 16 * 15
    assert await _announced(ledger) == {key: list(range(1, count + 1)) for key, count in stored.items() if count}
    assert len(set(counters.transactions + other.transactions)) < 16 * 15
    waited_out = await ledger.one("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")
    assert waited_out == 0
