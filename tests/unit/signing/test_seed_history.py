"""The history that the project mirrors, through the rules, the chain and the report."""

from pathlib import Path

import pytest

from services.signing.agreement import Status
from services.signing.evolving import replay
from shared.history import verify_chain
from shared.rendering.report import as_text, build_report, signatures
from tests.unit.signing.story import ADJUSTER, AGREEMENT_ID, DOCUMENT, seed_story

REPORTS = Path(__file__).parent / "reports"


@pytest.mark.parametrize("language", ["sv", "en"])
def test_the_whole_report(language: str) -> None:
    report = build_report(seed_story(language).entries)
    assert as_text(report) == (REPORTS / f"seed.{language}.txt").read_text()


def test_a_report_in_the_other_language() -> None:
    report = build_report(seed_story("sv").entries, language="en")
    assert as_text(report) == (REPORTS / "seed.en.txt").read_text()


def test_the_chain_verifies_and_replays_to_the_same_state() -> None:
    story = seed_story()
    verified = verify_chain(story.history_json())
    assert (verified.agreement_id, verified.document_sha256) == (AGREEMENT_ID, DOCUMENT.sha256)
    assert verified.head == story.entries[-1].hash
    events = [(event, entry.time) for entry in verified.entries if (event := entry.event())]
    assert replay(events) == story.state
    assert story.state.status is Status.COMPLETED


def test_facts_after_completion_stay_out_of_the_sealed_report() -> None:
    story = seed_story()
    story.bounce("23:00:00", ADJUSTER)
    assert as_text(build_report(story.entries, sealed_only=True)) == (REPORTS / "seed.sv.txt").read_text()
    assert build_report(story.entries).entries[-1].kind == "BounceDetected"


def test_the_signatures_in_signing_order() -> None:
    found = signatures(seed_story().entries)
    assert [(s.place, s.role, s.name) for s in found] == [
        (0, "secretary", "Maja Lind"),
        (1, "chair", "Olof Berg"),
        (2, "adjuster", "Sven Dahl"),
    ]
    assert f"{found[2].signed_at:%H:%M:%S}" == "22:04:49"
