"""One transaction of the meetings service, over the rows of all its aggregates."""

from services.meetings.meeting.store import MeetingStore
from services.meetings.minutes.store import MinutesStore


class MeetingsTransaction(MeetingStore, MinutesStore):
    source = "meetings"
