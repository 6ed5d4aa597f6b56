"""How wide a table's columns are: by what stands in them, so that no short word is broken. Pure."""

from collections.abc import Sequence

from shared.rendering.minutes import Cell, Table

_NARROWEST, _WIDEST = 5, 48  # letters; what is longer is set on several lines


def column_widths(table: Table) -> list[float]:
    """The columns' shares of the text's width, which add up to 1 but for rounding."""
    rows = (table.header, *table.rows)
    columns = [[_plain(row[number]) for row in rows] for number in range(len(table.header))]
    wanted = [_wanted(cells) for cells in columns]
    return [round(one / sum(wanted), 4) for one in wanted]


def _wanted(cells: Sequence[str]) -> float:
    """Between the longest word and the longest cell: rather two lines in a wide column than four in a narrow one."""
    word = max((len(word) for cell in cells for word in cell.split()), default=0)
    whole = max(map(len, cells), default=0)
    return min(_WIDEST, max(_NARROWEST, word * 1.15, whole * 0.75)) + 2


def _plain(cell: Cell) -> str:
    return "".join(run.text for run in cell)
