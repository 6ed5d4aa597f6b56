"""The association that `justera up` greets a newcomer with: invented, and in mid-year whenever it is started.

Its register, plans and agendas are files such as anybody writes, and go in by the commands that anybody uses; only the
days are put in (`example_days.py`). Each part is told at the moment when it would have been done, so that the board's
last meeting had an agenda before it was held. Begun again after a kill it goes on where it was.
"""

import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import partial
from pathlib import Path
from string import Template
from typing import Any
from zoneinfo import ZoneInfo

from services.embedded.assembly import AllInOne
from services.embedded.example_days import days_of
from services.embedded.greeting_minutes import archive_minutes, post_minutes
from services.meetings.agenda.agenda import HowItLeft, ItemDetails
from services.meetings.attachment.commands import Upload
from services.meetings.commands import MeetingsCommands
from services.meetings.meeting.meeting import Meeting, Occasion
from services.meetings.notice.notice import Stage, latest_day
from services.meetings.poll.poll import Can, TimeAsked
from services.meetings.poll.proposals import NOTHING_BEFORE
from services.meetings.proposal.proposal import ProposalDetails
from services.meetings.reply.reply import Answer, Via
from shared.rendering.minutes import Language
from shared.row_security import acting_for
from shared.yaml_text import load_plain

_DATA = Path(__file__).parent / "example_data"
ASSOCIATION: Mapping[Language, str] = {
    "sv": "Kommunalförbundet Norrdalen",
    "en": "Norrdalen Association of Local Authorities",
}
"""What it is called, unless the settings say otherwise."""
_BOARD = {"sv": "Styrelsen", "en": "The board"}
_BEFORE, _AHEAD = timedelta(days=150), timedelta(days=120)  # so much of the year is there, at least
_HOUR, _DAY, _WEEK = timedelta(hours=1), timedelta(days=1), timedelta(days=7)
_TIMES_ASKED = 4
_TO_ANSWER = timedelta(days=6)  # or to the workday before
_MOST_PEOPLE = 200


class StoryClock:
    """The machine's time, or what `real` says; for who tells something, and nobody else, the moment it happened at."""

    def __init__(self, real: Callable[[], datetime] | None = None) -> None:
        self._real = real or partial(datetime.now, UTC)
        self._told: ContextVar[datetime | None] = ContextVar("told", default=None)

    def now(self) -> datetime:
        return self._told.get() or self._real()

    @contextmanager
    def at(self, moment: datetime) -> Iterator[None]:
        before = self._told.set(min(moment, self._real()))
        try:
            yield
        finally:
            self._told.reset(before)


@dataclass(frozen=True, slots=True)
class Story:
    """The files of the example, with the days of `today` put in. `plans`: by year. `told`: what became of it."""

    register: str
    plans: Mapping[int, str]
    told: Mapping[str, Any]
    board: str


def story(today: date, language: Language) -> Story:
    """Pure but for reading the files."""
    years = sorted({(today - _BEFORE).year, (today + _AHEAD).year})
    terms = {"begun": f"{years[0] - 1}-01-01", "ends": f"{years[-1] + 1}-12-31"}
    told = load_plain(_text("story", language), where="story")
    return Story(
        register=Template(_text("register", language)).substitute(terms),
        plans={year: Template(_text("plan", language)).substitute(days_of(year)) for year in years},
        told=told if isinstance(told, dict) else {},
        board=_BOARD[language],
    )


