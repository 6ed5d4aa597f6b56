"""Looking at what a plan would change and what is in its way, and applying it: whole, or not at all."""

import hashlib
import json
import re
from dataclasses import dataclass
from datetime import datetime

from services.meetings.body.body import Body
from services.meetings.body.who_sits import WhoSits
from services.meetings.meeting.meeting import Meeting, MeetingDetails, MeetingStatus
from services.meetings.notice.telling import follow, withdraw_notice
from services.meetings.plan.adopted import adopted
from services.meetings.plan.changes import PlanChange, PlanOutcome, apply
from services.meetings.plan.clashes import Clash, clashes
from services.meetings.plan.plan import MAX_PLAN, MOST_MEETINGS, Plan, Planned, meetings_of, moments
from services.meetings.plan.yaml_file import read_plan
from services.meetings.register.register import Problem, Problems
from services.meetings.transaction import MeetingsTransaction
from services.meetings.wall_time import require_there
from shared.clock import Clock
from shared.errors import InvalidInput, Refused, says
from shared.events import Person as Invited
from shared.ids import new_id
from shared.messaging.transaction import UnitOfWork
from shared.timers import hold_timers


@dataclass(frozen=True, slots=True)
class CheckedPlan:
    """What applying would do and what is in its way, or what is wrong. `digest`: of that, for applying just this."""

    digest: str
    changes: list[PlanChange]
    clashes: list[Clash]
    problems: list[Problem]


@dataclass(frozen=True, slots=True)
class _Work:
    outcome: PlanOutcome
    clashes: list[Clash]
    plan: Plan
    who: WhoSits

    @property
    def digest(self) -> str:
        seen = [one.model_dump(mode="json") for one in (*self.outcome.changes, *self.clashes)]
        return hashlib.sha256(json.dumps(seen, sort_keys=True).encode()).hexdigest()


