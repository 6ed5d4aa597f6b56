"""Facts of other services: taken in once, in bulk, never refused."""

from collections import Counter
from datetime import datetime
from typing import Any

from sqlalchemy import event, select, text

from services.signing.agreement import Status
from services.signing.tables import AGREEMENT, HISTORY_ENTRY
from shared.database import Database
from shared.events import AgreementCancelled, EmailSent, SignerInvitation
from shared.history import verify_chain
from shared.ids import new_transaction_id
from shared.messaging.message import RawMessage
from shared.messaging.tables import DEAD_LETTER
from tests.integration.signing.flow import MEETING, ORGANISATION, Flow, drafted, message, released, unlocked
from tests.unit.signing.story import ADJUSTER, AGREEMENT_ID, SECRETARY


class Statements:
    """Counts the statements that a database is sent, by their first word."""

    def __init__(self, database: Database) -> None:
        self.count: Counter[str] = Counter()
        self._engine = database.engine.sync_engine

    def __enter__(self) -> "Statements":
        event.listen(self._engine, "before_cursor_execute", self._seen)
        return self

    def __exit__(self, *exception: object) -> None:
        event.remove(self._engine, "before_cursor_execute", self._seen)

    def _seen(self, connection: Any, cursor: Any, statement: str, *rest: Any) -> None:
        self.count[statement.split()[0]] += 1


async def drafts(flow: Flow, count: int) -> tuple[list[str], list[RawMessage]]:
    ids = [new_transaction_id() for _ in range(count)]
    return ids, [message(drafted(agreement_id), flow.clock.now(), key=agreement_id) for agreement_id in ids]


def sent(agreement_id: str, request_id: str, at: datetime) -> RawMessage:
    fact = EmailSent(
        email_id="mail",
        agreement_id=agreement_id,
        purpose="signature-request",
        recipient=SECRETARY,
        request_id=request_id,
        message_id="<1@norrdalen.example>",
    )
    return message(fact, at, key=agreement_id)


async def test_a_fact_that_comes_twice_is_recorded_once(flow: Flow) -> None:
    await flow.draft()
    await flow.send_off()
    again = await flow.deliver(SECRETARY)
    await flow.bring(again, again)
    assert (await flow.recorded_names()).count("EmailSent") == 1


async def test_a_draft_for_an_agreement_that_exists_changes_nothing(flow: Flow) -> None:
    await flow.draft()
    before = await flow.queries.history(ORGANISATION, AGREEMENT_ID)
    await flow.draft()
    await flow.bring(*[message(drafted(), flow.tick(), key=MEETING) for _ in range(2)])
    assert await flow.queries.history(ORGANISATION, AGREEMENT_ID) == before
    assert await flow.published_names() == ["AgreementCreated"]


async def test_two_drafts_of_one_agreement_in_one_batch(flow: Flow) -> None:
    await flow.bring(*[message(drafted(), flow.tick(), key=MEETING) for _ in range(2)])
    assert await flow.recorded_names() == ["AgreementCreated"]


async def test_minutes_that_are_unlocked_withdraw_their_agreement_and_name_who_was_asked(flow: Flow) -> None:
    await flow.draft()
    await flow.send_off()
    told = message(unlocked(), flow.tick(), key=MEETING)
    await flow.bring(told, told)
    state = await flow.queries.state(ORGANISATION, AGREEMENT_ID)
    assert (state.status, state.end_reason) == (Status.CANCELLED, "§ 29 är fel")
    published = [one for _, one in await flow.published() if isinstance(one, AgreementCancelled)]
    assert [person.email for one in published for person in one.asked] == [SECRETARY]
    async with flow.service.database.transaction() as connection:
        assert (await connection.execute(text("SELECT count(*) FROM timer"))).scalar_one() == 0


async def test_minutes_that_all_agreed_to_are_sent_off_once_with_their_deadline(flow: Flow) -> None:
    await flow.draft()
    told = message(released(), flow.tick(), key=MEETING)
    await flow.bring(told, told, message(released("nowhere"), flow.tick(), key=MEETING))
    await flow.bring(message(released(), flow.tick(), key=MEETING))
    assert await flow.recorded_names() == ["AgreementCreated", "SignatureRequested"]
    state = await flow.queries.state(ORGANISATION, AGREEMENT_ID)
    assert state.status is Status.OUT
    assert state.expires is not None
    async with flow.service.database.transaction() as connection:
        assert (await connection.execute(text("SELECT count(*) FROM timer"))).scalar_one() >= 2


async def test_what_everyone_signed_is_not_withdrawn_any_more(flow: Flow) -> None:
    await flow.all_signed()
    before = await flow.recorded_names()
    await flow.bring(
        message(unlocked(), flow.tick(), key=MEETING), message(unlocked("nowhere"), flow.tick(), key=MEETING)
    )
    assert await flow.recorded_names() == before


