from collections import deque

import pytest
from aiokafka import TopicPartition

from services.embedded.topic_watch import Offsets, change
from shared.events import topics


def places(offset: int, **others: int) -> Offsets:
    """Every partition at `offset`, the first of `signing.agreement` at `first`."""
    all_of_them = {TopicPartition(name, number): offset for name in topics.ALL for number in range(topics.PARTITIONS)}
    return {**all_of_them, **({TopicPartition(topics.SIGNING, 0): others["first"]} if others else {})}


def test_events_that_come_are_no_change() -> None:
    assert change(deque(), places(0), places(7)) is None
    assert change(deque([places(3), places(5)]), places(0), places(7)) is None


def test_what_retention_takes_is_no_change() -> None:
    assert change(deque([places(3), places(5)]), places(3), places(7)) is None


@pytest.mark.parametrize(
    ("beginnings", "ends", "what"),
    [
        ({}, {}, "meetings.meeting has 0 partitions"),
        (places(0), {**places(7), TopicPartition(topics.SIGNING, 12): 0}, "signing.agreement has 13 partitions"),
        (places(0), places(7, first=4), "signing.agreement was made anew"),
        (places(0, first=4), places(7), "new events of signing.agreement were deleted"),
    ],
)
def test_what_nobody_of_ours_does_is_named(beginnings: Offsets, ends: Offsets, what: str) -> None:
    assert change(deque([places(3), places(5)]), beginnings, ends) == what


def test_before_the_first_look_nothing_was_deleted() -> None:
    assert change(deque(), places(0, first=1), places(1)) == "new events of signing.agreement were deleted"
