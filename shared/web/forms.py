"""Forms as browsers post them: small, url-encoded, with a value and an error for each field."""

from collections.abc import Callable
from dataclasses import dataclass

from fastapi import Depends, Request

from shared.errors import InvalidInput, TooLarge
from shared.plain_text import one_line

LARGEST_FORM = 32 * 1024  # bytes; a reason of 2,000 characters takes up to 24 kB when url-encoded
_FORM = "application/x-www-form-urlencoded"


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
    length = request.headers.get("content-length", "")
    if not length.isdigit() or len(length) > 9 or int(length) > LARGEST_FORM:
        raise TooLarge(f"a form is at most {LARGEST_FORM} bytes, and says its length")


small_form = Depends(_check_form_size)
"""A route's dependency, before those that read the form. Raises TooLarge, InvalidInput."""


async def form_text(request: Request, name: str) -> str:
    """A field as text; absent is empty."""
    value = (await request.form()).get(name, "")
    return value if isinstance(value, str) else ""


def text_error(clean: Callable[[str], str], text: str, *, longest: int) -> str | None:
    """What is wrong with a typed text, as the last part of a text key: empty, too_long, characters; None when fit."""
    try:
        clean(text)
    except InvalidInput:
        if not one_line(text):
            return "empty"
        return "too_long" if len(text) > longest else "characters"
    return None
