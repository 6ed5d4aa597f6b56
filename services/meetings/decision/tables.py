"""What is stored of this aggregate. `organisation` is in every key."""

from datetime import date

from sqlalchemy import Column, Date, Index, Integer, Text
from sqlalchemy.dialects.postgresql import JSONB, TSVECTOR
from sqlmodel import Field

from services.meetings.tables import MeetingsTable


class DecisionRow(MeetingsTable, table=True):
    """A paragraph of minutes that everyone signed; see `decision.Entry`. `words` and `named` are what is searched: the
    stems of its text by the language of the minutes, and the names of those whom the minutes name.

    `body_id`, `body_key`: as of items of the agenda.
    """

    __tablename__ = "decision"
    __table_args__ = (
        Index("decision_by_words", "words", postgresql_using="gin"),
        Index("decision_by_named", "named", postgresql_using="gin"),
        Index("decision_by_day", "organisation", "held_on"),
        Index("decision_by_body", "organisation", "body_id", "held_on"),
    )

    organisation: str = Field(sa_column=Column(Text, primary_key=True))
    meeting_id: str = Field(sa_column=Column(Text, primary_key=True))
    paragraph: int = Field(sa_column=Column(Integer, primary_key=True, autoincrement=False))
    version: int = Field(sa_column=Column(Integer, nullable=False))
    agreement_id: str = Field(sa_column=Column(Text, nullable=False))
    document_name: str = Field(sa_column=Column(Text, nullable=False))
    body_id: str | None = Field(sa_column=Column(Text, nullable=True))
    body: str = Field(sa_column=Column(Text, nullable=False))
    body_key: str = Field(sa_column=Column(Text, nullable=False))
    held_on: date = Field(sa_column=Column(Date, nullable=False))
    language: str = Field(sa_column=Column(Text, nullable=False))
    heading: str = Field(sa_column=Column(Text, nullable=False))
    decision: str = Field(sa_column=Column(Text, nullable=False))
    background: str = Field(sa_column=Column(Text, nullable=False))
    people: list[str] = Field(sa_column=Column(JSONB, nullable=False))
    words: str = Field(sa_column=Column(TSVECTOR, nullable=False))
    named: str = Field(sa_column=Column(TSVECTOR, nullable=False))


DECISION = MeetingsTable.metadata.tables["decision"]
