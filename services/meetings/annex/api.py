"""The HTTP API of the files for minutes: thin; the rules are in `annex`, the work in `commands`.

A file is the request's body as it is. Sent twice under one name it is one file.
"""

from typing import Literal

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field

from services.meetings.annex.annex import AnnexFile, MeetingFile
from services.meetings.annex.commands import AnnexCommands
from services.meetings.attachment.api import FILE_ANSWER, FILE_BODY, FileName, file_answer, received
from services.meetings.attachment.commands import Upload
from services.meetings.callers import Reader, Secretary
from shared.http import CREATED
from shared.idempotency import OnceOfFile
from shared.routes import LazyRoute
from shared.web import path_for


class FileForMinutes(BaseModel):
    """A file that the minutes may name, by `name` or `id`. `title`: of an attachment of the agenda."""

    id: str
    name: str
    title: str
    origin: Literal["minutes", "agenda"] = Field(description="handed in for the minutes, or of an item on the agenda")
    sha256: str
    size: int = Field(description="bytes")
    media_type: str
    confidential: bool = Field(description="never bound into the minutes, only listed")


class FilesForMinutes(BaseModel):
    files: list[FileForMinutes]


def router(commands: AnnexCommands) -> APIRouter:
    routes = APIRouter(tags=["annexes"], route_class=LazyRoute)

    @routes.get("/meetings/{meeting_id}/annexes")
    async def list_annexes(meeting_id: str, caller: Reader) -> FilesForMinutes:
        """The files that the meeting's minutes may name as annexes: handed in for them, or of the agenda."""
        files = await commands.files(caller.organisation, meeting_id)
        return FilesForMinutes(files=[_shown(one) for one in files])

    @routes.post(
        "/meetings/{meeting_id}/annexes",
        status_code=201,
        response_model=AnnexFile,
        responses=CREATED,
        openapi_extra=FILE_BODY,
    )
    async def hand_in_annex(
        meeting_id: str, request: Request, once: OnceOfFile, caller: Secretary, name: FileName
    ) -> Response:
        """Hand a file in for the meeting's minutes, instead of one of the same name.

        It becomes an annex when minutes that name it are drafted; those that were drafted keep the file that they have.
        """
        async with received(request, commands.largest) as (file, content):
            return await once.over(content).answer(
                caller,
                commands.hand_in(caller.organisation, meeting_id, Upload(name, file)),
                status=201,
                location=lambda made: path_for(
                    request, "get_annex_content", meeting_id=made.meeting_id, annex_id=made.id
                ),
            )

    @routes.delete("/meetings/{meeting_id}/annexes/{annex_id}", status_code=204)
    async def remove_annex(meeting_id: str, annex_id: str, caller: Secretary) -> None:
        """Take away a file that was handed in for the minutes. Minutes that name it keep it."""
        await commands.remove(caller.organisation, meeting_id, annex_id)

    @routes.get("/meetings/{meeting_id}/annexes/{annex_id}/content", response_class=Response, responses=FILE_ANSWER)
    async def get_annex_content(meeting_id: str, annex_id: str, caller: Reader) -> Response:
        """A file that was handed in for the minutes."""
        return file_answer(*await commands.content(caller.organisation, meeting_id, annex_id))

    return routes


def _shown(file: MeetingFile) -> FileForMinutes:
    return FileForMinutes(
        id=file.id,
        name=file.name,
        title=file.title,
        origin=file.origin,
        sha256=file.content.sha256,
        size=file.content.size,
        media_type=file.content.media_type,
        confidential=file.confidential,
    )
