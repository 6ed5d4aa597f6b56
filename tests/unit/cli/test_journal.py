"""`justera events`: where it begins, where it goes on, and what it says of an event."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from services.cli.journal import line
from tests.unit.cli.conftest import Answer, Justera, answering, one_line

AGREEMENT, MEETING, MAIL = "Xk29fQpLr8sTuVwYz1A3bC5dE7gH9jKmNoPqRsTuVwXy", "meeting-1", "mail-1"
ADDRESS = "sven.dahl@granvik.example"


def event(number: int = 1, **changed: Any) -> dict[str, Any]:
    return {
        "name": "DocumentSigned",
        "subject": AGREEMENT,
        "sequence": str(number),
        "correlation_id": MEETING,
        "time": "2022-09-26T08:41:44.123456Z",
        "recorded_at": "2022-09-26T08:41:45Z",
        "data": {"agreement_id": AGREEMENT, "name": "Sven Dahl"},
        **changed,
    }


def mail(name: str, **said: Any) -> dict[str, Any]:
    body = {"email_id": MAIL, "agreement_id": AGREEMENT, "purpose": "signature-request", "recipient": ADDRESS, **said}
    return event(name=name, subject=MAIL, data=body)


def page(*numbers: int, following: str, previous: str | None = None) -> str:
    return json.dumps({"events": [event(n) for n in numbers], "next": following, "previous": previous})


@pytest.fixture
def journal(monkeypatch: pytest.MonkeyPatch) -> Iterator[Answer]:
    """What the archive answers; it ends a command that follows by no answer at all."""
    answer = Answer(body="")
    monkeypatch.setenv("JUSTERA_TOKEN", "x")
    with answering(answer) as url:
        monkeypatch.setenv("JUSTERA_URL", url)
        yield answer


def test_an_event_in_one_line() -> None:
    assert line(event()) == f"2022-09-26 08:41:44  DocumentSigned         {AGREEMENT}  #1  {MEETING}"


@pytest.mark.parametrize(
    ("found", "end"),
    [
        (mail("EmailSent", message_id="<1@norrdalen.example>"), f"{ADDRESS} of {AGREEMENT}"),
        (mail("EmailDeferred", status="4.4.1", diagnostic="away"), f"{ADDRESS} of {AGREEMENT}  4.4.1"),
        (mail("BounceDetected", status="5.1.1", diagnostic="", permanent=True), "  5.1.1 permanent"),
        (mail("BounceDetected", status="4.4.7", diagnostic="", permanent=False), "  4.4.7 temporary"),
    ],
)
def test_of_a_mail_it_says_whose_of_which_agreement_and_the_code(found: dict[str, Any], end: str) -> None:
    told = line(found)
    assert f"{MAIL}  #1  {MEETING}  signature-request to {ADDRESS} of {AGREEMENT}" in told
    assert told.endswith(end)


@pytest.mark.parametrize(
    ("found", "end"),
    [
        (mail("EmailSent", purpose="notice-updated", agreement_id=MEETING), f"{ADDRESS} of meeting {MEETING}"),
        (mail("EmailSent", purpose="plan-adopted", agreement_id="body-1"), f"{ADDRESS} of body body-1"),
        (
            mail("InvitationAnswered", purpose="notice", agreement_id=MEETING, answer="absent", sequence=1),
            f"notice to {ADDRESS} of meeting {MEETING}  absent",
        ),
    ],
)
def test_of_a_mail_about_a_meeting_or_a_plan_it_says_which_and_what_was_answered(
    found: dict[str, Any], end: str
) -> None:
    assert line(found).endswith(end)


@pytest.mark.parametrize("data", [None, "base64:/w==", [], 7, {"email_id": None}, {"status": "5.1.1"}])
def test_a_body_that_is_no_mail_or_was_erased(data: object) -> None:
    assert MEETING in line(event(data=data))


def test_a_stranger_s_event_upsets_no_terminal() -> None:
    told = line(event(name=None, time=None, subject="\x1b[2J\r", sequence=None, data={"email_id": "\x1b", "to": "\n"}))
    assert told.isprintable()
    assert told.startswith("2022-09-26 08:41:45  unreadable             \\x1b[2J\\r  #-")


def test_the_last_ones_in_order_from_as_many_pages_as_it_takes(justera: Justera, journal: Answer) -> None:
    journal.first = [page(8, 9, following="9", previous="8"), page(6, 7, following="7", previous="6")]
    outcome = justera("events", "--tail", "4", "--subject", AGREEMENT)
    assert [told.split()[4] for told in outcome.out.splitlines()] == ["#6", "#7", "#8", "#9"]
    assert journal.asked == [
        f"GET /archive/events?before=end&limit=4&about={AGREEMENT}",
        f"GET /archive/events?before=8&limit=2&about={AGREEMENT}",
    ]


def test_fewer_than_asked_for(justera: Justera, journal: Answer) -> None:
    journal.first = [page(1, following="1")]
    assert justera("events", "-n", "9").out.count("\n") == 1


def test_following_begins_at_the_end(justera: Justera, journal: Answer) -> None:
    journal.first = [page(9, following="9", previous="9"), page(10, following="10"), page(following="10")]
    outcome = justera("events", "--follow")
    assert [told.split()[4] for told in outcome.out.splitlines()] == ["#10"]
    asked = "/archive/events?after={}&limit=500&wait=20"
    assert journal.asked == [
        "GET /archive/events?before=end&limit=1",
        *(f"GET {asked.format(cursor)}" for cursor in (9, 10, 10)),
    ]


def test_following_after_the_last_ones(justera: Justera, journal: Answer) -> None:
    journal.first = [page(8, 9, following="9", previous="8"), page(10, following="10")]
    outcome = justera("events", "--follow", "--tail", "2")
    assert [told.split()[4] for told in outcome.out.splitlines()] == ["#8", "#9", "#10"]


def test_following_from_a_time_begins_there(justera: Justera, journal: Answer) -> None:
    journal.first = [page(1, 2, following="2")]
    assert justera("events", "--follow", "--since", "2022-09-26").out.count("\n") == 2
    assert journal.asked[0] == "GET /archive/events?limit=500&wait=20&since=2022-09-26T00%3A00%3A00%2B00%3A00"


def test_no_last_one_is_a_wrong_command_line(justera: Justera) -> None:
    assert justera("events", "--tail", "0").status == 2


def test_without_the_journal_it_says_so(justera: Justera, journal: Answer) -> None:
    assert "is not Justera" in one_line(justera("events", "--tail", "3"))
