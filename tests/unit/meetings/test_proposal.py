"""Proposals of members: until a day, taken onto the agenda or declined with a reason, once."""

from datetime import date, timedelta

import pytest

from services.meetings.meeting.meeting import Meeting
from services.meetings.proposal import proposal as rules
from services.meetings.proposal.proposal import ItemProposal, ProposalDetails
from shared.errors import InvalidInput, Refused
from tests.unit.meetings.test_agenda import HELD, NOVEMBER, NOW, STRUCK

DETAILS = ProposalDetails(title=" Gemensam  upphandling ", background="Fler frågar.", proposal="Utred den.")
UNTIL = date(2022, 11, 11)


def made(there: list[ItemProposal] | None = None, today: date = UNTIL, meeting: Meeting = NOVEMBER) -> ItemProposal:
    return rules.propose("p", meeting, "maja", "Maja Lind", there or [], DETAILS, until=UNTIL, today=today, now=NOW)


def test_the_usual_day_is_some_days_before_the_notice() -> None:
    """The notice of Friday 25 November goes out by Friday the 18th."""
    assert rules.default_until(date(2022, 11, 25), 5) == date(2022, 11, 13)


def test_items_are_proposed_until_the_day_and_not_after_it() -> None:
    assert made().details.title == "Gemensam upphandling"
    with pytest.raises(Refused, match="until 2022-11-11"):
        made(today=UNTIL + timedelta(days=1))
    for meeting in (HELD, STRUCK):
        with pytest.raises(Refused):
            made(meeting=meeting)


def test_one_person_proposes_so_many() -> None:
    with pytest.raises(Refused, match="no more items"):
        made([made()] * rules.MOST_OF_ONE)
    others = [made().model_copy(update={"person_id": "olof"})] * rules.MOST_OF_ONE
    assert made(others).person_id == "maja"
    with pytest.raises(Refused, match="no more items"):
        made([made().model_copy(update={"person_id": "olof"})] * rules.MOST)


def test_what_is_sent_twice_is_one_proposal_while_it_waits() -> None:
    there = [made()]
    assert rules.proposed_again(there, "maja", DETAILS) is there[0]
    assert rules.proposed_again(there, "olof", DETAILS) is None
    assert rules.proposed_again([rules.decline(there[0], "Senare")], "maja", DETAILS) is None


def test_one_that_is_taken_is_an_item_of_who_proposed_it() -> None:
    taken, item = rules.take(made(), "i")
    assert (taken.status, taken.item_id) == ("taken", "i")
    assert (item.title, item.presenter, item.kind) == ("Gemensam upphandling", "Maja Lind", "decision")
    assert (
        rules.take(made().model_copy(update={"details": ProposalDetails(title="Annat")}), "i")[1].kind == "discussion"
    )


def test_each_is_answered_once_and_declined_with_a_reason() -> None:
    declined = rules.decline(made(), " För \n tidigt ")
    assert (declined.status, declined.reason) == ("declined", "För tidigt")
    with pytest.raises(Refused, match="declined already"):
        rules.take(declined, "i")
    with pytest.raises(Refused, match="taken already"):
        rules.decline(rules.take(made(), "i")[0], "Nej")
    with pytest.raises(InvalidInput):
        rules.decline(made(), " ")


def test_the_day_is_not_after_the_meeting() -> None:
    assert rules.clean_until(NOVEMBER, date(2022, 11, 25), NOW) == date(2022, 11, 25)
    assert rules.clean_until(NOVEMBER, None, NOW) is None
    with pytest.raises(InvalidInput, match="until: is after the meeting"):
        rules.clean_until(NOVEMBER, date(2022, 11, 26), NOW)
    with pytest.raises(Refused):
        rules.clean_until(HELD, UNTIL, NOW)


def test_the_second_of_two_who_change_the_last_day_is_told() -> None:
    rules.require_seen(UNTIL, None)
    rules.require_seen(UNTIL, UNTIL)
    with pytest.raises(Refused, match="changed by someone else"):
        rules.require_seen(UNTIL, UNTIL + timedelta(days=1))
