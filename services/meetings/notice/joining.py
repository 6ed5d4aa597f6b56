"""By which link a meeting is joined from elsewhere. Pure."""

from urllib.parse import quote

from services.meetings.body.body import BodyRules
from services.meetings.meeting.meeting import Meeting, MeetingStatus, Mode

_AS_IT_IS = "".join(char for char in map(chr, range(33, 127)) if not char.isalnum())


def join_link(meeting: Meeting, rules: BodyRules) -> str:
    """In ASCII, as mails and calendars want it. Empty for one that nobody joins from elsewhere."""
    online = meeting.details.mode in (Mode.DIGITAL, Mode.HYBRID) and meeting.status is not MeetingStatus.CANCELLED
    return quote(rules.join_link or "", safe=_AS_IT_IS) if online else ""
