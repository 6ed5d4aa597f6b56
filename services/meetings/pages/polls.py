"""The pages of date polls: days that are proposed, answers as they come, and how a poll ends."""

from datetime import date, datetime

from fastapi import APIRouter, Request
from fastapi.responses import Response

from services.meetings.body.body import Body
from services.meetings.meeting.meeting import Meeting
from services.meetings.pages.meetings import holiday_of
from services.meetings.pages.office import (
    READER,
    SECRETARY,
    Fields,
    OfficePages,
    back,
    day_of,
    get,
    is_wrong,
    line_error,
    post,
    refused,
    time_of,
    typed,
    wrong,
)
from services.meetings.poll.commands import PollView, ProposedTimes
from services.meetings.poll.poll import DAYS_TO_ANSWER, Can, PollStatus, Room, TimeAsked, mark_of, room
from shared.auth import Principal
from shared.errors import InvalidInput, NotFound, Refused
from shared.text import MAX_REASON, clean_reason
from shared.web import Field, followed, form_text

_OWN = (1, 2, 3)
"""Rows for days that nobody proposed."""
_OWN_NAMES = tuple(f"own_{part}_{row}" for row in _OWN for part in ("day", "begins", "ends"))
_LATE = "late_notice"
_NAMES = (*_OWN_NAMES, "answer_by", "note")
_REFUSED = {"times": ("times", "poll.times"), "answer_by": ("answer_by", "poll.answer_by")}
_IN_THE_WAY = {Room.BEFORE_ANSWERS: "poll.before_answers", Room.LATE_NOTICE: "poll.late_notice"}
_DONE = frozenset({"opened", "answered", "chosen", "called-off"})


