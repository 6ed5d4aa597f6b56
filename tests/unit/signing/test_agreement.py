"""The rules of an agreement, one by one."""

from types import SimpleNamespace
from typing import Any

import pytest

from services.signing import decisions
from services.signing.agreement import Agreement, Status, request_for_email
from services.signing.evolving import CorruptHistory, evolve, replay
from services.signing.store import StoredAgreement, insert_agreements
from shared.errors import InvalidInput, NotFound, Refused
from shared.events import (
    AgreementCompleted,
    AgreementExpired,
    AlternateSignerAdded,
    DocumentSigned,
    Person,
    SignatureRequested,
    SignerInvitation,
)
from tests.unit.signing.story import (
    ADJUSTER,
    ALTERNATE,
    CHAIR,
    EXPIRES,
    SECRETARY,
    SENDER,
    Story,
    at,
    draft,
    seed_story,
)


@pytest.fixture
def story() -> Story:
    return Story()


@pytest.fixture
def sent(story: Story) -> Story:
    story.send_off()
    return story


@pytest.fixture
def at_chair(sent: Story) -> Story:
    """The secretary has signed; it is the chair's turn."""
    sent.deliver("08:46:00", SECRETARY)
    sent.sign("08:47:00", SECRETARY)
    return sent


@pytest.fixture
def at_adjuster(at_chair: Story) -> Story:
    at_chair.deliver("08:48:00", CHAIR)
    at_chair.enter_name("08:49:00", CHAIR, "Olof Berg")
    at_chair.sign("08:50:00", CHAIR)
    return at_chair


def test_an_agreement_stands_ready_and_is_sent_to_the_first_place(story: Story) -> None:
    assert (story.state.status, story.state.current_place) == (Status.READY, None)
    story.send_off()
    assert story.state.status is Status.OUT
    assert story.events == ["AgreementCreated", "SignatureRequested"]
    [asked] = story.queued
    assert (asked.email, asked.name, asked.purpose, asked.place) == (SECRETARY, "Maja Lind", "first", 0)
    assert asked.expires == "2022-10-26T08:00:00.000000Z"


def test_it_is_sent_off_once(sent: Story) -> None:
    with pytest.raises(Refused, match="sent off already"):
        sent.send_off()


@pytest.mark.parametrize(
    "signers",
    [
        pytest.param((), id="none"),
        pytest.param(
            (SignerInvitation(role="a", email=CHAIR), SignerInvitation(role="b", email=CHAIR.upper())),
            id="same address",
        ),
        pytest.param((SignerInvitation(role="a", email="nowhere"),), id="no address"),
        pytest.param((SignerInvitation(role="a", email=CHAIR, name="\u202eOlof"),), id="direction override"),
    ],
)
def test_signers_that_cannot_be_asked(signers: tuple[SignerInvitation, ...]) -> None:
    with pytest.raises(InvalidInput):
        decisions.create(draft(signers=signers), at("08:00:00"))


def test_nothing_can_be_done_before_it_is_sent_off(story: Story) -> None:
    for step in (
        lambda: story.view("09:00:00", SECRETARY),
        lambda: story.sign("09:00:00", SECRETARY),
        lambda: story.decline("09:00:00", SECRETARY, "no"),
        lambda: story.remind("09:00:00"),
        lambda: story.expire("09:00:00"),
    ):
        with pytest.raises(Refused, match="the document has not been sent off yet"):
            step()


def test_out_of_turn(sent: Story) -> None:
    for step in (
        lambda: sent.view("09:00:00", CHAIR),
        lambda: sent.enter_name("09:00:00", CHAIR, "Olof Berg"),
        lambda: sent.sign("09:00:00", CHAIR),
        lambda: sent.decline("09:00:00", CHAIR, "no"),
    ):
        with pytest.raises(Refused, match=f"it is not their turn: {SECRETARY} has not signed"):
            step()


def test_the_next_place_is_asked_with_the_signature(at_chair: Story) -> None:
    assert at_chair.events[-2:] == ["DocumentSigned", "SignatureRequested"]
    assert [(r.email, r.purpose) for r in at_chair.queued] == [(CHAIR, "first")]
    signed = at_chair.entries[-2].event()
    assert isinstance(signed, DocumentSigned)
    assert (signed.role, signed.name, signed.document_sha256) == ("secretary", "Maja Lind", "ab" * 32)


def test_signing_needs_a_name(at_chair: Story) -> None:
    with pytest.raises(Refused, match="they have not stated a name"):
        at_chair.sign("09:00:00", CHAIR)


