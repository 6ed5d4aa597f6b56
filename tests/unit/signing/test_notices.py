"""What the sender is told: once a cause, and only while it is for them to do something."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from services.signing import notices
from shared.clock import parse_timestamp
from shared.events import BounceDetected, SignerUnreached
from tests.unit.signing.story import ADJUSTER, ALTERNATE, CHAIR, EXPIRES, SECRETARY, SENDER, Story, at


@pytest.fixture
def story() -> Story:
    story = Story()
    story.send_off()
    story.deliver("08:46:00", SECRETARY)
    return story


def told(story: Story, happens: Callable[[], None]) -> SignerUnreached | None:
    """What the sender is told of the bounce that happens."""
    before = story.state
    happens()
    fact = story.entries[-1].event()
    assert isinstance(fact, BounceDetected)
    return notices.of_bounce(before, story.state, fact)


def test_a_bounce_is_told_with_the_servers_words(story: Story) -> None:
    notice = told(story, lambda: story.bounce("08:47:00", SECRETARY, version=1))
    assert notice is not None
    assert (notice.email, notice.status, notice.diagnostic) == (SECRETARY, "5.1.1", "550 no such user")
    assert (notice.sender, notice.request_id) == (SENDER, story.id(SECRETARY))


def test_a_second_mail_that_bounces_too_is_no_news(story: Story) -> None:
    story.bounce("08:47:00", SECRETARY, version=1, status="4.4.7")
    story.remind("09:00:00")
    assert told(story, lambda: story.bounce("09:01:00", SECRETARY, purpose="reminder", version=1)) is None


def test_it_is_news_again_after_the_sender_asked_again(story: Story) -> None:
    story.bounce("08:47:00", SECRETARY, version=1)
    story.ask_again("09:00:00", SECRETARY)
    story.deliver("09:00:01", SECRETARY)
    notice = told(story, lambda: story.bounce("09:01:00", SECRETARY, purpose="request-again", version=1))
    assert notice is not None


def test_an_original_that_bounces_beside_its_alternate_asks_nothing_of_the_sender(story: Story) -> None:
    story.add_alternate("09:00:00", SECRETARY, ALTERNATE)
    assert told(story, lambda: story.bounce("09:01:00", SECRETARY, version=1)) is None
    story.deliver("09:02:00", ALTERNATE)
    notice = told(story, lambda: story.bounce("09:03:00", ALTERNATE, purpose="alternate-request", version=1))
    assert notice is not None
    assert notice.email == ALTERNATE


def test_what_bounces_after_the_place_is_signed_or_the_end_is_told_to_nobody(story: Story) -> None:
    story.sign("09:00:00", SECRETARY)
    assert told(story, lambda: story.bounce("09:01:00", SECRETARY, version=1)) is None
    story.deliver("09:02:00", CHAIR)
    story.cancel("09:03:00", "fel protokoll")
    assert told(story, lambda: story.bounce("09:04:00", CHAIR, version=1)) is None


def test_a_deadline_is_told_with_those_who_have_not_signed(story: Story) -> None:
    story.sign("09:00:00", SECRETARY)
    story.add_alternate("09:01:00", CHAIR, ALTERNATE)
    notice = notices.of_deadline(story.state, EXPIRES - timedelta(days=3))
    assert notice is not None
    assert [person.email for person in notice.waiting_for] == [CHAIR, ALTERNATE]
    assert parse_timestamp(notice.expires) == EXPIRES
    assert notices.of_deadline(story.state, EXPIRES) is None


def test_a_deadline_is_not_told_once_all_have_signed_or_it_has_ended(story: Story) -> None:
    story.cancel("09:00:00", "fel protokoll")
    assert notices.of_deadline(story.state, at("10:00:00")) is None


@pytest.mark.parametrize("ending", ["decline", "cancel", "expire"])
def test_an_end_names_those_who_had_signed(story: Story, ending: str) -> None:
    story.sign("09:00:00", SECRETARY)
    if ending == "decline":
        story.decline("09:01:00", CHAIR, "fel")
    elif ending == "cancel":
        story.cancel("09:01:00", "fel")
    else:
        story.expire("09:01:00")
    event = story.entries[-1].event()
    assert event is not None
    said = event.model_dump()
    assert [person["email"] for person in said["signed"]] == [SECRETARY]
    assert said["sender"]["email"] == SENDER.email
    assert said["document_name"] == story.state.document_name
    assert ADJUSTER not in event.to_json()
