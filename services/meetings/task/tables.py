"""What is stored of this aggregate. `organisation` is in every key."""

from datetime import date, datetime

from sqlalchemy import Boolean, Column, Date, DateTime, Index, Integer, Text, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from services.meetings.tables import MeetingsTable


class TaskRow(MeetingsTable, table=True):
    """What a paragraph of signed minutes asks somebody to do; see `task.Task`."""

    __tablename__ = "task"
    __table_args__ = (
        Index("task_by_day", "organisation", "due"),
        Index("task_by_meeting", "organisation", "meeting_id"),
        Index("task_coming_back", "organisation", "back_on", postgresql_where=text("done_at IS NULL")),
        Index(
            "task_of_role",
            "organisation",
            "body_id",
            postgresql_where=text("owner_role IS NOT NULL AND done_at IS NULL"),
        ),
    )

    organisation: str = Field(sa_column=Column(Text, primary_key=True))
    id: str = Field(sa_column=Column(Text, primary_key=True))
    version: int = Field(sa_column=Column(Integer, nullable=False))
    meeting_id: str = Field(sa_column=Column(Text, nullable=False))
    paragraph: int = Field(sa_column=Column(Integer, nullable=False))
    heading: str = Field(sa_column=Column(Text, nullable=False))
    held_on: date = Field(sa_column=Column(Date, nullable=False))
    body_id: str = Field(sa_column=Column(Text, nullable=False))
    body: str = Field(sa_column=Column(Text, nullable=False))
    timezone: str = Field(sa_column=Column(Text, nullable=False))
    what: str = Field(sa_column=Column(Text, nullable=False))
    owner_id: str | None = Field(sa_column=Column(Text, nullable=True))
    owner_role: str | None = Field(sa_column=Column(Text, nullable=True))
    due: date = Field(sa_column=Column(Date, nullable=False))
    back_on: str | None = Field(sa_column=Column(Text, nullable=True))
    back_day: date | None = Field(sa_column=Column(Date, nullable=True))
    given_at: datetime = Field(sa_column=Column(DateTime(timezone=True), nullable=False))
    reminded: list[str] = Field(sa_column=Column(JSONB, nullable=False))
    mailed: list[str] = Field(sa_column=Column(JSONB, nullable=False, server_default=text("'[]'")))
    holders: list[str] | None = Field(sa_column=Column(JSONB(none_as_null=True), nullable=True))
    done_at: datetime | None = Field(sa_column=Column(DateTime(timezone=True), nullable=True))
    note: str | None = Field(sa_column=Column(Text, nullable=True))
    withdrawn: bool = Field(sa_column=Column(Boolean, nullable=False, server_default=text("false")))
    item_id: str | None = Field(sa_column=Column(Text, nullable=True))


TASK = MeetingsTable.metadata.tables["task"]
