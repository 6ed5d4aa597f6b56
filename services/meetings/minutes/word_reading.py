"""Word documents are read in a process of their own, with an end to its time and memory: `word_child`.

mammoth takes some seconds of CPU for the longest that are read at all, which nothing else in the service must wait for.
"""

import json
from dataclasses import asdict

from services.meetings.minutes.word import FromWord, Known
from services.meetings.minutes.word_package import MAX_WORD
from shared.errors import InvalidInput, TooLarge
from shared.rendering.press import CannotBeSet, Limits, Press

LIMITS = Limits(seconds=20.0, memory=1024**3)
"""The longest document that is looked into takes 7 seconds, and 400 MiB of address space."""


def word_reader() -> Press:
    """One at a time: a service's workers start and stop it."""
    return Press(LIMITS, at_once=1, child="services.meetings.minutes.word_child")


async def read_apart(reader: Press, content: bytes, known: Known) -> FromWord:
    """Raises InvalidInput, TooLarge with one sentence; Unavailable."""
    if len(content) > MAX_WORD:
        raise TooLarge(f"a Word document has at most {MAX_WORD // 1024**2} MiB, and this one {len(content) // 1024**2}")
    moments = {"starts": known.starts, "ends": known.ends}
    said = asdict(known) | {name: moment.isoformat() if moment else None for name, moment in moments.items()}
    try:
        made = json.loads(await reader.work("read", content, known=said))
    except CannotBeSet as error:
        raise InvalidInput(
            "the Word document takes longer to read, or more memory, than minutes do",
            hint="copy the minutes alone into a new document, save that, and try again",
        ) from error
    if "refused" in made:
        kind = TooLarge if made["refused"] == TooLarge.slug else InvalidInput
        raise kind(made["message"], hint=made["hint"])
    return FromWord(made["markdown"], tuple(made["not_kept"]))