def test_a_name_is_entered_corrected_and_not_repeated(at_chair: Story) -> None:
    at_chair.enter_name("09:00:00", CHAIR, "Olof Brg")
    at_chair.enter_name("09:00:01", CHAIR, " Olof Berg ")
    at_chair.enter_name("09:00:02", CHAIR, "Olof Berg")
    assert at_chair.events[-2:] == ["SignerNameEntered", "SignerNameEntered"]
    assert at_chair.events.count("SignerNameEntered") == 2
    assert request_for_email(at_chair.state, CHAIR).name == "Olof Berg"


def test_a_name_given_from_the_start_stays(sent: Story) -> None:
    sent.enter_name("09:00:00", SECRETARY, "Maja Lind")
    with pytest.raises(Refused, match="known from the start"):
        sent.enter_name("09:00:00", SECRETARY, "Someone Else")
    assert "SignerNameEntered" not in sent.events


def test_only_the_first_view_is_first_and_views_are_bounded(sent: Story) -> None:
    for _ in range(decisions.MAX_VIEWS + 5):
        sent.view("09:00:00", SECRETARY)
    views = [entry.event() for entry in sent.entries[2:]]
    assert len(views) == decisions.MAX_VIEWS
    assert [view.first for view in views[:3]] == [True, False, False]  # type: ignore[union-attr]


def test_a_place_is_signed_once(at_chair: Story) -> None:
    for step in (lambda: at_chair.sign("09:00:00", SECRETARY), lambda: at_chair.view("09:00:00", SECRETARY)):
        with pytest.raises(Refused, match=f"their place is signed already by {SECRETARY}"):
            step()


@pytest.mark.parametrize(("first", "second"), [(ADJUSTER, ALTERNATE), (ALTERNATE, ADJUSTER)])
def test_whoever_signs_first_signs_for_the_place(at_adjuster: Story, first: str, second: str) -> None:
    at_adjuster.add_alternate("09:00:00", ADJUSTER, ALTERNATE)
    for email in (first, second):
        at_adjuster.enter_name("09:01:00", email, "Sven Dahl")
    at_adjuster.sign("09:02:00", first)
    assert at_adjuster.state.status is Status.SIGNED
    with pytest.raises(Refused, match=f"their place is signed already by {first}"):
        at_adjuster.sign("09:02:00", second)


def test_an_alternate_is_asked_and_the_original_asked_again(at_adjuster: Story) -> None:
    at_adjuster.queued.clear()
    at_adjuster.add_alternate("09:00:00", ADJUSTER.upper(), ALTERNATE)
    assert [(r.email, r.purpose, r.place) for r in at_adjuster.queued] == [
        (ALTERNATE, "alternate", 2),
        (ADJUSTER, "again", 2),
    ]
    first, again = [
        entry.event() for entry in at_adjuster.entries
        if isinstance(e := entry.event(), SignatureRequested) and e.email == ADJUSTER
    ]  # fmt: skip
    assert isinstance(first, SignatureRequested)
    assert isinstance(again, SignatureRequested)
    assert (first.request_id, first.version) == (again.request_id, again.version)


def test_alternates_added_before_their_turn_are_asked_when_it_comes(at_chair: Story) -> None:
    at_chair.add_alternate("08:55:00", ADJUSTER, ALTERNATE)
    at_chair.add_alternate("08:55:30", ALTERNATE, "third@granvik.example", name="Sven Dahl")
    assert at_chair.events[-2:] == ["AlternateSignerAdded", "AlternateSignerAdded"]
    second = at_chair.entries[-1].event()
    assert isinstance(second, AlternateSignerAdded)
    assert second.original_email == ADJUSTER
    at_chair.queued.clear()
    at_chair.enter_name("09:00:00", CHAIR, "Olof Berg")
    at_chair.sign("09:00:01", CHAIR)
    assert [(r.email, r.purpose) for r in at_chair.queued] == [
        (ADJUSTER, "first"),
        (ALTERNATE, "alternate"),
        ("third@granvik.example", "alternate"),
    ]


def test_an_alternate_may_be_added_before_sending_off(story: Story) -> None:
    story.add_alternate("08:42:00", SECRETARY, ALTERNATE)
    assert story.state.status is Status.READY
    story.send_off()
    assert [(r.email, r.purpose) for r in story.queued] == [(SECRETARY, "first"), (ALTERNATE, "alternate")]


def test_one_mailbox_in_two_spellings_is_one_signer(at_adjuster: Story) -> None:
    at_adjuster.add_alternate("09:00:00", ADJUSTER, "olof@björkå.example")
    with pytest.raises(
        Refused, match=r"^olof@xn--bjrk-toa3h\.example \(that is olof@björkå\.example\) is asked to sign"
    ):
        at_adjuster.add_alternate("09:01:00", ADJUSTER, "olof@xn--bjrk-toa3h.example")
    spelt = ("olof@xn--bjrk-toa3h.example", "olof@björkå.example")
    signers = [SignerInvitation(role="chair", name="Åke Ö", email=email) for email in spelt]
    with pytest.raises(InvalidInput, match="two signers share the address"):
        Story(signers=signers)


