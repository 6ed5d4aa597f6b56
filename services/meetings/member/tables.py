"""What is stored of this aggregate. `organisation` is in every key."""

from datetime import datetime

from sqlalchemy import Column, DateTime, Text
from sqlmodel import Field

from services.meetings.tables import MeetingsTable


class CalendarSaidRow(MeetingsTable, table=True):
    """What a member's calendar said when it was last asked. `tag`: see `feed.tag_of`; `since`: from which second."""

    __tablename__ = "calendar_said"

    organisation: str = Field(sa_column=Column(Text, primary_key=True))
    person_id: str = Field(sa_column=Column(Text, primary_key=True))
    tag: str = Field(sa_column=Column(Text, nullable=False))
    since: datetime = Field(sa_column=Column(DateTime(timezone=True), nullable=False))


CALENDAR_SAID = MeetingsTable.metadata.tables["calendar_said"]
