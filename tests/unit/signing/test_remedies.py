"""What the sender does when a signer cannot be reached, a link is in the wrong hands, or time runs short."""

from datetime import timedelta
from typing import Any

import pytest

from services.signing.agreement import Status, request_for_email
from services.signing.ended_links import EndedLink
from services.signing.remedies import end_links
from services.signing.views import request_view_of
from shared.errors import InvalidInput, NotFound, Refused
from shared.events import (
    DeadlineExtended,
    EndedLinks,
    LinksEnded,
    SignatureRequested,
    SignerAddressCorrected,
    SigningLinkRevoked,
)
from shared.rendering.report import build_report
from tests.unit.signing.story import ADJUSTER, ALTERNATE, CHAIR, SECRETARY, SENDER, SENDER_IP, SIGNERS, Story, at

RIGHT = "olof.berg@granvik.example"
OVERDUE = "2022-10-26T08:00:00"
YEAR_LATE = "2023-10-31T08:00:00"


@pytest.fixture
def at_chair() -> Story:
    """The secretary has signed, and the chair's mail went out."""
    story = Story()
    story.send_off()
    story.deliver("08:46:00", SECRETARY)
    story.sign("08:47:00", SECRETARY)
    story.deliver("08:48:00", CHAIR)
    return story


@pytest.fixture
def bounced(at_chair: Story) -> Story:
    at_chair.bounce("08:49:00", CHAIR, version=1)
    at_chair.queued.clear()
    return at_chair


def queued(story: Story) -> list[tuple[str, str, int]]:
    return [(asked.email, asked.purpose, asked.version) for asked in story.queued]


def lines(story: Story, language: str = "en") -> list[str]:
    return [entry.text for entry in build_report(story.entries, language=language).entries]


