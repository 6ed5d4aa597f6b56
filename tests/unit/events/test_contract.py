"""The contract other systems build on: it changes only on purpose."""

import json

import pytest
from pydantic import ValidationError

from shared.events import Event, declared_events, event_class, event_type, topics
from shared.events.asyncapi import asyncapi_document, asyncapi_json
from shared.events.base import base_type
from tests.support.parts import REPOSITORY

# Stored in journals and histories for ever, and named by every consumer: a renamed class must not change one.
TYPES = {
    "archive.protocol": [
        "se.justera.archive.extract-link-ended.v1",
        "se.justera.archive.extract-sent.v1",
        "se.justera.archive.extract-unreached.v1",
        "se.justera.archive.protocol-archived.v1",
    ],
    "meetings.body": [
        "se.justera.meetings.body-changed.v1",
        "se.justera.meetings.body-closed.v1",
        "se.justera.meetings.body-registered.v1",
        "se.justera.meetings.membership-begun.v1",
        "se.justera.meetings.membership-changed.v1",
        "se.justera.meetings.membership-ended.v1",
        "se.justera.meetings.plan-adopted.v1",
        "se.justera.meetings.task-changed.v1",
        "se.justera.meetings.task-done.v1",
        "se.justera.meetings.task-due.v1",
        "se.justera.meetings.task-given.v1",
        "se.justera.meetings.task-withdrawn.v1",
    ],
    "meetings.item": ["se.justera.meetings.item-moved.v1"],
    "meetings.notice": [
        "se.justera.meetings.item-proposal-received.v1",
        "se.justera.meetings.item-proposal-settled.v1",
        "se.justera.meetings.notice-issued.v1",
        "se.justera.meetings.notice-reminded.v1",
        "se.justera.meetings.notice-unreached.v1",
        "se.justera.meetings.notice-withdrawn.v1",
        "se.justera.meetings.papers-published.v1",
        "se.justera.meetings.quorum-at-risk.v1",
        "se.justera.meetings.reply-received.v1",
        "se.justera.meetings.seat-left-empty.v1",
    ],
    "meetings.organisation": [
        "se.justera.meetings.organisation-added.v1",
        "se.justera.meetings.organisation-changed.v1",
        "se.justera.meetings.organisation-erased.v1",
        "se.justera.meetings.organisation-resumed.v1",
        "se.justera.meetings.organisation-suspended.v1",
    ],
    "meetings.poll": [
        "se.justera.meetings.date-poll-closed.v1",
        "se.justera.meetings.date-poll-opened.v1",
        "se.justera.meetings.date-poll-unreached.v1",
    ],
    "meetings.publication": [
        "se.justera.meetings.minutes-posted.v1",
        "se.justera.meetings.minutes-posting-removed.v1",
        "se.justera.meetings.publication-deadline-missed.v1",
        "se.justera.meetings.publication-deadline-neared.v1",
    ],
    "meetings.review": [
        "se.justera.meetings.review-agreed.v1",
        "se.justera.meetings.review-closed.v1",
        "se.justera.meetings.review-commented.v1",
        "se.justera.meetings.review-opened.v1",
        "se.justera.meetings.review-unreached.v1",
    ],
    "meetings.sitting": [
        "se.justera.meetings.adjusters-chosen.v1",
        "se.justera.meetings.chair-taken.v1",
        "se.justera.meetings.conflict-declared.v1",
        "se.justera.meetings.guest-arrived.v1",
        "se.justera.meetings.item-adjusted-at-once.v1",
        "se.justera.meetings.item-begun.v1",
        "se.justera.meetings.item-decided.v1",
        "se.justera.meetings.item-ended.v1",
        "se.justera.meetings.item-noted.v1",
        "se.justera.meetings.person-arrived.v1",
        "se.justera.meetings.person-departed.v1",
        "se.justera.meetings.proposal-made.v1",
        "se.justera.meetings.proposals-ordered.v1",
        "se.justera.meetings.reservation-made.v1",
        "se.justera.meetings.roll-called.v1",
        "se.justera.meetings.sitting-adjourned.v1",
        "se.justera.meetings.sitting-closed.v1",
        "se.justera.meetings.sitting-opened.v1",
        "se.justera.meetings.sitting-resumed.v1",
        "se.justera.meetings.speaker-heard.v1",
        "se.justera.meetings.speaker-listed.v1",
        "se.justera.meetings.statement-made.v1",
        "se.justera.meetings.step-withdrawn.v1",
        "se.justera.meetings.substitute-stood-down.v1",
        "se.justera.meetings.vote-taken.v1",
    ],
    "meetings.meeting": [
        "se.justera.meetings.meeting-cancelled.v1",
        "se.justera.meetings.meeting-changed.v1",
        "se.justera.meetings.meeting-scheduled.v1",
        "se.justera.meetings.protocol-drafted.v1",
        "se.justera.meetings.protocol-released.v1",
        "se.justera.meetings.protocol-unlocked.v1",
    ],
    "meetings.person": [
        "se.justera.meetings.person-changed.v1",
        "se.justera.meetings.person-registered.v1",
    ],
    "notifications.email": [
        "se.justera.notifications.bounce-detected.v1",
        "se.justera.notifications.email-deferred.v1",
        "se.justera.notifications.email-sent.v1",
        "se.justera.notifications.invitation-answered.v1",
        "se.justera.notifications.reply-left-unread.v1",
    ],
    "signing.agreement": [
        "se.justera.signing.agreement-cancelled.v1",
        "se.justera.signing.agreement-completed.v1",
        "se.justera.signing.agreement-created.v1",
        "se.justera.signing.agreement-expired.v1",
        "se.justera.signing.alternate-signer-added.v1",
        "se.justera.signing.deadline-extended.v1",
        "se.justera.signing.deadline-neared.v1",
        "se.justera.signing.document-signed.v1",
        "se.justera.signing.document-viewed.v1",
        "se.justera.signing.history-anchored.v1",
        "se.justera.signing.links-ended.v1",
        "se.justera.signing.reminder-requested.v1",
        "se.justera.signing.signature-requested.v1",
        "se.justera.signing.signer-address-corrected.v1",
        "se.justera.signing.signer-name-entered.v1",
        "se.justera.signing.signer-unreached.v1",
        "se.justera.signing.signing-declined.v1",
        "se.justera.signing.signing-link-revoked.v1",
    ],
    "signing.login": ["se.justera.signing.login-ended.v1"],
}


