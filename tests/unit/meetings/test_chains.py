"""A meeting's whole year is one chain of the journal."""

import pytest

from services.meetings.agenda.agenda import Item
from services.meetings.meeting.meeting import Meeting
from services.meetings.poll.poll import Poll
from services.meetings.review.review import Review
from services.meetings.transaction import chain_of
from shared.events import DatePollClosed, ItemMoved, MeetingChanged, ReviewClosed
from shared.events.base import Event


@pytest.mark.parametrize(
    ("about", "event"),
    [
        (Meeting.model_construct(id="m"), MeetingChanged.model_construct()),
        (Poll.model_construct(id="p", meeting_id="m"), DatePollClosed.model_construct()),
        (Review.model_construct(id="r", meeting_id="m"), ReviewClosed.model_construct()),
        (Item.model_construct(id="i", meeting_id="next"), ItemMoved.model_construct(from_meeting_id="m")),
    ],
    ids=["meeting", "date poll", "review", "item"],
)
def test_what_is_of_a_meeting_is_of_its_chain(about: Meeting | Poll | Review | Item, event: Event) -> None:
    assert chain_of(about, event) == "m"
