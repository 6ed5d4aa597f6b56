"""The pages of agendas: a meeting's items, the form of one, and its way to another meeting."""

from collections.abc import Iterable
from datetime import date, timedelta

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response

from services.meetings.agenda.agenda import (
    MAX_MINUTES,
    MAX_TEXT,
    HowItLeft,
    Item,
    ItemDetails,
    clean_text,
    require_open,
)
from services.meetings.body.body import ItemKind
from services.meetings.meeting.meeting import YEARS, Meeting, MeetingStatus, WhichBody
from services.meetings.pages.office import (
    READER,
    SECRETARY,
    STEPS,
    Fields,
    OfficePages,
    back,
    day_of,
    direction_of,
    get,
    is_id,
    is_wrong,
    line_error,
    number_of,
    post,
    typed,
    version_of,
    wrong,
)
from shared.auth import Principal
from shared.errors import InvalidInput, NotFound, Refused
from shared.text import MAX_NAME, MAX_REASON, clean_line, clean_name, clean_reason
from shared.web import Field, form_text, path_for

_NAMES = ("item_title", "item_kind", "presenter", "item_minutes", "background", "proposal")
_MOVE_NAMES = ("how", "to_meeting", "item_back_on", "reason")
_WAITS = "waits"
_KINDS = tuple(ItemKind)
_DONE = frozenset({"item-added", "item-changed", "item-moved", "item-removed"})


