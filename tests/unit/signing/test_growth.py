"""A history stops growing before the archive refuses it, and its agreement still comes to an end."""

import pytest

from services.signing import growth
from services.signing.agreement import Status
from services.signing.decisions import MAX_NAMES
from shared import history
from shared.errors import Refused
from tests.unit.signing.story import ADJUSTER, ALTERNATE, CHAIR, SECRETARY, Story, seed_story


@pytest.fixture(scope="module")
def full() -> Story:
    return filled()


def filled() -> Story:
    """A recipient's server reports delay after delay, each with all the words that fit."""
    story = Story()
    story.send_off()
    story.deliver("08:48:43", SECRETARY)
    for number in range(5000):
        story.defer("08:50:00", SECRETARY, diagnostic=f"{number} " + "å" * 990)
    assert growth.is_full(story.state)
    return story


def test_what_is_counted_is_at_least_what_the_file_takes() -> None:
    for story in (seed_story(), seed_story("en")):
        assert story.state.size >= len(story.history_json())


def test_a_full_history_takes_no_more_delays_and_can_be_read(full: Story) -> None:
    length = len(full.entries)
    full.defer("08:51:00", SECRETARY)
    assert len(full.entries) == length
    data = full.history_json()
    assert len(data) < history.MAX_BYTES
    assert len(history.verify_chain(data).entries) == length


def test_a_full_history_refuses_what_a_sender_can_do_without(full: Story) -> None:
    for step in (
        lambda: full.remind("08:52:00"),
        lambda: full.add_alternate("08:52:00", ADJUSTER, ALTERNATE),
        lambda: full.revoke("08:52:00", SECRETARY),
        lambda: full.extend("08:52:00", "2022-10-27T08:00:00"),
    ):
        with pytest.raises(Refused, match="full"):
            step()


def test_a_full_history_is_signed_and_completed(full: Story) -> None:
    full.view("08:53:00", SECRETARY)
    full.view("08:53:01", SECRETARY)
    full.sign("08:54:00", SECRETARY)
    for when, signer, name in (("09", CHAIR, "Olof Berg"), ("10", ADJUSTER, "Sven Dahl")):
        full.deliver(f"{when}:00:00", signer)
        full.enter_name(f"{when}:01:00", signer, name)
        full.sign(f"{when}:02:00", signer)
    assert full.state.status is Status.COMPLETED
    assert full.events.count("DocumentViewed") == 1
    assert len(full.history_json()) < history.MAX_BYTES


def test_in_a_full_history_a_name_is_stated_once() -> None:
    """Else twenty signers, with twenty alternates each and twenty names of two hundred letters, fill the other half."""
    story = filled()
    story.sign("08:54:00", SECRETARY)
    story.enter_name("09:01:00", CHAIR, "Olof Berg")
    with pytest.raises(Refused, match="stays"):
        story.enter_name("09:02:00", CHAIR, "Olof B")
    story.sign("09:03:00", CHAIR)


def test_a_name_is_stated_a_few_times_only() -> None:
    story = Story()
    story.send_off()
    story.deliver("08:48:43", SECRETARY)
    story.sign("08:49:00", SECRETARY)
    for number in range(MAX_NAMES):
        story.enter_name("08:50:00", CHAIR, f"Olof Berg {number}")
    with pytest.raises(Refused, match="changed 20 times"):
        story.enter_name("08:51:00", CHAIR, "Olof")
    story.sign("08:52:00", CHAIR)
