"""A draft catches up with a corrected sitting: only what was corrected is news, and what somebody edited is kept."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.meetings.manuscript import manuscript as rules
from services.meetings.manuscript.catching_up import FIELDS, caught_up, news, put_together
from services.meetings.manuscript.manuscript import Manuscript, Source, begun, of_sitting
from services.meetings.minutes.from_sitting import FromSitting, OfAgenda, OfMeeting, minutes_of
from services.meetings.sitting import steps
from services.meetings.sitting.history import Entry, effective
from shared.errors import NotFound, Refused
from tests.unit.meetings.test_sitting import Record

BOARD = OfMeeting(body="Styrelsen", place="Digitalt", secretary="", agenda=(OfAgenda("i", "Delårsrapport", "Bra."),))
PASSAGES = st.lists(st.sampled_from("abcdef"), max_size=6)


def sitting() -> Record:
    record = Record()
    record.item()
    record(steps.Decided(text="godkänna rapporten"))  # 4
    record(steps.ItemEnded())  # 5
    record.item("j")  # 6
    record(steps.Decided(text="avslå"))
    record(steps.ItemEnded())
    return record


def written(record: Record) -> FromSitting:
    return minutes_of([step for _, step in effective(record.entries)], BOARD)


def draft(record: Record) -> Manuscript:
    made = written(record)
    return of_sitting(begun(made.markdown, Source.SITTING), made.items, len(record.entries))


def test_a_correction_is_news_and_is_taken_over() -> None:
    record = sitting()
    there = draft(record)
    assert news(there, written(record)) == []
    record(steps.Decided(text="godkänna budgeten"), corrects=4, reason="Fel ord")
    [one] = news(there, written(record))
    assert (one.key, one.what, one.piece_id, one.edited) == ("i", "changed", "p1", False)
    assert (one.before, one.now) == (
        ("Styrelsen beslutar att godkänna rapporten",),
        ("Styrelsen beslutar att godkänna budgeten",),
    )
    made, whole = caught_up(there, written(record), "i", "Styrelsen", seen=1)
    assert whole
    assert "godkänna budgeten" in made.piece("p1").text
    assert news(made, written(record)) == []
    with pytest.raises(NotFound):
        caught_up(made, written(record), "i", "Styrelsen", seen=2)
    with pytest.raises(Refused, match="changed by someone else"):
        caught_up(made, written(record), "i", "Styrelsen", seen=1)


def test_what_she_edited_is_kept_beside_the_correction_and_stays_where_they_clash() -> None:
    record = sitting()
    there = draft(record)
    background = there.piece("p1").below.replace("Bra.", "Mycket bra.")
    there = rules.with_text(there, "p1", "Delårsrapport", background, seen=1)
    record(steps.Decided(text="godkänna budgeten"), corrects=4, reason="Fel ord")
    [one] = news(there, written(record))
    assert one.edited
    made, whole = caught_up(there, written(record), "i", "Styrelsen", seen=2)
    assert whole
    assert "godkänna budgeten" in made.piece("p1").text
    assert "Mycket bra." in made.piece("p1").text
    mine = made.piece("p1").below.replace("godkänna budgeten", "fastställa budgeten")
    made = rules.with_text(made, "p1", "Delårsrapport", mine, seen=3)
    record(steps.Decided(text="godkänna taxan"), corrects=4, reason="Fel igen")
    made, whole = caught_up(made, written(record), "i", "Styrelsen", seen=4)
    assert not whole
    assert "fastställa budgeten" in made.piece("p1").text
    assert news(made, written(record)) == []


def test_an_item_that_was_forgotten_or_never_was_and_who_was_there() -> None:
    record = sitting()
    there = draft(record)
    begun_at = record.entry(steps.ItemBegun(item_id="k", title="Val"), after=5, reason="Glömt")
    ended = Entry(number=begun_at.number + 1, key="k", step=steps.ItemEnded(at=begun_at.step.at), after=begun_at.number)
    record.entries += [begun_at, ended]
    [one] = [one for one in news(there, written(record)) if one.what == "added"]
    made, _ = caught_up(there, written(record), one.key, "Styrelsen", seen=1)
    assert [piece.item_id for piece in made.pieces] == ["i", "k", "j"]
    assert [piece.id for piece in made.pieces] == ["p1", "p3", "p2"]
    there_then = steps.RollCalled(present=("olof", "eva", "maja", "nils"))
    record.entries.append(record.entry(there_then, corrects=2, reason="Anna kom aldrig"))
    found = [one for one in news(made, written(record)) if one.what == "fields"]
    assert [one.key for one in found] == [FIELDS]
    made, whole = caught_up(made, written(record), FIELDS, "Styrelsen", seen=made.version)
    assert whole
    assert news(made, written(record)) == []
    without = sitting()
    without.entries = without.entries[:5]
    [gone] = [one for one in news(draft(sitting()), written(without)) if one.what == "gone"]
    made, whole = caught_up(draft(sitting()), written(without), gone.key, "Styrelsen", seen=1)
    assert (whole, [piece.item_id for piece in made.pieces]) == (True, ["i"])


def test_a_draft_that_was_not_written_of_the_sitting_hears_nothing_of_it() -> None:
    record = sitting()
    assert news(begun(written(record).markdown, Source.TEXT), written(record)) == []


@given(was=PASSAGES, mine=PASSAGES, theirs=PASSAGES)
def test_two_versions_are_put_together_without_a_loss_of_mine(
    was: list[str], mine: list[str], theirs: list[str]
) -> None:
    assert put_together(was, was, theirs) == (theirs, True)
    assert put_together(was, mine, was) == (mine, True)
    made, _ = put_together(was, mine, theirs)
    left = list(made)
    for one in mine:
        if one not in was:
            left.remove(one)
    assert put_together(was, mine, mine) == (mine, True)
