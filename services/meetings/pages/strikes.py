"""The page on which a meeting is struck and another one takes its items: filled in, looked at, then done in one go."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from fastapi import APIRouter, Request
from fastapi.responses import Response

from services.meetings.agenda.agenda import Item, ItemDetails, require_open
from services.meetings.body.body import Body, ItemKind
from services.meetings.meeting.meeting import Meeting, MeetingStatus, Mode
from services.meetings.pages.meetings import holiday_of
from services.meetings.pages.office import (
    SECRETARY,
    Fields,
    OfficePages,
    back,
    get,
    is_wrong,
    line_error,
    post,
    refused,
    time_of,
    typed,
    wrong,
)
from services.meetings.strike.strike import MOST_ADDED, Strike, StrikeOutlook, chosen
from shared.auth import Principal
from shared.errors import InvalidInput, Refused
from shared.text import MAX_REASON, clean_line, clean_reason
from shared.web import Field, form_text, form_texts

_NAMES = ("to_meeting", "reason", "added", "ends_at", "mode", "place", "note")
_REFUSED = {
    "ends": ("ends_at", "meeting.ends"),
    "place": ("place", "characters"),
    "note": ("note", "characters"),
    "reason": ("reason", "reason.characters"),
    "to_meeting_id": ("to_meeting", "item.to"),
}


@dataclass(frozen=True, slots=True)
class _Scene:
    """The meeting, those that could take its items, the items that can go along, and which of them do unless said."""

    meeting: Meeting
    others: list[Meeting]
    items: list[Item]
    usual: list[str]


class StrikePages(OfficePages):
    def add_to(self, router: APIRouter) -> None:
        get(router, "/office/meetings/{meeting_id}/strike", self.office_strike)
        post(router, "/office/meetings/{meeting_id}/strike", self.office_strike_sent)

    async def office_strike(self, request: Request, meeting_id: str, principal: Principal = SECRETARY) -> Response:
        scene = await self._scene(principal, meeting_id)
        fields = {name: Field(name) for name in _NAMES}
        if scene.others:
            fields["to_meeting"] = Field("to_meeting", scene.others[0].id)
        return self._strike(request, principal, scene, fields, scene.usual)

    async def office_strike_sent(self, request: Request, meeting_id: str, principal: Principal = SECRETARY) -> Response:
        """Looked at; done when just that was shown."""
        scene = await self._scene(principal, meeting_id)
        fields = await typed(request, _NAMES)
        items = await form_texts(request, "item")
        wish = _wish(fields, items, scene)
        if wish is None:
            return self._strike(request, principal, scene, fields, items)
        strikes, digest, moved = self._commands.strikes, await form_text(request, "pin"), False
        try:
            if await form_text(request, "act") == "strike":
                try:
                    struck = await strikes.strike(principal.organisation, meeting_id, wish, digest=digest)
                    others = "struck-others" if struck.outlook.items else "struck-alone"
                    done = "struck" if struck.meeting.taken_over_by else others
                    return back(request, "office_meeting", done, meeting_id=wish.to_meeting_id)
                except Refused:
                    moved = True
            shown = await strikes.check(principal.organisation, meeting_id, wish)
        except (Refused, InvalidInput) as error:
            if not refused(fields, error, _REFUSED):
                raise
            return self._strike(request, principal, scene, fields, items)
        body = await self._body_of(principal, scene.meeting) if _needs_link(shown.to) else None
        no_join_link = body if body is not None and not body.details.rules.join_link else None
        return self._strike(
            request, principal, scene, fields, items, shown=shown, moved=moved, no_join_link=no_join_link
        )

    async def _scene(self, principal: Principal, meeting_id: str) -> _Scene:
        """Raises NotFound; Refused for a meeting that was held or is cancelled."""
        agenda = await self._commands.agendas.agenda(principal.organisation, meeting_id)
        meeting = agenda.meeting
        require_open(meeting, self._clock.now())
        waiting = await self._commands.agendas.waiting(principal.organisation, meeting.which_body)
        return _Scene(
            meeting,
            await self._others(principal, meeting),
            [*agenda.items, *waiting],
            [one.id for one in chosen(None, agenda.items, waiting, meeting)],
        )

    async def _others(self, principal: Principal, meeting: Meeting) -> list[Meeting]:
        """Meetings to come of the same body, in the next twelve months; those behind it first."""
        today, now = self._today(), self._clock.now()
        found: list[Meeting] = []
        for year in (today.year, today.year + 1):
            found += await self._commands.meetings.of_year(principal.organisation, year)
        last = today + timedelta(days=366)
        others = [
            one
            for one in found
            if one.id != meeting.id
            and one.status is not MeetingStatus.CANCELLED
            and not one.is_over(now)
            and one.details.starts.date() <= last
            and one.which_body.is_same(meeting.which_body)
        ]
        return sorted(others, key=lambda one: (one.details.starts < meeting.details.starts, one.details.starts, one.id))

    def _strike(
        self,
        request: Request,
        principal: Principal,
        scene: _Scene,
        fields: Fields,
        items: Iterable[str],
        *,
        shown: StrikeOutlook | None = None,
        moved: bool = False,
        no_join_link: Body | None = None,
    ) -> Response:
        """`moved`: what was shown is not what it would come to any more. `no_join_link`: the body, when the other
        meeting would be one that people join from elsewhere, and nobody knows where."""
        return self._page(
            request,
            "office/strike.html",
            principal,
            fields=fields,
            refused=moved,
            scene=scene,
            meeting=scene.meeting,
            chosen=set(items),
            modes=tuple(Mode),
            shown=shown,
            in_the_way=[(one, holiday_of(one)) for one in shown.clashes] if shown else [],
            moved=moved,
            no_join_link=no_join_link,
        )


def _needs_link(meeting: Meeting) -> bool:
    return meeting.details.mode in (Mode.DIGITAL, Mode.HYBRID)


def _wish(fields: Fields, items: list[str], scene: _Scene) -> Strike | None:
    """None when something was put at a field."""
    value = {name: field.value for name, field in fields.items()}
    to = next((one for one in scene.others if one.id == value["to_meeting"]), None)
    wrong(fields, "to_meeting", None if to else "item.to")
    error = line_error(clean_reason, value["reason"], longest=MAX_REASON)
    wrong(fields, "reason", f"reason.{error}" if error else None)
    added = [line.strip() for line in value["added"].splitlines() if line.strip()]
    wrong(fields, "added", "strike.many" if len(added) > MOST_ADDED else None)
    for title in added:
        error = line_error(lambda text: clean_line(text, "title"), title)
        wrong(fields, "added", f"item.{error}" if error else None)
    ends = time_of(fields, "ends_at") if value["ends_at"] else None
    wrong(fields, "mode", None if value["mode"] in ("", *Mode) else "choice")
    wrong(fields, "place", line_error(lambda text: clean_line(text, "place"), value["place"], required=False))
    wrong(fields, "note", "too_long_note" if len(value["note"]) > MAX_REASON else None)
    if is_wrong(fields) or to is None:
        return None
    there = {one.id for one in scene.items}
    return Strike(
        to_meeting_id=to.id,
        reason=value["reason"],
        items=tuple(one for one in items if one in there),
        add=tuple(ItemDetails(title=title, kind=ItemKind.DISCUSSION) for title in added),
        ends=datetime.combine(to.details.ends.date(), ends) if ends else None,
        mode=Mode(value["mode"]) if value["mode"] else None,
        place=value["place"] or None,
        note=value["note"] or None,
    )
