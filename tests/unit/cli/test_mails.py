"""`justera mails`: which mails, in which order, and what it says of one."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from services.cli.mails import MailStatus, line
from services.notifications.delivery.delivery import Status
from tests.unit.cli.conftest import Answer, Justera, answering, one_line

AGREEMENT, ADDRESS = "Xk29fQpLr8sTuVwYz1A3bC5dE7gH9jKmNoPqRsTuVwXy", "sven.dahl@granvik.example"


def mail(number: int = 1, **changed: Any) -> dict[str, Any]:
    return {
        "id": f"mail-{number}",
        "agreement_id": AGREEMENT,
        "purpose": "signature-request",
        "recipient": ADDRESS,
        "status": "sent",
        "created_at": "2022-09-26T08:41:44Z",
        "sent_at": "2022-09-26T08:41:46Z",
        "bounced_at": None,
        "last_status": None,
        "last_diagnostic": None,
        **changed,
    }


def page(*numbers: int, **cursors: str) -> str:
    return json.dumps({"deliveries": [mail(n) for n in numbers], "next": None, "previous": None, **cursors})


@pytest.fixture
def deliveries(monkeypatch: pytest.MonkeyPatch) -> Iterator[Answer]:
    answer = Answer(body=page())
    monkeypatch.setenv("JUSTERA_TOKEN", "x")
    with answering(answer) as url:
        monkeypatch.setenv("JUSTERA_URL", url)
        yield answer


def test_a_mail_in_one_line() -> None:
    told = f"2022-09-26 08:41:46  sent       -      signature-request  {ADDRESS}  {AGREEMENT}  mail-1"
    assert line(mail()) == told


def test_a_mail_about_a_meeting_or_a_plan_names_that() -> None:
    about = {"agreement_id": None, "purpose": "notice", "meeting_id": "meeting-1"}
    assert line(mail(**about)).endswith(f"notice             {ADDRESS}  meeting meeting-1  mail-1")
    plan = {"agreement_id": None, "purpose": "plan-adopted", "body_id": "body-1"}
    assert line(mail(**plan)).endswith(f"plan-adopted       {ADDRESS}  body body-1  mail-1")


def test_a_bounce_has_its_time_its_code_and_the_server_s_words() -> None:
    said = '550 5.1.1 <x>: "no such" user\x1b[2J'
    told = line(mail(status="bounced", bounced_at="2022-09-26T09:00:00Z", last_status="5.1.1", last_diagnostic=said))
    assert told.startswith("2022-09-26 09:00:00  bounced    5.1.1  signature-request")
    assert told.endswith(r'''mail-1  "550 5.1.1 <x>: \"no such\" user\x1b[2J"''')


def test_one_that_waits_has_the_time_of_its_cause() -> None:
    assert line(mail(status="waiting", sent_at=None)).startswith("2022-09-26 08:41:44  waiting    - ")


def test_all_of_them_page_by_page(justera: Justera, deliveries: Answer) -> None:
    deliveries.first = [page(1, 2, next="mail-2"), page(3)]
    outcome = justera("mails", "--status", "bounced", "--agreement", AGREEMENT)
    assert [told.split()[-1] for told in outcome.out.splitlines()] == ["mail-1", "mail-2", "mail-3"]
    asked = f"limit=200&agreement_id={AGREEMENT}&status=bounced"
    assert deliveries.asked == [
        f"GET /notifications/deliveries?{asked}",
        f"GET /notifications/deliveries?after=mail-2&{asked}",
    ]


def test_the_last_ones_in_order(justera: Justera, deliveries: Answer) -> None:
    deliveries.first = [page(8, 9, previous="mail-8"), page(7)]
    outcome = justera("mails", "--tail", "3", "--json")
    assert [json.loads(told)["id"] for told in outcome.out.splitlines()] == ["mail-7", "mail-8", "mail-9"]
    assert deliveries.asked == [
        "GET /notifications/deliveries?before=end&limit=3",
        "GET /notifications/deliveries?before=mail-8&limit=1",
    ]


def test_none_at_all(justera: Justera, deliveries: Answer) -> None:
    for arguments in ((), ("--tail", "3")):
        assert justera("mails", *arguments).out == ""


def test_the_command_knows_each_status() -> None:
    assert [one.value for one in MailStatus] == [one.value for one in Status]


def test_what_answers_may_be_something_else(justera: Justera, deliveries: Answer) -> None:
    deliveries.body = ""
    assert "is not Justera" in one_line(justera("mails"))
