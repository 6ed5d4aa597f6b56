"""No order of commands and facts breaks an agreement: hypothesis tries them at random."""

from datetime import timedelta

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from services.signing.agreement import TERMINAL, Agreement, Status, replay
from shared.errors import JusteraError
from shared.events import (
    AgreementCompleted,
    BounceDetected,
    DocumentSigned,
    DocumentViewed,
    EmailDeferred,
    EmailSent,
    SignatureRequested,
)
from shared.history import verify_chain
from shared.rendering.report import as_text, build_report
from tests.unit.signing.story import ADJUSTER, ALTERNATE, CHAIR, SECRETARY, Story, at

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
