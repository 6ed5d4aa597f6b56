"""What the pages of minutes in writing share."""

import re
from typing import Any

from services.meetings.manuscript.commands import Desk
from services.meetings.manuscript.manuscript import Manuscript
from services.meetings.minutes.revision import Version
from shared.errors import NotFound

AT = "/office/meetings/{meeting_id}/manuscript"


def why_of(table: dict[str, str], what: str) -> str | None:
    return next((key for pattern, key in table.items() if re.match(pattern, what)), None)


def facts_of(desk: Desk) -> dict[str, Any]:
    return {
        "meeting": desk.meeting,
        "details": desk.meeting.details,
        "manuscript": desk.manuscript,
        "first": desk.first,
        "numbered": numbered(desk),
        "stands": desk.stands,
        "at_once": {one.agreement_id: one for one in desk.adjusted},
    }


def numbered(desk: Desk) -> Version | None:
    """The minutes that were drafted of what is written, while they stand: nothing is changed meanwhile."""
    made, stands = desk.manuscript, desk.stands
    return stands if made and stands and made.numbered == stands.number else None


def there_on(desk: Desk) -> Manuscript:
    if desk.manuscript is None:
        raise NotFound("no minutes are being written for this meeting")
    return desk.manuscript
