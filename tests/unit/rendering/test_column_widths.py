import pytest

from shared.rendering.column_widths import column_widths
from shared.rendering.minutes import Run, Table


def table(*rows: tuple[str, ...]) -> Table:
    header, *others = [tuple((Run(text=cell),) for cell in row) for row in rows]
    return Table(header=header, align=("left",) * len(header), rows=tuple(others))


def test_columns_are_as_wide_as_what_stands_in_them() -> None:
    name, number, empty = column_widths(table(("Post", "Belopp", ""), ("Ett ganska långt namn på en post", "1", "")))
    assert name > 2 * number > 2 * empty > 0.1
    assert name + number + empty == pytest.approx(1, abs=0.001)


def test_a_long_word_leaves_room_for_the_others() -> None:
    long, short = column_widths(table(("a", "b"), ("x" * 500, "Ordförande")))
    assert long < 0.8
    assert short > 0.2
