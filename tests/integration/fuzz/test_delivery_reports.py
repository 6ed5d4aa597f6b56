"""Mutated delivery reports through the real intake: never a bounce of another delivery, nothing but a kept report."""

import random

import pytest

from services.notifications.bounces import DeliveryReports
from services.notifications.composing import composer_of
from services.notifications.reports import read_report
from services.notifications.simulated_report import Failure, failed_report
from shared.clock import ManualClock
from shared.errors import InvalidInput
from shared.settings import Settings
from tests.integration.fuzz.hostile_reports import SAMPLES, mutated
from tests.integration.notifications import post as mails
from tests.integration.notifications.post import ORGANISATION, Post

pytestmark = pytest.mark.slow

_EACH = 25


def test_the_reader_raises_nothing_else() -> None:
    rng = random.Random(7)
    for sample in SAMPLES:
        raw = sample.read_bytes()
        for _ in range(_EACH):
            try:
                reports = read_report(mutated(raw, rng))
            except InvalidInput:
                continue
            for report in reports:
                assert len(report.diagnostic) <= 1000
                assert "\n" not in report.diagnostic


async def test_no_mutation_bounces_another_delivery(waiting_post: Post, settings: Settings, clock: ManualClock) -> None:
    """Two mails were sent. Reports about the first, mutated, and strangers' reports never touch the second."""
    await waiting_post.bring(mails.message(mails.created()), mails.message(mails.requested()))
    await waiting_post.bring(mails.message(mails.requested(mails.SVEN, request_id="request-2", place=2)))
    first, second = await waiting_post.deliveries()
    composer = composer_of(settings)
    genuine = failed_report(composer.compose(first), Failure(), at=clock.now())
    reports = DeliveryReports(waiting_post.commands._unit_of_work, clock, composer, ORGANISATION)
    rng = random.Random(11)
    inputs = [mutated(genuine, rng) for _ in range(150)]
    inputs += [mutated(sample.read_bytes(), rng) for sample in SAMPLES for _ in range(5)]
    forged = genuine.replace(first.recipient.encode(), second.recipient.encode())
    for raw in (*inputs, forged, genuine + genuine, b"", b"\0" * 100):
        await reports.take(raw, None)
    untouched = next(one for one in await waiting_post.deliveries() if one.id == second.id)
    assert untouched == second.__class__(**{**_fields(second), "age": untouched.age})


def _fields(delivery: object) -> dict[str, object]:
    return {name: getattr(delivery, name) for name in delivery.__slots__}  # type: ignore[attr-defined]
