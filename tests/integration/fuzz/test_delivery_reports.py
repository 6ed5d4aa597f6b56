"""Mutated delivery reports through the real intake: never a bounce of another delivery, nothing but a kept report."""

import random

import pytest

from services.notifications.delivery.composing import composer_of
from services.notifications.invitation.calendar_replies import read_reply
from services.notifications.report.bounces import DeliveryReports
from services.notifications.report.report import read_report
from services.notifications.report.simulated_report import Failure, failed_report
from shared.clock import ManualClock
from shared.errors import InvalidInput
from shared.settings import Settings
from tests.integration.fuzz.hostile_reports import SAMPLES, bombs, mutated
from tests.integration.notifications import post as mails
from tests.integration.notifications.meetings import MEMBERS, issued
from tests.integration.notifications.post import ORGANISATION, Post
from tests.support.calendar_replies import PROGRAMS, filled, in_mail

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


def test_the_reader_of_answers_raises_nothing_else() -> None:
    rng = random.Random(8)
    for template in PROGRAMS.values():
        raw = in_mail(filled(template))
        for _ in range(10 * _EACH):
            try:
                reply = read_reply(mutated(raw, rng))
            except InvalidInput:
                continue
            assert reply is None or len(reply.attendees) <= 20


async def test_no_mutation_answers_for_another_member(
    waiting_post: Post, settings: Settings, clock: ManualClock
) -> None:
    """Two were asked to a meeting. What comes to the first one's address, mutated, never answers for the second."""
    await waiting_post.bring_alone(*MEMBERS, issued())
    first, second = await waiting_post.deliveries()
    composer = composer_of(settings)
    reports = DeliveryReports(waiting_post.commands._unit_of_work, clock, composer, ORGANISATION)
    organiser = composer.organiser_of(first)
    rng = random.Random(12)
    genuine = [
        in_mail(filled(template, organiser=organiser, attendee=address, uid=first.agreement_id), to=organiser)
        for template in PROGRAMS.values()
        for address in (first.recipient, second.recipient)
    ]
    token = organiser.partition("@")[0]
    hostile = [mutated(raw, rng) for raw in genuine for _ in range(_EACH)] + list(bombs().values())
    hostile += [in_mail(bomb, to=organiser) for bomb in bombs().values()]
    for raw in (*hostile, *genuine):
        await reports.take(raw, token if rng.random() < 0.7 else None)
    told = [one for one in await waiting_post.published() if one.name == "invitation-answered"]
    assert told
    assert {one.body["recipient"] for one in told} == {first.recipient}
    untouched = next(one for one in await waiting_post.deliveries() if one.id == second.id)
    assert untouched == second.__class__(**{**_fields(second), "age": untouched.age})


def _fields(delivery: object) -> dict[str, object]:
    return {name: getattr(delivery, name) for name in delivery.__slots__}  # type: ignore[attr-defined]
