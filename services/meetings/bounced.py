"""What a mail server said of a mail that did not arrive, as it is kept and told."""

from shared.events import BounceDetected
from shared.plain_text import one_line

_LONGEST = 500  # characters


def said_of(event: BounceDetected) -> str:
    """On one line; the status alone, where the server said nothing beside."""
    return one_line(event.diagnostic)[:_LONGEST] or event.status
