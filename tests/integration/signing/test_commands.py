"""Commands on PostgreSQL: who comes first, who is told, what rolls back; deadlines and reminders."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import delete, select

from services.signing import decisions, store
from services.signing.agreement import Status
from services.signing.commands import LinkReplaced
from services.signing.deadlines import Deadlines
from services.signing.main import build
from services.signing.transaction import SigningTransaction
from shared.auth import Access
from shared.blobs import BlobStore
from shared.errors import InvalidInput, NotFound, Refused, Unavailable
from shared.events import BlobRef, DeadlineNeared, LinksEnded, ReminderRequested, SignatureRequested
from shared.history import verify_chain
from shared.messaging.tables import TIMER
from shared.settings import Settings
from shared.timers import TimerWorker
from tests.integration.signing.flow import IP, ORGANISATION, Flow
from tests.unit.signing.story import ADJUSTER, AGREEMENT_ID, ALTERNATE, CHAIR, SECRETARY, SENDER

DAY = 24 * 3600.0


async def test_two_signatures_for_one_place_at_the_same_instant(flow: Flow) -> None:
    await flow.draft()
    await flow.commands.add_alternate(ORGANISATION, AGREEMENT_ID, SECRETARY, ALTERNATE, name="Sven Dahl", ip=IP)
    await flow.send_off()
    contenders = [await flow.id(SECRETARY), await flow.id(ALTERNATE)] * 4
    outcomes = await asyncio.gather(
        *(flow.commands.sign(ORGANISATION, request_id, ip=IP) for request_id in contenders), return_exceptions=True
    )
    refused = [one for one in outcomes if isinstance(one, Refused)]
    assert len(refused) == len(contenders) - 1
    winner = (await flow.queries.agreement(ORGANISATION, AGREEMENT_ID)).places[0].signed_by
    assert winner is not None
    assert {one.message for one in refused} == {f"their place is signed already by {winner.email}"}
    assert (await flow.recorded_names()).count("DocumentSigned") == 1
    assert (await flow.published_names()).count("DocumentSigned") == 1
    verify_chain(await flow.queries.history(ORGANISATION, AGREEMENT_ID))


async def test_a_double_click_signs_once_and_is_told(flow: Flow) -> None:
    await flow.draft()
    await flow.send_off()
    await flow.sign(SECRETARY)
    with pytest.raises(Refused, match=f"their place is signed already by {SECRETARY}"):
        await flow.commands.sign(ORGANISATION, await flow.id(SECRETARY), version=1, ip=IP)


async def test_commands_and_facts_that_meet_leave_one_chain(flow: Flow) -> None:
    await flow.draft()
    await flow.send_off()
    request_id = await flow.id(SECRETARY)
    views = [flow.commands.view(ORGANISATION, request_id, ip=IP) for _ in range(10)]
    facts = [flow.deliver(SECRETARY) for _ in range(10)]
    await asyncio.gather(*views, *facts)
    verified = verify_chain(await flow.queries.history(ORGANISATION, AGREEMENT_ID))
    assert len(verified.entries) == 22
    state = await flow.queries.state(ORGANISATION, AGREEMENT_ID)
    assert (state.length, state.requests[0].views) == (22, 10)


async def test_a_refused_command_changes_nothing(flow: Flow) -> None:
    await flow.draft()
    await flow.send_off()
    before = await flow.queries.history(ORGANISATION, AGREEMENT_ID)
    with pytest.raises(Refused, match="it is not their turn"):
        await flow.commands.sign(ORGANISATION, await flow.id(CHAIR), name="Olof Berg", ip=IP)
    with pytest.raises(InvalidInput):
        await flow.commands.view(ORGANISATION, await flow.id(SECRETARY), ip="nowhere")
    with pytest.raises(LinkReplaced):
        await flow.commands.view(ORGANISATION, await flow.id(SECRETARY), version=2, ip=IP)
    assert await flow.queries.history(ORGANISATION, AGREEMENT_ID) == before


async def test_a_name_and_a_signature_are_one_transaction(flow: Flow) -> None:
    await flow.draft()
    await flow.send_off()
    await flow.sign(SECRETARY)
    chair = await flow.id(CHAIR)
    with pytest.raises(Refused, match="they have not stated a name"):
        await flow.commands.sign(ORGANISATION, chair, ip=IP)
    await flow.commands.sign(ORGANISATION, chair, name="Olof Berg", ip=IP)
    recorded = await flow.recorded_names()
    assert recorded[-3:] == ["SignerNameEntered", "DocumentSigned", "SignatureRequested"]


async def test_another_organisation_finds_nothing(flow: Flow) -> None:
    await flow.draft()
    await flow.send_off()
    request_id = await flow.id(SECRETARY)
    for attempt in (
        flow.commands.cancel("elsewhere", AGREEMENT_ID, "mine now", ip=IP),
        flow.commands.sign("elsewhere", request_id, ip=IP),
        flow.queries.request("elsewhere", request_id, 1),
        flow.queries.history("elsewhere", AGREEMENT_ID),
        flow.queries.report("elsewhere", AGREEMENT_ID),
    ):
        with pytest.raises(NotFound):
            await attempt


async def test_a_history_that_cannot_be_kept_completes_nothing(flow: Flow, monkeypatch: pytest.MonkeyPatch) -> None:
    async def full(*args: Any) -> BlobRef:
        raise Unavailable("the blob store did not take a document")

    with monkeypatch.context() as patched:
        patched.setattr(BlobStore, "put", full)
        with pytest.raises(Unavailable):
            await flow.all_signed()
    assert (await flow.queries.state(ORGANISATION, AGREEMENT_ID)).status is Status.OUT
    await flow.sign(ADJUSTER, "Sven Dahl")
    assert (await flow.published_names())[-1] == "AgreementCompleted"


async def test_what_a_signers_page_is_told(flow: Flow) -> None:
    await flow.draft()
    await flow.send_off()

    async def view(email: str, version: int = 1) -> str:
        return (await flow.queries.request(ORGANISATION, await flow.id(email), version)).state

    assert [await view(one) for one in (SECRETARY, CHAIR, ADJUSTER)] == ["open", "not-your-turn", "not-your-turn"]
    assert await view(SECRETARY, version=7) == "revoked"
    await flow.sign(SECRETARY)
    assert [await view(one) for one in (SECRETARY, CHAIR)] == ["signed-by-you", "open"]
    await flow.commands.decline(ORGANISATION, await flow.id(CHAIR), "§ 31 is wrong", version=1, ip=IP)
    assert [await view(one) for one in (SECRETARY, CHAIR, ADJUSTER)] == ["declined", "declined-by-you", "declined"]


async def test_the_overview_says_whose_turn_it_is_and_since_when(flow: Flow) -> None:
    await flow.draft()
    assert (await flow.queries.agreement(ORGANISATION, AGREEMENT_ID)).turn is None
    await flow.send_off()
    await flow.sign(SECRETARY)
    since = flow.clock.now()
    flow.tick(3600)
    await flow.commands.add_alternate(ORGANISATION, AGREEMENT_ID, CHAIR, ALTERNATE, ip=IP)
    turn = (await flow.queries.agreement(ORGANISATION, AGREEMENT_ID)).turn
    assert turn is not None
    assert (turn.role, turn.since) == ("chair", since)
    assert [person.email for person in turn.waiting_for] == [CHAIR, ALTERNATE]


class TestTimers:
    @pytest.fixture
    def worker(self, flow: Flow) -> TimerWorker[Any]:
        (worker,) = flow.service.workers
        assert isinstance(worker, TimerWorker)
        return worker

    async def test_reminders_come_until_it_expires(self, flow: Flow, worker: TimerWorker[Any]) -> None:
        await flow.draft()
        await flow.send_off()
        sent_off = flow.clock.now()
        assert not await worker.fire_one()
        for _ in range(30):
            flow.clock.move_to(flow.clock.now() + timedelta(days=1))
            while await worker.fire_one():
                pass
        published = await flow.published()
        reminded = [a["time"][:10] for a, event in published if type(event).__name__ == "ReminderRequested"]
        assert reminded == [f"{sent_off + timedelta(days=day):%Y-%m-%d}" for day in (7, 14, 21, 28)]
        attributes, _ = published[-1]
        assert attributes["type"].endswith("agreement-expired.v1")
        first = published[1][1]
        assert isinstance(first, SignatureRequested)
        assert attributes["time"] == first.expires
        assert await timers(flow) == []

    async def test_a_signer_whose_turn_has_just_come_is_not_reminded(
        self, flow: Flow, worker: TimerWorker[Any]
    ) -> None:
        await flow.draft()
        await flow.send_off()
        flow.tick(5 * DAY)
        await flow.sign(SECRETARY)
        flow.tick(2 * DAY + 1)
        assert await worker.fire_one()
        assert "ReminderRequested" not in await flow.published_names()
        flow.tick(5 * DAY)
        assert await worker.fire_one()
        reminder = (await flow.published())[-1][1]
        assert isinstance(reminder, ReminderRequested)
        assert reminder.email == CHAIR

    async def test_the_sender_is_told_once_that_the_time_runs_out_soon(
        self, flow: Flow, worker: TimerWorker[Any]
    ) -> None:
        await flow.draft()
        await flow.send_off()
        flow.clock.move_to(_then(27) - timedelta(minutes=1))
        await fire_all(worker)
        assert "DeadlineNeared" not in await flow.published_names()
        await flow.commands.extend(ORGANISATION, AGREEMENT_ID, _then(60), ip=IP)
        flow.clock.move_to(_then(56))
        await fire_all(worker)
        assert "DeadlineNeared" not in await flow.published_names()
        flow.clock.move_to(_then(57))
        await fire_all(worker)
        [(attributes, notice)] = [
            (told, event) for told, event in await flow.published() if isinstance(event, DeadlineNeared)
        ]
        assert [person.email for person in notice.waiting_for] == [SECRETARY]
        assert (notice.sender.email, notice.expires[:10]) == ("karin.ek@norrdalen.example", f"{_then(60):%Y-%m-%d}")
        last = (await flow.queries.entries(ORGANISATION, AGREEMENT_ID))[-1]
        assert (attributes["historyhead"], int(attributes["sequence"])) == (last.hash, last.n + 1)
        assert "DeadlineNeared" not in await flow.recorded_names()

    async def test_a_short_time_to_sign_is_warned_of_in_its_last_quarter(
        self, flow: Flow, worker: TimerWorker[Any], settings: Settings
    ) -> None:
        deadlines = Deadlines(flow.clock, agreement_days=4, reminder_days=7)
        await flow.draft()
        async with flow.service.database.transaction() as connection:
            transaction = SigningTransaction(connection, flow.blobs)
            agreement = await transaction.agreement(ORGANISATION, AGREEMENT_ID)
            now = flow.clock.now()
            transaction.append(agreement, decisions.send_off(agreement.state, expires=deadlines.expiry(now), at=now))
            deadlines.begin(transaction, agreement, now)
            await transaction.flush()
        flow.clock.move_to(now + timedelta(days=3))
        await fire_all(worker)
        assert (await flow.published_names())[-1] == "DeadlineNeared"

    async def test_after_a_long_stop_there_is_one_reminder(self, flow: Flow, worker: TimerWorker[Any]) -> None:
        await flow.draft()
        await flow.send_off()
        flow.clock.move_to(flow.clock.now() + timedelta(days=22))
        while await worker.fire_one():
            pass
        assert (await flow.published_names()).count("ReminderRequested") == 1

    async def test_timers_end_with_the_last_signature(self, flow: Flow) -> None:
        await flow.all_signed(delivered=False)
        assert await timers(flow) == []

    @pytest.mark.parametrize("ending", ["cancel", "decline", "expire"])
    async def test_timers_end_with_the_agreement(self, flow: Flow, ending: str) -> None:
        await flow.draft()
        await flow.send_off()
        assert await timers(flow) == ["agreement-deadline-near", "agreement-expiry", "agreement-reminder"]
        if ending == "cancel":
            await flow.commands.cancel(ORGANISATION, AGREEMENT_ID, "wrong minutes", ip=IP)
        elif ending == "decline":
            await flow.commands.decline(ORGANISATION, await flow.id(SECRETARY), "wrong minutes", ip=IP)
        else:
            await flow.commands.expire(ORGANISATION, AGREEMENT_ID)
        assert await timers(flow) == []

    async def test_a_timer_that_fires_late_does_nothing(self, flow: Flow, worker: TimerWorker[Any]) -> None:
        """Another instance claimed it while the last signature was given."""
        await flow.draft()
        state = await flow.commands.send_off(ORGANISATION, AGREEMENT_ID)
        await flow.commands.cancel(ORGANISATION, AGREEMENT_ID, "wrong minutes", ip=IP)
        async with flow.service.database.transaction() as connection:
            for kind in ("agreement-expiry", "agreement-reminder"):
                row = {"organisation": ORGANISATION, "kind": kind, "subject": AGREEMENT_ID, "due_at": state.created_at}
                await connection.execute(TIMER.insert(), row)
        assert await worker.fire_one()
        assert await worker.fire_one()
        assert (await flow.recorded_names())[-1] == "AgreementCancelled"

    async def test_a_command_does_not_wait_for_a_timer_that_fires_meanwhile(self, flow: Flow) -> None:
        """The timer will wait for the command's agreement: waiting for each other would be a deadlock."""
        await flow.draft()
        await flow.send_off()
        async with flow.service.database.transaction() as firing:
            await firing.execute(delete(TIMER).where(TIMER.c.kind == "agreement-reminder"))
            async with asyncio.timeout(5):
                await flow.commands.cancel(ORGANISATION, AGREEMENT_ID, "wrong minutes", ip=IP)
        assert await timers(flow) == []

    async def test_an_extended_deadline_moves_the_timer_and_a_late_one_ends_nothing(
        self, flow: Flow, worker: TimerWorker[Any]
    ) -> None:
        await flow.draft()
        await flow.send_off()
        until = flow.clock.now() + timedelta(days=60)
        state = await flow.commands.extend(ORGANISATION, AGREEMENT_ID, until, ip=IP)
        assert await timers(flow) == ["agreement-deadline-near", "agreement-expiry", "agreement-reminder"]
        async with flow.service.database.transaction() as connection:  # the first one was being fired meanwhile
            await connection.execute(TIMER.update().where(TIMER.c.kind == "agreement-expiry").values(due_at=_then(30)))
        flow.clock.move_to(_then(31))
        await fire_all(worker)
        assert "AgreementExpired" not in await flow.recorded_names()
        flow.clock.move_to(until)
        await fire_all(worker)
        assert (await flow.recorded_names())[-1] == "AgreementExpired"
        assert state.expires is not None

    async def test_extending_waits_for_a_timer_that_fires(self, flow: Flow) -> None:
        """Both need the agreement and the timers' rows: taken in the same order, nobody waits for ever."""
        await flow.draft()
        await flow.send_off()
        async with flow.service.database.transaction() as firing:
            await firing.execute(delete(TIMER).where(TIMER.c.kind == "agreement-reminder"))
            until = flow.clock.now() + timedelta(days=60)
            extending = asyncio.create_task(flow.commands.extend(ORGANISATION, AGREEMENT_ID, until, ip=IP))
            done, _ = await asyncio.wait({extending}, timeout=0.3)
            assert not done
            async with asyncio.timeout(5):
                await store.lock(firing, {(ORGANISATION, AGREEMENT_ID)})
        await extending
        assert await timers(flow) == ["agreement-deadline-near", "agreement-expiry", "agreement-reminder"]

    async def test_no_reminder_to_an_address_that_bounced_until_it_is_corrected(
        self, flow: Flow, worker: TimerWorker[Any]
    ) -> None:
        await flow.draft()
        await flow.send_off()
        await flow.bounce(SECRETARY)
        flow.clock.move_to(_then(8))
        await fire_all(worker)
        assert "ReminderRequested" not in await flow.recorded_names()
        await flow.commands.correct_address(ORGANISATION, AGREEMENT_ID, SECRETARY, "maja.lind@granvik.example", ip=IP)
        overview = await flow.queries.agreement(ORGANISATION, AGREEMENT_ID)
        assert overview.next_reminder == _then(15)
        flow.clock.move_to(_then(15))
        await fire_all(worker)
        assert (await flow.recorded_names()).count("ReminderRequested") == 1

    async def test_the_next_reminder_counts_from_one_sent_by_hand(self, flow: Flow, worker: TimerWorker[Any]) -> None:
        await flow.draft()
        await flow.send_off()
        flow.clock.move_to(_then(5))
        await flow.commands.remind(ORGANISATION, AGREEMENT_ID)
        flow.clock.move_to(_then(8))
        await fire_all(worker)
        assert (await flow.recorded_names()).count("ReminderRequested") == 1
        flow.clock.move_to(_then(12))
        await fire_all(worker)
        assert (await flow.recorded_names()).count("ReminderRequested") == 2

    async def test_a_replay_has_no_timers_of_its_own(self, flow: Flow, settings: Settings) -> None:
        service = build(settings, clock=flow.clock, access=Access((), None), blobs=flow.blobs, timers=False)
        assert not service.workers
        await service.database.close()


