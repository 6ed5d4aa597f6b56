"""The pages of attachments: an item's files, and one of them with its versions."""

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response

from services.meetings.agenda.agenda import Item
from services.meetings.attachment.api import file_answer
from services.meetings.attachment.attachment import AttachmentDetails, AttachmentShown
from services.meetings.attachment.commands import Upload
from services.meetings.attachment.file_type import Damaged, NotWhatItSays
from services.meetings.meeting.meeting import Meeting, MeetingStatus
from services.meetings.pages.office import (
    READER,
    SECRETARY,
    STEPS,
    Fields,
    OfficePages,
    back,
    direction_of,
    get,
    is_wrong,
    line_error,
    post,
    typed,
    version_of,
    wrong,
)
from shared.auth import Principal
from shared.errors import InvalidInput, Refused, TooLarge
from shared.text import clean_line
from shared.web import Field, form_text, form_upload, large_file_form, path_for

_NAMES = ("attachment_title", "confidential")
_DONE = frozenset(
    {
        *("attachment-added", "attachment-there", "attachment-changed", "attachment-replaced", "attachment-same"),
        "attachment-removed",
    }
)


class AttachmentPages(OfficePages):
    def add_to(self, router: APIRouter) -> None:
        files = [large_file_form(self._commands.attachments.largest)]
        get(router, "/office/items/{item_id}/attachments", self.office_attachments)
        router.add_api_route(
            "/office/items/{item_id}/attachments",
            self.office_attachment_add,
            methods=["POST"],
            response_model=None,
            dependencies=files,
        )
        get(router, "/office/attachments/{attachment_id}", self.office_attachment)
        post(router, "/office/attachments/{attachment_id}", self.office_attachment_change)
        router.add_api_route(
            "/office/attachments/{attachment_id}/versions",
            self.office_attachment_replace,
            methods=["POST"],
            response_model=None,
            dependencies=files,
        )
        get(router, "/office/attachments/{attachment_id}/file/{number}", self.office_attachment_file)
        post(router, "/office/attachments/{attachment_id}/step", self.office_attachment_step)
        get(router, "/office/attachments/{attachment_id}/remove", self.office_attachment_removing)
        post(router, "/office/attachments/{attachment_id}/remove", self.office_attachment_remove)

    async def office_attachments(
        self, request: Request, item_id: str, done: str = "", principal: Principal = READER
    ) -> Response:
        return await self._list(request, principal, item_id, _filled(None), done=done if done in _DONE else "")

    async def office_attachment_add(self, request: Request, item_id: str, principal: Principal = SECRETARY) -> Response:
        fields = {**await typed(request, _NAMES), "file": Field("file")}
        title = fields["attachment_title"].value
        wrong(fields, "attachment_title", _title_error(title, required=False))
        file = await form_upload(request, "file")
        wrong(fields, "file", "attachment.none" if file is None else None)
        if file is not None and not is_wrong(fields):
            confidential = fields["confidential"].value == "yes"
            upload = Upload(file.filename or "", file.file)
            there = {one.id for one in await self._commands.attachments.of_item(principal.organisation, item_id)}
            try:
                added = await self._commands.attachments.add(
                    principal.organisation, item_id, upload, title=title, confidential=confidential
                )
                if added.id not in there:
                    return back(request, "office_attachments", "attachment-added", item_id=item_id)
                if title in ("", added.details.title) and confidential == added.details.confidential:
                    return back(request, "office_attachments", "attachment-there", item_id=item_id)
                wrong(fields, "file", "attachment.there")
            except (InvalidInput, TooLarge) as error:
                wrong(fields, "file", file_error(error))
        return await self._list(request, principal, item_id, fields)

    async def office_attachment(
        self, request: Request, attachment_id: str, done: str = "", principal: Principal = READER
    ) -> Response:
        found = await self._commands.attachments.attachment(principal.organisation, attachment_id)
        return await self._one(request, principal, found, _filled(found), done=done if done in _DONE else "")

    async def office_attachment_change(
        self, request: Request, attachment_id: str, principal: Principal = SECRETARY
    ) -> Response:
        found = await self._commands.attachments.attachment(principal.organisation, attachment_id)
        fields = {**await typed(request, _NAMES), "file": Field("file")}
        title = fields["attachment_title"].value
        wrong(fields, "attachment_title", _title_error(title))
        seen = version_of(await form_text(request, "version"))
        if is_wrong(fields) or seen != found.version:
            return await self._one(request, principal, found, fields, meanwhile=seen != found.version)
        details = AttachmentDetails(title=title, confidential=fields["confidential"].value == "yes")
        try:
            await self._commands.attachments.change(principal.organisation, attachment_id, details, version=seen)
        except Refused:
            found = await self._commands.attachments.attachment(principal.organisation, attachment_id)
            if found.version == seen:
                raise
            return await self._one(request, principal, found, fields, meanwhile=True)
        return back(request, "office_attachments", "attachment-changed", item_id=found.item_id)

    async def office_attachment_replace(
        self, request: Request, attachment_id: str, principal: Principal = SECRETARY
    ) -> Response:
        found = await self._commands.attachments.attachment(principal.organisation, attachment_id)
        fields = _filled(found)
        file = await form_upload(request, "file")
        wrong(fields, "file", "attachment.none" if file is None else None)
        if file is not None:
            try:
                upload = Upload(file.filename or "", file.file)
                replaced = await self._commands.attachments.replace(principal.organisation, attachment_id, upload)
                done = "attachment-same" if replaced.version == found.version else "attachment-replaced"
                return back(request, "office_attachment", done, attachment_id=attachment_id)
            except (InvalidInput, TooLarge) as error:
                wrong(fields, "file", file_error(error))
        return await self._one(request, principal, found, fields)

    async def office_attachment_file(self, attachment_id: str, number: int, principal: Principal = READER) -> Response:
        return file_answer(*await self._commands.attachments.content(principal.organisation, attachment_id, number))

    async def office_attachment_step(
        self, request: Request, attachment_id: str, principal: Principal = SECRETARY
    ) -> Response:
        direction = await direction_of(request)
        found = await self._commands.attachments.step(principal.organisation, attachment_id, STEPS[direction])
        page = path_for(request, "office_attachments", item_id=found.item_id)
        return RedirectResponse(f"{page}#{direction}-{found.id}", 303)

    async def office_attachment_removing(
        self, request: Request, attachment_id: str, principal: Principal = SECRETARY
    ) -> Response:
        found = await self._commands.attachments.attachment(principal.organisation, attachment_id)
        return self._page(request, "office/attachment_remove.html", principal, attachment=found)

    async def office_attachment_remove(
        self, request: Request, attachment_id: str, principal: Principal = SECRETARY
    ) -> Response:
        found = await self._commands.attachments.attachment(principal.organisation, attachment_id)
        seen = version_of(await form_text(request, "version"))
        await self._commands.attachments.remove(principal.organisation, attachment_id, version=seen)
        return back(request, "office_attachments", "attachment-removed", item_id=found.item_id)

    async def _list(
        self, request: Request, principal: Principal, item_id: str, fields: Fields, *, done: str = ""
    ) -> Response:
        item, meeting = await self._item(principal, item_id)
        return self._page(
            request,
            "office/attachments.html",
            principal,
            fields=fields,
            item=item,
            meeting=meeting,
            open_now=self._is_open(meeting),
            attachments=await self._commands.attachments.of_item(principal.organisation, item_id),
            largest=self._commands.attachments.largest,
            done=done,
        )

    async def _one(
        self,
        request: Request,
        principal: Principal,
        found: AttachmentShown,
        fields: Fields,
        *,
        done: str = "",
        meanwhile: bool = False,
    ) -> Response:
        item, meeting = await self._item(principal, found.item_id)
        now = _filled(found)
        differing = [now["attachment_title"]] if meanwhile else []
        return self._page(
            request,
            "office/attachment.html",
            principal,
            fields=fields,
            refused=meanwhile,
            attachment=found,
            item=item,
            open_now=self._is_open(meeting),
            largest=self._commands.attachments.largest,
            zone=meeting.details.timezone if meeting else "Europe/Stockholm",
            meanwhile=meanwhile,
            differing=differing,
            done=done,
        )

    async def _item(self, principal: Principal, item_id: str) -> tuple[Item, Meeting | None]:
        """With the meeting it stands at. Raises NotFound."""
        item = await self._commands.agendas.item(principal.organisation, item_id)
        if item.meeting_id is None:
            return item, None
        return item, await self._commands.meetings.meeting(principal.organisation, item.meeting_id)

    def _is_open(self, meeting: Meeting | None) -> bool:
        if meeting is None:
            return True
        return meeting.status is not MeetingStatus.CANCELLED and not meeting.is_over(self._clock.now())


def _filled(found: AttachmentShown | None) -> Fields:
    """The form as it is opened."""
    title = found.details.title if found else ""
    confidential = "yes" if found and found.details.confidential else "no"
    return {
        "file": Field("file"),
        "attachment_title": Field("attachment_title", title),
        "confidential": Field("confidential", confidential),
    }


def _title_error(title: str, *, required: bool = True) -> str | None:
    error = line_error(lambda text: clean_line(text, "title"), title, required=required)
    return f"attachment.title_{error}" if error else None


def file_error(error: InvalidInput | TooLarge) -> str:
    """The text key of why a file is not taken."""
    if isinstance(error, TooLarge):
        return "attachment.too_large"
    if isinstance(error, NotWhatItSays):
        return "attachment.other_type"
    if isinstance(error, Damaged):
        return "attachment.damaged"
    return "attachment.empty" if "empty" in error.message else "attachment.name"
