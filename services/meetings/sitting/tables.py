"""What is stored of this aggregate. `organisation` is in every key."""

from datetime import datetime
from typing import Any

from sqlalchemy import Column, DateTime, Index, Integer, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from services.meetings.tables import MeetingsTable


class SittingRow(MeetingsTable, table=True):
    """A meeting's sitting as it stands: the fold of its steps, `sitting.Sitting`. `version`: how many were recorded."""

    __tablename__ = "sitting"

    organisation: str = Field(sa_column=Column(Text, primary_key=True))
    meeting_id: str = Field(sa_column=Column(Text, primary_key=True))
    version: int = Field(sa_column=Column(Integer, nullable=False))
    state: dict[str, Any] = Field(sa_column=Column(JSONB, nullable=False))


class SittingStepRow(MeetingsTable, table=True):
    """What was recorded of a sitting, `number` counting from 1; see `history.Entry`. Rows are never changed."""

    __tablename__ = "sitting_step"
    __table_args__ = (Index("sitting_step_by_key", "organisation", "meeting_id", "key", unique=True),)

    organisation: str = Field(sa_column=Column(Text, primary_key=True))
    meeting_id: str = Field(sa_column=Column(Text, primary_key=True))
    number: int = Field(sa_column=Column(Integer, primary_key=True, autoincrement=False))
    key: str = Field(sa_column=Column(Text, nullable=False))
    step: dict[str, Any] = Field(sa_column=Column(JSONB, nullable=False))
    corrects: int | None = Field(sa_column=Column(Integer, nullable=True))
    after: int | None = Field(sa_column=Column(Integer, nullable=True))
    reason: str | None = Field(sa_column=Column(Text, nullable=True))
    recorded_by: str = Field(sa_column=Column(Text, nullable=False))
    recorded_at: datetime = Field(sa_column=Column(DateTime(timezone=True), nullable=False))


SITTING = MeetingsTable.metadata.tables["sitting"]
SITTING_STEP = MeetingsTable.metadata.tables["sitting_step"]
