"""How old a message may be that is believed."""

from datetime import UTC, datetime, timedelta

import pytest
import uuid6

from shared.clock import timestamp
from shared.events import topics
from shared.ids import new_id
from shared.messaging.freshness import Freshness
from shared.messaging.message import RawMessage
from shared.messaging.signatures import SIGNED_AT, new_event_keys, parse_event_keys

NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)
DAY = timedelta(days=1)
MOMENT = timedelta(seconds=1)
FRESHNESS = Freshness(30 * DAY, now=lambda: NOW)


def raw(*headers: tuple[str, bytes]) -> RawMessage:
    return RawMessage("t", 0, 0, "k", headers, b"{}")


@pytest.mark.parametrize(
    ("age", "refused"),
    [
        (timedelta(), None),
        (30 * DAY, None),
        (30 * DAY + MOMENT, "was signed 30 days ago, of 30 allowed"),
        (400 * DAY, "was signed 400 days ago, of 30 allowed"),
        (-DAY, None),
        (-DAY - MOMENT, "was signed in the future, by 1 days"),
    ],
)
def test_what_was_signed_long_ago_or_in_the_future_is_refused(age: timedelta, refused: str | None) -> None:
    told = FRESHNESS.refusal(raw((SIGNED_AT, timestamp(NOW - age).encode())))
    assert (told or "").startswith(refused or "")
    assert (told is None) == (refused is None)


@pytest.mark.parametrize(("age", "fresh"), [(timedelta(), True), (60 * DAY, True), (61 * DAY, False)])
def test_of_an_earlier_version_the_events_id_says_when_it_was_made(age: timedelta, fresh: bool) -> None:
    made = uuid6.UUID(int=int((NOW - age).timestamp() * 1000) << 80 | 7 << 76 | 1 << 63)
    assert (FRESHNESS.refusal(raw(("ce_id", str(made).encode()))) is None) == fresh


@pytest.mark.parametrize(
    "headers",
    [
        [],
        [("ce_id", b"1")],
        [("ce_id", b"6f0c3c0e-6f5b-5d0e-9d53-0c5d3d8f6a51")],
        [("ce_id", b"\xff")],
        [("ce_id", new_id().encode()), (SIGNED_AT, b"yesterday")],
        [("ce_id", new_id().encode()), (SIGNED_AT, b"\xff")],
        [("ce_id", new_id().encode()), (SIGNED_AT, b"2026-11-28T12:00:00")],
    ],
)
def test_what_does_not_say_when_is_refused(headers: list[tuple[str, bytes]]) -> None:
    assert FRESHNESS.refusal(raw(*headers)) == "does not say when it was signed"


def test_what_is_signed_now_is_fresh_and_the_reader_does_not_see_the_header() -> None:
    keys = parse_event_keys(new_event_keys())
    headers, body = keys.signer("signing").outgoing(topics.SIGNING, b"k", [("ce_id", b"1")], b"{}")
    sent = RawMessage(topics.SIGNING, 0, 0, "k", tuple(headers), body)
    assert Freshness(DAY).refusal(sent) is None
    assert keys.verifier("archive").incoming(sent).headers == (("ce_id", b"1"),)