class TestCorrectedAddress:
    def test_is_asked_anew_by_a_link_of_its_own(self, bounced: Story) -> None:
        request_id = bounced.id(CHAIR)
        bounced.correct_address("09:00:00", CHAIR.upper(), RIGHT)
        assert bounced.events[-2:] == ["SignerAddressCorrected", "SignatureRequested"]
        assert queued(bounced) == [(RIGHT, "first", 2)]
        request = request_for_email(bounced.state, RIGHT)
        assert (request.id, request.version) == (request_id, 2)
        assert not request.unreached
        assert not request.mail_settled
        with pytest.raises(NotFound, match="nobody is asked to sign at"):
            bounced.sign("09:01:00", CHAIR)

    def test_is_a_line_of_the_report_and_so_is_its_mail(self, bounced: Story) -> None:
        bounced.correct_address("09:00:00", CHAIR, RIGHT)
        bounced.deliver("09:00:01", RIGHT)
        assert lines(bounced)[-2:] == [
            f"Karin Ek (karin.ek@norrdalen.example) changed the address to {RIGHT}. "
            f"The link sent to {CHAIR} is no longer valid.",
            f"Document emailed to {RIGHT} for signature",
        ]
        assert lines(bounced, "sv")[-2] == (
            f"Karin Ek (karin.ek@norrdalen.example) har ändrat adressen till {RIGHT}. "
            f"Länken till {CHAIR} gäller inte längre."
        )

    def test_back_to_the_first_address_is_told_as_well(self, bounced: Story) -> None:
        bounced.correct_address("09:00:00", CHAIR, RIGHT)
        bounced.correct_address("09:01:00", RIGHT, CHAIR)
        bounced.queued = [asked for asked in bounced.queued if asked.version == 3]
        bounced.deliver("09:01:01", CHAIR)
        assert lines(bounced).count(f"Document emailed to {CHAIR} for signature") == 2

    def test_inherits_nothing_that_a_stranger_may_have_done(self, at_chair: Story) -> None:
        at_chair.view("08:50:00", CHAIR)
        at_chair.enter_name("08:51:00", CHAIR, "En Främling")
        at_chair.correct_address("09:00:00", CHAIR, RIGHT)
        request = request_for_email(at_chair.state, RIGHT)
        assert (request.name, request.views, request.viewed_at) == (None, 0, None)
        with pytest.raises(Refused, match="not stated a name"):
            at_chair.sign("09:01:00", RIGHT)

    def test_keeps_a_name_that_the_sender_gave(self) -> None:
        story = Story()
        story.send_off()
        story.correct_address("09:00:00", SECRETARY, RIGHT)
        assert request_for_email(story.state, RIGHT).name == "Maja Lind"
        assert "changed the address to Maja Lind" in lines(story)[-1]

    def test_late_news_of_the_old_mail_says_nothing_of_the_new(self, bounced: Story) -> None:
        request_id = bounced.id(CHAIR)
        bounced.correct_address("09:00:00", CHAIR, RIGHT)
        bounced.bounce("09:02:00", RIGHT, version=1, request_id=request_id)
        request = request_for_email(bounced.state, RIGHT)
        assert not request.unreached
        assert not request.mail_settled
        assert bounced.events[-1] == "BounceDetected"

    def test_completion_waits_for_the_mail_to_the_new_address(self) -> None:
        story = Story(signers=SIGNERS[:1])
        story.send_off()
        story.deliver("08:46:00", SECRETARY)
        story.correct_address("09:00:00", SECRETARY, RIGHT)
        story.sign("09:01:00", RIGHT)
        assert story.state.status is Status.SIGNED
        story.deliver("09:02:00", RIGHT)
        assert story.state.status is Status.COMPLETED

    def test_before_its_turn_is_asked_when_that_comes(self, at_chair: Story) -> None:
        at_chair.correct_address("09:00:00", ADJUSTER, ALTERNATE)
        assert at_chair.events[-1] == "SignerAddressCorrected"
        at_chair.queued.clear()
        at_chair.enter_name("09:01:00", CHAIR, "Olof Berg")
        at_chair.sign("09:02:00", CHAIR)
        assert queued(at_chair) == [(ALTERNATE, "first", 2)]
        at_chair.deliver("09:02:01", ALTERNATE)
        assert request_for_email(at_chair.state, ALTERNATE).mail_settled

    def test_may_be_an_alternates(self, at_chair: Story) -> None:
        at_chair.add_alternate("08:50:00", CHAIR, ALTERNATE)
        at_chair.queued.clear()
        at_chair.correct_address("09:00:00", ALTERNATE, RIGHT)
        assert queued(at_chair) == [(RIGHT, "alternate", 2)]

    def test_is_refused_where_it_makes_no_sense(self, at_chair: Story) -> None:
        with pytest.raises(Refused, match=f"signed already by {SECRETARY}"):
            at_chair.correct_address("09:00:00", SECRETARY, RIGHT)
        with pytest.raises(Refused, match="is asked to sign already"):
            at_chair.correct_address("09:00:00", CHAIR, ADJUSTER)
        with pytest.raises(Refused, match="is asked to sign already"):
            at_chair.correct_address("09:00:00", CHAIR, CHAIR)
        with pytest.raises(InvalidInput):
            at_chair.correct_address("09:00:00", CHAIR, "nowhere")
        with pytest.raises(NotFound):
            at_chair.correct_address("09:00:00", "nobody@bjorka.example", RIGHT)
        at_chair.cancel("09:01:00", "Fel version")
        with pytest.raises(Refused, match="cancelled"):
            at_chair.correct_address("09:02:00", CHAIR, RIGHT)


class TestRevokedLink:
    def test_is_replaced_by_a_new_one(self, at_chair: Story) -> None:
        at_chair.view("08:50:00", CHAIR)
        at_chair.revoke("09:00:00", CHAIR)
        assert at_chair.events[-2:] == ["SigningLinkRevoked", "SignatureRequested"]
        assert queued(at_chair) == [(CHAIR, "first", 2)]
        state, request_id = at_chair.state, at_chair.id(CHAIR)
        seen = [request_view_of("o", state, request_id, version, now=at("09:01:00")).state for version in (1, 2)]
        assert seen == ["revoked", "open"]

    def test_is_no_line_of_the_report_nor_is_its_mail(self, at_chair: Story) -> None:
        before = lines(at_chair)
        at_chair.revoke("09:00:00", CHAIR)
        at_chair.deliver("09:00:01", CHAIR)
        assert lines(at_chair) == before

    def test_of_one_who_has_signed_shows_the_receipt_no_more(self, at_chair: Story) -> None:
        at_chair.revoke("09:00:00", SECRETARY)
        assert at_chair.events[-1] == "SigningLinkRevoked"
        request_id = at_chair.id(SECRETARY)
        assert request_view_of("o", at_chair.state, request_id, 1, now=at("09:01:00")).state == "revoked"

    def test_late_news_of_a_used_link_still_completes(self) -> None:
        story = Story()
        story.send_off()
        story.sign("08:46:00", SECRETARY)
        story.revoke("08:46:30", SECRETARY)
        story.mail_sent("08:47:00", SECRETARY, version=1)
        assert request_for_email(story.state, SECRETARY).mail_settled

    def test_before_its_turn_there_is_none(self, at_chair: Story) -> None:
        with pytest.raises(Refused, match="no link was mailed"):
            at_chair.revoke("09:00:00", ADJUSTER)