class AgendaPages(OfficePages):
    def add_to(self, router: APIRouter) -> None:
        get(router, "/office/meetings/{meeting_id}/agenda", self.office_agenda)
        get(router, "/office/meetings/{meeting_id}/agenda/new", self.office_item_new)
        post(router, "/office/meetings/{meeting_id}/agenda/new", self.office_item_add)
        post(router, "/office/meetings/{meeting_id}/agenda/begin", self.office_agenda_begin)
        get(router, "/office/items/{item_id}", self.office_item_form)
        post(router, "/office/items/{item_id}", self.office_item_change)
        post(router, "/office/items/{item_id}/step", self.office_item_step)
        get(router, "/office/items/{item_id}/move", self.office_item_moving)
        post(router, "/office/items/{item_id}/move", self.office_item_move)
        get(router, "/office/items/{item_id}/remove", self.office_item_removing)
        post(router, "/office/items/{item_id}/remove", self.office_item_remove)

    async def office_agenda(
        self, request: Request, meeting_id: str, done: str = "", principal: Principal = READER
    ) -> Response:
        agenda = await self._commands.agendas.agenda(principal.organisation, meeting_id)
        open_now = self._is_open(agenda.meeting)
        waiting = await self._commands.agendas.waiting(principal.organisation, agenda.meeting.which_body)
        return self._page(
            request,
            "office/agenda.html",
            principal,
            agenda=agenda,
            meeting=agenda.meeting,
            details=agenda.meeting.details,
            open_now=open_now,
            attachments=await self._commands.attachments.of_meeting(principal.organisation, meeting_id),
            notice_by=agenda.notice_by if open_now else None,
            notice_is_out=agenda.notice_is_out,
            today=self._today(),
            left=[(item, item.stay_at(meeting_id)) for item in agenda.left],
            waiting=[one for one in waiting if one.stay_at(meeting_id) is None] if open_now else [],
            coming_back=await self._commands.tasks.coming_back(principal.organisation, meeting_id),
            is_open=self._is_open,
            proposed=await self._commands.proposals.waiting(principal.organisation, meeting_id) if open_now else 0,
            total=sum(item.details.minutes or 0 for item in agenda.items),
            done=done if done in _DONE else "",
        )

    async def office_agenda_begin(
        self, request: Request, meeting_id: str, principal: Principal = SECRETARY
    ) -> Response:
        await self._commands.agendas.begin(principal.organisation, meeting_id)
        return RedirectResponse(path_for(request, "office_agenda", meeting_id=meeting_id), 303)

    async def office_item_new(self, request: Request, meeting_id: str, principal: Principal = SECRETARY) -> Response:
        meeting = await self._commands.meetings.meeting(principal.organisation, meeting_id)
        require_open(meeting, self._clock.now())
        return self._form(request, principal, meeting, None, _filled(None))

    async def office_item_add(self, request: Request, meeting_id: str, principal: Principal = SECRETARY) -> Response:
        meeting = await self._commands.meetings.meeting(principal.organisation, meeting_id)
        require_open(meeting, self._clock.now())
        fields = await typed(request, _NAMES)
        details = _details(fields)
        if details is None:
            return self._form(request, principal, meeting, None, fields)
        await self._commands.agendas.add(principal.organisation, meeting_id, details)
        return back(request, "office_agenda", "item-added", meeting_id=meeting_id)

    async def office_item_form(self, request: Request, item_id: str, principal: Principal = READER) -> Response:
        item, meeting = await self._item(principal, item_id)
        return self._form(request, principal, meeting, item, _filled(item))

    async def office_item_change(self, request: Request, item_id: str, principal: Principal = SECRETARY) -> Response:
        item, meeting = await self._item(principal, item_id)
        fields = await typed(request, _NAMES)
        seen = version_of(await form_text(request, "version"))
        details = _details(fields)
        if seen != item.version:
            return self._form(request, principal, meeting, item, fields, meanwhile=True)
        if details is None:
            return self._form(request, principal, meeting, item, fields)
        try:
            await self._commands.agendas.change(principal.organisation, item_id, details, version=seen)
        except Refused:
            item, meeting = await self._item(principal, item_id)
            if item.version == seen:
                raise
            return self._form(request, principal, meeting, item, fields, meanwhile=True)
        return self._back(request, item, "item-changed")

    async def office_item_step(self, request: Request, item_id: str, principal: Principal = SECRETARY) -> Response:
        direction = await direction_of(request)
        item = await self._commands.agendas.step(principal.organisation, item_id, STEPS[direction])
        page = path_for(request, "office_agenda", meeting_id=item.meeting_id or "")
        return RedirectResponse(f"{page}#{direction}-{item.id}", 303)

    async def office_item_moving(
        self, request: Request, item_id: str, to: str = "", principal: Principal = SECRETARY
    ) -> Response:
        """`to`: the id of the meeting that is chosen."""
        item, meeting = await self._item(principal, item_id)
        values = {"how": HowItLeft.MOVED, "to_meeting": to}
        fields = {name: Field(name, str(values.get(name, ""))) for name in _MOVE_NAMES}
        return await self._move_form(request, principal, item, meeting, fields)

    async def office_item_move(self, request: Request, item_id: str, principal: Principal = SECRETARY) -> Response:
        item, meeting = await self._item(principal, item_id)
        fields = await typed(request, _MOVE_NAMES)
        how, to = fields["how"].value, fields["to_meeting"].value
        wrong(fields, "how", None if how in tuple(HowItLeft) else "choice")
        needs_meeting = meeting is None or how == HowItLeft.MOVED
        wrong(fields, "to_meeting", "item.to" if not is_id(to) or (to == _WAITS and needs_meeting) else None)
        needs_reason = how == HowItLeft.REFERRED_BACK and not fields["reason"].value
        wrong(fields, "reason", "item.reason" if needs_reason else None)
        wrong(fields, "reason", _reason_error(fields["reason"].value))
        back_on = day_of(fields, "item_back_on")
        is_late = back_on is not None and not self._today() < back_on < date(YEARS[-1], 1, 1)
        wrong(fields, "item_back_on", "item.back_on" if is_late else None)
        if is_wrong(fields):
            return await self._move_form(request, principal, item, meeting, fields)
        seen = version_of(await form_text(request, "version"))
        try:
            await self._commands.agendas.move(
                principal.organisation,
                item_id,
                None if to == _WAITS else to,
                how=HowItLeft(how),
                reason=fields["reason"].value or None,
                version=seen,
                back_on=back_on if to == _WAITS else None,
            )
        except (Refused, NotFound) as error:
            item, meeting = await self._item(principal, item_id)
            if isinstance(error, NotFound):
                wrong(fields, "to_meeting", "item.to")
                return await self._move_form(request, principal, item, meeting, fields)
            if item.version != seen:
                return await self._move_form(request, principal, item, meeting, fields, meanwhile=True)
            if to == _WAITS:
                raise
            wrong(fields, "to_meeting", "item.to_closed")
            return await self._move_form(request, principal, item, meeting, fields)
        if meeting is None:
            return back(request, "office_agenda", "item-moved", meeting_id=to)
        return back(request, "office_agenda", "item-moved", meeting_id=meeting.id)

    async def office_item_removing(self, request: Request, item_id: str, principal: Principal = SECRETARY) -> Response:
        item, meeting = await self._item(principal, item_id)
        return self._page(request, "office/item_remove.html", principal, item=item, meeting=meeting)

    async def office_item_remove(self, request: Request, item_id: str, principal: Principal = SECRETARY) -> Response:
        item, _ = await self._item(principal, item_id)
        seen = version_of(await form_text(request, "version"))
        await self._commands.agendas.remove(principal.organisation, item_id, version=seen)
        return self._back(request, item, "item-removed")

    async def _item(self, principal: Principal, item_id: str) -> tuple[Item, Meeting | None]:
        """With the meeting it stands at. Raises NotFound."""
        item = await self._commands.agendas.item(principal.organisation, item_id)
        if item.meeting_id is None:
            return item, None
        return item, await self._commands.meetings.meeting(principal.organisation, item.meeting_id)

    def _back(self, request: Request, item: Item, done: str) -> Response:
        """To the agenda that it stands on; of one that waits, that of the meeting it left last."""
        meeting_id = item.meeting_id or item.stays[-1].meeting_id
        return back(request, "office_agenda", done, meeting_id=meeting_id)

    def _is_open(self, meeting: Meeting) -> bool:
        return meeting.status is not MeetingStatus.CANCELLED and not meeting.is_over(self._clock.now())

    def _form(
        self,
        request: Request,
        principal: Principal,
        meeting: Meeting | None,
        item: Item | None,
        fields: Fields,
        *,
        meanwhile: bool = False,
    ) -> Response:
        """`meanwhile`: someone else changed the item. What was typed stays, beside how it is now."""
        now = _filled(item)
        differing = [now[name] for name in _NAMES if now[name].value != fields[name].value] if meanwhile else []
        return self._page(
            request,
            "office/item_form.html",
            principal,
            fields=fields,
            refused=meanwhile,
            item=item,
            meeting=meeting,
            back_to=meeting.id if meeting else item.stays[-1].meeting_id if item else "",
            open_now=meeting is None or self._is_open(meeting),
            kinds=_KINDS,
            meanwhile=meanwhile,
            differing=differing,
        )

    async def _move_form(
        self,
        request: Request,
        principal: Principal,
        item: Item,
        meeting: Meeting | None,
        fields: Fields,
        *,
        meanwhile: bool = False,
    ) -> Response:
        return self._page(
            request,
            "office/item_move.html",
            principal,
            fields=fields,
            refused=meanwhile,
            item=item,
            meeting=meeting,
            meanwhile=meanwhile,
            hows=tuple(HowItLeft),
            meetings=await self._meetings_to_come(principal, item),
            waits=_WAITS,
            back_to=item.meeting_id or item.stays[-1].meeting_id,
        )

    async def _meetings_to_come(self, principal: Principal, item: Item) -> list[tuple[str, bool, list[Meeting]]]:
        """Those of the next twelve months that can take it."""
        today = self._today()
        found: list[Meeting] = []
        for year in (today.year, today.year + 1):
            found += await self._commands.meetings.of_year(principal.organisation, year)
        last = today + timedelta(days=366)
        open_now = [
            one
            for one in found
            if self._is_open(one) and one.details.starts.date() <= last and one.id != item.meeting_id
        ]
        return by_body(open_now, item.which_body)