def test_the_deadline_counts_from_sending_off(flow: Flow) -> None:
    deadlines = Deadlines(flow.clock, agreement_days=30, reminder_days=7)
    assert deadlines.expiry(flow.clock.now()) - flow.clock.now() == timedelta(days=30)


async def timers(flow: Flow) -> list[str]:
    async with flow.service.database.transaction() as connection:
        return sorted((await connection.execute(select(TIMER.c.kind))).scalars())


def _then(days: int) -> datetime:
    """So long after the day that the flow begins on."""
    return datetime(2022, 9, 26, 8, 40, 2, tzinfo=UTC) + timedelta(days=days)


async def fire_all(worker: TimerWorker[Any]) -> None:
    while await worker.fire_one():
        pass


async def test_links_are_ended_after_the_end_beside_the_sealed_history(flow: Flow) -> None:
    await flow.all_signed()
    await flow.archived(b"%PDF-1.7 sealed")
    sealed, entries = await flow.queries.history(ORGANISATION, AGREEMENT_ID), await flow.recorded_names()
    told = await flow.published()
    flow.tick()

    async def state(email: str) -> str:
        return (await flow.queries.request(ORGANISATION, await flow.id(email), 1)).state

    await flow.commands.revoke_link(ORGANISATION, AGREEMENT_ID, CHAIR, ip=IP)
    await flow.commands.revoke_link(ORGANISATION, AGREEMENT_ID, CHAIR.upper(), new_link=True, ip=IP)
    assert [await state(one) for one in (SECRETARY, CHAIR)] == ["completed", "revoked"]
    assert await flow.queries.history(ORGANISATION, AGREEMENT_ID) == sealed
    assert await flow.recorded_names() == entries
    last, *ended = (await flow.published())[len(told) - 1 :]
    assert [
        (one.version, one.mailed) for _, event in ended if isinstance(event, LinksEnded) for one in event.people
    ] == [(2, False), (3, True)]
    for attributes, _ in ended:
        assert [attributes[name] for name in ("sequence", "historyhead")] == [
            last[0][name] for name in ("sequence", "historyhead")
        ]

    await flow.commands.revoke_link(ORGANISATION, AGREEMENT_ID, None, ip=IP)
    overview = await flow.queries.agreement(ORGANISATION, AGREEMENT_ID)
    assert {one.email: (one.version, one.mailed) for one in overview.ended_links} == {
        SECRETARY: (2, False),
        CHAIR: (4, False),
        ADJUSTER: (2, False),
        SENDER.email: (2, False),
    }
    assert await state(SECRETARY) == "revoked"
