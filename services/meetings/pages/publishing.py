"""The page on which signed minutes are posted on the notice board: what is masked is looked at, then confirmed."""

import re
from dataclasses import dataclass
from datetime import date
from http import HTTPStatus
from urllib.parse import urlencode

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response

from services.meetings.body.body import Body
from services.meetings.meeting.meeting import Meeting
from services.meetings.pages.office import (
    READER,
    SECRETARY,
    Fields,
    OfficePages,
    get,
    is_wrong,
    line_error,
    post,
    typed,
    version_of,
    wrong,
)
from services.meetings.publication import deadlines
from services.meetings.publication.publication import Publication, Status
from services.meetings.publication.queries import is_read
from shared.auth import Principal
from shared.errors import InvalidInput, Refused
from shared.rendering.public import LONGEST_MASK, MOST_MASKS, SHORTEST_MASK, Mask, Masking
from shared.text import MAX_REASON, clean_reason
from shared.web import Field, form_text, path_for

_NAMES = ("names", "passages")
_DONE = frozenset({"posted", "corrected", "posting-removed"})
# "§ 28: what stands there", or what stands anywhere.
_OF_PARAGRAPH = re.compile(r"§\s*(\d{1,5})\s*:\s*(.+)")


@dataclass(frozen=True, slots=True)
class _Looked:
    """What a person looks at before they confirm it."""

    masks: tuple[Mask, ...]
    masking: Masking


class PublishPages(OfficePages):
    def add_to(self, router: APIRouter) -> None:
        path = "/office/meetings/{meeting_id}/publish"
        get(router, path, self.office_publish)
        post(router, path, self.office_publish_post)
        post(router, f"{path}/remove", self.office_publish_remove)

    async def office_publish(
        self, request: Request, meeting_id: str, done: str = "", principal: Principal = READER
    ) -> Response:
        alone = _alone(request)
        found = await self._commands.publications.of_meeting(principal.organisation, meeting_id, paragraph=alone)
        before = await self._masked_before(principal, meeting_id)
        fields = _filled(found, before[:MOST_MASKS])
        left_out = 0 if found and found.edition else max(0, len(before) - MOST_MASKS)
        done = done if done in _DONE else ""
        return await self._show(request, principal, meeting_id, fields, done=done, left_out=left_out)

    async def office_publish_post(
        self, request: Request, meeting_id: str, principal: Principal = SECRETARY
    ) -> Response:
        fields = await typed(request, _NAMES)
        masks = _masks(fields)
        if is_wrong(fields):
            return await self._show(request, principal, meeting_id, fields)
        commands, alone = self._commands.publications, _alone(request)
        if await form_text(request, "act") != "post":
            masking = await commands.preview(principal.organisation, meeting_id, masks, paragraph=alone)
            return await self._show(request, principal, meeting_id, fields, looked=_Looked(masks, masking))
        confirmed = await form_text(request, "confirmed")
        seen = version_of(await form_text(request, "version"))
        try:
            made = await commands.post(
                principal.organisation, meeting_id, masks, confirmed=confirmed, version=seen, paragraph=alone
            )
        except Refused:  # somebody else was there meanwhile: it is shown as it is now, with what was typed
            masking = await commands.preview(principal.organisation, meeting_id, masks, paragraph=alone)
            looked = _Looked(masks, masking)
            return await self._show(request, principal, meeting_id, fields, looked=looked, meanwhile=True)
        return _back(request, "corrected" if made.is_corrected else "posted", meeting_id)

    async def office_publish_remove(
        self, request: Request, meeting_id: str, principal: Principal = SECRETARY
    ) -> Response:
        fields = await typed(request, ("removal",))
        error = line_error(clean_reason, fields["removal"].value, longest=MAX_REASON, required=False)
        wrong(fields, "removal", f"reason.{error}" if error else None)
        commands, alone = self._commands.publications, _alone(request)
        if not is_wrong(fields):
            seen = version_of(await form_text(request, "version"))
            try:
                reason = fields["removal"].value
                await commands.remove(principal.organisation, meeting_id, reason, version=seen, paragraph=alone)
                return _back(request, "posting-removed", meeting_id)
            except InvalidInput:
                wrong(fields, "removal", "publish.removal")
            except Refused:
                return await self._again(request, principal, meeting_id)
        found = await commands.of_meeting(principal.organisation, meeting_id, paragraph=alone)
        return await self._show(request, principal, meeting_id, _filled(found) | fields)

    async def _masked_before(self, principal: Principal, meeting_id: str) -> tuple[Mask, ...]:
        """What is masked in paragraphs of theirs that were posted on their own: a name is one of the whole minutes,
        too."""
        parts = await self._commands.publications.parts(principal.organisation, meeting_id)
        return tuple(dict.fromkeys(mask for part in parts for mask in part.masks))

    async def _is_signed(self, principal: Principal, meeting_id: str, alone: int | None) -> bool:
        if alone is None:
            versions = await self._commands.minutes.versions(principal.organisation, meeting_id)
            return bool(versions and versions[0].signed_at and not versions[0].ended)
        adjusted = await self._commands.adjusting.of_meeting(principal.organisation, meeting_id)
        return any(one.paragraph == alone and one.signed_at and one.stands for one in adjusted)

    async def _again(self, request: Request, principal: Principal, meeting_id: str) -> Response:
        """As it is now, since somebody else was there meanwhile."""
        found = await self._commands.publications.of_meeting(
            principal.organisation, meeting_id, paragraph=_alone(request)
        )
        return await self._show(request, principal, meeting_id, _filled(found), meanwhile=True)

    async def _show(
        self,
        request: Request,
        principal: Principal,
        meeting_id: str,
        fields: Fields,
        *,
        looked: _Looked | None = None,
        meanwhile: bool = False,
        done: str = "",
        left_out: int = 0,
    ) -> Response:
        """`left_out`: how many of the masks that are proposed have no room in the form."""
        meeting = await self._commands.meetings.meeting(principal.organisation, meeting_id)
        body = await self._body_of(principal, meeting)
        alone = _alone(request)
        found = await self._commands.publications.of_meeting(principal.organisation, meeting_id, paragraph=alone)
        today = self._today(body)
        standing = deadlines.posting(body.details.rules, today) if body else None
        in_archive = found is not None and found.status is Status.ARCHIVED
        is_posted = in_archive or (found is not None and found.status is Status.POSTED)
        return self._page(
            request,
            "office/publish.html",
            principal,
            fields={"removal": Field("removal")} | fields,  # a form of its own: not of what the other one sent
            refused=meanwhile,
            meeting=meeting,
            body=body,
            publication=found,
            posted=found.posted if found else None,
            is_posted=is_posted,
            is_signed=await self._is_signed(principal, meeting_id, alone),
            alone=alone,
            query="" if alone is None else f"?paragraph={alone}",
            is_early=is_posted and found is not None and found.remove_on is not None and today < found.remove_on,
            in_archive=in_archive,
            keeps=body is not None and body.details.rules.public_archive,
            goes_to_archive=body is not None and _goes_to_archive(body, meeting, today),
            is_kept=body is not None and found is not None and is_read(found, body, self._clock.now()),
            archived_until=deadlines.archived_until(body.details.rules, meeting.details.ends.date()) if body else None,
            standing=standing,
            looked=looked,
            meanwhile=meanwhile,
            done=done,
            left_out=left_out,
        )


