"""The pages of meetings: a year at a glance, the form of one, and the page where everything about one is found."""

from collections.abc import Mapping
from datetime import date, datetime, timedelta

from fastapi import APIRouter, Request
from fastapi.responses import Response

from services.meetings.holidays import holiday
from services.meetings.keys import key_from
from services.meetings.meeting.commands import ClashesFound, Wish
from services.meetings.meeting.meeting import (
    YEARS,
    Meeting,
    MeetingDetails,
    MeetingStatus,
    Mode,
    Occasion,
    WhichBody,
    body_key,
)
from services.meetings.minutes.api import html_answer
from services.meetings.pages import notices
from services.meetings.pages.meeting_path import path_before
from services.meetings.pages.minutes_path import path_of
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
    version_of,
    wrong,
)
from services.meetings.plan.clashes import Clash
from services.meetings.poll.poll import PollStatus
from shared import readable
from shared.auth import Principal
from shared.errors import InvalidInput, Refused
from shared.text import MAX_REASON, clean_line, clean_reason
from shared.web import Field, form_text

_NAMES = ("body", "date", "begins_at", "ends_at", "mode", "place", "title", "occasion")
_DONE = notices.DONE | frozenset(
    {
        "planned",
        "scheduled",
        "meeting-changed",
        "cancelled",
        "elected",
        "still-refused",
        "struck",
        "struck-alone",
        "struck-others",
        "unlocked",
        "unlocked-draft",
        "put-forward-before",
        "sent-to-sign",
    }
)
_REFUSED = {"starts": ("begins_at", "meeting.time"), "ends": ("ends_at", "meeting.ends")}


