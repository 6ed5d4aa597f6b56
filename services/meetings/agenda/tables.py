"""What is stored of this aggregate. `organisation` is in every key."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import Boolean, Column, Date, DateTime, Index, Integer, Text, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from services.meetings.tables import MeetingsTable


class AgendaRow(MeetingsTable, table=True):
    """Whose agenda somebody has written on: it is no longer just the standing items of its body."""

    __tablename__ = "agenda"

    organisation: str = Field(sa_column=Column(Text, primary_key=True))
    meeting_id: str = Field(sa_column=Column(Text, primary_key=True))


class AgendaItemRow(MeetingsTable, table=True):
    """An agenda item. `place` orders those of one meeting; `details` are `agenda.ItemDetails`.

    Without a meeting it waits for one, and is found by its body: by `body_id`; by `body_key`, which spellings of one
    body's name share, where the register did not know the body.
    """

    __tablename__ = "agenda_item"
    __table_args__ = (
        Index("agenda_item_by_meeting", "organisation", "meeting_id", "place"),
        Index("agenda_item_by_body", "organisation", "body_key", postgresql_where=text("meeting_id IS NULL")),
        Index("agenda_item_by_body_id", "organisation", "body_id", postgresql_where=text("meeting_id IS NULL")),
    )

    organisation: str = Field(sa_column=Column(Text, primary_key=True))
    id: str = Field(sa_column=Column(Text, primary_key=True))
    version: int = Field(sa_column=Column(Integer, nullable=False))
    body: str = Field(sa_column=Column(Text, nullable=False))
    body_key: str = Field(sa_column=Column(Text, nullable=False))
    body_id: str | None = Field(sa_column=Column(Text, nullable=True))
    meeting_id: str | None = Field(sa_column=Column(Text, nullable=True))
    place: int = Field(sa_column=Column(Integer, nullable=False))
    standing: bool = Field(sa_column=Column(Boolean, nullable=False))
    details: dict[str, Any] = Field(sa_column=Column(JSONB, nullable=False))
    back_on: date | None = Field(sa_column=Column(Date, nullable=True))


class AgendaStayRow(MeetingsTable, table=True):
    """A meeting that an item left, `number` counting from 1; see `agenda.Stay`."""

    __tablename__ = "agenda_stay"
    __table_args__ = (Index("agenda_stay_by_meeting", "organisation", "meeting_id"),)

    organisation: str = Field(sa_column=Column(Text, primary_key=True))
    item_id: str = Field(sa_column=Column(Text, primary_key=True))
    number: int = Field(sa_column=Column(Integer, primary_key=True, autoincrement=False))
    meeting_id: str = Field(sa_column=Column(Text, nullable=False))
    body: str = Field(sa_column=Column(Text, nullable=False))
    starts: str = Field(sa_column=Column(Text, nullable=False))
    how: str = Field(sa_column=Column(Text, nullable=False))
    reason: str | None = Field(sa_column=Column(Text, nullable=True))
    at: datetime = Field(sa_column=Column(DateTime(timezone=True), nullable=False))
    to_meeting_id: str | None = Field(sa_column=Column(Text, nullable=True))


AGENDA = MeetingsTable.metadata.tables["agenda"]
AGENDA_ITEM = MeetingsTable.metadata.tables["agenda_item"]
AGENDA_STAY = MeetingsTable.metadata.tables["agenda_stay"]
