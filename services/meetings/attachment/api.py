"""The HTTP API of attachments: thin; the rules are in `attachment`, the work in `commands`.

A file is the request's body as it is. Sent twice under one name it is one attachment, or one version.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from hashlib import sha256
from tempfile import SpooledTemporaryFile
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from services.meetings.annex.annex import AnnexFile
from services.meetings.attachment.attachment import MOST_ATTACHMENTS, AttachmentDetails, AttachmentShown, FileVersion
from services.meetings.attachment.commands import AttachmentCommands, Upload
from services.meetings.attachment.file_type import MAX_FILE_NAME, SHOWN
from services.meetings.callers import Reader, Secretary
from services.meetings.papers.papers import PublishedFile
from shared.errors import TooLarge
from shared.http import CREATED
from shared.idempotency import OnceOfFile
from shared.rendering.file_names import fetched_as, shown_as
from shared.routes import LazyRoute
from shared.web import path_for

_IN_MEMORY = 1024 * 1024  # bytes; what is larger waits on disk
_SANDBOX = "default-src 'none'; sandbox"

Version = Annotated[int | None, Query(ge=1, description="the one that you looked at; refused when it is another")]
FileName = Annotated[
    str,
    Query(max_length=8 * MAX_FILE_NAME, description="of the file, with its ending, which its content must bear out"),
]
FILE_BODY = {
    "requestBody": {
        "required": True,
        "description": "the file as it is",
        "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
    }
}
FILE_ANSWER: dict[int | str, dict[str, Any]] = {
    200: {"description": "the file, with its own type", "content": {"*/*": {"schema": {"type": "string"}}}}
}


class Attachments(BaseModel):
    """Of one item, in their order."""

    attachments: list[AttachmentShown]


class AttachmentOrder(BaseModel):
    """`attachments`: the ids of all of the item. `seen`: the order that you looked at; refused when it is another."""

    model_config = ConfigDict(extra="forbid")

    attachments: list[str] = Field(max_length=MOST_ATTACHMENTS)
    seen: list[str] | None = Field(None, max_length=MOST_ATTACHMENTS)


def router(commands: AttachmentCommands) -> APIRouter:
    routes = APIRouter(tags=["attachments"], route_class=LazyRoute)

    @routes.get("/agenda-items/{item_id}/attachments")
    async def list_attachments(item_id: str, caller: Reader) -> Attachments:
        """The files that belong to an agenda item, in order, with their versions."""
        return Attachments(attachments=await commands.of_item(caller.organisation, item_id))

    @routes.post(
        "/agenda-items/{item_id}/attachments",
        status_code=201,
        response_model=AttachmentShown,
        responses=CREATED,
        openapi_extra=FILE_BODY,
    )
    async def add_attachment(
        item_id: str,
        request: Request,
        once: OnceOfFile,
        caller: Secretary,
        name: FileName,
        title: Annotated[str, Query(max_length=2000, description="without, the file's name without its ending")] = "",
        confidential: Annotated[bool, Query(description="for the body's members alone")] = False,
    ) -> Response:
        """Add a file to an agenda item. The same file sent again under its name is the attachment that it made."""
        async with received(request, commands.largest) as (file, content):
            return await once.over(content).answer(
                caller,
                commands.add(caller.organisation, item_id, Upload(name, file), title=title, confidential=confidential),
                status=201,
                location=lambda made: path_for(request, "get_attachment", attachment_id=made.id),
            )

    @routes.put("/agenda-items/{item_id}/attachments/order")
    async def order_attachments(item_id: str, order: AttachmentOrder, caller: Secretary) -> Attachments:
        """Put the attachments of an item in another order."""
        ordered = await commands.order(caller.organisation, item_id, order.attachments, seen=order.seen)
        return Attachments(attachments=ordered)

    @routes.get("/attachments/{attachment_id}")
    async def get_attachment(attachment_id: str, caller: Reader) -> AttachmentShown:
        """What is said of one attachment, and the versions of its file."""
        return await commands.attachment(caller.organisation, attachment_id)

    @routes.put("/attachments/{attachment_id}")
    async def change_attachment(
        attachment_id: str, details: AttachmentDetails, caller: Secretary, version: Version = None
    ) -> AttachmentShown:
        """Give the attachment's whole new details."""
        return await commands.change(caller.organisation, attachment_id, details, version=version)

    @routes.delete("/attachments/{attachment_id}", status_code=204)
    async def remove_attachment(attachment_id: str, caller: Secretary, version: Version = None) -> None:
        """Take an attachment away, with all versions of its file."""
        await commands.remove(caller.organisation, attachment_id, version=version)

    @routes.post("/attachments/{attachment_id}/versions", response_model=AttachmentShown, openapi_extra=FILE_BODY)
    async def replace_file(
        attachment_id: str,
        request: Request,
        once: OnceOfFile,
        caller: Secretary,
        name: FileName,
        version: Version = None,
    ) -> Response:
        """Hand in a new version of the file; those before it are kept."""
        async with received(request, commands.largest) as (file, content):
            return await once.over(content).answer(
                caller,
                commands.replace(caller.organisation, attachment_id, Upload(name, file), version=version),
            )

    @routes.get("/attachments/{attachment_id}/content", response_class=Response, responses=FILE_ANSWER)
    async def get_content(
        attachment_id: str,
        caller: Reader,
        number: Annotated[
            int | None, Query(ge=1, le=1_000_000, description="of the version; the last one without")
        ] = None,
    ) -> Response:
        """The file itself."""
        return file_answer(*await commands.content(caller.organisation, attachment_id, number))

    return routes


def file_answer(file: FileVersion | PublishedFile | AnnexFile, content: bytes) -> Response:
    """Shown by the browser, when that runs nothing; anything else is kept as a file, and opened without rights."""
    if file.content.media_type in SHOWN:
        return Response(
            content, media_type=file.content.media_type, headers={"content-disposition": shown_as(file.name)}
        )
    headers = {"content-disposition": fetched_as(file.name), "content-security-policy": _SANDBOX}
    return Response(content, headers=headers | {"content-type": file.content.media_type})


@asynccontextmanager
async def received(request: Request, largest: int) -> AsyncIterator[tuple[Any, str]]:
    """The request's body as a file, on disk when it is large, and its SHA-256 in hexadecimal. Raises TooLarge."""
    with SpooledTemporaryFile(_IN_MEMORY) as file:
        size, hashed = 0, sha256()
        async for piece in request.stream():
            size += len(piece)
            if size > largest:
                raise TooLarge(f"a file is at most {largest} bytes")
            file.write(piece)
            hashed.update(piece)
        yield file, hashed.hexdigest()
