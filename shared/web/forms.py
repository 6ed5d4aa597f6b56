"""Forms as browsers post them: small, url-encoded, with a value and an error for each field."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from fastapi import Depends, Request
from starlette.datastructures import UploadFile

from shared.errors import InvalidInput, Says, TooLarge, says
from shared.guard import Uploads
from shared.plain_text import one_line
from shared.readable import Octets
from shared.settings import Settings

LARGEST_FORM = 32 * 1024  # bytes; a reason of 2,000 characters takes up to 24 kB when url-encoded
LARGEST_FILE = 1024 * 1024
_FORM = "application/x-www-form-urlencoded"
_FILE_FORM = "multipart/form-data"
_ATTACHMENTS = re.compile(
    r"/(?:(?:agenda-)?items/[^/]+/attachments|attachments/[^/]+/versions|meetings/[^/]+/annexes)/?$"
)
_WORD = re.compile(r"/meetings/[^/]+/(?:minutes|manuscript)/word/?$")


@dataclass(frozen=True, slots=True)
class Field:
    """A form's field as it is shown again: what was typed, and the text key of what is wrong with it."""

    name: str
    value: str = ""
    error: str | None = None


async def _check_form_size(request: Request) -> None:
    if request.method != "POST":
        return
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != _FORM:
        raise InvalidInput(f"a form is posted as {_FORM}")
    _require_length(request, LARGEST_FORM)


async def _check_file_form_size(request: Request) -> None:
    _require_file_form(request, LARGEST_FILE)


def _require_file_form(request: Request, largest: int, most: int = 0) -> None:
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != _FILE_FORM:
        raise InvalidInput(f"a form with a file is posted as {_FILE_FORM}")
    _require_length(request, max(largest, most) + LARGEST_FORM, said=largest)


def large_file_form(largest: int, most: int = 0) -> Any:
    """As `file_form`, for a file of so many bytes at the most. The parser keeps it on disk, not in memory.

    `most`: bytes up to which the handler itself refuses one, at its field.
    """

    async def check(request: Request) -> None:
        _require_file_form(request, largest, most)

    return Depends(check)


def meetings_uploads(settings: Settings, largest_word: int) -> tuple[Uploads, ...]:
    """Where attachments come and Word documents, by API and by form: of meetings, wherever it is mounted.

    Some more than what is taken, so that the route refuses it, in the words of who sent it. `largest_word`: bytes.
    """
    largest = settings.max_attachment_bytes
    return Uploads(_ATTACHMENTS, 2 * largest, largest), Uploads(_WORD, 2 * largest_word, largest_word)


def too_large(most: int) -> Says:
    """`most`: bytes that are taken."""
    return says("too_large", most=Octets(most))


def _require_length(request: Request, most: int, *, said: int | None = None) -> None:
    """`said`: of what is in the form, for people to read."""
    length = request.headers.get("content-length", "")
    if not length.isdigit() or len(length) > 9 or int(length) > most:
        raise TooLarge(f"a form is at most {most} bytes, and says its length", says=too_large(said or most))


small_form = Depends(_check_form_size)
"""A route's dependency, before those that read the form. Raises TooLarge, InvalidInput."""
file_form = Depends(_check_file_form_size)
"""The same for a form with a file, or with a text as long as one."""


async def form_file(request: Request, name: str) -> bytes:
    """The content of a chosen file; empty when none was."""
    value = (await request.form()).get(name)
    return await value.read() if isinstance(value, UploadFile) else b""


async def form_upload(request: Request, name: str) -> UploadFile | None:
    """A chosen file with what it is called; None when none was."""
    value = (await request.form()).get(name)
    return value if isinstance(value, UploadFile) and value.filename else None


async def form_text(request: Request, name: str) -> str:
    """A field as text; absent is empty."""
    value = (await request.form()).get(name, "")
    return value if isinstance(value, str) else ""


async def form_texts(request: Request, name: str) -> list[str]:
    """A field that may be there more than once, such as a list of boxes to tick."""
    return [value for value in (await request.form()).getlist(name) if isinstance(value, str)]


def text_error(clean: Callable[[str], str], text: str, *, longest: int) -> str | None:
    """What is wrong with a typed text, as the last part of a text key: empty, too_long, characters; None when fit."""
    try:
        clean(text)
    except InvalidInput:
        if not one_line(text):
            return "empty"
        return "too_long" if len(text) > longest else "characters"
    return None
