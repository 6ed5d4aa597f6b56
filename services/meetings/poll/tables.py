"""What is stored of this aggregate. `organisation` is in every key."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import Column, Date, DateTime, Index, Integer, Text, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from services.meetings.tables import MeetingsTable


class DatePollRow(MeetingsTable, table=True):
    """A date poll as it stands; see `poll.Poll`. A meeting has one that is open at most."""

    __tablename__ = "date_poll"
    __table_args__ = (
        Index("date_poll_by_meeting", "organisation", "meeting_id"),
        Index("date_poll_open", "organisation", "meeting_id", unique=True, postgresql_where=text("status = 'open'")),
    )

    organisation: str = Field(sa_column=Column(Text, primary_key=True))
    id: str = Field(sa_column=Column(Text, primary_key=True))
    version: int = Field(sa_column=Column(Integer, nullable=False))
    meeting_id: str = Field(sa_column=Column(Text, nullable=False))
    body_id: str = Field(sa_column=Column(Text, nullable=False))
    status: str = Field(sa_column=Column(Text, nullable=False))
    times: list[dict[str, Any]] = Field(sa_column=Column(JSONB, nullable=False))
    timezone: str = Field(sa_column=Column(Text, nullable=False))
    answer_by: date = Field(sa_column=Column(Date, nullable=False))
    note: str | None = Field(sa_column=Column(Text, nullable=True))
    people: list[str] = Field(sa_column=Column(JSONB, nullable=False))
    chosen: str | None = Field(sa_column=Column(Text, nullable=True))
    reason: str | None = Field(sa_column=Column(Text, nullable=True))
    unreached: dict[str, str] = Field(sa_column=Column(JSONB, nullable=False, server_default=text("'{}'")))


class DatePollAnswerRow(MeetingsTable, table=True):
    """What one person said of a date poll's times; see `poll.PollAnswer`."""

    __tablename__ = "date_poll_answer"

    organisation: str = Field(sa_column=Column(Text, primary_key=True))
    poll_id: str = Field(sa_column=Column(Text, primary_key=True))
    person_id: str = Field(sa_column=Column(Text, primary_key=True))
    times: dict[str, Any] = Field(sa_column=Column(JSONB, nullable=False))
    comment: str | None = Field(sa_column=Column(Text, nullable=True))
    answered_at: datetime = Field(sa_column=Column(DateTime(timezone=True), nullable=False))


DATE_POLL = MeetingsTable.metadata.tables["date_poll"]
DATE_POLL_ANSWER = MeetingsTable.metadata.tables["date_poll_answer"]
