"""Reports without a delivery-status part, read for what they say; and what is no report, never taken for one."""

from importlib.metadata import distribution
from pathlib import Path

import pytest

from services.notifications.report.report import DeliveryReport, read_report
from shared.errors import InvalidInput
from tests.unit.notifications.told_in_words import OTHERS, REPORTS, raw

SAMPLES = Path(str(distribution("flufl.bounce").locate_file("flufl/bounce/tests/data")))
NO_REPORTS = {"groupwise_03", "qmail_08"}  # a person's mail, an automatic answer
# An ordinary address answers "RE: …", which ends "(delivery failed)": nothing sure tells it from a person's answer.
FOR_A_PERSON = {"simple_20"}
DELAYS = {"dsn_05", "dsn_06", "dsn_07", "dsn_08", "dsn_17", "simple_03", "simple_21", "simple_22", "simple_28"} | {
    "simple_35",
    "simple_40",
}


def read(mail: bytes) -> tuple[DeliveryReport, ...]:
    """Empty also when it is for a human."""
    try:
        return read_report(mail)
    except InvalidInput:
        return ()


@pytest.mark.parametrize("name", REPORTS)
def test_a_servers_words_are_read(name: str) -> None:
    told = REPORTS[name]
    [report] = read(raw(told))
    action, status, words = told.expected
    assert (report.action, report.status[: len(status)]) == (action, status)
    assert words in report.diagnostic
    assert report.return_path_token


@pytest.mark.parametrize("name", OTHERS)
def test_what_is_no_report_is_no_bounce(name: str) -> None:
    assert read(raw(OTHERS[name])) == ()


def test_at_least_95_in_100_of_real_reports_are_recognised() -> None:
    """flufl.bounce's samples: reports of some 40 kinds of mail servers, as they came."""
    found = {each.stem: read(each.read_bytes()) for each in sorted(SAMPLES.glob("*.txt"))}
    assert len(found) > 100
    assert not any(found[name] for name in NO_REPORTS)
    reports = {name: reports for name, reports in found.items() if name not in NO_REPORTS}
    unread = [name for name, reports in reports.items() if not reports]
    assert set(unread) == FOR_A_PERSON
    assert len(unread) <= 0.05 * len(reports)
    assert {name for name, reports in reports.items() if reports and reports[0].is_delayed} == DELAYS & set(found)
    silent = [name for name, reports in reports.items() if reports and not reports[0].diagnostic]
    assert len(silent) <= 0.05 * len(reports), silent
