"""Paragraph numbers run through a body's calendar year, without gap or double; or begin anew at each meeting. Pure."""

from shared.errors import Refused, says


def first_number(next_in_year: int | None, wanted: int | None) -> int:
    """Where minutes start: at the body's next number of the year.

    `next_in_year` is None while nothing is numbered in the year: then the minutes may say where the numbering, begun
    elsewhere, goes on. Raises Refused when what they say would leave a gap or use a number twice.
    """
    if next_in_year is None:
        return wanted or 1
    if wanted is None or wanted == next_in_year:
        return next_in_year
    is_taken = wanted < next_in_year
    trouble = "is taken already" if is_taken else "would leave a gap"
    raise Refused(
        f"first_paragraph: § {wanted} {trouble}; the body's next paragraph is § {next_in_year}",
        hint="leave first_paragraph out to continue the year",
        says=says("number_taken" if is_taken else "number_gap", number=wanted, next=next_in_year),
    )


def first_of_meeting(wanted: int | None) -> int:
    """Where minutes of a body start whose numbers begin anew at each meeting. Raises Refused for any other number."""
    if wanted not in (None, 1):
        raise Refused(
            f"first_paragraph: § {wanted} is not where the body's minutes begin: each meeting has its own numbers",
            hint="leave first_paragraph out, or let the body's numbers run through the calendar year",
            says=says("number_of_meeting", number=wanted),
        )
    return 1
