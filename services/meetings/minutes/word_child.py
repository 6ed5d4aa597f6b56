"""The process that reads Word documents for `word_reading`: what is odd in a stranger's file costs it alone."""

import json
from datetime import datetime
from typing import Any

import mammoth  # noqa: F401  (loaded before the time of the first order runs)

from services.meetings.minutes.word import Known, read_word
from shared.errors import InvalidInput, TooLarge
from shared.rendering.press_child import serve


def read(order: dict[str, Any], files: list[bytes]) -> bytes:
    """As JSON: `markdown` and `not_kept`, or what it is refused for."""
    known = order["known"]
    moments = {name: datetime.fromisoformat(known[name]) if known[name] else None for name in ("starts", "ends")}
    try:
        found = read_word(files[0], Known(**{**known, **moments}))
    except (InvalidInput, TooLarge) as error:
        return json.dumps({"refused": error.slug, "message": error.message, "hint": error.hint}).encode()
    return json.dumps({"markdown": found.markdown, "not_kept": found.not_kept}).encode()


if __name__ == "__main__":
    serve({"read": read})
