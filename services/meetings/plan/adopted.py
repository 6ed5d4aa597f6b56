"""What the members of a body have to know of a plan that was applied: their dates, and what changed in them. Pure."""

from collections.abc import Iterable
from datetime import datetime

from services.meetings.body.body import Body
from services.meetings.body.who_sits import WhoSits
from services.meetings.meeting.meeting import Meeting, MeetingDetails, MeetingStatus, body_key
from services.meetings.plan.changes import PlanOutcome
from shared.events import PlanAdopted
from shared.events.meetings import PlanChange, PlanMember, PlannedMeeting

_TOLD = ("title", "place", "starts", "ends", "mode", "occasion")
"""What of a meeting is news to those who are asked to it."""


def adopted(
    plan: str, year: int, outcome: PlanOutcome, who: WhoSits, *, now: datetime, tell: bool
) -> list[tuple[Body, PlanAdopted]]:
    """One fact for each body that is in the register and any of whose meetings was saved, at the body's next version.

    A member who joined since is among the `people`, also when nothing changed for the others.
    """
    names = {body_key(meeting.details.body): meeting.details.body for meeting, fact in outcome.saved if fact}
    found = []
    for key, name in sorted(names.items()):
        body = who.named(name)
        if body is None or body.closed is not None:
            continue
        standing = _of(key, outcome.standing)
        changed = [
            meeting for meeting in _of(key, (one for one, fact in outcome.saved if fact)) if _is_news(meeting, outcome)
        ]
        fact = PlanAdopted(
            body_id=body.id,
            plan=plan,
            year=year,
            body=body.details.name,
            meetings=tuple(_planned(one.id, one.details) for one in standing),
            changes=tuple(_change(one, outcome.before.get(one.id)) for one in changed),
            people=_people(body, [one for one in standing if not one.is_over(now)], changed, outcome, who),
            tell=tell,
        )
        found.append((body.stepped(), fact))
    return found


def _of(key: str, meetings: Iterable[Meeting]) -> list[Meeting]:
    mine = (one for one in meetings if body_key(one.details.body) == key)
    return sorted(mine, key=lambda one: (one.details.starts, one.id))


def _is_news(meeting: Meeting, outcome: PlanOutcome) -> bool:
    before = outcome.before.get(meeting.id)
    return before is None or any(getattr(before, name) != getattr(meeting.details, name) for name in _TOLD)


def _people(
    body: Body, standing: list[Meeting], changed: list[Meeting], outcome: PlanOutcome, who: WhoSits
) -> tuple[PlanMember, ...]:
    asked: dict[str, list[str]] = {}
    concerned: dict[str, list[str]] = {}
    people = {}
    for meeting in standing:
        for person in who.sitting(body, meeting.details.starts.date()):
            people[person.id] = person
            asked.setdefault(person.id, []).append(meeting.id)
    for meeting in changed:
        days = {one.starts.date() for one in (meeting.details, outcome.before.get(meeting.id)) if one}
        for person in {one.id: one for day in days for one in who.sitting(body, day)}.values():
            people[person.id] = person
            concerned.setdefault(person.id, []).append(meeting.id)
    return tuple(
        PlanMember(
            person_id=one.id,
            email=one.details.email,
            name=one.details.name,
            language=one.details.language,
            meetings=tuple(asked.get(one.id, ())),
            changes=tuple(concerned.get(one.id, ())),
        )
        for one in people.values()
        if one.details.email is not None
    )


def _change(meeting: Meeting, before: MeetingDetails | None) -> PlanChange:
    cancelled = meeting.status is MeetingStatus.CANCELLED
    return PlanChange(
        kind="cancelled" if cancelled else "changed" if before else "scheduled",
        meeting=_planned(meeting.id, meeting.details),
        before=_planned(meeting.id, before) if before else None,
    )


def _planned(meeting_id: str, details: MeetingDetails) -> PlannedMeeting:
    return PlannedMeeting(
        meeting_id=meeting_id,
        title=details.title,
        place=details.place,
        starts=details.starts.isoformat(timespec="minutes"),
        ends=details.ends.isoformat(timespec="minutes"),
        mode=details.mode.value if details.mode else None,
        occasion=details.occasion.value,
    )
