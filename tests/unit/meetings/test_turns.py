"""Whose turn it is to approve minutes, by earlier sittings."""

from datetime import datetime

from services.meetings.sitting.turns import last_times, whose_turn

JUNE, AUGUST, OCTOBER = (datetime(2022, month, 1) for month in (6, 8, 10))


def test_who_was_chosen_longest_ago_is_proposed_and_who_never_was_before_them() -> None:
    last = last_times([(OCTOBER, ["maja"]), (AUGUST, ["nils", "olof"]), (JUNE, ["maja", "sven"])])
    assert last == {"maja": OCTOBER, "nils": AUGUST, "olof": AUGUST, "sven": JUNE}
    assert whose_turn(1, ["maja", "nils", "sven"], last) == ("sven",)
    assert whose_turn(2, ["maja", "olof", "nils"], last) == ("olof", "nils"), "of one day, as the roll has them"
    assert whose_turn(1, ["maja", "eva"], last) == ("eva",)


def test_nobody_is_proposed_of_whom_nothing_is_known() -> None:
    assert whose_turn(1, ["maja", "nils"], {}) == ()