class PollPages(OfficePages):
    def add_to(self, router: APIRouter) -> None:
        get(router, "/office/meetings/{meeting_id}/poll", self.office_poll)
        get(router, "/office/meetings/{meeting_id}/poll/new", self.office_poll_new)
        post(router, "/office/meetings/{meeting_id}/poll/new", self.office_poll_open)
        get(router, "/office/polls/{poll_id}/choose/{time}", self.office_poll_choosing)
        post(router, "/office/polls/{poll_id}/choose/{time}", self.office_poll_choose)
        get(router, "/office/polls/{poll_id}/answers/{person_id}", self.office_poll_answering)
        post(router, "/office/polls/{poll_id}/answers/{person_id}", self.office_poll_answer)
        get(router, "/office/polls/{poll_id}/call-off", self.office_poll_calling_off)
        post(router, "/office/polls/{poll_id}/call-off", self.office_poll_call_off)

    async def office_poll(
        self, request: Request, meeting_id: str, done: str = "", principal: Principal = READER
    ) -> Response:
        """The latest one of the meeting; raises NotFound where there was none."""
        view = await self._commands.polls.latest(principal.organisation, meeting_id)
        if view is None:
            raise NotFound("the meeting has no date poll")
        poll = view.poll
        page = self._page(
            request,
            "office/poll.html",
            principal,
            view=view,
            poll=poll,
            meeting=view.meeting,
            chosen=poll.time(poll.chosen) if poll.chosen else None,
            is_open=poll.status is PollStatus.OPEN,
            over=over_of(view, self._clock.now()),
            stands=view.meeting.reason is None and not view.meeting.is_over(self._clock.now()),
            done=done if done in _DONE else "",
            shown_at=self._clock.now(),
        )
        return followed(request, page)

    async def office_poll_new(
        self, request: Request, meeting_id: str, first: str = "", last: str = "", principal: Principal = SECRETARY
    ) -> Response:
        """`first`, `last`: of the days to look at."""
        view = await self._commands.polls.latest(principal.organisation, meeting_id)
        if view is not None and view.poll.status is PollStatus.OPEN:
            return back(request, "office_poll", "", meeting_id=meeting_id)
        meeting = await self._commands.meetings.meeting(principal.organisation, meeting_id)
        meeting.require_scheduled()
        fields = _filled(meeting, self._today())
        return await self._form(request, principal, meeting, fields, frozenset(), first, last)

    async def office_poll_open(self, request: Request, meeting_id: str, principal: Principal = SECRETARY) -> Response:
        meeting = await self._commands.meetings.meeting(principal.organisation, meeting_id)
        fields = await typed(request, (*_NAMES, "first", "last", _LATE))
        chosen = frozenset(one for one in (await request.form()).getlist("time") if isinstance(one, str))
        fields["times"] = Field("times")
        times = _times(fields, chosen)
        answer_by = day_of(fields, "answer_by")
        wrong(fields, "answer_by", None if answer_by else "day")
        body = await self._body_of(principal, meeting)
        short = answer_by is not None and body is not None and _look_at_room(fields, chosen, answer_by, body)
        error = line_error(clean_reason, fields["note"].value, longest=MAX_REASON, required=False)
        wrong(fields, "note", f"comment.{error}" if error else None)
        if not is_wrong(fields) and answer_by is not None:
            try:
                await self._commands.polls.open(
                    principal.organisation,
                    meeting_id,
                    times,
                    answer_by=answer_by,
                    note=fields["note"].value,
                    late_notice=bool(fields[_LATE].value),
                )
                return back(request, "office_poll", "opened", meeting_id=meeting_id)
            except InvalidInput as error:
                if not refused(fields, error, _REFUSED):
                    raise
        first, last = fields["first"].value, fields["last"].value
        return await self._form(
            request, principal, meeting, fields, chosen, first, last, answer_by=answer_by, late_notice=short
        )

    async def office_poll_choosing(
        self, request: Request, poll_id: str, time: str, principal: Principal = SECRETARY
    ) -> Response:
        view = await self._commands.polls.poll(principal.organisation, poll_id)
        view.poll.require_open()
        chosen = view.poll.time(time)
        update = {"starts": chosen.starts, "ends": chosen.ends}
        moved = view.meeting.model_copy(update={"details": view.meeting.details.model_copy(update=update)})
        clashes = await self._commands.meetings.clashes(principal.organisation, moved)
        return self._page(
            request,
            "office/poll_choose.html",
            principal,
            view=view,
            meeting=view.meeting,
            standing=next(one for one in view.standings if one.time.key == time),
            in_the_way=[(one, holiday_of(one)) for one in clashes],
        )

    async def office_poll_choose(
        self, request: Request, poll_id: str, time: str, principal: Principal = SECRETARY
    ) -> Response:
        view = await self._commands.polls.poll(principal.organisation, poll_id)
        try:
            await self._commands.polls.choose(principal.organisation, poll_id, time)
        except Refused:  # someone else ended it, or the time is over: the page says how it stands
            return back(request, "office_poll", "", meeting_id=view.meeting.id)
        return back(request, "office_poll", "chosen", meeting_id=view.meeting.id)

    async def office_poll_answering(
        self, request: Request, poll_id: str, person_id: str, principal: Principal = SECRETARY
    ) -> Response:
        view = await self._asked(principal, poll_id, person_id)
        view.poll.require_open()
        return self._answer_page(request, principal, view, person_id, _noted(answered(view, person_id)))

    async def office_poll_answer(
        self, request: Request, poll_id: str, person_id: str, principal: Principal = SECRETARY
    ) -> Response:
        """What someone told the office, by phone say."""
        view = await self._asked(principal, poll_id, person_id)
        fields, said = await answers_typed(request, view, person_id, self._clock.now(), comment="told")
        if is_wrong(fields):
            return self._answer_page(request, principal, view, person_id, fields)
        told, seen = fields["told"].value, await form_text(request, "seen")
        try:
            await self._commands.polls.answer(principal.organisation, poll_id, person_id, said, told, seen=seen)
        except Refused:
            view = await self._asked(principal, poll_id, person_id)
            if view.poll.status is PollStatus.OPEN and seen != mark_of(view.answers.get(person_id)):
                return self._answer_page(request, principal, view, person_id, fields, meanwhile=True)
            # It has ended, or its days are over: the page says how.
            return back(request, "office_poll", "", meeting_id=view.meeting.id)
        return back(request, "office_poll", "answered", meeting_id=view.meeting.id)

    async def _asked(self, principal: Principal, poll_id: str, person_id: str) -> PollView:
        """Raises NotFound, also for whom it does not ask."""
        view = await self._commands.polls.poll(principal.organisation, poll_id)
        if person_id not in view.people:
            raise NotFound("they are not asked")
        return view

    def _answer_page(
        self,
        request: Request,
        principal: Principal,
        view: PollView,
        person_id: str,
        fields: Fields,
        *,
        meanwhile: bool = False,
    ) -> Response:
        """`meanwhile`: the person has answered, or somebody noted it. What was chosen stays, beside that."""
        stands = _noted(answered(view, person_id))
        return self._page(
            request,
            "office/poll_answer.html",
            principal,
            fields=fields,
            refused=meanwhile,
            meanwhile=meanwhile,
            differing=[one for name, one in stands.items() if one.value != fields[name].value],
            seen=mark_of(view.answers.get(person_id)),
            poll=view.poll,
            meeting=view.meeting,
            person=view.people[person_id],
            cans=tuple(Can),
            over=over_of(view, self._clock.now()),
        )

    async def office_poll_calling_off(
        self, request: Request, poll_id: str, principal: Principal = SECRETARY
    ) -> Response:
        view = await self._commands.polls.poll(principal.organisation, poll_id)
        view.poll.require_open()
        return self._call_off_page(request, principal, view, {"reason": Field("reason")})

    async def office_poll_call_off(self, request: Request, poll_id: str, principal: Principal = SECRETARY) -> Response:
        view = await self._commands.polls.poll(principal.organisation, poll_id)
        fields = await typed(request, ("reason",))
        error = line_error(clean_reason, fields["reason"].value, longest=MAX_REASON)
        wrong(fields, "reason", f"reason.{error}" if error else None)
        if is_wrong(fields):
            return self._call_off_page(request, principal, view, fields)
        try:
            await self._commands.polls.call_off(principal.organisation, poll_id, fields["reason"].value)
        except Refused:
            return back(request, "office_poll", "", meeting_id=view.meeting.id)
        return back(request, "office_poll", "called-off", meeting_id=view.meeting.id)

    def _call_off_page(self, request: Request, principal: Principal, view: PollView, fields: Fields) -> Response:
        return self._page(
            request, "office/poll_call_off.html", principal, fields=fields, poll=view.poll, meeting=view.meeting
        )

    async def _form(
        self,
        request: Request,
        principal: Principal,
        meeting: Meeting,
        fields: Fields,
        chosen: frozenset[str],
        first: str,
        last: str,
        *,
        answer_by: date | None = None,
        late_notice: bool = False,
    ) -> Response:
        """`chosen`: keys of proposed times. `first`, `last`: of the days to look at, as they were typed. `late_notice`:
        a day leaves no room for its notice, and whether that is meant is asked."""
        window = {"first": Field("first", first), "last": Field("last", last)}
        days = day_of(window, "first"), day_of(window, "last")
        found: ProposedTimes | None = None
        try:
            if not is_wrong(window):
                found = await self._commands.polls.propose(
                    principal.organisation, meeting.id, *days, answer_by=answer_by
                )
        except InvalidInput as error:
            if error.message.startswith("answer_by"):
                wrong(fields, "answer_by", "poll.answer_by")
            else:
                wrong(window, "last", "poll.window")
        except Refused:  # the register knows no such body: nobody is known to ask
            pass
        proposed = [(TimeAsked(starts=one.starts, ends=one.ends).key, one) for one in found.times] if found else []
        asked = sorted({TimeAsked.of(key) for key in chosen if _is_key(key)}, key=lambda one: one.starts)
        shown = {key for key, _ in proposed}
        return self._page(
            request,
            "office/poll_form.html",
            principal,
            fields={**fields, **window},
            meeting=meeting,
            people=found.people if found else {},
            nobody=not is_wrong(window) and not fields["answer_by"].error and (found is None or not found.people),
            earliest=found.earliest if found else None,
            reckoned_by=found.answer_by if found else None,
            late_notice=late_notice,
            proposed=proposed,
            kept=[one for one in asked if one.key not in shown],
            chosen=chosen,
            own=_OWN,
        )