class Greeting:
    """The story in two parts; what is there already stays as it is. Its methods raise JusteraError."""

    def __init__(self, system: AllInOne, clock: StoryClock, language: Language) -> None:
        self._system = system
        self._organisation = system.settings.organisation
        self._meetings: MeetingsCommands = system.services["meetings"].commands
        self._clock = clock
        self._language = language
        self._now = clock.now()
        self._story = story(self._now.date(), language)
        self._people: dict[str, str] = {}

    async def begin(self) -> None:
        """What a newcomer sees first: who sits where, when they meet, and what the board dealt with."""
        with acting_for(self._organisation):
            await self._register()
            held, _ = await self._board()
            if held:
                await self._hold(held[-1])

    async def go_on(self) -> None:
        """What takes longer, while the newcomer looks around: a notice and its answers, papers, what waits, and signed
        minutes on the notice board."""
        with acting_for(self._organisation):
            await self._go_on()

    async def _go_on(self) -> None:
        people = await self._meetings.people.people(self._organisation, None, _MOST_PEOPLE)
        self._people = {one.key: one.id for one in people}
        held, coming = await self._board()
        if coming:
            await self._call(coming[0], after=_moment(held[-1], held[-1].details.ends) if held else None)
        await self._ask(self._story.told["poll"])
        if coming[1:]:
            await self._propose(coming[1], self._story.told["proposed"])
        # Those of the last meeting are the newcomer's to write.
        if held[:-1] and await archive_minutes(self._system, held[-2], self._language):
            await post_minutes(self._system, held[-2])

    async def _board(self) -> tuple[list[Meeting], list[Meeting]]:
        """The board's meetings that were held, and those to come."""
        board = [one for one in await self._of_body(self._story.board) if one.details.occasion is not Occasion.TRAINING]
        return [one for one in board if one.is_over(self._now)], [one for one in board if not one.is_over(self._now)]

    async def _register(self) -> None:
        with self._clock.at(_morning(date(min(self._story.plans) - 1, 12, 1))):
            await self._meetings.register.apply(self._organisation, self._story.register, "yaml")
        for year, plan in self._story.plans.items():
            with self._clock.at(min(_morning(date(year - 1, 12, 5)), self._now - _WEEK)):
                await self._meetings.plans.apply(self._organisation, plan, despite_clashes=True, tell=False)

    async def _hold(self, meeting: Meeting) -> None:
        """What the board dealt with, and what it put off."""
        with self._clock.at(_moment(meeting, meeting.details.starts) - timedelta(days=10)):
            await self._fill(meeting, self._story.told["held"])
        there = (await self._meetings.agendas.agenda(self._organisation, meeting.id)).items
        tabled = self._story.told["tabled"]
        with self._clock.at(_moment(meeting, meeting.details.ends)):
            for item in there:
                if item.details.title == tabled["title"]:
                    await self._meetings.agendas.move(
                        self._organisation,
                        item.id,
                        None,
                        how=HowItLeft.TABLED,
                        reason=tabled["reason"],
                        version=item.version,
                    )

    async def _call(self, meeting: Meeting, *, after: datetime | None) -> None:
        """Its notice goes out with agenda and papers in good time, and people answer."""
        told, found = self._story.told, await self._meetings.notices.notice(self._organisation, meeting.id)
        in_time = _moment(meeting, datetime.combine(found.latest, time(8))) if found else self._now
        moment = max(min(in_time, self._now - 2 * _DAY), (after or in_time - _WEEK) + _HOUR)
        with self._clock.at(moment):
            if found is None or found.notice.stage is not Stage.ISSUED:
                await self._fill(meeting, told["coming"])
                await self._attach(meeting, told["attached"])
                await self._meetings.papers.publish(self._organisation, meeting.id)
                await self._meetings.notices.issue(self._organisation, meeting.id, told["notice"])
        for hours, reply in enumerate(told["replies"], start=1):
            with self._clock.at(moment + hours * _HOUR):
                await self._meetings.replies.answer(
                    self._organisation,
                    meeting.id,
                    self._people[reply["person"]],
                    Answer(reply["answer"]),
                    Via.PAGE,
                    reply.get("comment"),
                )

    async def _attach(self, meeting: Meeting, attached: Mapping[str, str]) -> None:
        content = (_DATA / f"report.{self._language}.pdf").read_bytes()
        for item in (await self._meetings.agendas.agenda(self._organisation, meeting.id)).items:
            if item.details.title == attached["item"]:
                file = Upload(attached["name"], io.BytesIO(content))
                await self._meetings.attachments.add(self._organisation, item.id, file, title=attached["title"])

    async def _propose(self, meeting: Meeting, proposed: Mapping[str, str]) -> None:
        """Once: what the newcomer has answered is not proposed again."""
        there = await self._meetings.proposals.of_meeting(self._organisation, meeting.id)
        details = {name: text for name, text in proposed.items() if name != "person"}
        with self._clock.at(min(_moment(meeting, datetime.combine(there.until, time(9))), self._now - _DAY)):
            if not there.proposals:
                await self._meetings.proposals.propose(
                    self._organisation,
                    meeting.id,
                    self._people[proposed["person"]],
                    ProposalDetails.model_validate(details),
                )

    async def _ask(self, asked: Mapping[str, Any]) -> None:
        """Which day suits a body better than the one of its next meeting, that is some time ahead."""
        key, polls = asked["body"], self._meetings.polls
        body = next(one for one in await self._meetings.bodies.bodies(self._organisation) if one.key == key)
        coming = (one for one in await self._of_body(body.details.name) if _moment(one, one.details.starts) > self._now)
        meeting = next((one for one in coming if _moment(one, one.details.starts) > self._now + _WEEK), None)
        if meeting is None or await polls.latest(self._organisation, meeting.id) is not None:
            return
        with self._clock.at(self._now - _DAY):
            first = max(meeting.details.starts.date() - 2 * _WEEK, self._now.date() + NOTHING_BEFORE)
            last = latest_day((self._now + _TO_ANSWER).date(), 0)
            found = await polls.propose(self._organisation, meeting.id, first, answer_by=last)
            times = found.times[:_TIMES_ASKED]
            wanted = sorted((TimeAsked(starts=one.starts, ends=one.ends) for one in times), key=lambda one: one.starts)
            view = await polls.open(self._organisation, meeting.id, wanted, answer_by=last, note=asked["note"])
        for answer in asked["answers"]:
            said = {one.key: Can(can) for one, can in zip(view.poll.times, answer["says"], strict=False)}
            with self._clock.at(self._now - _HOUR):
                await polls.answer(
                    self._organisation, view.poll.id, self._people[answer["person"]], said, answer.get("comment")
                )

    async def _of_body(self, name: str) -> list[Meeting]:
        """Of the years that are told, by start."""
        years = [await self._meetings.meetings.of_year(self._organisation, year) for year in self._story.plans]
        found = [one for year in years for one in year if one.details.body == name]
        return sorted(found, key=lambda one: one.details.starts)

    async def _fill(self, meeting: Meeting, items: Sequence[Mapping[str, Any]]) -> None:
        """What is there already, or was there, stays as it is."""
        agenda = await self._meetings.agendas.agenda(self._organisation, meeting.id)
        known = {one.details.title for one in (*agenda.items, *agenda.left)}
        for fields in items:
            if fields["title"] not in known:
                await self._meetings.agendas.add(self._organisation, meeting.id, ItemDetails.model_validate(fields))


def _text(name: str, language: Language) -> str:
    return (_DATA / f"{name}.{language}.yaml").read_text(encoding="utf-8")


def _moment(meeting: Meeting, local: datetime) -> datetime:
    return local.replace(tzinfo=ZoneInfo(meeting.details.timezone))


def _morning(day: date) -> datetime:
    return datetime.combine(day, time(9), UTC)
