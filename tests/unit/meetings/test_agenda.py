"""Agendas: standing items, order, and items over meetings."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.meetings.agenda import agenda as rules
from services.meetings.agenda.agenda import HowItLeft, Item, ItemDetails
from services.meetings.body.body import BodyRules, ItemKind, StandingItem
from services.meetings.meeting import meeting as meetings
from services.meetings.meeting.meeting import Meeting, MeetingDetails
from shared.errors import InvalidInput, Refused

NOW = datetime(2022, 9, 23, 15, 30, tzinfo=UTC)  # half past five in Stockholm


def meeting(meeting_id: str, month: int, day: int, body: str = "Styrelsen") -> Meeting:
    starts = datetime(2022, month, day, 13)
    details = MeetingDetails(body=body, title=body, place="Digitalt", starts=starts, ends=starts + timedelta(hours=2))
    return meetings.schedule(meeting_id, details)[0]


HELD = meeting("september", 9, 23)
STRUCK = meetings.cancel(meeting("october", 10, 28), "Krock")[0]
NOVEMBER = meeting("november", 11, 25)
DETAILS = ItemDetails(title="Uppföljning av verksamhetsplan", kind=ItemKind.DECISION)


def item(at: Meeting | None = NOVEMBER) -> Item:
    return Item(id="i", version=1, body="Styrelsen", meeting_id=at.id if at else None, details=DETAILS)


def test_an_agenda_begins_with_what_stands_on_every_one() -> None:
    standing = (StandingItem(title="Val av justerare", kind=ItemKind.ELECTION), StandingItem(title="Ekonomi"))
    found = rules.standing_items(BodyRules(standing_items=standing))
    assert [(one.title, one.kind) for one in found] == [("Val av justerare", "election"), ("Ekonomi", "information")]


def test_an_items_texts_have_the_form_of_all_texts() -> None:
    written = ItemDetails(
        title="  Ekonomi\n ", background="\r\nEn rad \r\n\r\nen till\u00ad\n", presenter=" Maja  Lind "
    )
    added = rules.add("i", NOVEMBER, 0, written, NOW)
    assert (added.details.title, added.details.presenter) == ("Ekonomi", "Maja Lind")
    assert added.details.background == "En rad\n\nen till"
    assert (added.body, added.meeting_id, added.version) == ("Styrelsen", "november", 1)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"title": " "}, "title: is empty"),
        ({"background": "a\u202eb"}, "background: holds U"),
        ({"proposal": "x" * 20_001}, "proposal: is longer than 20000"),
    ],
)
def test_what_is_wrong_is_said_with_its_field(wrong: dict[str, str], said: str) -> None:
    with pytest.raises(InvalidInput, match=said):
        rules.add("i", NOVEMBER, 0, DETAILS.model_copy(update=wrong), NOW)


@pytest.mark.parametrize(("closed", "said"), [(HELD, "2022-09-23 was held"), (STRUCK, "2022-10-28 is cancelled")])
def test_what_stands_on_a_held_or_cancelled_meetings_agenda_stays(closed: Meeting, said: str) -> None:
    with pytest.raises(Refused, match=said):
        rules.add("i", closed, 0, DETAILS, NOW)
    with pytest.raises(Refused, match=said):
        rules.change(item(closed), closed, DETAILS, NOW)
    with pytest.raises(Refused, match=said):
        rules.move(item(), NOVEMBER, closed, 0, how=HowItLeft.MOVED, reason=None, now=NOW)


def test_a_change_of_nothing_is_none() -> None:
    assert rules.change(item(), NOVEMBER, DETAILS, NOW) == item()
    assert rules.change(item(), NOVEMBER, DETAILS.model_copy(update={"minutes": 20}), NOW).version == 2


def test_the_items_of_a_struck_meeting_move_with_a_trace() -> None:
    moved, fact = rules.move(item(STRUCK), STRUCK, NOVEMBER, 3, how=HowItLeft.MOVED, reason=" Krock ", now=NOW)
    assert (moved.meeting_id, moved.version) == ("november", 2)
    [stay] = moved.stays
    assert (stay.meeting_id, stay.how, stay.reason, stay.to_meeting_id) == ("october", "moved", "Krock", "november")
    assert (fact.from_meeting_id, fact.from_starts) == ("october", "2022-10-28T13:00")
    assert (fact.to_meeting_id, fact.to_starts, fact.waited) == ("november", "2022-11-25T13:00", False)
    assert moved.stay_at("october") == stay
    assert moved.stay_at("november") is None


def test_one_referred_back_waits_and_is_taken_up() -> None:
    back, fact = rules.move(item(HELD), HELD, None, 0, how=HowItLeft.REFERRED_BACK, reason="Kostnaden", now=NOW)
    assert (back.meeting_id, fact.to_meeting_id, fact.how) == (None, None, "referred_back")
    again, fact = rules.move(back, None, NOVEMBER, 0, how=HowItLeft.MOVED, reason=None, now=NOW)
    assert (again.meeting_id, again.stays[0].to_meeting_id) == ("november", "november")
    assert (fact.waited, fact.how, fact.from_meeting_id) == (True, "referred_back", "september")
    assert len(again.stays) == 1


@pytest.mark.parametrize(
    ("left", "to", "how", "said"),
    [
        (HELD, None, HowItLeft.REFERRED_BACK, "reason: say what has to be prepared"),
        (HELD, None, HowItLeft.MOVED, "to_meeting_id: say to which meeting"),
        (None, None, HowItLeft.TABLED, "to_meeting_id: say to which meeting"),
        (NOVEMBER, NOVEMBER, HowItLeft.TABLED, "on that agenda already"),
    ],
)
def test_a_move_says_where_to_or_why(left: Meeting | None, to: Meeting | None, how: HowItLeft, said: str) -> None:
    with pytest.raises((InvalidInput, Refused), match=said):
        rules.move(item(left), left, to, 0, how=how, reason=None, now=NOW)


def test_one_with_a_trace_is_not_wiped_out() -> None:
    rules.require_removable(item(), NOVEMBER, NOW)
    moved, _ = rules.move(item(STRUCK), STRUCK, NOVEMBER, 0, how=HowItLeft.MOVED, reason=None, now=NOW)
    with pytest.raises(Refused, match="comes from another meeting"):
        rules.require_removable(moved, NOVEMBER, NOW)
    with pytest.raises(Refused, match="was held"):
        rules.require_removable(item(HELD), HELD, NOW)


def test_what_came_by_itself_goes_by_itself_while_it_is_as_it_came() -> None:
    def goes(one: Item, at: Meeting | None = NOVEMBER, *, told: bool = False, papers: int = 0) -> bool:
        return rules.is_as_it_came(one, at, NOW, told=told, papers=papers)

    assert goes(item())
    written = rules.change(item(), NOVEMBER, DETAILS.model_copy(update={"proposal": "Bifall."}), NOW)
    moved, _ = rules.move(item(STRUCK), STRUCK, NOVEMBER, 0, how=HowItLeft.MOVED, reason=None, now=NOW)
    assert not any((goes(written), goes(moved), goes(item(HELD), HELD), goes(item(STRUCK), STRUCK)))
    assert not any((goes(item(), told=True), goes(item(), papers=1)))


def test_an_agenda_takes_so_many_items() -> None:
    with pytest.raises(Refused, match="200 items"):
        rules.add("i", NOVEMBER, rules.MOST_ITEMS, DETAILS, NOW)


def test_an_order_is_of_the_items_that_are_there() -> None:
    assert rules.ordered("abc", "cab", "abc") == ["c", "a", "b"]
    for wanted, seen in (("ab", None), ("abcd", None), ("aabc", None), ("cab", "acb")):
        with pytest.raises(Refused, match="meanwhile"):
            rules.ordered("abc", wanted, seen)


def test_a_step_stops_at_the_ends() -> None:
    assert rules.stepped_aside("abc", "b", -1) == ["b", "a", "c"]
    assert rules.stepped_aside("abc", "a", -1) == ["a", "b", "c"]
    assert rules.stepped_aside("abc", "a", 5) == ["b", "c", "a"]


def _agenda(*titles: str) -> list[Item]:
    return [item().model_copy(update={"id": title, "details": ItemDetails(title=title)}) for title in titles]


@pytest.mark.parametrize(
    ("there", "new", "expected"),
    [
        ("", "Ekonomi", "Ekonomi"),
        ("Val av justerare", "Ekonomi", "Val av justerare,Ekonomi"),
        ("Val av justerare,Övriga frågor", "Ekonomi", "Val av justerare,Ekonomi,Övriga frågor"),
        (
            "Övriga frågor.,Nästa möte,MÖTETS AVSLUTANDE",
            "Ekonomi",
            "Ekonomi,Övriga frågor.,Nästa möte,MÖTETS AVSLUTANDE",
        ),
        ("Other matters,Close of the meeting", "Budget", "Budget,Other matters,Close of the meeting"),
        ("Övriga frågor,Mötets avslutande", "Nästa möte", "Övriga frågor,Nästa möte,Mötets avslutande"),
        ("Ekonomi,Övriga frågor", "Mötets avslutande", "Ekonomi,Övriga frågor,Mötets avslutande"),
        ("Övriga frågor,Ekonomi", "Budget", "Övriga frågor,Ekonomi,Budget"),
        ("Övriga frågor om hamnen", "Budget", "Övriga frågor om hamnen,Budget"),
    ],
)
def test_a_new_item_stands_before_what_a_meeting_ends_with(there: str, new: str, expected: str) -> None:
    [added] = _agenda(new)
    assert ",".join(rules.placed(_agenda(*filter(None, there.split(","))), added)) == expected


@given(st.lists(st.sampled_from(["A", "B", "Övriga frågor", "Nästa möte", "Mötets avslutande"]), unique=True))
def test_what_was_there_keeps_its_order(titles: list[str]) -> None:
    found = rules.placed(_agenda(*titles), _agenda("Ny")[0])
    assert [one for one in found if one != "Ny"] == titles
    behind = found[found.index("Ny") + 1 :]
    assert set(behind) <= {"Övriga frågor", "Nästa möte", "Mötets avslutande"}


@given(st.permutations(["A", "B", "Övriga frågor", "Nästa möte", "Mötets avslutande"]))
def test_items_that_come_in_any_order_end_with_what_a_meeting_ends_with(titles: list[str]) -> None:
    there: list[Item] = []
    for added in _agenda(*titles):
        order = rules.placed(there, added)
        there = sorted([*there, added], key=lambda one: order.index(one.id))
    assert [one.id for one in there][2:] == ["Övriga frågor", "Nästa möte", "Mötets avslutande"]