def by_body(meetings: Iterable[Meeting], own: WhichBody) -> list[tuple[str, bool, list[Meeting]]]:
    """Meetings by the name of their body, each body's by date: `own` first, and whether it is that; then by name."""
    found: dict[tuple[bool, str], list[Meeting]] = {}
    for one in sorted(meetings, key=lambda one: (one.details.starts, one.id)):
        found.setdefault((not own.is_same(one.which_body), one.details.body), []).append(one)
    return [(name, not other, found[other, name]) for other, name in sorted(found)]


def _filled(item: Item | None) -> Fields:
    """The form as it is opened."""
    details = item.details if item else None
    values = {
        "item_title": details.title if details else "",
        "item_kind": details.kind if details else ItemKind.DECISION,
        "presenter": (details.presenter if details else "") or "",
        "item_minutes": (details.minutes if details else "") or "",
        "background": details.background if details else "",
        "proposal": details.proposal if details else "",
    }
    return {name: Field(name, str(values[name])) for name in _NAMES}


def _details(fields: Fields) -> ItemDetails | None:
    """None when something was put at a field."""
    value = {name: field.value for name, field in fields.items()}
    title = line_error(lambda text: clean_line(text, "title"), value["item_title"])
    wrong(fields, "item_title", f"item.{title}" if title else None)
    wrong(fields, "item_kind", None if value["item_kind"] in _KINDS else "choice")
    presenter = line_error(clean_name, value["presenter"], longest=MAX_NAME, required=False)
    wrong(fields, "presenter", f"person.{presenter}" if presenter else None)
    minutes = number_of(fields, "item_minutes", 1, MAX_MINUTES)
    for name in ("background", "proposal"):
        try:
            clean_text(value[name], name)
        except InvalidInput:
            wrong(fields, name, "item.text_long" if len(value[name]) > MAX_TEXT else "item.text")
    if is_wrong(fields):
        return None
    return ItemDetails(
        title=value["item_title"],
        kind=ItemKind(value["item_kind"]),
        presenter=value["presenter"] or None,
        background=value["background"],
        proposal=value["proposal"],
        minutes=minutes,
    )


def _reason_error(text: str) -> str | None:
    error = line_error(clean_reason, text, longest=MAX_REASON, required=False)
    return f"item.reason_{error}" if error else None