def answered(view: PollView, person_id: str) -> Fields:
    """The form of answers as it is opened, by the times' keys."""
    said = view.answers.get(person_id)
    fields = {one.key: Field(one.key, said.times.get(one.key, "") if said else "") for one in view.poll.times}
    return fields | {"comment": Field("comment", (said.comment if said else None) or "")}


def _noted(said: Fields) -> Fields:
    """The office writes down what it was told; a member leaves a message."""
    return {one: said[one] for one in said if one != "comment"} | {"told": Field("told", said["comment"].value)}


def over_of(view: PollView, now: datetime) -> frozenset[str]:
    """The keys of the times that are over: nobody is asked about them any more."""
    return frozenset(one.key for one in view.poll.times) - {one.key for one in view.poll.to_come(now)}


async def answers_typed(
    request: Request, view: PollView, person_id: str, now: datetime, comment: str = "comment"
) -> tuple[Fields, dict[str, Can]]:
    """What was said of each time to come, and before of those that are over; what is wrong is put at its field.

    `comment`: the name of the field of words.
    """
    over, stands = over_of(view, now), answered(view, person_id)
    fields = await typed(request, (*(one.key for one in view.poll.times), comment))
    fields |= {key: stands[key] for key in over}
    said = {one.key: Can(fields[one.key].value) for one in view.poll.times if fields[one.key].value in tuple(Can)}
    for one in view.poll.to_come(now):
        wrong(fields, one.key, None if one.key in said else "can")
    error = line_error(clean_reason, fields[comment].value, longest=MAX_REASON, required=False)
    wrong(fields, comment, f"comment.{error}" if error else None)
    return fields, said


