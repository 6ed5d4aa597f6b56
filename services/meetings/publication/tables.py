"""What is stored of this aggregate. `organisation` is in every key."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import Column, Date, DateTime, Index, Integer, Text, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from services.meetings.tables import MeetingsTable


class PublicationRow(MeetingsTable, table=True):
    """What of a meeting's minutes is on the notice board; see `publication.Publication`. The files of `posted` are by
    reference, and without what is masked; `masks` says what that is, and leaves this table for nobody but secretaries.
    `title_key`: the title of `posted` as it is searched.
    """

    __tablename__ = "publication"
    __table_args__ = (
        Index("publication_by_meeting", "organisation", "meeting_id", "part", unique=True),
        Index("publication_by_status", "organisation", "status", "posted_on"),
        Index("publication_changed", "organisation", text("GREATEST(edited_at, removed_at)")),
        Index("publication_by_meeting_day", "organisation", "status", "held_on", "id"),
        Index(
            "publication_unsigned",
            "organisation",
            "body_id",
            postgresql_where=text("status = 'draft' AND adjusted_on IS NULL AND part = 0"),
        ),
        Index(
            "publication_in_archive",
            "organisation",
            "body_id",
            "held_on",
            postgresql_where=text("status = 'archived'"),
        ),
    )

    organisation: str = Field(sa_column=Column(Text, primary_key=True))
    id: str = Field(sa_column=Column(Text, primary_key=True))
    version: int = Field(sa_column=Column(Integer, nullable=False))
    meeting_id: str = Field(sa_column=Column(Text, nullable=False))
    part: int = Field(sa_column=Column(Integer, nullable=False, server_default=text("0")))
    paragraph: int | None = Field(sa_column=Column(Integer, nullable=True))
    body_id: str = Field(sa_column=Column(Text, nullable=False))
    held_on: date = Field(sa_column=Column(Date, nullable=False))
    timezone: str = Field(sa_column=Column(Text, nullable=False))
    status: str = Field(sa_column=Column(Text, nullable=False))
    adjust_by: date | None = Field(sa_column=Column(Date, nullable=True))
    adjusted_on: date | None = Field(sa_column=Column(Date, nullable=True))
    post_by: date | None = Field(sa_column=Column(Date, nullable=True))
    edition: int = Field(sa_column=Column(Integer, nullable=False))
    masks: list[dict[str, Any]] = Field(sa_column=Column(JSONB, nullable=False))
    posted: dict[str, Any] | None = Field(sa_column=Column(JSONB(none_as_null=True), nullable=True))
    posted_at: datetime | None = Field(sa_column=Column(DateTime(timezone=True), nullable=True))
    posted_on: date | None = Field(sa_column=Column(Date, nullable=True))
    edited_at: datetime | None = Field(sa_column=Column(DateTime(timezone=True), nullable=True))
    appeal_until: date | None = Field(sa_column=Column(Date, nullable=True))
    remove_on: date | None = Field(sa_column=Column(Date, nullable=True))
    removed_at: datetime | None = Field(sa_column=Column(DateTime(timezone=True), nullable=True))
    removal_reason: str | None = Field(sa_column=Column(Text, nullable=True))
    title_key: str | None = Field(sa_column=Column(Text, nullable=True))
    told: list[str] = Field(sa_column=Column(JSONB, nullable=False))


class MinutesSignatureRow(MeetingsTable, table=True):
    """Who signed minutes, as they stand on the public rendition: in which role, by which name, when. `place` counts
    those of the agreement."""

    __tablename__ = "minutes_signature"

    organisation: str = Field(sa_column=Column(Text, primary_key=True))
    agreement_id: str = Field(sa_column=Column(Text, primary_key=True))
    place: int = Field(sa_column=Column(Integer, primary_key=True, autoincrement=False))
    role: str = Field(sa_column=Column(Text, nullable=False))
    name: str = Field(sa_column=Column(Text, nullable=False))
    at: datetime = Field(sa_column=Column(DateTime(timezone=True), nullable=False))


PUBLICATION = MeetingsTable.metadata.tables["publication"]
MINUTES_SIGNATURE = MeetingsTable.metadata.tables["minutes_signature"]