class TestBouncedAddress:
    def test_is_not_reminded(self, bounced: Story) -> None:
        with pytest.raises(Refused, match=f"nobody can be reminded: the last mail to {CHAIR} bounced"):
            bounced.remind("09:00:00")
        bounced.add_alternate("09:01:00", CHAIR, ALTERNATE)
        bounced.remind("09:02:00")
        reminded = bounced.entries[-1].event()
        assert bounced.events[-2:] == ["SignatureRequested", "ReminderRequested"]
        assert reminded is not None
        assert getattr(reminded, "email", None) == ALTERNATE

    def test_that_is_only_full_is_reminded(self, at_chair: Story) -> None:
        at_chair.bounce("08:49:00", CHAIR, status="4.2.2")
        at_chair.remind("09:00:00")
        assert at_chair.events[-1] == "ReminderRequested"

    def test_counts_when_only_a_reminder_bounced_but_settles_nothing(self, at_chair: Story) -> None:
        story = Story()
        story.send_off()
        story.bounce("08:49:00", SECRETARY, purpose="reminder")
        request = request_for_email(story.state, SECRETARY)
        assert (request.undeliverable, request.mail_settled) == (True, False)
        story.bounce("08:50:00", SECRETARY)
        assert request_for_email(story.state, SECRETARY).mail_settled

    def test_is_not_asked_again_beside_an_alternate(self, bounced: Story) -> None:
        bounced.add_alternate("09:00:00", CHAIR, ALTERNATE)
        assert queued(bounced) == [(ALTERNATE, "alternate", 1)]
        assert request_for_email(bounced.state, CHAIR).withheld

    def test_is_asked_again_where_the_sender_insists(self, bounced: Story) -> None:
        bounced.add_alternate("09:00:00", CHAIR, ALTERNATE)
        bounced.queued.clear()
        bounced.ask_again("09:01:00", CHAIR)
        assert queued(bounced) == [(CHAIR, "again", 1)]
        request = request_for_email(bounced.state, CHAIR)
        assert not request.withheld
        assert not request.undeliverable
        bounced.deliver("09:01:01", CHAIR)
        bounced.bounce("09:01:10", CHAIR, purpose="request-again")
        assert request_for_email(bounced.state, CHAIR).undeliverable
        assert lines(bounced).count(f"Email sent to {CHAIR} bounced and could not be delivered") == 2

    def test_is_reached_again_by_any_later_mail(self, bounced: Story) -> None:
        bounced.mail_sent("09:00:00", CHAIR, purpose="request-again")
        assert not request_for_email(bounced.state, CHAIR).undeliverable

    def test_stays_so_when_the_news_of_the_same_mail_come_late(self) -> None:
        story = Story()
        story.send_off()
        story.bounce("08:49:00", SECRETARY)
        story._mails -= 1  # the mail whose bounce was told first
        story.mail_sent("08:49:01", SECRETARY)
        assert request_for_email(story.state, SECRETARY).undeliverable

    def test_that_was_never_reached_gets_its_line_with_the_mail_that_is(self) -> None:
        story = Story()
        story.send_off()
        story.bounce("08:49:00", SECRETARY)  # refused at once
        story.queued.clear()
        story.ask_again("09:00:00", SECRETARY)
        assert queued(story) == [(SECRETARY, "first", 1)]

    def test_only_a_bounce_is_a_reason_to_ask_again(self, at_chair: Story) -> None:
        with pytest.raises(Refused, match="no mail to"):
            at_chair.ask_again("09:00:00", CHAIR)


