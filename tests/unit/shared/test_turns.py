"""The rule by which organisations take turns: nobody starves, nobody has more than a part, order is kept."""

from hypothesis import given
from hypothesis import strategies as st

from shared.turns import Row, Turns, taken

Queues = dict[str, list[int]]
names = st.sampled_from([f"o{number}" for number in range(12)])
MOST = st.integers(1, 7)


@st.composite
def queues(draw: st.DrawFn) -> Queues:
    """Of each organisation its rows, in the order in which all came."""
    waiting: Queues = {}
    for position, organisation in enumerate(draw(st.lists(names, max_size=60))):
        waiting.setdefault(organisation, []).append(position)
    return waiting


def rounds(waiting: Queues, most: int) -> list[list[Row]]:
    """Until nothing waits."""
    turns, left, found = Turns(), {name: list(rows) for name, rows in waiting.items()}, []
    while any(left.values()):
        found.append(taken(left, most, turns))
        for organisation, position in found[-1]:
            left[organisation].remove(position)
    return found


@given(queues(), MOST)
def test_a_round_is_full_while_enough_waits_and_each_row_is_taken_once(waiting: Queues, most: int) -> None:
    found = rounds(waiting, most)
    assert [len(one) for one in found[:-1]] == [most] * (len(found) - 1)
    assert sorted(position for one in found for _, position in one) == sorted(
        position for rows in waiting.values() for position in rows
    )


@given(queues(), MOST)
def test_an_organisations_rows_keep_their_order(waiting: Queues, most: int) -> None:
    found = [row for one in rounds(waiting, most) for row in one]
    for organisation, positions in waiting.items():
        assert [position for name, position in found if name == organisation] == positions


@given(queues(), MOST)
def test_each_that_waits_has_its_part_of_every_round_where_there_is_room_for_all(waiting: Queues, most: int) -> None:
    here = {name for name, rows in waiting.items() if rows}
    if 0 < len(here) <= most:
        first = taken(waiting, most, Turns())
        for organisation in here:
            part = min(len(waiting[organisation]), most // len(here))
            assert sum(name == organisation for name, _ in first) >= part


@given(st.integers(1, 40), MOST, st.integers(0, 39))
def test_who_comes_last_waits_for_no_more_rounds_than_all_need_for_one_row_each(
    organisations: int, most: int, which: int
) -> None:
    """Also behind others whose rows never end."""
    late = f"n{which % organisations:02}"
    waiting = {f"n{number:02}": list(range(1000 * number, 1000 * number + 300)) for number in range(organisations)}
    waiting[late] = [10**6]
    turns = Turns()
    for _ in range(-(-organisations // most)):
        found = taken(waiting, most, turns)
        if (late, 10**6) in found:
            return
        for organisation, position in found:
            waiting[organisation].remove(position)
    raise AssertionError("it had no turn")


def test_one_that_waits_alone_has_all_of_a_round() -> None:
    assert taken({"a": list(range(100))}, 5, Turns()) == [("a", number) for number in range(5)]
