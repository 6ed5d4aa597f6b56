"""What is stored of this aggregate. `organisation` is in every key."""

from datetime import datetime

from sqlalchemy import Boolean, Column, DateTime, Index, Text, text
from sqlmodel import Field

from services.meetings.tables import MeetingsTable


class ReplyRow(MeetingsTable, table=True):
    """Someone who was asked to a meeting, or answered before; see `reply.Reply`."""

    __tablename__ = "reply"
    __table_args__ = (Index("reply_by_person", "organisation", "person_id"),)

    organisation: str = Field(sa_column=Column(Text, primary_key=True))
    meeting_id: str = Field(sa_column=Column(Text, primary_key=True))
    person_id: str = Field(sa_column=Column(Text, primary_key=True))
    role: str = Field(sa_column=Column(Text, nullable=False))
    asked: bool = Field(sa_column=Column(Boolean, nullable=False))
    answer: str | None = Field(sa_column=Column(Text, nullable=True))
    via: str | None = Field(sa_column=Column(Text, nullable=True))
    comment: str | None = Field(sa_column=Column(Text, nullable=True))
    answered_at: datetime | None = Field(sa_column=Column(DateTime(timezone=True), nullable=True))
    instead_of: str | None = Field(sa_column=Column(Text, nullable=True))
    unreached: str | None = Field(sa_column=Column(Text, nullable=True))
    left_empty: bool = Field(sa_column=Column(Boolean, nullable=False, server_default=text("false")))
    reminded_at: datetime | None = Field(sa_column=Column(DateTime(timezone=True), nullable=True))


REPLY = MeetingsTable.metadata.tables["reply"]
