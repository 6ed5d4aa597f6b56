"""No order of commands and facts breaks an agreement: hypothesis tries them at random."""

from datetime import timedelta

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from services.signing.agreement import TERMINAL, Agreement, Status
from services.signing.evolving import replay
from shared.clock import parse_timestamp
from shared.errors import JusteraError
from shared.events import (
    AgreementCompleted,
    BounceDetected,
    DeadlineExtended,
    DocumentSigned,
    DocumentViewed,
    EmailDeferred,
    EmailSent,
    ReminderRequested,
    SignatureRequested,
    SignerAddressCorrected,
    SigningLinkRevoked,
)
from shared.history import verify_chain
from shared.rendering.report import as_text, build_report
from tests.unit.signing.story import ADJUSTER, ALTERNATE, CHAIR, EXPIRES, SECRETARY, Story, at

SIGNERS = st.sampled_from([SECRETARY, CHAIR, ADJUSTER, ALTERNATE, "late@forsby.example"])
PURPOSES = st.sampled_from(["signature-request", "alternate-request", "request-again", "reminder", "receipt"])
FACTS = (EmailSent, EmailDeferred, BounceDetected)


class AgreementMachine(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.story = Story()
        self.moment = at("08:41:44")
        self.length_at_end: int | None = None

    def attempt(self, step: str, *arguments: str, **named: str) -> None:
        """A step that is allowed happens; one that is refused changes nothing."""
        before, length = self.story.state, len(self.story.entries)
        self.moment += timedelta(seconds=1)
        try:
            getattr(self.story, step)(self.moment.replace(tzinfo=None).isoformat(), *arguments, **named)
        except JusteraError:
            assert self.story.state == before
            assert len(self.story.entries) == length

    @initialize(early_alternate=st.booleans())
    def begin(self, early_alternate: bool) -> None:
        if early_alternate:
            self.attempt("add_alternate", ADJUSTER, ALTERNATE)
        else:
            self.attempt("send_off")

    @rule()
    def send_off(self) -> None:
        self.attempt("send_off")

    @rule(email=SIGNERS)
    def view(self, email: str) -> None:
        self.attempt("view", email)

    @rule(email=SIGNERS, name=st.sampled_from(["Olof Berg", "Sven Dahl", " ", "Maja Lind"]))
    def enter_name(self, email: str, name: str) -> None:
        self.attempt("enter_name", email, name)

    @rule(email=SIGNERS)
    def sign(self, email: str) -> None:
        self.attempt("sign", email)

    @rule(original=SIGNERS, new=SIGNERS, name=st.sampled_from([None, "Sven Dahl"]))
    def add_alternate(self, original: str, new: str, name: str | None) -> None:
        self.attempt("add_alternate", original, new, name)  # type: ignore[arg-type]

    @rule(original=SIGNERS, new=SIGNERS)
    def correct_address(self, original: str, new: str) -> None:
        self.attempt("correct_address", original, new)

    @rule(email=SIGNERS)
    def revoke(self, email: str) -> None:
        self.attempt("revoke", email)

    @rule(email=SIGNERS)
    def ask_again(self, email: str) -> None:
        self.attempt("ask_again", email)

    @rule(days=st.integers(0, 400))
    def extend(self, days: int) -> None:
        self.attempt("extend", (EXPIRES + timedelta(days=days - 5)).replace(tzinfo=None).isoformat())

    @precondition(lambda self: self.story.state.length > 15)
    @rule()
    def time_runs_out(self) -> None:
        if self.story.state.status is Status.OUT:
            self.moment = max(self.moment, parse_timestamp(self.story.state.expires or ""))

    @rule(data=st.data(), mailed=st.booleans())
    def someone_whose_turn_it_is_signs(self, data: st.DataObject, mailed: bool) -> None:
        """What chance alone seldom does: long runs get to the end."""
        if requests := self.story.state.open_requests():
            email = data.draw(st.sampled_from(requests)).email
            self.attempt("enter_name", email, "Sven Dahl")
            self.attempt("sign", email)
            if mailed:
                self.attempt("mail_sent", email)

    @precondition(lambda self: self.story.state.length > 12)
    @rule(email=SIGNERS)
    def decline(self, email: str) -> None:
        self.attempt("decline", email, "fel datum")

    @precondition(lambda self: self.story.state.length > 15)
    @rule()
    def cancel(self) -> None:
        self.attempt("cancel", "fel version")

    @precondition(lambda self: self.story.state.length > 15)
    @rule()
    def expire(self) -> None:
        self.attempt("expire")

    @rule()
    def remind(self) -> None:
        self.attempt("remind")

    @rule(email=SIGNERS, purpose=PURPOSES)
    def mail_sent(self, email: str, purpose: str) -> None:
        self.attempt("mail_sent", email, purpose=purpose)

    @rule(email=SIGNERS, purpose=PURPOSES)
    def bounce(self, email: str, purpose: str) -> None:
        self.attempt("bounce", email, purpose=purpose)

    @invariant()
    def each_place_is_signed_once_and_in_order(self) -> None:
        places = [event.place for event in self.events() if isinstance(event, DocumentSigned)]
        assert places == list(range(len(places)))

    @invariant()
    def nobody_acts_before_being_asked(self) -> None:
        asked: set[str] = set()
        for event in self.events():
            if isinstance(event, SignatureRequested):
                asked.add(event.request_id)
            if isinstance(event, DocumentSigned | DocumentViewed):
                assert event.request_id in asked

    @invariant()
    def nobody_signs_after_the_deadline(self) -> None:
        deadline = ""
        for entry in self.story.entries:
            event = entry.event()
            if isinstance(event, SignatureRequested | DeadlineExtended):
                deadline = event.expires
            if isinstance(event, DocumentSigned | DocumentViewed):
                assert entry.time < parse_timestamp(deadline)

    @invariant()
    def every_new_link_has_a_version_of_its_own(self) -> None:
        versions: dict[str, int] = {}
        for event in self.events():
            if isinstance(event, SignerAddressCorrected | SigningLinkRevoked):
                assert event.version == versions.get(event.request_id, 1) + 1
                versions[event.request_id] = event.version
            if isinstance(event, SignatureRequested):
                assert event.version == versions.get(event.request_id, 1)

    @invariant()
    def no_reminder_goes_where_the_last_mail_bounced(self) -> None:
        hopeless: set[str] = set()
        for event in self.events():
            if isinstance(event, BounceDetected):
                hopeless.add(event.request_id or "")
            if isinstance(event, EmailSent | SignatureRequested | SignerAddressCorrected):
                hopeless.discard(event.request_id or "")
            if isinstance(event, ReminderRequested):
                assert event.request_id not in hopeless

    @invariant()
    def addresses_differ(self) -> None:
        addresses = [request.email for request in self.story.state.requests]
        assert len(set(addresses)) == len(addresses)

    @invariant()
    def completion_means_all_signatures_and_their_mails(self) -> None:
        events = self.events()
        if not any(isinstance(event, AgreementCompleted) for event in events):
            return
        used = {event.request_id for event in events if isinstance(event, DocumentSigned)}
        settled = {event.request_id for event in events if isinstance(event, EmailSent | BounceDetected)}
        assert len(used) == 3
        assert used <= settled

    @invariant()
    def after_the_end_only_facts_follow(self) -> None:
        if self.story.state.status not in TERMINAL:
            return
        if self.length_at_end is None:
            self.length_at_end = len(self.story.entries)
        assert all(isinstance(event, FACTS) for event in self.events()[self.length_at_end :])

    @invariant()
    def the_state_is_what_its_history_and_its_snapshot_say(self) -> None:
        state = self.story.state
        assert replay((event, entry.time) for entry in self.story.entries if (event := entry.event())) == state
        assert Agreement.model_validate_json(state.model_dump_json()) == state
        assert state.length == len(self.story.entries)
        assert (state.status is Status.SIGNED) <= all(place.signed_by for place in state.places)

    def teardown(self) -> None:
        """Whatever came of it can be proven and told."""
        verify_chain(self.story.history_json())
        for language in ("sv", "en"):
            assert as_text(build_report(self.story.entries, language=language))

    def events(self) -> list[object]:
        return [entry.event() for entry in self.story.entries]


TestAgreementMachine = AgreementMachine.TestCase
TestAgreementMachine.settings = settings(max_examples=40, stateful_step_count=40, deadline=None)
