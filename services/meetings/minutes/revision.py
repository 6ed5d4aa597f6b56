"""Minutes that were not signed by all are corrected and drafted anew, under the same paragraph numbers. Pure.

Each draft of a meeting's minutes is a version of them. The next one may be made once the agreement about the one before
has ended without everyone's signature; minutes that everyone signed stand.
"""

from dataclasses import dataclass
from datetime import datetime

from shared.errors import NotFound, Refused, says


@dataclass(frozen=True, slots=True)
class Version:
    """A version of a meeting's minutes. `ended`: how its agreement ended, if not by everyone's signature: `declined`,
    `cancelled` or `expired`. `signed`: by everyone. `drafted_at`: None when nobody asks."""

    number: int
    agreement_id: str
    year: int
    first: int
    last: int
    ended: str | None
    signed: bool = False
    unlocked: bool = False
    drafted_at: datetime | None = None


def require_unlockable(version: Version | None) -> Version:
    """The version that is to be changed. `unlocked`: that was said already, and signing has not answered yet.

    Raises NotFound, Refused.
    """
    if version is None:
        raise NotFound("no minutes have been drafted for this meeting")
    if version.signed:
        raise Refused(
            "everyone has signed these minutes: they stand",
            hint="a correction is a matter for the next meeting's minutes",
        )
    if version.ended is not None:
        raise Refused("the agreement about these minutes has ended already", hint="draft their next version")
    if version.unlocked:
        raise Refused("these minutes are being unlocked already", hint="look again in a moment")
    return version


def next_version(before: Version | None) -> int:
    """The number of the version to be drafted now. Raises Refused while the one before it may still be signed."""
    if before is None:
        return 1
    if before.ended is None and before.unlocked:
        raise Refused(
            "the minutes before are still being unlocked", hint="try again in a moment", says=says("unlocking")
        )
    if before.ended is None:
        raise Refused(
            "minutes of this meeting have been drafted already",
            hint="if they are wrong, unlock them: a moment later the right ones can be drafted for the same "
            "meeting, with the same paragraph numbers",
            says=says("drafted_before"),
        )
    return before.number + 1


def kept_numbers(before: Version, *, year: int, wanted: int | None, count: int, next_in_year: int | None) -> int:
    """The first paragraph of a version after `before`: the same. `count` is how many paragraphs it has, `next_in_year`
    where the body's numbers go on.

    Paragraphs may be added or taken away at the end as long as no later minutes go on from there. Raises Refused.
    """
    numbers = f"§ {before.first}-{before.last}"
    if year != before.year:
        raise Refused(
            f"the version before has {numbers} of {before.year}, but this one is of {year}",
            hint="keep the year of the meeting",
            says=says("kept_year", first=before.first, last=before.last, before=before.year, year=year),
        )
    if wanted is not None and wanted != before.first:
        raise Refused(
            f"first_paragraph: the version before begins at § {before.first}",
            hint="leave first_paragraph out: a new version keeps the numbers",
            says=says("kept_first", first=before.first, number=wanted),
        )
    if count != before.last - before.first + 1 and next_in_year != before.last + 1:
        raise Refused(
            f"the version before has {numbers}, and later minutes go on from there: {count} paragraphs do not fit",
            hint=f"keep {before.last - before.first + 1} paragraphs; one that falls away can say so in its text",
            says=says("kept_count", first=before.first, last=before.last, count=count),
        )
    return before.first


def next_after(before: Version | None, last: int, next_in_year: int | None) -> int:
    """Where the body's numbers go on after `last` of a meeting that held those of `before`: behind it, unless later
    minutes go on from `before` already. `next_in_year`: where they would have gone on until now."""
    if before is not None and next_in_year is not None and next_in_year != before.last + 1:
        return next_in_year
    return last + 1
