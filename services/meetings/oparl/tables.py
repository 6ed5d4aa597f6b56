"""What is stored of the open data. `organisation` is in every key."""

from datetime import datetime
from typing import Any

from sqlalchemy import Column, DateTime, Index, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from services.meetings.tables import MeetingsTable


class OpenObjectRow(MeetingsTable, table=True):
    """An object as clients get it; see `keeping.Kept`. `fields`: None of one that is gone, of which nothing is left.
    `source`: the meeting that it is made of."""

    __tablename__ = "open_object"
    __table_args__ = (
        Index("open_object_in_order", "organisation", "kind", "created", "id"),
        Index("open_object_of_source", "organisation", "source"),
    )

    organisation: str = Field(sa_column=Column(Text, primary_key=True))
    kind: str = Field(sa_column=Column(Text, primary_key=True))
    id: str = Field(sa_column=Column(Text, primary_key=True))
    owner: str | None = Field(sa_column=Column(Text, nullable=True))
    created: datetime = Field(sa_column=Column(DateTime(timezone=True), nullable=False))
    modified: datetime = Field(sa_column=Column(DateTime(timezone=True), nullable=False))
    source: str | None = Field(sa_column=Column(Text, nullable=True))
    fields: dict[str, Any] | None = Field(sa_column=Column(JSONB(none_as_null=True), nullable=True))


class OpenStateRow(MeetingsTable, table=True):
    """What the objects were made of: `mark` is another one when anything of that is. Its row lock lets one make them at
    a time."""

    __tablename__ = "open_state"

    organisation: str = Field(sa_column=Column(Text, primary_key=True))
    mark: str = Field(sa_column=Column(Text, nullable=False))


class OpenMeetingRow(MeetingsTable, table=True):
    """What a meeting's objects were made of: `mark` is another one when anything of that is."""

    __tablename__ = "open_meeting"

    organisation: str = Field(sa_column=Column(Text, primary_key=True))
    meeting_id: str = Field(sa_column=Column(Text, primary_key=True))
    mark: str = Field(sa_column=Column(Text, nullable=False))


OPEN_OBJECT = MeetingsTable.metadata.tables["open_object"]
OPEN_MEETING = MeetingsTable.metadata.tables["open_meeting"]
OPEN_STATE = MeetingsTable.metadata.tables["open_state"]
