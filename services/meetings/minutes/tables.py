"""What is stored of this aggregate. `organisation` is in every key."""

from datetime import datetime
from typing import Any

from sqlalchemy import Column, DateTime, Index, Integer, Text, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from services.meetings.tables import MeetingsTable


class NumberingRow(MeetingsTable, table=True):
    """The next paragraph number of a body's calendar year. Its row lock keeps the numbers without gap or double.

    `body_key`: what spellings of the body's present name share; a body that is renamed takes its numbers with it.
    """

    __tablename__ = "numbering"

    organisation: str = Field(sa_column=Column(Text, primary_key=True))
    body_key: str = Field(sa_column=Column(Text, primary_key=True))
    year: int = Field(sa_column=Column(Integer, primary_key=True))
    next_paragraph: int | None = Field(sa_column=Column(Integer, nullable=True))


class MinutesRow(MeetingsTable, table=True):
    """A version of the minutes of a meeting: which paragraphs it holds, and its documents by reference.

    `ended`: how the agreement about it ended before everyone had signed, see `minutes.revision`; `signed_at`: when they
    all had. `released_at`: when it was sent to be signed, as far as is known; `unlocked_at`: when somebody said that it
    is to be changed. `source`: the Markdown that it was drafted of, by reference. `render_input`, `source`,
    `signed_at`: None of what was drafted, or signed, before they were kept.

    A version below 0 is one paragraph that is approved at once, see `minutes.at_once`; `reserved_first` and
    `reserved_last`: the numbers that its meeting holds then; `piece`, `heading`: which of its draft it was.
    """

    __tablename__ = "minutes"
    __table_args__ = (Index("minutes_by_agreement", "organisation", "agreement_id", unique=True),)

    organisation: str = Field(sa_column=Column(Text, primary_key=True))
    meeting_id: str = Field(sa_column=Column(Text, primary_key=True))
    version: int = Field(sa_column=Column(Integer, primary_key=True, autoincrement=False, server_default=text("1")))
    agreement_id: str = Field(sa_column=Column(Text, nullable=False))
    document_name: str = Field(sa_column=Column(Text, nullable=False))
    year: int = Field(sa_column=Column(Integer, nullable=False))
    first_paragraph: int = Field(sa_column=Column(Integer, nullable=False))
    last_paragraph: int = Field(sa_column=Column(Integer, nullable=False))
    pdf: dict[str, Any] = Field(sa_column=Column(JSONB, nullable=False))
    drafted_at: datetime = Field(sa_column=Column(DateTime(timezone=True), nullable=False))
    ended: str | None = Field(sa_column=Column(Text, nullable=True))
    render_input: dict[str, Any] | None = Field(sa_column=Column(JSONB(none_as_null=True), nullable=True))
    signed_at: datetime | None = Field(sa_column=Column(DateTime(timezone=True), nullable=True))
    source: dict[str, Any] | None = Field(sa_column=Column(JSONB(none_as_null=True), nullable=True))
    unlocked_at: datetime | None = Field(sa_column=Column(DateTime(timezone=True), nullable=True))
    reserved_first: int | None = Field(sa_column=Column(Integer, nullable=True))
    reserved_last: int | None = Field(sa_column=Column(Integer, nullable=True))
    released_at: datetime | None = Field(sa_column=Column(DateTime(timezone=True), nullable=True))
    piece: str | None = Field(sa_column=Column(Text, nullable=True))
    heading: str | None = Field(sa_column=Column(Text, nullable=True))


class ElectionRow(MeetingsTable, table=True):
    """An election that a version of a meeting's minutes declares, `number` counting from 1; `elections.Elected`.

    `outcome`: None while not everyone has signed; `seated`, or why it was refused then, see `seating`.
    """

    __tablename__ = "election"

    organisation: str = Field(sa_column=Column(Text, primary_key=True))
    meeting_id: str = Field(sa_column=Column(Text, primary_key=True))
    version: int = Field(sa_column=Column(Integer, primary_key=True, autoincrement=False))
    number: int = Field(sa_column=Column(Integer, primary_key=True, autoincrement=False))
    body_id: str = Field(sa_column=Column(Text, nullable=False))
    person_id: str = Field(sa_column=Column(Text, nullable=False))
    elected: dict[str, Any] = Field(sa_column=Column(JSONB, nullable=False))
    outcome: str | None = Field(sa_column=Column(Text, nullable=True))
    membership_id: str | None = Field(sa_column=Column(Text, nullable=True))


NUMBERING = MeetingsTable.metadata.tables["numbering"]
MINUTES = MeetingsTable.metadata.tables["minutes"]
ELECTION = MeetingsTable.metadata.tables["election"]