def test_addresses_of_one_agreement_differ(at_adjuster: Story) -> None:
    for taken in (SECRETARY.upper(), CHAIR, ADJUSTER):
        with pytest.raises(Refused, match="is asked to sign already"):
            at_adjuster.add_alternate("09:00:00", ADJUSTER, taken)
    with pytest.raises(InvalidInput):
        at_adjuster.add_alternate("09:00:00", ADJUSTER, "nowhere")
    with pytest.raises(NotFound):
        at_adjuster.add_alternate("09:00:00", "nobody@granvik.example", ALTERNATE)


def test_no_alternate_for_a_signed_place(at_chair: Story) -> None:
    with pytest.raises(Refused, match="their place is signed already"):
        at_chair.add_alternate("09:00:00", SECRETARY, ALTERNATE)


def test_completion_bears_the_last_signatures_time(at_adjuster: Story) -> None:
    at_adjuster.deliver("08:51:00", ADJUSTER)
    at_adjuster.enter_name("08:52:00", ADJUSTER, "Sven Dahl")
    at_adjuster.sign("08:53:00", ADJUSTER)
    assert at_adjuster.events[-2:] == ["DocumentSigned", "AgreementCompleted"]
    assert at_adjuster.state.status is Status.COMPLETED
    assert at_adjuster.last_time == at("08:53:00")


def test_completion_waits_for_the_mails_of_the_requests_used(sent: Story) -> None:
    sent.sign("08:46:00", SECRETARY)
    sent.enter_name("08:47:00", CHAIR, "Olof Berg")
    sent.sign("08:48:00", CHAIR)
    sent.add_alternate("08:49:00", ADJUSTER, ALTERNATE, name="Sven Dahl")
    sent.sign("08:50:00", ALTERNATE)
    assert sent.state.status is Status.SIGNED
    sent.mail_sent("09:00:00", SECRETARY)
    sent.mail_sent("09:00:01", ALTERNATE, purpose="alternate-request")
    assert sent.state.status is Status.SIGNED
    sent.mail_sent("09:00:02", CHAIR)
    assert sent.events[-2:] == ["EmailSent", "AgreementCompleted"]
    assert [entry.time for entry in sent.entries[-2:]] == [at("09:00:02"), at("08:50:00")]


def test_a_refused_mail_does_not_hold_up_completion(at_adjuster: Story) -> None:
    at_adjuster.bounce("08:51:00", ADJUSTER)
    at_adjuster.enter_name("08:52:00", ADJUSTER, "Sven Dahl")
    at_adjuster.sign("08:53:00", ADJUSTER)
    assert at_adjuster.state.status is Status.COMPLETED


def test_the_sealed_copy_goes_to_the_sender_and_those_who_signed() -> None:
    completed = seed_story().entries[-1].event()
    assert isinstance(completed, AgreementCompleted)
    assert [person.email for person in completed.recipients] == [SENDER.email, SECRETARY, CHAIR, ALTERNATE]
    assert completed.recipients[-1].name == "Sven Dahl"
    assert completed.history is None


def test_a_sender_who_signs_gets_one_copy() -> None:
    story = Story(
        signers=[SignerInvitation(role="secretary", email="Karin.Ek@norrdalen.example", name="Karin Ek")],
        sender=Person(email="karin.ek@norrdalen.example", name="Karin Ek"),
    )
    story.send_off()
    story.deliver("08:46:00", "Karin.Ek@norrdalen.example")
    story.sign("08:47:00", "karin.ek@norrdalen.example")
    completed = story.entries[-1].event()
    assert isinstance(completed, AgreementCompleted)
    assert len(completed.recipients) == 1


def test_waiting_for_mail_facts_nobody_can_change_it_any_more(at_adjuster: Story) -> None:
    at_adjuster.enter_name("08:52:00", ADJUSTER, "Sven Dahl")
    at_adjuster.sign("08:53:00", ADJUSTER)
    assert at_adjuster.state.status is Status.SIGNED
    for step in (
        lambda: at_adjuster.cancel("09:00:00", "too late"),
        lambda: at_adjuster.expire("09:00:00"),
        lambda: at_adjuster.remind("09:00:00"),
        lambda: at_adjuster.decline("09:00:00", ADJUSTER, "no"),
        lambda: at_adjuster.add_alternate("09:00:00", ADJUSTER, ALTERNATE),
    ):
        with pytest.raises(Refused, match="signed already"):
            step()


def end_by_decline(story: Story) -> None:
    story.decline("08:50:00", CHAIR, "Fel datum\ni § 30")


def end_by_cancel(story: Story) -> None:
    story.cancel("08:50:00", "Fel version")


def end_by_expiry(story: Story) -> None:
    story.expire("08:50:00")