def _goes_to_archive(body: Body, meeting: Meeting, today: date) -> bool:
    """Whether the body's public archive goes so far back when what is posted today is taken down."""
    rules = body.details.rules
    since = deadlines.archived_since(rules, deadlines.posting(rules, today).remove_on or today)
    return since is not None and meeting.details.ends.date() >= since


def _alone(request: Request) -> int | None:
    """The paragraph that was approved at once, of whose posting the page is; None of the whole minutes."""
    text = request.query_params.get("paragraph", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 6 else None


def _back(request: Request, done: str, meeting_id: str) -> Response:
    alone = _alone(request)
    more = {} if alone is None else {"paragraph": str(alone)}
    address = path_for(request, "office_publish", meeting_id=meeting_id)
    return RedirectResponse(f"{address}?{urlencode({'done': done} | more)}", HTTPStatus.SEE_OTHER)


def _filled(found: Publication | None, before: tuple[Mask, ...] = ()) -> Fields:
    """The form as it is opened: with what is masked now; of what never was posted, with what is masked already `before`
    it."""
    masks = found.masks if found and found.edition else before
    names = "\n".join(one.text for one in masks if one.kind == "name")
    passages = "\n".join(
        one.text if one.paragraph is None else f"§ {one.paragraph}: {one.text}"
        for one in masks
        if one.kind == "passage"
    )
    return {"names": Field("names", names), "passages": Field("passages", passages)}


def _masks(fields: Fields) -> tuple[Mask, ...]:
    """One a line; what is wrong is put at its field."""
    made = []
    for name in _NAMES:
        for line in fields[name].value.splitlines():
            text = " ".join(line.split())
            if not text:
                continue
            of = _OF_PARAGRAPH.fullmatch(text) if name == "passages" else None
            masked = of[2] if of else text
            if not SHORTEST_MASK <= len(masked.replace(" ", "")) <= LONGEST_MASK:
                wrong(fields, name, "publish.mask")
                continue
            paragraph = int(of[1]) if of else None
            made.append(Mask(kind="name" if name == "names" else "passage", text=masked, paragraph=paragraph))
    if len(made) > MOST_MASKS:
        wrong(fields, "passages", "publish.masks")
        return ()
    return tuple(made)
