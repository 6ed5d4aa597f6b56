"""The page of the files that a meeting's minutes may name as annexes, and what to write in the minutes."""

import json

from fastapi import APIRouter, Request
from fastapi.responses import Response

from services.meetings.annex.annex import MeetingFile
from services.meetings.attachment.api import file_answer
from services.meetings.attachment.attachment import title_of
from services.meetings.attachment.commands import Upload
from services.meetings.body.body import BodyRules
from services.meetings.meeting.meeting import MeetingStatus
from services.meetings.pages.attachments import file_error
from services.meetings.pages.office import READER, SECRETARY, Fields, OfficePages, back, get, post, wrong
from shared.auth import Principal
from shared.errors import InvalidInput, TooLarge
from shared.web import Field, form_upload, large_file_form

_DONE = frozenset({"annex-added", "annex-removed"})


class AnnexPages(OfficePages):
    def add_to(self, router: APIRouter) -> None:
        get(router, "/office/meetings/{meeting_id}/annexes", self.office_annexes)
        router.add_api_route(
            "/office/meetings/{meeting_id}/annexes",
            self.office_annex_add,
            methods=["POST"],
            response_model=None,
            dependencies=[large_file_form(self._commands.annexes.largest)],
        )
        get(router, "/office/meetings/{meeting_id}/annexes/{annex_id}", self.office_annex_file)
        post(router, "/office/meetings/{meeting_id}/annexes/{annex_id}/remove", self.office_annex_remove)

    async def office_annexes(
        self, request: Request, meeting_id: str, done: str = "", principal: Principal = READER
    ) -> Response:
        fields = {"file": Field("file")}
        return await self._list(request, principal, meeting_id, fields, done=done if done in _DONE else "")

    async def office_annex_add(self, request: Request, meeting_id: str, principal: Principal = SECRETARY) -> Response:
        fields = {"file": Field("file")}
        file = await form_upload(request, "file")
        wrong(fields, "file", "attachment.none" if file is None else None)
        if file is not None:
            try:
                upload = Upload(file.filename or "", file.file)
                await self._commands.annexes.hand_in(principal.organisation, meeting_id, upload)
                return back(request, "office_annexes", "annex-added", meeting_id=meeting_id)
            except (InvalidInput, TooLarge) as error:
                wrong(fields, "file", file_error(error))
        return await self._list(request, principal, meeting_id, fields)

    async def office_annex_file(self, meeting_id: str, annex_id: str, principal: Principal = READER) -> Response:
        return file_answer(*await self._commands.annexes.content(principal.organisation, meeting_id, annex_id))

    async def office_annex_remove(
        self, request: Request, meeting_id: str, annex_id: str, principal: Principal = SECRETARY
    ) -> Response:
        await self._commands.annexes.remove(principal.organisation, meeting_id, annex_id)
        return back(request, "office_annexes", "annex-removed", meeting_id=meeting_id)

    async def _list(
        self, request: Request, principal: Principal, meeting_id: str, fields: Fields, *, done: str = ""
    ) -> Response:
        meeting = await self._commands.meetings.meeting(principal.organisation, meeting_id)
        files = await self._commands.annexes.files(principal.organisation, meeting_id)
        body = await self._body_of(principal, meeting)
        return self._page(
            request,
            "office/annexes.html",
            principal,
            fields=fields,
            meeting=meeting,
            details=meeting.details,
            stands=meeting.status is not MeetingStatus.CANCELLED,
            handed_in=[one for one in files if one.origin == "minutes"],
            of_agenda=[one for one in files if one.origin == "agenda"],
            rule=(body.details.rules if body else BodyRules()).annexes,
            example=_example(files),
            largest=self._commands.annexes.largest,
            done=done,
        )


def _example(files: list[MeetingFile]) -> tuple[str, str] | None:
    """What names the first of them: the line among the minutes' fields, and that in a paragraph."""
    if not files:
        return None
    first = files[0]
    title = first.title or title_of(first.name)
    # JSON's strings are YAML's (YAML 1.2, section 1.3).
    quoted = [json.dumps(text, ensure_ascii=False) for text in (title, first.name)]
    return f"annexes:\n  - {{title: {quoted[0]}, file: {quoted[1]}}}", f"### Bilaga\n\n- {title}"