def _filled(meeting: Meeting, today: date) -> Fields:
    """The form as it is opened: days that nobody proposed have the meeting's hours."""
    hours = {"begins": f"{meeting.details.starts:%H:%M}", "ends": f"{meeting.details.ends:%H:%M}", "day": ""}
    values = {name: hours[name.split("_")[1]] for name in _OWN_NAMES}
    values["answer_by"] = (today + DAYS_TO_ANSWER).isoformat()
    return {name: Field(name, values.get(name, "")) for name in (*_NAMES, "times")}


def _times(fields: Fields, chosen: frozenset[str]) -> list[TimeAsked]:
    """Those that were proposed and chosen, and those of rows with a day; what is wrong is put at its field."""
    times = [TimeAsked.of(key) for key in chosen if _is_key(key)]
    for row in _OWN:
        day, begins, ends = (f"own_{part}_{row}" for part in ("day", "begins", "ends"))
        if not fields[day].value:
            continue
        on, starts, until = day_of(fields, day), time_of(fields, begins), time_of(fields, ends)
        if starts and until and until <= starts:
            wrong(fields, ends, "meeting.ends")
        elif on and starts and until:
            times.append(TimeAsked(starts=datetime.combine(on, starts), ends=datetime.combine(on, until)))
    if not times and not is_wrong(fields):
        wrong(fields, "times", "poll.times")
    return times


def _look_at_room(fields: Fields, chosen: frozenset[str], answer_by: date, body: Body) -> bool:
    """Days that are not after the last day to answer, or leave no room for their notice, are told at their fields.
    Whether one leaves none; then the office may say that it is meant."""
    days = [("times", TimeAsked.of(key).starts.date()) for key in sorted(chosen) if _is_key(key)]
    for name in (f"own_day_{row}" for row in _OWN):
        if fields[name].value and not fields[name].error and (on := day_of(fields, name)):
            days.append((name, on))
    found = [(name, room(day, answer_by, body.details.rules.notice_days)) for name, day in days]
    for name, one in found:
        if one is Room.BEFORE_ANSWERS or (one is Room.LATE_NOTICE and not fields[_LATE].value):
            wrong(fields, name, _IN_THE_WAY[one])
    return any(one is Room.LATE_NOTICE for _, one in found)


def _is_key(text: str) -> bool:
    try:
        return TimeAsked.of(text).key == text
    except ValueError:
        return False
