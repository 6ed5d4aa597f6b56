"""What is recorded of sittings; each command is one transaction, which holds the meeting's row."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from services.meetings.agenda.agenda import Item
from services.meetings.agenda.commands import begin_agenda
from services.meetings.body.membership import MEMBERS, MemberRole, quorum, standing
from services.meetings.meeting.meeting import LocalTime, Meeting
from services.meetings.reply.commands import asked_to
from services.meetings.reply.reply import Answer
from services.meetings.sitting import history
from services.meetings.sitting.evolving import evolve
from services.meetings.sitting.facts import fact_of
from services.meetings.sitting.history import Entry
from services.meetings.sitting.in_order import require_before_next, require_in_order
from services.meetings.sitting.sitting import Sitting
from services.meetings.sitting.steps import (
    ItemBegun,
    Opened,
    RollCalled,
    RollEntry,
    SaidStep,
    Step,
    Withdrawn,
    cleaned,
)
from services.meetings.sitting.turns import last_times
from services.meetings.transaction import MeetingsTransaction
from shared.clock import Clock
from shared.errors import InvalidInput, NotFound, Refused, says
from shared.messaging.transaction import UnitOfWork
from shared.text import clean_reason

_EARLY = timedelta(hours=6)
"""Before the meeting's start, a sitting may be opened."""
MOST_AT_ONCE = 50


def is_key(text: str) -> bool:
    """What a database keeps as it is: printable, and not empty."""
    return bool(text) and text.isprintable()


def _checked_key(text: str) -> str:
    if not is_key(text):
        raise ValueError("holds what cannot be printed")
    return text


