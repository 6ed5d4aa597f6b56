"""The life of one mail, by its rules alone."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.notifications.delivery import delivery as rules
from services.notifications.delivery.delivery import (
    GIVE_UP_SECONDS,
    MOST_FACTS,
    Change,
    Delivery,
    Facts,
    Status,
    Trouble,
)
from services.notifications.letter.letter import Purpose
from shared.errors import Refused
from shared.events import BounceDetected, EmailDeferred, EmailSent

AT = datetime(2022, 9, 26, 9, 0, tzinfo=UTC)
HARD, SOFT = Trouble("5.1.1", "550 5.1.1 unknown"), Trouble("4.2.1", "450 4.2.1 greylisted")
WAITING = Delivery(
    organisation="norrdalen",
    id="0192f3a0-0000-7000-8000-000000000001",
    agreement_id="agreement-1",
    purpose=Purpose.SIGNATURE_REQUEST,
    recipient="olof.berg@bjorka.example",
    request_id="request-1",
    request_version=1,
    cause_id="cause-1",
    correlation_id="meeting-1",
    facts=Facts(language="sv", document="Protokoll", sender=None),
    created_at=AT,
    status=Status.WAITING,
    version=0,
    attempts=0,
    age=0,
    claim=None,
    sent_at=None,
    bounced_at=None,
    last_status=None,
    last_diagnostic=None,
    last_report=None,
)


def accept(delivery: Delivery) -> Change | None:
    return rules.accepted(delivery, message_id="<1@norrdalen.example>", at=AT)


def defer(delivery: Delivery) -> Change | None:
    return rules.deferred(delivery, SOFT, at=AT, retry_in=5)


def reject(delivery: Delivery) -> Change | None:
    return rules.rejected(delivery, HARD, at=AT)


def report_failure(delivery: Delivery) -> Change | None:
    return rules.reported_failed(delivery, HARD, permanent=True, report="a", at=AT)


def report_delay(delivery: Delivery) -> Change | None:
    return rules.reported_delayed(delivery, SOFT, report="b", at=AT)


def test_acceptance_is_a_fact_even_for_a_mail_that_was_withdrawn() -> None:
    change = accept(replace(WAITING, status=Status.WITHDRAWN))
    assert change is not None
    assert change.delivery.status is Status.SENT


@pytest.mark.parametrize(("age", "event"), [(GIVE_UP_SECONDS - 1, EmailDeferred), (GIVE_UP_SECONDS, BounceDetected)])
def test_five_days_are_the_end_of_trying(age: float, event: type) -> None:
    change = defer(replace(WAITING, age=age))
    assert change is not None
    assert isinstance(change.event, event)
    assert (change.retry_in is None) == (event is BounceDetected)


def test_a_withdrawn_mail_is_neither_deferred_nor_rejected() -> None:
    withdrawn = replace(WAITING, status=Status.WITHDRAWN)
    assert (defer(withdrawn), reject(withdrawn)) == (None, None)


@pytest.mark.parametrize("status", [Status.SENT, Status.WITHDRAWN])
def test_a_mail_that_is_done_is_not_tried_again(status: Status) -> None:
    with pytest.raises(Refused):
        rules.check_retry(replace(WAITING, status=status))


def test_the_same_delay_again_is_tried_on_without_a_word() -> None:
    first = defer(WAITING)
    assert first is not None
    again = defer(first.delivery)
    assert again is not None
    assert (again.event, again.retry_in, again.delivery.attempts) == (None, 5, 2)
    assert again.delivery.version == first.delivery.version


def test_delays_without_end_are_a_few_facts() -> None:
    """A recipient's server sends what it likes to the return path, each report another one."""
    told, delivery = 0, replace(WAITING, status=Status.SENT, version=1)
    for number in range(1000):
        trouble = Trouble(f"4.4.{number % 900}", f"450 still trying, {number}")
        change = rules.reported_delayed(delivery, trouble, report=str(number), at=AT)
        if change is not None:
            told, delivery = told + 1, change.delivery
    assert told == MOST_FACTS - 1
    assert report_failure(delivery) is not None


@given(st.lists(st.sampled_from([accept, defer, reject, report_failure, report_delay]), max_size=12))
def test_whatever_happens_in_whatever_order(happenings: list[Callable[[Delivery], Change | None]]) -> None:
    """Sent at most once, bounced at most once, nothing after a bounce but a late acceptance, versions without gap."""
    delivery, events = WAITING, []
    for happening in happenings:
        change = happening(delivery)
        if change is not None:
            assert change.delivery.version == delivery.version + (change.event is not None)
            delivery = change.delivery
            events += [] if change.event is None else [type(change.event)]
    assert events.count(EmailSent) <= 1
    assert events.count(BounceDetected) <= 1
    if BounceDetected in events:
        assert set(events[events.index(BounceDetected) + 1 :]) <= {EmailSent}
        assert delivery.status is Status.BOUNCED