class PlanCommands:
    def __init__(self, unit_of_work: UnitOfWork[MeetingsTransaction], clock: Clock) -> None:
        self._unit_of_work = unit_of_work
        self._clock = clock

    async def check(self, organisation: str, text: str) -> CheckedPlan:
        """Changes nothing. Raises InvalidInput for what is no plan at all."""
        problems = Problems()
        async with self._unit_of_work.begin() as transaction:
            work = await self._work_out(transaction, organisation, text, problems)
        if problems.found:
            return CheckedPlan("", [], [], problems.found)
        return CheckedPlan(work.digest, work.outcome.changes, work.clashes, [])

    async def apply(
        self,
        organisation: str,
        text: str,
        *,
        digest: str | None = None,
        despite_clashes: bool = False,
        tell: bool = True,
    ) -> CheckedPlan:
        """`digest`: what `check` answered; refused when it would do otherwise by now. `tell`: the members by mail.

        Raises Refused, InvalidInput.
        """

        async def work(transaction: MeetingsTransaction) -> CheckedPlan:
            await transaction.lock_register(organisation)
            problems = Problems()
            found = await self._work_out(transaction, organisation, text, problems)
            problems.refuse()
            if digest is not None and digest != found.digest:
                raise Refused("something was changed since you looked", hint="look again what it would do")
            if found.clashes and not despite_clashes:
                raise Refused(
                    f"there are clashes ({len(found.clashes)})", hint="look at them, then say that they are meant"
                )
            now = self._clock.now()
            for meeting, fact in found.outcome.saved:
                await transaction.save_meeting(organisation, meeting)
                if fact is not None:
                    transaction.tell(organisation, meeting, fact, now)
            await self._follow(transaction, organisation, found.outcome)
            told = adopted(found.plan.key, found.plan.year, found.outcome, found.who, now=now, tell=tell)
            await transaction.save_bodies(organisation, [body for body, _ in told])
            for body, news in told:
                transaction.tell(organisation, body, news, now)
            return CheckedPlan(found.digest, found.outcome.changes, found.clashes, [])

        return await self._unit_of_work.run(work)

    async def _follow(self, transaction: MeetingsTransaction, organisation: str, outcome: PlanOutcome) -> None:
        """Members hear of a plan by its own mails; who was sent a notice of a meeting that is struck, by that, too."""
        now, saved = self._clock.now(), [meeting for meeting, _ in outcome.saved]
        await follow(transaction, organisation, [one for one in saved if _stands(one)], outcome.before, now)
        struck = {one.id: one for one in saved if not _stands(one)}
        for meeting_id in await transaction.notices(organisation, struck):
            await withdraw_notice(transaction, organisation, struck[meeting_id], now)

    async def _work_out(
        self, transaction: MeetingsTransaction, organisation: str, text: str, problems: Problems
    ) -> _Work:
        if len(text) > MAX_PLAN or len(text.encode("utf-8", "surrogatepass")) > MAX_PLAN:
            raise InvalidInput(
                f"the plan is longer than {MAX_PLAN // 1024} KiB",
                hint="make several plans of it",
                says=says("long_file", most=MAX_PLAN // 1024),
            )
        plan = read_plan(text, problems)
        listed = meetings_of(plan, problems)
        if sum(map(len, listed.values())) > MOST_MEETINGS:
            raise InvalidInput(
                f"bodies: more than {MOST_MEETINGS} meetings",
                hint="make several plans of it",
                says=says("many_meetings", most=MOST_MEETINGS),
            )
        if problems.found:
            return _Work(PlanOutcome(), [], plan, WhoSits([], [], []))
        people = await transaction.who_sits(organisation)
        wanted, body_ids = [], {}
        for body in plan.bodies:
            with problems.at(body.where):
                owner = people.body(body.key)
                body_ids[owner.details.name] = owner.id
                wanted += [(one, _details(one, owner, people.invited(owner, one.day))) for one in listed[body.key]]
                for one in listed[body.key]:
                    with problems.at(one.where):
                        _require_hours(one, owner)
        if problems.found:
            return _Work(PlanOutcome(), [], plan, WhoSits([], [], []))
        await hold_timers(transaction.connection, organisation, *await transaction.planned_ids(organisation, plan.key))
        planned = await transaction.lock_planned(organisation, plan.key)
        there = [people.as_called_now(one) for one in planned if _stands(one)]
        _require_its_year(plan, there)
        outcome = apply(
            plan.key, there, wanted, now=self._clock.now(), new_id=new_id, problems=problems, body_ids=body_ids
        )
        others = await transaction.meetings_of_year(organisation, plan.year)
        of_plan = {one.id for one in there}
        elsewhere = [people.as_called_now(one).details for one in others if _stands(one) and one.id not in of_plan]
        return _Work(outcome, clashes([details for _, details in wanted], elsewhere, people), plan, people)


def _details(planned: Planned, body: Body, participants: tuple[Invited, ...]) -> MeetingDetails:
    starts, ends = moments(planned)
    return MeetingDetails(
        body=body.details.name,
        title=planned.title,
        place=planned.place,
        starts=starts,
        ends=ends,
        timezone=body.details.rules.timezone,
        participants=participants,
        mode=planned.mode,
        occasion=planned.occasion,
        reserved=planned.reserved,
    )


def _require_its_year(plan: Plan, there: list[Meeting]) -> None:
    """A file copied for the next year with the key that it had would move this year's meetings. Raises InvalidInput."""
    known = {year for one in there if one.plan and (year := one.plan.year or _year_in(one.plan.slot))}
    # where a meeting is now says nothing of its plan: it may have been moved over the turn of the year
    years = sorted(known or {one.details.starts.year for one in there})
    if years and plan.year not in years:
        raise InvalidInput(
            f"plan: {plan.key} is the plan of {years[-1]}",
            hint=f"give that of {plan.year} a key of its own",
            says=says("plan_of_other_year", "plan", key=plan.key, other=years[-1], year=plan.year),
        )


def _year_in(slot: str) -> int | None:
    """Of a slot that begins with its day; None for a key of somebody's own."""
    found = re.match(r"(\d{4})-\d{2}-\d{2}(-|$)", slot)
    return int(found[1]) if found else None


def _require_hours(planned: Planned, body: Body) -> None:
    """In the plan's own words. Raises InvalidInput."""
    zone, reserved = body.details.rules.timezone, planned.reserved
    for moment in moments(planned):
        require_there(moment, zone, "time")
    for hour in (reserved.starts, reserved.ends) if reserved else ():
        require_there(datetime.combine(planned.day, hour), zone, "reserve")


def _stands(meeting: Meeting) -> bool:
    return meeting.status is not MeetingStatus.CANCELLED
