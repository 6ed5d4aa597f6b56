"""What is stored of this aggregate. `organisation` is in every key."""

from datetime import datetime
from typing import Any

from sqlalchemy import Column, DateTime, Index, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from services.meetings.tables import MeetingsTable


class AnnexFileRow(MeetingsTable, table=True):
    """A file that was handed in for a meeting's minutes; `content` is a blob reference. See `annex.AnnexFile`."""

    __tablename__ = "annex_file"
    __table_args__ = (Index("annex_file_by_meeting", "organisation", "meeting_id"),)

    organisation: str = Field(sa_column=Column(Text, primary_key=True))
    id: str = Field(sa_column=Column(Text, primary_key=True))
    meeting_id: str = Field(sa_column=Column(Text, nullable=False))
    name: str = Field(sa_column=Column(Text, nullable=False))
    content: dict[str, Any] = Field(sa_column=Column(JSONB, nullable=False))
    at: datetime = Field(sa_column=Column(DateTime(timezone=True), nullable=False))


ANNEX_FILE = MeetingsTable.metadata.tables["annex_file"]