@pytest.mark.parametrize(
    ("end", "status"),
    [(end_by_decline, Status.DECLINED), (end_by_cancel, Status.CANCELLED), (end_by_expiry, Status.EXPIRED)],
)
def test_after_its_end_only_facts_are_recorded(at_chair: Story, end: object, status: Status) -> None:
    end(at_chair)  # type: ignore[operator]
    assert (at_chair.state.status, at_chair.state.ended_at) == (status, at("08:50:00"))
    for step in (
        lambda: at_chair.view("09:00:00", CHAIR),
        lambda: at_chair.enter_name("09:00:00", CHAIR, "Olof Berg"),
        lambda: at_chair.sign("09:00:00", CHAIR),
        lambda: at_chair.sign("09:00:00", SECRETARY),
        lambda: at_chair.decline("09:00:00", CHAIR, "no"),
        lambda: at_chair.cancel("09:00:00", "again"),
        lambda: at_chair.expire("09:00:00"),
        lambda: at_chair.remind("09:00:00"),
        lambda: at_chair.add_alternate("09:00:00", CHAIR, ALTERNATE),
    ):
        with pytest.raises(Refused, match=f"the agreement is {status}"):
            step()
    at_chair.deliver("09:01:00", CHAIR)
    at_chair.bounce("09:02:00", CHAIR)
    assert at_chair.events[-2:] == ["EmailSent", "BounceDetected"]
    assert at_chair.state.status is status


def test_a_reason_is_one_line_and_stated(at_chair: Story) -> None:
    with pytest.raises(InvalidInput):
        at_chair.decline("08:50:00", CHAIR, " \n ")
    end_by_decline(at_chair)
    assert at_chair.entries[-1].event().reason == "Fel datum i § 30"  # type: ignore[union-attr]


def test_it_can_be_cancelled_before_it_is_sent_off(story: Story) -> None:
    end_by_cancel(story)
    with pytest.raises(Refused, match="the agreement is cancelled"):
        story.send_off()


def test_everyone_whose_turn_it_is_is_reminded(at_adjuster: Story) -> None:
    at_adjuster.add_alternate("09:00:00", ADJUSTER, ALTERNATE)
    at_adjuster.remind("10:00:00")
    assert at_adjuster.events[-2:] == ["ReminderRequested", "ReminderRequested"]


def test_mails_that_are_not_requests_are_no_part_of_the_history(at_chair: Story) -> None:
    before = at_chair.events
    for purpose in ("reminder", "receipt", "archived"):
        at_chair.mail_sent("09:00:00", CHAIR, purpose=purpose)
    at_chair.bounce("09:00:00", CHAIR, purpose="receipt")
    assert at_chair.events == before
    at_chair.bounce("09:00:00", CHAIR, purpose="reminder")
    at_chair.defer("09:00:00", CHAIR)
    assert at_chair.events[-2:] == ["BounceDetected", "EmailDeferred"]
    assert not request_for_email(at_chair.state, CHAIR).mail_settled


def test_a_request_that_is_not_ours(sent: Story) -> None:
    with pytest.raises(NotFound):
        decisions.sign(sent.state, "no-such-request", ip="192.0.2.9", at=at("09:00:00"))
    with pytest.raises(NotFound):
        request_for_email(sent.state, "nobody@granvik.example")


def test_request_ids_differ_between_agreements_and_places() -> None:
    other = decisions.create(draft().model_copy(update={"agreement_id": "another"}), at("08:00:00"))
    ids = {request.id for state in (Story().state, replay(other)) for request in state.requests}
    assert len(ids) == 6


def test_the_snapshot_is_the_state() -> None:
    state = seed_story().state
    assert Agreement.model_validate_json(state.model_dump_json()) == state


def test_events_that_cannot_follow_are_a_corrupt_history(story: Story) -> None:
    with pytest.raises(CorruptHistory):
        evolve(story.state, AgreementExpired(agreement_id="x"), EXPIRES)
    with pytest.raises(CorruptHistory):
        replay([])
    with pytest.raises(CorruptHistory):
        evolve(None, AgreementExpired(agreement_id="x"), EXPIRES)


async def test_a_snapshot_is_kept_without_what_has_not_happened_so_that_the_version_before_reads_it(
    at_chair: Story,
) -> None:
    written: list[dict[str, Any]] = []

    async def execute(_: object, rows: list[dict[str, Any]]) -> None:
        written.extend(rows)

    stored = StoredAgreement("default", "m", "0" * 64, at_chair.state)
    await insert_agreements(SimpleNamespace(execute=execute), [stored])  # type: ignore[arg-type]
    snapshot = written[0]["snapshot"]
    assert "declined_by" not in snapshot
    assert Agreement.model_validate_json(snapshot) == at_chair.state