class TestDeadline:
    @pytest.mark.parametrize("when", [OVERDUE, YEAR_LATE])
    def test_binds_though_nobody_wrote_down_that_it_passed(self, at_chair: Story, when: str) -> None:
        at_chair.enter_name("08:50:00", CHAIR, "Olof Berg")
        for step in (
            lambda: at_chair.view(when, CHAIR),
            lambda: at_chair.enter_name(when, CHAIR, "Olof B"),
            lambda: at_chair.sign(when, CHAIR),
            lambda: at_chair.decline(when, CHAIR, "nej"),
            lambda: at_chair.add_alternate(when, CHAIR, ALTERNATE),
            lambda: at_chair.correct_address(when, CHAIR, RIGHT),
            lambda: at_chair.revoke(when, CHAIR),
            lambda: at_chair.ask_again(when, CHAIR),
            lambda: at_chair.remind(when),
            lambda: at_chair.extend(when, "2023-11-30T08:00:00"),
        ):
            with pytest.raises(Refused, match="the agreement is expired: its last moment was 2022-10-26T08:00:00Z"):
                step()
        view = request_view_of("o", at_chair.state, at_chair.id(CHAIR), 1, now=at(when))
        assert view.state == "expired"
        at_chair.expire(when)
        assert at_chair.state.status is Status.EXPIRED

    def test_until_then_it_is_open(self, at_chair: Story) -> None:
        at_chair.enter_name("08:50:00", CHAIR, "Olof Berg")
        at_chair.sign("2022-10-26T07:59:59", CHAIR)
        assert at_chair.state.current_place is not None

    def test_can_be_moved_while_it_runs(self, at_chair: Story) -> None:
        at_chair.extend("09:00:00", "2022-11-30T08:00:00")
        event = at_chair.entries[-1].event()
        assert isinstance(event, DeadlineExtended)
        assert (event.expired_before, event.expires) == ("2022-10-26T08:00:00.000000Z", "2022-11-30T08:00:00.000000Z")
        at_chair.enter_name("2022-11-29T08:00:00", CHAIR, "Olof Berg")
        at_chair.queued.clear()
        at_chair.sign("2022-11-29T08:00:01", CHAIR)
        assert [asked.expires for asked in at_chair.queued] == [event.expires]

    def test_moves_forward_and_not_out_of_sight(self, at_chair: Story) -> None:
        for until in ("2022-10-26T08:00:00", "2022-10-01T08:00:00", "2024-01-01T00:00:00"):
            with pytest.raises(InvalidInput, match="the new deadline is"):
                at_chair.extend("09:00:00", until)

    def test_there_is_none_before_it_is_sent_off(self) -> None:
        with pytest.raises(Refused, match="not been sent off"):
            Story().extend("09:00:00", "2022-11-30T08:00:00")


def test_what_an_ended_request_shows_ends_after_ninety_days(at_chair: Story) -> None:
    at_chair.cancel("09:00:00", "Fel version")
    seen = [
        request_view_of("o", at_chair.state, at_chair.id(SECRETARY), 1, now=at(when)).state
        for when in ("2022-12-25T08:59:59", "2022-12-25T09:00:00")
    ]
    assert seen == ["cancelled", "closed"]


def test_new_events_carry_who_did_it_and_from_where(at_chair: Story) -> None:
    at_chair.correct_address("09:00:00", ADJUSTER, ALTERNATE)
    at_chair.revoke("09:01:00", CHAIR)
    at_chair.extend("09:02:00", "2022-11-30T08:00:00")
    acts = [
        event
        for entry in at_chair.entries
        if isinstance(event := entry.event(), SignerAddressCorrected | SigningLinkRevoked | DeadlineExtended)
    ]
    assert [(act.by.name, act.ip) for act in acts] == [("Karin Ek", "192.0.2.1")] * 3
    assert any(isinstance(entry.event(), SignatureRequested) for entry in at_chair.entries)