class MeetingPages(OfficePages):
    def add_to(self, router: APIRouter) -> None:
        get(router, "/office/meetings", self.office_meetings)
        get(router, "/office/meetings/new", self.office_meeting_new)
        post(router, "/office/meetings/new", self.office_meeting_schedule)
        get(router, "/office/meetings/{meeting_id}", self.office_meeting)
        get(router, "/office/meetings/{meeting_id}/minutes.pdf", self.office_minutes)
        get(router, "/office/meetings/{meeting_id}/minutes.html", self.office_minutes_html)
        post(router, "/office/meetings/{meeting_id}/elections", self.office_elections_again)
        get(router, "/office/meetings/{meeting_id}/change", self.office_meeting_form)
        post(router, "/office/meetings/{meeting_id}/change", self.office_meeting_change)
        get(router, "/office/meetings/{meeting_id}/cancel", self.office_meeting_cancelling)
        post(router, "/office/meetings/{meeting_id}/cancel", self.office_meeting_cancel)

    async def office_meetings(
        self, request: Request, year: str = "", body: str = "", done: str = "", principal: Principal = READER
    ) -> Response:
        """`body`: its id, for its meetings alone."""
        today = self._today()
        shown = int(year) if year in map(str, YEARS) else today.year
        bodies = await self._commands.bodies.bodies(principal.organisation)
        chosen = next((one for one in bodies if one.id == body), None)
        found = await self._commands.meetings.year(principal.organisation, shown)
        meetings, clashes = found.meetings, found.clashes
        if chosen is not None:
            name, which = body_key(chosen.details.name), WhichBody(chosen.id, chosen.details.name)
            meetings = [one for one in meetings if one.which_body.is_same(which)]
            clashes = [one for one in clashes if name in (body_key(one.body), body_key(one.other or ""))]
        return self._page(
            request,
            "office/meetings.html",
            principal,
            year=shown,
            years=(max(shown - 1, YEARS[0]), min(shown + 1, YEARS[-1])),
            today=today,
            months=[(number, _month(shown, number, meetings)) for number in range(1, 13)],
            any=bool(meetings),
            late=await self._commands.notices.late(principal.organisation),
            in_the_way=[(one, holiday_of(one)) for one in clashes],
            marked={(one.date, name) for one in clashes for name in (one.body, one.other or "")},
            bodies=[one for one in bodies if one.closed is None or one is chosen],
            chosen=chosen,
            done=done if done in _DONE else "",
        )

    async def office_meeting(
        self, request: Request, meeting_id: str, done: str = "", principal: Principal = READER
    ) -> Response:
        meeting = await self._commands.meetings.meeting(principal.organisation, meeting_id)
        stands = meeting.status is not MeetingStatus.CANCELLED
        coming = stands and not meeting.is_over(self._clock.now())
        clashes = await self._commands.meetings.clashes(principal.organisation, meeting) if coming else []
        view = await self._commands.notices.notice(principal.organisation, meeting_id)
        asked = await self._commands.replies.asked(principal.organisation, meeting_id) if view else []
        elections = await self._commands.minutes.elections(principal.organisation, meeting_id)
        poll = await self._commands.polls.latest(principal.organisation, meeting_id) if coming else None
        manuscript = (await self._commands.manuscripts.desk(principal.organisation, meeting_id)).manuscript
        minutes = await self._commands.minutes.versions(principal.organisation, meeting_id)
        review = await self._commands.reviews.latest(principal.organisation, meeting_id)
        publication = await self._commands.publications.of_meeting(principal.organisation, meeting_id)
        sitting = (await self._commands.sittings.scene(principal.organisation, meeting_id)).state
        agenda = await self._commands.agendas.agenda(principal.organisation, meeting_id)
        way = []
        if stands and (not coming or sitting):
            way = path_of(sitting, manuscript, minutes, review.review if review else None, publication)
        elif coming and view:
            way = path_before(view, has_items=bool(agenda.items))
        return self._page(
            request,
            "office/meeting.html",
            principal,
            meeting=meeting,
            details=meeting.details,
            body=await self._body_of(principal, meeting),
            view=view,
            stage=view.notice.stage.value if view else "",
            asked=asked,
            names={one.person.id: one.person.details.name for one in asked},
            stands=stands,
            coming=coming,
            today=self._today(),
            in_the_way=[(one, holiday_of(one)) for one in clashes],
            manuscript=manuscript,
            minutes=minutes,
            adjusted=await self._commands.adjusting.of_meeting(principal.organisation, meeting_id),
            review=review,
            way=way,
            elections=elections,
            taken_over=await self._commands.meetings.taken_over(principal.organisation, meeting),
            tasks=await self._commands.tasks.of_meeting(principal.organisation, meeting_id),
            agenda=agenda,
            proposed=await self._commands.proposals.waiting(principal.organisation, meeting_id) if coming else 0,
            poll=poll if poll and poll.poll.status is PollStatus.OPEN else None,
            not_seated=any(one.state == "refused" for one in elections),
            done=done if done in _DONE else "",
        )

    async def office_minutes(self, meeting_id: str, principal: Principal = READER) -> Response:
        pdf = await self._commands.minutes.original_pdf(principal.organisation, meeting_id)
        return Response(pdf, media_type="application/pdf")

    async def office_minutes_html(self, meeting_id: str, principal: Principal = READER) -> Response:
        return html_answer(await self._commands.minutes.as_html(principal.organisation, meeting_id))

    async def office_elections_again(
        self, request: Request, meeting_id: str, principal: Principal = SECRETARY
    ) -> Response:
        found = await self._commands.minutes.seat_again(principal.organisation, meeting_id)
        still = any(one.state == "refused" for one in found)
        return back(request, "office_meeting", "still-refused" if still else "elected", meeting_id=meeting_id)

    async def office_meeting_new(self, request: Request, body: str = "", principal: Principal = SECRETARY) -> Response:
        """`body`: the id of the one that is chosen."""
        return await self._form(request, principal, None, _filled(None) | {"body": Field("body", body)})

    async def office_meeting_schedule(self, request: Request, principal: Principal = SECRETARY) -> Response:
        fields = await typed(request, _NAMES)
        bodies = await self._commands.bodies.bodies(principal.organisation)
        body = next((one for one in bodies if one.id == fields["body"].value and one.closed is None), None)
        wrong(fields, "body", None if body else "meeting.body")
        wish = _wish(fields, body.details.name if body else "-", body.details.rules.language if body else "sv")
        if wish is None or body is None:
            return await self._form(request, principal, None, fields)
        meant = await form_text(request, "meant")
        try:
            meeting = await self._commands.meetings.schedule_for(principal.organisation, body.id, wish, meant=meant)
        except ClashesFound as found:
            return await self._form(request, principal, None, fields, clashes=found)
        except InvalidInput as error:
            if not refused(fields, error, _REFUSED):
                raise
            return await self._form(request, principal, None, fields)
        return back(request, "office_meeting", "scheduled", meeting_id=meeting.id)

    async def office_meeting_form(
        self, request: Request, meeting_id: str, principal: Principal = SECRETARY
    ) -> Response:
        meeting = await self._standing(principal, meeting_id)
        return await self._form(request, principal, meeting, _filled(meeting.details))

    async def office_meeting_change(
        self, request: Request, meeting_id: str, principal: Principal = SECRETARY
    ) -> Response:
        meeting = await self._standing(principal, meeting_id)
        body = await self._body_of(principal, meeting)
        fields = await typed(request, _NAMES)
        seen = version_of(await form_text(request, "version"))
        wish = _wish(fields, meeting.details.body, body.details.rules.language if body else "sv")
        if seen != meeting.version:
            return await self._form(request, principal, meeting, fields, meanwhile=True)
        if wish is None:
            return await self._form(request, principal, meeting, fields)
        meant = await form_text(request, "meant")
        try:
            await self._commands.meetings.change_as(principal.organisation, meeting_id, wish, version=seen, meant=meant)
        except ClashesFound as found:
            return await self._form(request, principal, meeting, fields, clashes=found)
        except InvalidInput as error:
            if not refused(fields, error, _REFUSED):
                raise
            return await self._form(request, principal, meeting, fields)
        except Refused:
            meeting = await self._standing(principal, meeting_id)
            return await self._form(request, principal, meeting, fields, meanwhile=True)
        return back(request, "office_meeting", "meeting-changed", meeting_id=meeting_id)

    async def office_meeting_cancelling(
        self, request: Request, meeting_id: str, principal: Principal = SECRETARY
    ) -> Response:
        meeting = await self._standing(principal, meeting_id)
        fields = {"reason": Field("reason")}
        return self._page(request, "office/meeting_cancel.html", principal, meeting=meeting, fields=fields)

    async def office_meeting_cancel(
        self, request: Request, meeting_id: str, principal: Principal = SECRETARY
    ) -> Response:
        meeting = await self._standing(principal, meeting_id)
        fields = await typed(request, ("reason",))
        error = line_error(clean_reason, fields["reason"].value, longest=MAX_REASON)
        wrong(fields, "reason", f"reason.{error}" if error else None)
        if is_wrong(fields):
            return self._page(request, "office/meeting_cancel.html", principal, meeting=meeting, fields=fields)
        await self._commands.meetings.cancel(
            principal.organisation,
            meeting_id,
            fields["reason"].value,
            version=version_of(await form_text(request, "version")),
        )
        return back(request, "office_meeting", "cancelled", meeting_id=meeting_id)

    async def _standing(self, principal: Principal, meeting_id: str) -> Meeting:
        """Raises NotFound; Refused for one that is cancelled."""
        meeting = await self._commands.meetings.meeting(principal.organisation, meeting_id)
        meeting.require_scheduled()
        return meeting

    async def _form(
        self,
        request: Request,
        principal: Principal,
        meeting: Meeting | None,
        fields: Fields,
        *,
        clashes: ClashesFound | None = None,
        meanwhile: bool = False,
    ) -> Response:
        """`clashes`: to be meant, or not. `meanwhile`: someone else changed the meeting."""
        bodies = [] if meeting else await self._commands.bodies.bodies(principal.organisation)
        now = _filled(meeting.details) if meeting else {}
        return self._page(
            request,
            "office/meeting_form.html",
            principal,
            fields=fields,
            refused=meanwhile or clashes is not None,
            meeting=meeting,
            bodies=[one for one in bodies if one.closed is None],
            modes=tuple(Mode),
            occasions=tuple(Occasion),
            in_the_way=[(one, holiday_of(one)) for one in clashes.found] if clashes else [],
            meant=clashes.digest if clashes else "",
            meanwhile=meanwhile,
            # The body is no field of the form of a meeting that is there.
            differing=[one for name, one in now.items() if name != "body" and one.value != fields[name].value]
            if meanwhile
            else [],
        )


