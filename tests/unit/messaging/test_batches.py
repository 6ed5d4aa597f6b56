"""The parts of outbox, relay and inbox that need no database: what is fresh, the same, acknowledged."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from aiokafka.errors import KafkaTimeoutError
from hypothesis import given
from hypothesis import strategies as st

from shared.events import Envelope, MeetingCancelled, MeetingScheduled, event_type
from shared.events.envelope import kafka_headers
from shared.messaging.consumer import _edge
from shared.messaging.inbound import _first_of_each
from shared.messaging.message import Decoder, Poison, RawMessage, headers_as_json, headers_from_json
from shared.messaging.outbox import OutgoingMessage
from shared.messaging.relay import send_in_order
from shared.messaging.signatures import Signer
from shared.messaging.transaction import Received

FACT = MeetingCancelled(meeting_id="m", body="Styrelsen", title="Möte", reason="Förhinder")


def envelope(event_id: str) -> Envelope:
    return Envelope(
        id=event_id,
        source="/services/meetings",
        type=event_type(FACT),
        subject="m",
        time=datetime(2022, 9, 26, tzinfo=UTC),
        organisation="norrdalen",
        sequence=1,
        correlation_id="m",
        key="m",
        data=FACT.to_json(),
    )


def raw(event_id: str = "e", **changes: Any) -> RawMessage:
    one = envelope(event_id)
    headers = tuple(kafka_headers(one.attributes()))
    return replace(RawMessage("meetings.meeting", 0, 0, "m", headers, one.data.encode()), **changes)


@given(st.lists(st.sampled_from("abcdef")), st.sets(st.sampled_from("abcdef")))
def test_each_new_event_of_a_batch_is_handled_once_in_order(ids: list[str], new: set[str]) -> None:
    fresh = _first_of_each([Received(envelope(one), FACT) for one in ids], new)
    seen = [one.envelope.id for one in fresh]
    assert seen == list(dict.fromkeys(one for one in ids if one in new))


HEADERS = st.lists(st.tuples(st.text(max_size=4), st.binary(max_size=4)), max_size=3).map(tuple)
MESSAGES = st.builds(
    RawMessage,
    st.just("t"),
    st.integers(0, 11),
    st.integers(0, 9),
    st.text(max_size=3),
    HEADERS,
    st.none() | st.binary(max_size=8),
)


@given(MESSAGES, MESSAGES)
def test_a_fingerprint_tells_messages_apart_and_knows_them_elsewhere(one: RawMessage, other: RawMessage) -> None:
    assert replace(one, partition=7, position=99).fingerprint == one.fingerprint
    same = (one.key, one.headers, one.body or b"") == (other.key, other.headers, other.body or b"")
    assert (one.fingerprint == other.fingerprint) is same


def test_a_body_does_not_pass_for_headers() -> None:
    def part(value: bytes) -> bytes:
        return len(value).to_bytes(8, "big") + value

    headed = RawMessage("t", 0, 0, "k", (("a", b"b"),), b"c")
    assert replace(headed, headers=(), body=part(b"a") + part(b"b") + b"c").fingerprint != headed.fingerprint


@given(HEADERS)
def test_headers_come_back_from_a_dead_letter_as_they_were(headers: tuple[tuple[str, bytes], ...]) -> None:
    assert headers_from_json(headers_as_json(headers)) == headers


def test_a_consumer_wants_what_it_handles_and_what_it_cannot_know() -> None:
    decoder = Decoder({MeetingCancelled: None})
    other = event_type(MeetingScheduled).encode()
    newer = event_type(FACT).replace(".v1", ".v2").encode()

    def typed(value: bytes) -> RawMessage:
        return raw(headers=tuple((n, value if n == "ce_type" else v) for n, v in raw().headers))

    assert decoder.wants(raw())
    assert not decoder.wants(typed(other))
    assert decoder.wants(typed(newer))
    assert decoder.wants(raw(headers=()))
    assert decoder.decode(raw()).event == FACT
    for poison in (typed(newer), raw(headers=()), raw(body=b"{"), raw(body=None), raw(body=b"\xff")):
        try:
            decoder.decode(poison)
        except Poison:
            continue
        raise AssertionError("poison was read as an event")


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 99)), max_size=20))
def test_offsets_are_the_edges_of_what_was_handled(places: list[tuple[int, int]]) -> None:
    messages = [raw(partition=partition, position=position) for partition, position in places]
    lowest, highest = _edge(messages, min), _edge(messages, max)
    for message in messages:
        assert lowest[message.topic_partition] <= message.position <= highest[message.topic_partition]
    assert len(highest) == len({partition for partition, _ in places})


class _Producer:
    """Acknowledges each publication as told: True, False (refused later), or None (refused at once)."""

    def __init__(self, answers: list[bool | None]) -> None:
        self._answers = answers
        self.published: list[bytes] = []

    async def send(self, _topic: str, body: bytes, **_: Any) -> "asyncio.Future[None]":
        answer = self._answers[len(self.published)]
        if answer is None:
            raise KafkaTimeoutError
        self.published.append(body)
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        if answer:
            future.set_result(None)
        else:
            future.set_exception(KafkaTimeoutError())
        return future


@given(st.lists(st.sampled_from([True, True, True, False, None]), max_size=12))
def test_only_what_was_acknowledged_before_the_first_failure_is_marked(answers: list[bool | None]) -> None:
    messages = [OutgoingMessage(number, "t", "k", "e", "{}", str(number)) for number in range(len(answers))]
    producer = _Producer(answers)
    acknowledged, failure = asyncio.run(send_in_order(producer, messages, Signer({})))  # type: ignore[arg-type]
    good = next((number for number, answer in enumerate(answers) if not answer), len(answers))
    assert [message.id for message in acknowledged] == list(range(good))
    assert (failure is None) is (good == len(answers))
    assert producer.published == [str(number).encode() for number in range(len(producer.published))]