class SaidEntry(BaseModel):
    """A step to record. `key`: a text of who sends it, new for each; sent again, it is recorded once.

    `corrects`: the number of the step in whose place it stands, however often that was corrected; `after`: of the one
    behind which it belongs, for what was forgotten. Either needs a `reason`. Without a time of its own such a
    step has that of the step that it names.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    key: Annotated[str, AfterValidator(_checked_key)] = Field(min_length=1, max_length=100)
    step: SaidStep
    corrects: int | None = Field(None, ge=1)
    after: int | None = Field(None, ge=1)
    reason: str | None = Field(None, max_length=4000)


@dataclass(frozen=True, slots=True)
class Scene:
    """A sitting beside its meeting and agenda. `state`: None before it is opened; `version`: how many steps it has."""

    meeting: Meeting
    version: int
    state: Sitting | None
    agenda: list[Item]


class SittingCommands:
    def __init__(self, unit_of_work: UnitOfWork[MeetingsTransaction], clock: Clock) -> None:
        self._unit_of_work = unit_of_work
        self._clock = clock

    async def scene(self, organisation: str, meeting_id: str) -> Scene:
        """Raises NotFound."""
        async with self._unit_of_work.begin() as transaction:
            meeting = await transaction.meeting(organisation, meeting_id)
            return await _scene(transaction, organisation, meeting)

    async def steps(self, organisation: str, meeting_id: str) -> list[Entry]:
        """All that was recorded, with what was corrected. Raises NotFound."""
        async with self._unit_of_work.begin() as transaction:
            await transaction.meeting(organisation, meeting_id)
            return await transaction.sitting_steps(organisation, meeting_id)

    async def adjusted_before(self, organisation: str, meeting_id: str) -> dict[str, datetime]:
        """When people were last chosen to approve the body's minutes, by id: the start of that meeting. Raises
        NotFound."""
        async with self._unit_of_work.begin() as transaction:
            meeting = await transaction.meeting(organisation, meeting_id)
            return last_times(await transaction.adjusters_before(organisation, meeting))

    async def expected(self, organisation: str, meeting_id: str) -> tuple[list[RollEntry], set[str]]:
        """The roll of the body on the meeting's day, and who of it said that they come. Raises NotFound, Refused."""
        async with self._unit_of_work.begin() as transaction:
            meeting = await transaction.meeting(organisation, meeting_id)
            roll = (await _roll(transaction, organisation, meeting)).roll
            return list(roll), await _coming(transaction, organisation, meeting, roll)

    async def open(
        self,
        organisation: str,
        meeting_id: str,
        present: Sequence[str] | None,
        *,
        key: str,
        by: str,
        at: LocalTime | None = None,
    ) -> Scene:
        """`present`: None for those who said that they come. Raises NotFound, Refused, InvalidInput."""

        async def work(transaction: MeetingsTransaction) -> Scene:
            meeting = await transaction.lock_meeting(organisation, meeting_id)
            meeting.require_scheduled()
            if await transaction.sitting_steps_keyed(organisation, meeting_id, [f"{key}/opened"]):
                return await _scene(transaction, organisation, meeting)
            now = self._local_now(meeting)
            if now < meeting.details.starts - _EARLY:
                raise Refused(
                    f"the meeting is to come, on {meeting.details.starts:%Y-%m-%d at %H:%M}",
                    hint="open its sitting on the day, or change when the meeting is",
                )
            opened = await _roll(transaction, organisation, meeting)
            there = await _coming(transaction, organisation, meeting, opened.roll) if present is None else present
            await begin_agenda(transaction, organisation, meeting)
            zone = meeting.details.timezone
            first = cleaned(opened.model_copy(update={"at": at}), now, zone)
            second = cleaned(RollCalled(present=tuple(sorted(there)), at=at), now, zone)
            fresh = [Entry(number=1, key=f"{key}/opened", step=first), Entry(number=2, key=f"{key}/roll", step=second)]
            if (await transaction.sitting(organisation, meeting_id))[1] is not None:
                raise Refused("the sitting has been opened already", hint="look at it")
            await self._append(transaction, organisation, meeting, [], None, fresh, by)
            return await _scene(transaction, organisation, meeting)

        return await self._unit_of_work.run(work)

    async def record(
        self,
        organisation: str,
        meeting_id: str,
        said: Sequence[SaidEntry],
        *,
        by: str,
        seen: int | None = None,
    ) -> Scene:
        """All, or nothing of it. `seen`: how many steps there were when it was said; refused when there are others.

        Raises NotFound, Refused, InvalidInput.
        """

        async def work(transaction: MeetingsTransaction) -> Scene:
            meeting = await transaction.lock_meeting(organisation, meeting_id)
            version, state = await transaction.sitting(organisation, meeting_id)
            if state is None:
                raise Refused("the sitting has not been opened", hint="open it first")
            known = await transaction.sitting_steps_keyed(organisation, meeting_id, {one.key for one in said})
            news = [one for one in said if not _is_known(known.get(one.key), one)]
            if not news:
                return await _scene(transaction, organisation, meeting)
            if len({one.key for one in news}) != len(news):
                raise InvalidInput("key: two steps have the same", hint="make a new one for each step")
            if seen is not None and seen != version:
                raise Refused(
                    "someone else recorded something meanwhile",
                    hint=f"look at the sitting, {version} steps now",
                    says=says("sitting.meanwhile"),
                )
            corrects = any(one.corrects or one.after for one in news)
            before = await transaction.sitting_steps(organisation, meeting_id) if corrects else None
            fresh = await self._entries(transaction, organisation, meeting, version, news, before or [])
            told = {one.key for one in news if one.step.at is not None}
            await self._append(transaction, organisation, meeting, before, state, fresh, by, told)
            return await _scene(transaction, organisation, meeting)

        return await self._unit_of_work.run(work)

    async def _entries(
        self,
        transaction: MeetingsTransaction,
        organisation: str,
        meeting: Meeting,
        version: int,
        news: Sequence[SaidEntry],
        before: Sequence[Entry],
    ) -> list[Entry]:
        now, agenda, made = self._local_now(meeting), dict[str, Item](), []
        if any(isinstance(one.step, ItemBegun) for one in news):
            agenda = {item.id: item for item in await transaction.items_of_meeting(organisation, meeting.id)}
        for number, one in enumerate(news, start=version + 1):
            step = one.step
            if isinstance(step, ItemBegun):
                if step.item_id not in agenda:
                    raise NotFound(f"there is no item {step.item_id[:60]} on the agenda", hint="put it there first")
                details = agenda[step.item_id].details
                step = step.model_copy(update={"title": details.title, "kind": details.kind})
            if step.at is None and (one.corrects or one.after) and not isinstance(step, Withdrawn):
                step = step.model_copy(update={"at": history.time_at(before, one.corrects or one.after)})
            reason = _reason(one.reason) if one.reason else None
            made.append(
                Entry(
                    number=number,
                    key=one.key,
                    step=cleaned(step, now, meeting.details.timezone),
                    corrects=one.corrects,
                    after=one.after,
                    reason=reason,
                )
            )
        return made

    async def _append(
        self,
        transaction: MeetingsTransaction,
        organisation: str,
        meeting: Meeting,
        before: list[Entry] | None,
        state: Sitting | None,
        fresh: list[Entry],
        by: str,
        told: Collection[str] = (),
    ) -> None:
        """`before`: all steps until now, where one of them is corrected; None where none is. `told`: the keys of those
        whose time somebody said."""
        now = self._clock.now()
        first = fresh[0].number
        if before is None:
            history.require_room(first - 1, fresh)
            after, pairs = _folded(state, [entry.step for entry in fresh])
        else:
            after = history.appended(before, state, fresh)
            pairs = [history.around([*before, *fresh], entry.number) for entry in fresh]
        for entry, (was, _) in zip(fresh, pairs, strict=True):
            if entry.key in told and not history.keeps_its_time([*(before or ()), *fresh], entry):
                require_in_order(was, entry.step, meeting.details.timezone)
                behind = history.behind([*(before or ()), *fresh], entry)
                require_before_next(behind, entry.step, meeting.details.timezone)
        await transaction.save_sitting(organisation, meeting.id, after, fresh, by=by, at=now)
        for entry, (was, then) in zip(fresh, pairs, strict=True):
            fact = fact_of(meeting.id, meeting.details.timezone, entry, was, then or after)
            transaction.tell_sitting(organisation, meeting.id, fact, entry.number, now)

    def _local_now(self, meeting: Meeting) -> datetime:
        return self._clock.now().astimezone(ZoneInfo(meeting.details.timezone)).replace(tzinfo=None)


