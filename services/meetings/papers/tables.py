"""What is stored of this aggregate. `organisation` is in every key."""

from datetime import datetime
from typing import Any

from sqlalchemy import Boolean, Column, DateTime, Integer, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from services.meetings.tables import MeetingsTable


class PapersRow(MeetingsTable, table=True):
    """The papers of a meeting as they were made last. `key`: of what they were made of, see `papers.key_of`."""

    __tablename__ = "papers"

    organisation: str = Field(sa_column=Column(Text, primary_key=True))
    meeting_id: str = Field(sa_column=Column(Text, primary_key=True))
    for_members: bool = Field(sa_column=Column(Boolean, primary_key=True))
    key: str = Field(sa_column=Column(Text, nullable=False))
    pdf: dict[str, Any] = Field(sa_column=Column(JSONB, nullable=False))


class PapersPublicationRow(MeetingsTable, table=True):
    """What people can read of a meeting from a moment on; see `papers.Publication`."""

    __tablename__ = "papers_publication"

    organisation: str = Field(sa_column=Column(Text, primary_key=True))
    meeting_id: str = Field(sa_column=Column(Text, primary_key=True))
    number: int = Field(sa_column=Column(Integer, primary_key=True, autoincrement=False))
    at: datetime = Field(sa_column=Column(DateTime(timezone=True), nullable=False))
    key: str = Field(sa_column=Column(Text, nullable=False))
    papers: dict[str, Any] = Field(sa_column=Column(JSONB, nullable=False))
    for_members: dict[str, Any] = Field(sa_column=Column(JSONB, nullable=False))
    files: list[dict[str, Any]] = Field(sa_column=Column(JSONB, nullable=False))
    late: list[str] = Field(sa_column=Column(JSONB, nullable=False))
    told: bool = Field(sa_column=Column(Boolean, nullable=False))


PAPERS = MeetingsTable.metadata.tables["papers"]
PAPERS_PUBLICATION = MeetingsTable.metadata.tables["papers_publication"]
