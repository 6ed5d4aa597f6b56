"""What is stored of this aggregate. `organisation` is in every key."""

from typing import Any

from sqlalchemy import Column, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from services.meetings.tables import MeetingsTable


class LetterheadRow(MeetingsTable, table=True):
    """`letterhead` is `shared.rendering.minutes.Letterhead`."""

    __tablename__ = "letterhead"

    organisation: str = Field(sa_column=Column(Text, primary_key=True))
    letterhead: dict[str, Any] = Field(sa_column=Column(JSONB, nullable=False))


LETTERHEAD = MeetingsTable.metadata.tables["letterhead"]
