"""Commands on many agreements at once: they share transactions, and each history is as if it had been alone."""

import asyncio

import pytest
from sqlalchemy import event, select

from services.signing import store
from services.signing.agreement import Status
from shared.errors import InvalidInput, NotFound, Refused
from shared.history import verify_chain
from shared.messaging.tables import TIMER
from tests.integration.signing.flow import IP, MEETING, ORGANISATION, Flow, drafted, message
from tests.unit.signing.story import ADJUSTER, CHAIR, SECRETARY

IDS = [f"agreement-{number}" for number in range(12)]


@pytest.fixture
async def many(flow: Flow) -> Flow:
    await flow.bring(*(message(drafted(agreement_id), flow.tick(), key=MEETING) for agreement_id in IDS))
    return flow


@pytest.fixture
def commits(many: Flow) -> list[object]:
    """One for each transaction that is committed from now on."""
    found: list[object] = []
    event.listen(many.service.database.engine.sync_engine, "commit", found.append)
    return found


async def test_agreements_that_are_sent_off_at_once_share_a_transaction(many: Flow, commits: list[object]) -> None:
    states = await asyncio.gather(*(many.commands.send_off(ORGANISATION, one) for one in IDS))
    assert [(state.agreement_id, state.status) for state in states] == [(one, Status.OUT) for one in IDS]
    assert len(commits) == 1
    assert await _timers(many) == {(one, kind) for one in IDS for kind in ("expiry", "reminder", "deadline-near")}


async def test_all_sign_at_once_and_every_history_holds(many: Flow, commits: list[object]) -> None:
    await asyncio.gather(*(many.commands.send_off(ORGANISATION, one) for one in IDS))
    for email, name in ((SECRETARY, None), (CHAIR, "Olof Berg"), (ADJUSTER, "Sven Dahl")):
        requests = [await many.queries.request_id(ORGANISATION, one, email) for one in IDS]
        views = (many.commands.view(ORGANISATION, one, version=1, ip=IP) for one in requests)
        signatures = (many.commands.sign(ORGANISATION, one, version=1, name=name, ip=IP) for one in requests)
        commits.clear()
        await asyncio.gather(*views, *signatures)
        assert len(commits) == 1
    for agreement_id in IDS:
        verify_chain(await many.queries.history(ORGANISATION, agreement_id))
        entries = await many.queries.entries(ORGANISATION, agreement_id)
        assert [entry.n for entry in entries] == list(range(len(entries)))
        names = [type(entry.event()).__name__ for entry in entries]
        assert (names.count("DocumentViewed"), names.count("DocumentSigned")) == (3, 3)
    assert await _timers(many) == set()


async def test_each_is_told_its_own_refusal(many: Flow, commits: list[object]) -> None:
    fine, twice, wrong, nowhere = IDS[0], IDS[1], IDS[2], "x" * 43
    outcomes = await asyncio.gather(
        many.commands.send_off(ORGANISATION, fine),
        many.commands.send_off(ORGANISATION, twice),
        many.commands.send_off(ORGANISATION, twice),
        many.commands.cancel(ORGANISATION, wrong, "", ip=IP),
        many.commands.remind(ORGANISATION, nowhere),
        many.commands.cancel("elsewhere", fine, "not theirs", ip=IP),
        return_exceptions=True,
    )
    kinds = [type(one) if isinstance(one, Exception) else one.status for one in outcomes]
    assert kinds[:4] == [Status.OUT, Status.OUT, Refused, InvalidInput]
    assert all(issubclass(kind, NotFound) for kind in kinds[4:])
    assert len(commits) == 1
    assert len(await many.queries.entries(ORGANISATION, wrong)) == 1


async def test_who_sends_off_and_cancels_at_once_leaves_no_timer(many: Flow, commits: list[object]) -> None:
    await asyncio.gather(
        many.commands.send_off(ORGANISATION, IDS[0]), many.commands.cancel(ORGANISATION, IDS[0], "a mistake", ip=IP)
    )
    assert len(commits) == 1
    assert (await many.queries.state(ORGANISATION, IDS[0])).status is Status.CANCELLED
    assert await _timers(many) == set()


async def test_an_agreement_that_facts_hold_holds_up_no_other(many: Flow) -> None:
    await asyncio.gather(*(many.commands.send_off(ORGANISATION, one) for one in IDS))
    first, second = [await many.queries.request_id(ORGANISATION, one, SECRETARY) for one in IDS[:2]]
    async with many.service.database.transaction() as connection:
        await store.lock(connection, [(ORGANISATION, IDS[0])])
        held = asyncio.create_task(many.commands.view(ORGANISATION, first, version=1, ip=IP))
        async with asyncio.timeout(5):
            assert (await many.commands.sign(ORGANISATION, second, version=1, ip=IP)).agreement_id == IDS[1]
        assert not held.done()
    assert (await held).agreement_id == IDS[0]


async def _timers(flow: Flow) -> set[tuple[str, str]]:
    async with flow.service.database.transaction() as connection:
        rows = await connection.execute(select(TIMER.c.subject, TIMER.c.kind))
        return {(row.subject, row.kind.removeprefix("agreement-")) for row in rows}