async def test_late_facts_are_recorded_in_an_agreement_that_has_ended(flow: Flow) -> None:
    await flow.draft()
    await flow.send_off()
    await flow.commands.cancel(ORGANISATION, AGREEMENT_ID, "wrong minutes", ip="192.0.2.1")
    await flow.deliver(SECRETARY)
    await flow.bounce(SECRETARY)
    assert (await flow.recorded_names())[-2:] == ["EmailSent", "BounceDetected"]
    assert (await flow.queries.state(ORGANISATION, AGREEMENT_ID)).status is Status.CANCELLED
    verify_chain(await flow.queries.history(ORGANISATION, AGREEMENT_ID))


async def test_facts_about_other_mail_and_other_agreements_are_let_pass(flow: Flow) -> None:
    await flow.draft()
    await flow.send_off()
    await flow.deliver(SECRETARY, purpose="receipt")
    own = await flow.email_sent(SECRETARY)
    await flow.bring(
        message(own.model_copy(update={"agreement_id": "unknown"}), flow.tick()),
        message(own, flow.tick(), organisation="elsewhere"),
        message(own.model_copy(update={"request_id": "unknown"}), flow.tick()),
    )
    assert await flow.recorded_names() == ["AgreementCreated", "SignatureRequested"]
    assert await dead_letters(flow) == 0


async def test_a_draft_that_cannot_become_an_agreement_is_kept_as_a_dead_letter(flow: Flow) -> None:
    signers = (SignerInvitation(role="chair", email=ADJUSTER), SignerInvitation(role="adjuster", email=ADJUSTER))
    bad = drafted("bad").model_copy(update={"signers": signers})
    await flow.bring(message(bad, flow.tick(), key="bad"), message(drafted(), flow.tick(), key=MEETING))
    assert await dead_letters(flow) == 1
    assert await flow.recorded_names() == ["AgreementCreated"]


async def test_statements_do_not_grow_with_the_batch(flow: Flow) -> None:
    with Statements(flow.service.database) as creating:
        ids, batch = await drafts(flow, 250)
        await flow.bring(*batch)
    # Dead-letter keys, inbox (its statement begins with WITH), lock; agreements, requests, entries, outbox.
    assert creating.count == {"SELECT": 2, "INSERT": 4, "WITH": 1}
    for agreement_id in ids[:2]:
        await flow.commands.send_off(ORGANISATION, agreement_id)
    states = [await flow.queries.state(ORGANISATION, agreement_id) for agreement_id in ids]
    facts = [sent(s.agreement_id, s.requests[0].id, flow.tick()) for s in states for _ in range(2)]
    with Statements(flow.service.database) as recording:
        await flow.bring(*facts)
    # Nothing of it is published.
    assert recording.count == {"SELECT": 2, "INSERT": 1, "WITH": 1, "UPDATE": 1}
    with Statements(flow.service.database) as again:
        await flow.bring(*facts)
    assert again.count == {"SELECT": 1, "WITH": 1}
    verify_chain(await flow.queries.history(ORGANISATION, ids[0]))


async def test_many_completions_read_their_histories_in_one_statement(flow: Flow) -> None:
    ids, batch = await drafts(flow, 10)
    await flow.bring(*batch)
    facts = []
    for agreement_id in ids:
        state = await flow.commands.send_off(ORGANISATION, agreement_id)
        for request in state.requests:
            name = None if request.name_given else "Someone"
            await flow.commands.sign(ORGANISATION, request.id, name=name, ip="192.0.2.7")
            facts.append(sent(agreement_id, request.id, flow.tick()))
    with Statements(flow.service.database) as completing:
        await flow.bring(*facts)
    # As for facts, and the earlier entries of all ten, and the outbox.
    assert completing.count == {"SELECT": 3, "INSERT": 2, "WITH": 1, "UPDATE": 1}
    async with flow.service.database.transaction() as connection:
        statuses = set((await connection.execute(select(AGREEMENT.c.status))).scalars())
    assert statuses == {"completed"}


async def test_loading_an_agreement_reads_one_row_however_long_its_history(flow: Flow) -> None:
    await flow.draft()
    await flow.send_off()
    request_id = await flow.id(SECRETARY)
    for _ in range(30):
        await flow.commands.view(ORGANISATION, request_id, ip="192.0.2.7")
    async with flow.service.database.transaction() as connection:
        assert len((await connection.execute(select(HISTORY_ENTRY.c.n))).all()) == 32
    with Statements(flow.service.database) as viewing:
        await flow.commands.view(ORGANISATION, request_id, ip="192.0.2.7")
    # The agreement; the entry and the event; the snapshot.
    assert viewing.count == {"SELECT": 1, "INSERT": 2, "UPDATE": 1}


async def dead_letters(flow: Flow) -> int:
    async with flow.service.database.transaction() as connection:
        return len((await connection.execute(select(DEAD_LETTER.c.id))).all())
