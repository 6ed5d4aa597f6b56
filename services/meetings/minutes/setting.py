"""Drafted minutes as a PDF, outside of any transaction; what cannot be set is refused with its line."""

from collections.abc import Mapping
from datetime import datetime

from services.meetings.minutes.minutes import MinutesDraft
from shared.errors import InvalidInput
from shared.rendering.minutes import MinutesDocument
from shared.rendering.press import CannotBeSet, Press
from shared.rendering.render import minutes_job

_TRIAL_SECONDS = 3.0  # of each look for the culprit; there are some ten


async def set_minutes(
    press: Press, draft: MinutesDraft, document: MinutesDocument, *, at: datetime, annexes: Mapping[int, bytes]
) -> bytes:
    """Each character as it was written. `annexes`: those bound in, by number. Raises InvalidInput with a line,
    Unavailable."""
    try:
        return await press.set_as_it_is(minutes_job(document, at=at, annexes=annexes))
    except CannotBeSet as error:
        line = await _culprit(press, draft, document, at)
        raise InvalidInput(f"line {line}: {error.message}", hint="shorten what stands below that heading") from error


async def _culprit(press: Press, draft: MinutesDraft, document: MinutesDocument, at: datetime) -> int:
    """The line of the paragraph that alone cannot be set, found by halves; the first one's when it takes them all."""
    low, high = 0, len(document.paragraphs)
    while high - low > 1:
        middle = (low + high) // 2
        part = document.model_copy(update={"paragraphs": document.paragraphs[low:middle]})
        try:
            await press.set_as_it_is(minutes_job(part, at=at), seconds=_TRIAL_SECONDS)
        except CannotBeSet:
            high = middle
        else:
            low = middle
    return draft.sections[low].line
