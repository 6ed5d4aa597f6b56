"""What is stored of this aggregate. `organisation` is in every key."""

from typing import Any

from sqlalchemy import Column, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from services.meetings.tables import MeetingsTable


class ManuscriptRow(MeetingsTable, table=True):
    """The minutes of a meeting while they are written: `state` is `manuscript.Manuscript`."""

    __tablename__ = "manuscript"

    organisation: str = Field(sa_column=Column(Text, primary_key=True))
    meeting_id: str = Field(sa_column=Column(Text, primary_key=True))
    state: dict[str, Any] = Field(sa_column=Column(JSONB, nullable=False))


MANUSCRIPT = MeetingsTable.metadata.tables["manuscript"]