def _month(year: int, month: int, meetings: list[Meeting]) -> list[tuple[date, str, list[Meeting]]]:
    """The days of a month on which something is: its holiday's text key, and its meetings. Sundays are no news."""
    day = date(year, month, 1)
    found = []
    while day.month == month:
        there = [one for one in meetings if one.details.starts.date() == day]
        name = holiday(day) if day.weekday() < 6 else ""
        if there or name:
            found.append((day, key_from(name) if name else "", there))
        day += timedelta(days=1)
    return found


def holiday_of(clash: Clash) -> str:
    """The text key of the holiday that a clash is about."""
    day = clash.date + timedelta(days=1) if clash.kind == "eve" else clash.date
    return key_from(holiday(day)) if clash.kind in ("holiday", "eve") else ""


def _filled(details: MeetingDetails | None) -> Fields:
    """The form as it is opened."""
    values: Mapping[str, str] = {"mode": Mode.PHYSICAL, "occasion": Occasion.ORDINARY}
    if details is not None:
        values = {
            "body": details.body,
            "date": details.starts.date().isoformat(),
            "begins_at": f"{details.starts:%H:%M}",
            "ends_at": f"{details.ends:%H:%M}",
            "mode": details.mode or Mode.PHYSICAL,
            "place": details.place,
            "title": details.title,
            "occasion": details.occasion,
        }
    return {name: Field(name, str(values.get(name, ""))) for name in _NAMES}


def _wish(fields: Fields, body: str, language: str) -> Wish | None:
    """None when something was put at a field. Without a title, it is called as its body."""
    day = day_of(fields, "date")
    wrong(fields, "date", None if day and day.year in YEARS else "day")
    begins, ends = time_of(fields, "begins_at"), time_of(fields, "ends_at")
    if begins and ends and ends <= begins:
        wrong(fields, "ends_at", "meeting.ends")
    wrong(fields, "mode", None if fields["mode"].value in tuple(Mode) else "choice")
    wrong(fields, "occasion", None if fields["occasion"].value in tuple(Occasion) else "choice")
    place = fields["place"].value or (readable.ONLINE[language] if fields["mode"].value == Mode.DIGITAL else "")
    error = line_error(lambda text: clean_line(text, "place"), place)
    wrong(fields, "place", "meeting.place" if error == "empty" else error)
    wrong(fields, "title", line_error(lambda text: clean_line(text, "title"), fields["title"].value, required=False))
    if is_wrong(fields) or day is None or begins is None or ends is None:
        return None
    return Wish(
        title=fields["title"].value or body,
        place=place,
        starts=datetime.combine(day, begins),
        ends=datetime.combine(day, ends),
        mode=Mode(fields["mode"].value),
        occasion=Occasion(fields["occasion"].value),
    )