def _folded(
    state: Sitting | None, steps: Sequence[Step]
) -> tuple[Sitting, list[tuple[Sitting | None, Sitting | None]]]:
    pairs: list[tuple[Sitting | None, Sitting | None]] = []
    for step in steps:
        before, state = state, evolve(state, step)
        pairs.append((before, state))
    if state is None:
        raise Refused("the sitting has not been opened", hint="open it first")
    return state, pairs


def _reason(text: str) -> str:
    """Raises InvalidInput."""
    try:
        return clean_reason(text)
    except InvalidInput as error:
        raise InvalidInput(error.message, hint=error.hint, says=says("sitting.reason")) from error


def _is_known(known: Entry | None, said: SaidEntry) -> bool:
    """Whether it was recorded before. Raises Refused for another step under the same key."""
    if known is None:
        return False
    if known.step.do != said.step.do or known.corrects != said.corrects:
        raise Refused("key: another step was recorded under it", hint="make a new one for each step")
    return True


async def _scene(transaction: MeetingsTransaction, organisation: str, meeting: Meeting) -> Scene:
    version, state = await transaction.sitting(organisation, meeting.id)
    return Scene(meeting, version, state, await transaction.items_of_meeting(organisation, meeting.id))


async def _roll(transaction: MeetingsTransaction, organisation: str, meeting: Meeting) -> Opened:
    """With who is of the body on the meeting's day, in the order of roles, substitutes as they are called."""
    body = await transaction.body_of(organisation, meeting)
    if body is None:
        raise Refused(
            f"{meeting.details.body} is not in the register, so nobody is known who sits in it",
            hint="register the body and its people",
        )
    day, rules = meeting.details.starts.date(), body.details.rules
    memberships = await transaction.memberships_of_body(organisation, body.id)
    people = await transaction.people_among(organisation, {one.seat.person_id for one in memberships})
    roles = list(MemberRole)
    seats = sorted(
        (one.seat for one in standing(memberships, day)),
        key=lambda seat: (roles.index(seat.role), seat.order or 0),
    )
    roll: dict[str, RollEntry] = {}
    for seat in seats:
        details = people[seat.person_id].details
        entry = RollEntry(
            person_id=seat.person_id,
            name=details.name,
            role=seat.role,
            party=details.party,
            municipality=details.municipality,
        )
        roll.setdefault(seat.person_id, entry)
    if not any(entry.role in MEMBERS for entry in roll.values()):
        raise Refused(f"nobody sits in {body.details.name} that day", hint="add its members first")
    return Opened(
        roll=tuple(roll.values()),
        rule=rules.substitutes,
        quorum=quorum(rules, memberships, day),
        adjusters=rules.signers.count("adjuster"),
    )


async def _coming(
    transaction: MeetingsTransaction, organisation: str, meeting: Meeting, roll: Sequence[RollEntry]
) -> set[str]:
    asked = await asked_to(transaction, organisation, meeting)
    coming = {person_id for person_id, reply in asked.items() if reply.answer is Answer.COMING}
    return coming & {entry.person_id for entry in roll}