class TestEndedLinks:
    """After the agreement's end: beside its history, which is sealed."""

    LATER = at("2022-09-27T09:00:00")
    ARCHIVED = at("2022-09-26T09:30:00")

    @pytest.fixture
    def completed(self, at_chair: Story) -> Story:
        """The adjuster's alternate has signed, the adjuster was asked only."""
        at_chair.sign_named("08:50:00", CHAIR, "Olof Berg")
        at_chair.deliver("08:51:00", ADJUSTER)
        at_chair.add_alternate("08:52:00", ADJUSTER, ALTERNATE)
        at_chair.deliver("08:53:00", ALTERNATE)
        at_chair.sign_named("08:54:00", ALTERNATE, "Sven Dahl")
        assert at_chair.state.status is Status.COMPLETED
        return at_chair

    def end(self, story: Story, email: str | None, **how: Any) -> LinksEnded:
        known = {"ended": (), "new_link": False, "copy_opened": self.ARCHIVED, "at": self.LATER} | how
        return end_links(story.state, email=email, ip=SENDER_IP, **known)

    def test_of_one_person_open_nothing_and_those_of_others_stay(self, completed: Story) -> None:
        event = self.end(completed, CHAIR.upper())
        assert event.people == (EndedLinks(email=CHAIR, name="Olof Berg", version=2, mailed=False),)
        assert (event.by, event.ip, event.in_history) == (completed.state.sender, SENDER_IP, False)
        ended = [EndedLink(email=CHAIR.upper(), version=2, mailed=False, at=self.LATER)]

        def state(email: str) -> str:
            request = completed.id(email)
            view = request_view_of("o", completed.state, request, 1, now=self.LATER, ended_links=ended)
            return view.state

        assert [state(one) for one in (SECRETARY, CHAIR)] == ["completed", "revoked"]

    def test_of_everyone_are_of_those_who_were_asked_and_of_the_sender(self, completed: Story) -> None:
        event = self.end(completed, None, new_link=True)
        assert {one.email: one.mailed for one in event.people} == {
            SECRETARY: True,
            CHAIR: True,
            ADJUSTER: False,  # was asked, and is not mailed the copy
            ALTERNATE: True,
            SENDER.email: True,
        }

    def test_versions_rise(self, completed: Story) -> None:
        before = [EndedLink(email=CHAIR.upper(), version=4, mailed=True, at=self.LATER)]
        event = self.end(completed, None, ended=before)
        assert {one.email: one.version for one in event.people if one.version > 2} == {CHAIR: 5}

    @pytest.mark.parametrize(
        ("email", "how", "said"),
        [
            (ADJUSTER, {}, "is not mailed the sealed copy"),
            (CHAIR, {"copy_opened": None}, "is not archived yet"),
            (CHAIR, {"at": ARCHIVED + timedelta(days=90)}, "open for 90 days"),
        ],
    )
    def test_no_new_one_is_mailed_that_would_open_nothing(
        self, completed: Story, email: str, how: dict[str, Any], said: str
    ) -> None:
        with pytest.raises(Refused, match=said):
            self.end(completed, email, new_link=True, **how)
        assert self.end(completed, email, **how).people[0].version == 2

    def test_nobody_else_has_any(self, completed: Story) -> None:
        with pytest.raises(NotFound, match="nobody was mailed a link at"):
            self.end(completed, RIGHT)

    def test_of_what_was_cancelled(self, at_chair: Story) -> None:
        with pytest.raises(Refused, match="has been sent off already"):
            self.end(at_chair, CHAIR)
        at_chair.cancel("09:00:00", "Fel version")
        assert [one.email for one in self.end(at_chair, None).people] == [SECRETARY, CHAIR]
        with pytest.raises(Refused, match="there is no sealed copy"):
            self.end(at_chair, CHAIR, new_link=True)
        with pytest.raises(NotFound):  # their turn had not come
            self.end(at_chair, ADJUSTER)

    def test_of_what_nobody_was_asked_to_sign(self) -> None:
        story = Story()
        story.cancel("09:00:00", "Fel version")
        with pytest.raises(Refused, match="no link was mailed"):
            self.end(story, None)


class TestAllLinks:
    def test_end_and_who_may_sign_is_asked_anew(self, at_chair: Story) -> None:
        at_chair.queued.clear()
        at_chair.revoke_all("09:00:00")
        assert at_chair.events[-3:] == ["SigningLinkRevoked", "SigningLinkRevoked", "SignatureRequested"]
        assert queued(at_chair) == [(CHAIR, "first", 2)]

    def test_also_while_a_mails_fate_is_awaited(self, at_chair: Story) -> None:
        at_chair.sign_named("08:50:00", CHAIR, "Olof Berg")
        at_chair.sign_named("08:51:00", ADJUSTER, "Sven Dahl")
        assert at_chair.state.status is Status.SIGNED
        at_chair.revoke_all("09:00:00")
        assert {request.version for request in at_chair.state.requests} == {2}
        at_chair.deliver("09:01:00", ADJUSTER)
        assert at_chair.state.status is Status.COMPLETED
