"""What is stored of this aggregate. `organisation` is in every key."""

from datetime import datetime
from typing import Any

from sqlalchemy import Boolean, Column, DateTime, Integer, Text, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from services.meetings.tables import MeetingsTable


class NoticeRow(MeetingsTable, table=True):
    """A meeting's notice; see `notice.Notice`. `version` counts the facts that were told of it and of its replies."""

    __tablename__ = "notice"

    organisation: str = Field(sa_column=Column(Text, primary_key=True))
    meeting_id: str = Field(sa_column=Column(Text, primary_key=True))
    version: int = Field(sa_column=Column(Integer, nullable=False, server_default=text("0")))
    stage: str = Field(sa_column=Column(Text, nullable=False, server_default="none"))
    sequence: int = Field(sa_column=Column(Integer, nullable=False, server_default=text("0")))
    approved_at: datetime | None = Field(sa_column=Column(DateTime(timezone=True), nullable=True))
    note: str | None = Field(sa_column=Column(Text, nullable=True))
    issued_at: datetime | None = Field(sa_column=Column(DateTime(timezone=True), nullable=True))
    redated_at: datetime | None = Field(sa_column=Column(DateTime(timezone=True), nullable=True))
    told: dict[str, Any] | None = Field(sa_column=Column(JSONB(none_as_null=True), nullable=True))
    time_since: int = Field(sa_column=Column(Integer, nullable=False, server_default=text("0")))
    at_risk: bool = Field(sa_column=Column(Boolean, nullable=False, server_default=text("false")))


NOTICE = MeetingsTable.metadata.tables["notice"]