def test_every_type_and_its_topic_are_pinned() -> None:
    found: dict[str, list[str]] = {}
    for event in declared_events():
        found.setdefault(event.topic, []).append(event_type(event))
    assert {topic: sorted(types) for topic, types in found.items()} == TYPES


def test_every_topic_carries_something() -> None:
    assert set(topics.ALL) == set(TYPES)
    assert topics.PARTITIONS == 12  # keys would move to other partitions, and lose their order


def test_the_asyncapi_document_is_not_stale() -> None:
    kept = (REPOSITORY / "docs" / "asyncapi.json").read_text(encoding="utf-8")
    assert kept == asyncapi_json(), "run: justera asyncapi --out docs/asyncapi.json"


def test_the_asyncapi_document_refers_to_nothing_that_is_missing() -> None:
    document = asyncapi_document()

    def check(node: object) -> None:
        if isinstance(node, dict):
            if "$ref" in node:
                target: object = document
                for part in str(node["$ref"]).removeprefix("#/").split("/"):
                    assert isinstance(target, dict), node["$ref"]
                    target = target[part]
            for value in node.values():
                check(value)
        if isinstance(node, list):
            for value in node:
                check(value)

    check(document)
    assert len(document["operations"]) == len(declared_events())


@pytest.mark.parametrize("event", declared_events(), ids=event_type)
def test_no_event_carries_a_secret(event: type[Event]) -> None:
    for field in event.model_fields:
        assert not {"token", "secret", "password", "link"} & set(field.split("_")), field


def test_readers_are_tolerant_and_facts_are_frozen() -> None:
    cls = event_class("se.justera.meetings.meeting-cancelled.v1")
    assert cls is not None
    body = {"meeting_id": "m", "body": "b", "title": "t", "reason": "r", "added later": {"x": 1}}
    event = cls.from_json(json.dumps(body))
    with pytest.raises(ValidationError):
        event.reason = "another"  # type: ignore[attr-defined]
    assert "added later" not in event.to_json()


def test_two_classes_cannot_claim_one_type() -> None:
    with pytest.raises(TypeError, match="two event classes"):
        type("MeetingCancelled", (Event,), {"service": "meetings", "__module__": __name__})


def test_base_type() -> None:
    assert base_type("se.justera.x.y.v12") == "se.justera.x.y"
