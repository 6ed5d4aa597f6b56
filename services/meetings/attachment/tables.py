"""What is stored of this aggregate. `organisation` is in every key."""

from datetime import datetime
from typing import Any

from sqlalchemy import Boolean, Column, DateTime, Index, Integer, Text, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from services.meetings.tables import MeetingsTable


class AttachmentRow(MeetingsTable, table=True):
    """A file that belongs to an agenda item, as it stands. `place` orders those of one item."""

    __tablename__ = "attachment"
    __table_args__ = (Index("attachment_by_item", "organisation", "item_id", "place"),)

    organisation: str = Field(sa_column=Column(Text, primary_key=True))
    id: str = Field(sa_column=Column(Text, primary_key=True))
    version: int = Field(sa_column=Column(Integer, nullable=False))
    item_id: str = Field(sa_column=Column(Text, nullable=False))
    place: int = Field(sa_column=Column(Integer, nullable=False))
    title: str = Field(sa_column=Column(Text, nullable=False))
    confidential: bool = Field(sa_column=Column(Boolean, nullable=False))


class AttachmentFileRow(MeetingsTable, table=True):
    """A version of an attachment's file, `number` counting from 1. `content` is `BlobRef`.

    `pages`: of one that can be bound into papers; `unbound`: why one cannot that is of a type that could. `late` says
    nothing any more (record 60), and stays while the version before may run beside this one.
    """

    __tablename__ = "attachment_file"

    organisation: str = Field(sa_column=Column(Text, primary_key=True))
    attachment_id: str = Field(sa_column=Column(Text, primary_key=True))
    number: int = Field(sa_column=Column(Integer, primary_key=True, autoincrement=False))
    name: str = Field(sa_column=Column(Text, nullable=False))
    content: dict[str, Any] = Field(sa_column=Column(JSONB, nullable=False))
    late: bool = Field(sa_column=Column(Boolean, nullable=False, server_default=text("false")))
    at: datetime = Field(sa_column=Column(DateTime(timezone=True), nullable=False))
    pages: int | None = Field(sa_column=Column(Integer, nullable=True))
    unbound: str | None = Field(sa_column=Column(Text, nullable=True))


ATTACHMENT = MeetingsTable.metadata.tables["attachment"]
ATTACHMENT_FILE = MeetingsTable.metadata.tables["attachment_file"]
