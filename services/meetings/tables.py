"""The meetings service's own tables. `organisation` is in every key."""

from datetime import datetime
from typing import Any

from sqlalchemy import Column, DateTime, Index, Integer, MetaData, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel


class MeetingsTable(SQLModel):
    metadata = MetaData()


class MeetingRow(MeetingsTable, table=True):
    """A meeting as it stands. `starts` and `ends` are local wall time as text; `timezone` places them."""

    __tablename__ = "meeting"
    __table_args__ = (Index("meeting_by_start", "organisation", "starts", "id"),)

    organisation: str = Field(sa_column=Column(Text, primary_key=True))
    id: str = Field(sa_column=Column(Text, primary_key=True))
    version: int = Field(sa_column=Column(Integer, nullable=False))
    status: str = Field(sa_column=Column(Text, nullable=False))
    body: str = Field(sa_column=Column(Text, nullable=False))
    title: str = Field(sa_column=Column(Text, nullable=False))
    place: str = Field(sa_column=Column(Text, nullable=False))
    starts: str = Field(sa_column=Column(Text, nullable=False))
    ends: str = Field(sa_column=Column(Text, nullable=False))
    timezone: str = Field(sa_column=Column(Text, nullable=False))
    participants: list[dict[str, Any]] = Field(sa_column=Column(JSONB, nullable=False))


class NumberingRow(MeetingsTable, table=True):
    """The next paragraph number of a body's calendar year. Its row lock keeps the numbers without gap or double."""

    __tablename__ = "numbering"

    organisation: str = Field(sa_column=Column(Text, primary_key=True))
    body_key: str = Field(sa_column=Column(Text, primary_key=True))
    year: int = Field(sa_column=Column(Integer, primary_key=True))
    next_paragraph: int | None = Field(sa_column=Column(Integer, nullable=True))


class MinutesRow(MeetingsTable, table=True):
    """The minutes drafted for a meeting: which paragraphs they hold, and their documents by reference."""

    __tablename__ = "minutes"
    __table_args__ = (Index("minutes_by_agreement", "organisation", "agreement_id", unique=True),)

    organisation: str = Field(sa_column=Column(Text, primary_key=True))
    meeting_id: str = Field(sa_column=Column(Text, primary_key=True))
    agreement_id: str = Field(sa_column=Column(Text, nullable=False))
    document_name: str = Field(sa_column=Column(Text, nullable=False))
    year: int = Field(sa_column=Column(Integer, nullable=False))
    first_paragraph: int = Field(sa_column=Column(Integer, nullable=False))
    last_paragraph: int = Field(sa_column=Column(Integer, nullable=False))
    pdf: dict[str, Any] = Field(sa_column=Column(JSONB, nullable=False))
    drafted_at: datetime = Field(sa_column=Column(DateTime(timezone=True), nullable=False))


MEETING = MeetingsTable.metadata.tables["meeting"]
NUMBERING = MeetingsTable.metadata.tables["numbering"]
MINUTES = MeetingsTable.metadata.tables["minutes"]
