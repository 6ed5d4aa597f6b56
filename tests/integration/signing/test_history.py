"""The chained history after whole flows: recorded, published, completed and kept by reference."""

from services.signing.agreement import Status
from services.signing.evolving import replay
from shared.events import AgreementCompleted, AgreementCreated
from shared.history import verify_chain
from tests.integration.signing.flow import MEETING, ORGANISATION, Flow, message
from tests.unit.signing.story import ADJUSTER, AGREEMENT_ID, ALTERNATE, CHAIR, DOCUMENT, SECRETARY, SENDER_IP


async def test_a_whole_signing_is_chained_and_folds_to_the_stored_state(flow: Flow) -> None:
    await flow.all_signed()
    verified = verify_chain(await flow.queries.history(ORGANISATION, AGREEMENT_ID))
    assert verified.document_sha256 == DOCUMENT.sha256
    state = await flow.queries.state(ORGANISATION, AGREEMENT_ID)
    assert replay([(event, e.time) for e in verified.entries if (event := e.event())]) == state
    assert state.status is Status.COMPLETED
    assert len({entry.salt for entry in verified.entries}) == len(verified.entries)


async def test_entry_0_has_the_drafts_time_and_ip_and_recorded_is_the_machines_clock(flow: Flow) -> None:
    await flow.draft()
    (entry,) = await flow.queries.entries(ORGANISATION, AGREEMENT_ID)
    event = entry.event()
    assert isinstance(event, AgreementCreated)
    assert (entry.time, event.ip) == (flow.clock.now(), SENDER_IP)
    assert entry.recorded.year > 2022


async def test_what_is_recorded_is_published_facts_of_others_apart(flow: Flow) -> None:
    await flow.all_signed()
    recorded = await flow.recorded_names()
    assert recorded.count("EmailSent") == 3
    assert await flow.published_names() == [name for name in recorded if name != "EmailSent"]


async def test_the_envelopes_of_published_events(flow: Flow) -> None:
    await flow.all_signed()
    published = await flow.published()
    assert {a["subject"] for a, _ in published} == {a["partitionkey"] for a, _ in published} == {AGREEMENT_ID}
    assert {a["correlationid"] for a, _ in published} == {MEETING}
    entries = await flow.queries.entries(ORGANISATION, AGREEMENT_ID)
    own = [entry.n + 1 for entry in entries if ".signing." in entry.type]
    assert [int(attributes["sequence"]) for attributes, _ in published] == own


async def test_each_published_event_bears_the_head_of_the_history_after_it(flow: Flow) -> None:
    """So that the archive's journal holds the history's heads, which nobody changes with signing's database."""
    await flow.all_signed()
    entries = await flow.queries.entries(ORGANISATION, AGREEMENT_ID)
    heads = {entry.n + 1: entry.hash for entry in entries}
    published = await flow.published()
    assert published
    for attributes, _ in published:
        assert attributes["historyhead"] == heads[int(attributes["sequence"])]


async def test_a_mails_trouble_that_nothing_of_ours_follows_is_anchored(flow: Flow) -> None:
    await flow.draft()
    await flow.send_off()
    await flow.deliver(SECRETARY)
    before = await flow.published_names()
    await flow.bounce(SECRETARY)
    assert await flow.published_names() == [*before, "HistoryAnchored", "SignerUnreached"]
    attributes, _ = (await flow.published())[-2]
    last = (await flow.queries.entries(ORGANISATION, AGREEMENT_ID))[-1]
    assert last.type.endswith("bounce-detected.v1")
    assert (attributes["historyhead"], int(attributes["sequence"])) == (last.hash, last.n + 1)
    assert "HistoryAnchored" not in await flow.recorded_names()


async def test_the_published_completion_refers_to_a_history_that_holds_it(flow: Flow) -> None:
    await flow.all_signed()
    attributes, event = (await flow.published())[-1]
    assert isinstance(event, AgreementCompleted)
    assert event.history is not None
    sealed = verify_chain(await flow.blobs.get(ORGANISATION, event.history))
    assert isinstance(sealed.entries[-1].event(), AgreementCompleted)
    assert len(sealed.entries) == int(attributes["sequence"])
    last_signature = sealed.entries[-2]
    assert last_signature.type.endswith("document-signed.v1")
    assert sealed.entries[-1].time == last_signature.time


async def test_completion_waits_for_the_mail_and_bears_the_last_signatures_time(flow: Flow) -> None:
    await flow.all_signed(delivered=False)
    signed_at = flow.clock.now()
    assert (await flow.queries.state(ORGANISATION, AGREEMENT_ID)).status is Status.SIGNED
    assert "AgreementCompleted" not in await flow.published_names()
    flow.tick(60)
    fact = await flow.deliver(ADJUSTER)
    entries = await flow.queries.entries(ORGANISATION, AGREEMENT_ID)
    assert [type(e.event()).__name__ for e in entries[-2:]] == ["EmailSent", "AgreementCompleted"]
    assert entries[-1].time == signed_at
    attributes, event = (await flow.published())[-1]
    assert isinstance(event, AgreementCompleted)
    assert attributes["causationid"] == dict(fact.headers)["ce_id"].decode()


async def test_facts_after_completion_follow_the_sealed_head(flow: Flow) -> None:
    await flow.all_signed()
    _, event = (await flow.published())[-1]
    assert isinstance(event, AgreementCompleted)
    assert event.history is not None
    await flow.bounce(CHAIR)
    whole = verify_chain(await flow.queries.history(ORGANISATION, AGREEMENT_ID))
    sealed = verify_chain(await flow.blobs.get(ORGANISATION, event.history))
    assert whole.entries[:-1] == sealed.entries
    assert (await flow.published_names())[-2:] == ["AgreementCompleted", "HistoryAnchored"]


async def test_completion_and_a_later_fact_in_one_batch(flow: Flow) -> None:
    await flow.all_signed(delivered=False)
    chair = await flow.email_sent(CHAIR)
    awaited = await flow.email_sent(ADJUSTER)
    await flow.bring(message(awaited, flow.tick()), message(chair, flow.tick()))
    _, event = (await flow.published())[-1]
    assert isinstance(event, AgreementCompleted)
    assert event.history is not None
    sealed = verify_chain(await flow.blobs.get(ORGANISATION, event.history))
    assert isinstance(sealed.entries[-1].event(), AgreementCompleted)
    assert (await flow.recorded_names())[-2:] == ["AgreementCompleted", "EmailSent"]


async def test_an_alternate_signs_for_the_place(flow: Flow) -> None:
    await flow.draft()
    await flow.send_off()
    await flow.deliver(SECRETARY)
    await flow.sign(SECRETARY)
    await flow.deliver(CHAIR)
    await flow.sign(CHAIR, "Olof Berg")
    await flow.bounce(ADJUSTER)
    await flow.commands.add_alternate(ORGANISATION, AGREEMENT_ID, ADJUSTER, ALTERNATE, ip=SENDER_IP)
    await flow.deliver(ALTERNATE, "alternate-request")
    await flow.sign(ALTERNATE, "Sven Dahl")
    assert (await flow.published_names())[-1] == "AgreementCompleted"
    original = await flow.queries.request(ORGANISATION, await flow.id(ADJUSTER), 1)
    alternate = await flow.queries.request(ORGANISATION, await flow.id(ALTERNATE), 1)
    assert (original.state, alternate.state) == ("signed-by-other", "completed")
    verify_chain(await flow.queries.history(ORGANISATION, AGREEMENT_ID))
