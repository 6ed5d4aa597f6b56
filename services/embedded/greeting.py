"""The association that `justera up` greets a newcomer with: invented, and in mid-year whenever it is started.

Its register, plans and agendas are files such as anybody writes, and go in by the commands that anybody uses; only the
days are put in. Each part is told at the moment when it would have been done, so that the board's last meeting had an
agenda before it was held. Begun again after a kill it goes on where it was.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from string import Template
from typing import Any
from zoneinfo import ZoneInfo

from services.embedded.assembly import AllInOne
from services.meetings.agenda.agenda import HowItLeft, ItemDetails
from services.meetings.commands import MeetingsCommands
from services.meetings.holidays import holiday
from services.meetings.meeting.meeting import Meeting, Occasion
from shared.rendering.minutes import Language
from shared.yaml_text import load_plain

_DATA = Path(__file__).parent / "example_data"
_BOARD = {"sv": "Styrelsen", "en": "The board"}
_BEFORE, _AHEAD = timedelta(days=150), timedelta(days=120)  # so much of the year is there, at least
_FRIDAY, _TUESDAY, _THURSDAY = 4, 1, 3
_WEEK = timedelta(days=7)


class StoryClock:
    """The machine's time; while something is told, the moment at which it happened."""

    def __init__(self) -> None:
        self._told: datetime | None = None

    def now(self) -> datetime:
        return self._told or datetime.now(UTC)

    @contextmanager
    def at(self, moment: datetime) -> Iterator[None]:
        self._told = min(moment, datetime.now(UTC))
        try:
            yield
        finally:
            self._told = None


@dataclass(frozen=True, slots=True)
class Story:
    """The files of the example, with the days of `today` put in. `plans`: by year."""

    register: str
    plans: Mapping[int, str]
    agenda: Mapping[str, Any]
    board: str


def story(today: date, language: Language) -> Story:
    """Pure but for reading the files."""
    years = sorted({(today - _BEFORE).year, (today + _AHEAD).year})
    terms = {"begun": f"{years[0] - 1}-01-01", "ends": f"{years[-1] + 1}-12-31"}
    agenda = load_plain(_text("agenda", language), where="agenda")
    return Story(
        register=Template(_text("register", language)).substitute(terms),
        plans={year: Template(_text("plan", language)).substitute(days_of(year)) for year in years},
        agenda=agenda if isinstance(agenda, dict) else {},
        board=_BOARD[language],
    )


async def greet(system: AllInOne, clock: StoryClock, language: Language) -> None:
    """Raises JusteraError."""
    organisation = system.settings.organisation
    meetings: MeetingsCommands = system.services["meetings"].commands
    now = datetime.now(UTC)
    told = story(now.date(), language)
    with clock.at(_morning(date(min(told.plans) - 1, 12, 1))):
        await meetings.register.apply(organisation, told.register, "yaml")
    for year, plan in told.plans.items():
        with clock.at(min(_morning(date(year - 1, 12, 5)), now - _WEEK)):
            await meetings.plans.apply(organisation, plan, despite_clashes=True, tell=False)
    board = [
        one
        for year in told.plans
        for one in await meetings.meetings.of_year(organisation, year)
        if one.details.body == told.board and one.details.occasion is not Occasion.TRAINING
    ]
    board.sort(key=lambda one: one.details.starts)
    held = [one for one in board if one.is_over(now)]
    coming = [one for one in board if not one.is_over(now)]
    if held:
        await _hold(meetings, organisation, clock, held[-1], told.agenda)
    if coming:
        await _fill(meetings, organisation, coming[0], told.agenda["coming"])


async def _hold(
    meetings: MeetingsCommands, organisation: str, clock: StoryClock, meeting: Meeting, agenda: Mapping[str, Any]
) -> None:
    """What the board dealt with, and what it put off."""
    starts, ends = (
        one.replace(tzinfo=ZoneInfo(meeting.details.timezone)) for one in (meeting.details.starts, meeting.details.ends)
    )
    with clock.at(starts - timedelta(days=10)):
        await _fill(meetings, organisation, meeting, agenda["held"])
    there = (await meetings.agendas.agenda(organisation, meeting.id)).items
    tabled = agenda["tabled"]
    with clock.at(ends):
        for item in there:
            if item.details.title == tabled["title"]:
                await meetings.agendas.move(
                    organisation, item.id, None, how=HowItLeft.TABLED, reason=tabled["reason"], version=item.version
                )


async def _fill(
    meetings: MeetingsCommands, organisation: str, meeting: Meeting, items: Sequence[Mapping[str, Any]]
) -> None:
    """What is there already, or was there, stays as it is."""
    agenda = await meetings.agendas.agenda(organisation, meeting.id)
    known = {one.details.title for one in (*agenda.items, *agenda.left)}
    for fields in items:
        if fields["title"] not in known:
            await meetings.agendas.add(organisation, meeting.id, ItemDetails.model_validate(fields))


def days_of(year: int) -> dict[str, str]:
    """The days of a plan, by the names that its file has for them. None is a holiday, or before one."""
    congress = _weekday_of(year, 4, _THURSDAY, last=True)
    found = {"year": date(year, 1, 1), "congress": congress, "training": _weekday_of(year, 6, _THURSDAY, last=False)}
    found["before_congress"] = congress - timedelta(days=15)
    for month in range(1, 13):
        found[f"last_friday_{month}"] = _weekday_of(year, month, _FRIDAY, last=True)
        found[f"second_friday_{month}"] = _weekday_of(year, month, _FRIDAY, last=False)
        found[f"second_tuesday_{month}"] = _weekday_of(year, month, _TUESDAY, last=False)
    return {name: f"{year}" if name == "year" else day.isoformat() for name, day in found.items()}


def _weekday_of(year: int, month: int, weekday: int, *, last: bool) -> date:
    """The last such day of a month, or the second; earlier while it, or its day the week before, is off or an eve."""
    day = date(year, month, 28 if last else 14)
    day -= timedelta(days=(day.weekday() - weekday) % 7)
    while any(holiday(day - back) or holiday(day - back + timedelta(days=1)) for back in (timedelta(), _WEEK)):
        day -= _WEEK
    return day


def _text(name: str, language: Language) -> str:
    return (_DATA / f"{name}.{language}.yaml").read_text(encoding="utf-8")


def _morning(day: date) -> datetime:
    return datetime.combine(day, time(9), UTC)
