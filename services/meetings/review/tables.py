"""What is stored of this aggregate. `organisation` is in every key."""

from datetime import date, datetime

from sqlalchemy import Column, Date, DateTime, Index, Integer, Text, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from services.meetings.tables import MeetingsTable


class ReviewRow(MeetingsTable, table=True):
    """A review of minutes as it stands; see `review.Review`. A meeting has one that is open at most."""

    __tablename__ = "review"
    __table_args__ = (
        Index("review_by_meeting", "organisation", "meeting_id"),
        Index("review_by_body", "organisation", "body_id", "id"),
        Index("review_open", "organisation", "meeting_id", unique=True, postgresql_where=text("status = 'open'")),
    )

    organisation: str = Field(sa_column=Column(Text, primary_key=True))
    id: str = Field(sa_column=Column(Text, primary_key=True))
    version: int = Field(sa_column=Column(Integer, nullable=False))
    meeting_id: str = Field(sa_column=Column(Text, nullable=False))
    body_id: str = Field(sa_column=Column(Text, nullable=False))
    status: str = Field(sa_column=Column(Text, nullable=False))
    minutes_version: int = Field(sa_column=Column(Integer, nullable=False))
    agreement_id: str = Field(sa_column=Column(Text, nullable=False))
    document_name: str = Field(sa_column=Column(Text, nullable=False))
    answer_by: date = Field(sa_column=Column(Date, nullable=False))
    note: str | None = Field(sa_column=Column(Text, nullable=True))
    people: list[str] = Field(sa_column=Column(JSONB, nullable=False))
    agreed: dict[str, int] = Field(sa_column=Column(JSONB, nullable=False))
    reason: str | None = Field(sa_column=Column(Text, nullable=True))
    unreached: dict[str, str] = Field(sa_column=Column(JSONB, nullable=False, server_default=text("'{}'")))


class ReviewCommentRow(MeetingsTable, table=True):
    """What someone said in a review of a paragraph, 0: of the minutes as a whole; see `review.Comment`."""

    __tablename__ = "review_comment"

    organisation: str = Field(sa_column=Column(Text, primary_key=True))
    review_id: str = Field(sa_column=Column(Text, primary_key=True))
    id: str = Field(sa_column=Column(Text, primary_key=True))
    minutes_version: int = Field(sa_column=Column(Integer, nullable=False))
    paragraph: int = Field(sa_column=Column(Integer, nullable=False))
    heading: str = Field(sa_column=Column(Text, nullable=False))
    person_id: str = Field(sa_column=Column(Text, nullable=False))
    text: str = Field(sa_column=Column(Text, nullable=False))
    at: datetime = Field(sa_column=Column(DateTime(timezone=True), nullable=False))
    reply: str | None = Field(sa_column=Column(Text, nullable=True))
    replied_at: datetime | None = Field(sa_column=Column(DateTime(timezone=True), nullable=True))
    settled_at: datetime | None = Field(sa_column=Column(DateTime(timezone=True), nullable=True))


REVIEW = MeetingsTable.metadata.tables["review"]
REVIEW_COMMENT = MeetingsTable.metadata.tables["review_comment"]
