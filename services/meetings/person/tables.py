"""What is stored of this aggregate. `organisation` is in every key."""

from sqlalchemy import Column, Index, Integer, Text, text
from sqlmodel import Field

from services.meetings.tables import MeetingsTable


class PersonRow(MeetingsTable, table=True):
    """A person as they stand. `sort_key` orders lists by name; `email_key` is what spellings of one address share."""

    __tablename__ = "person"
    __table_args__ = (
        Index("person_by_key", "organisation", "key", unique=True),
        Index("person_by_email", "organisation", "email_key", unique=True),
        Index("person_by_name", "organisation", "sort_key", "id"),
    )

    organisation: str = Field(sa_column=Column(Text, primary_key=True))
    id: str = Field(sa_column=Column(Text, primary_key=True))
    version: int = Field(sa_column=Column(Integer, nullable=False))
    key: str = Field(sa_column=Column(Text, nullable=False))
    name: str = Field(sa_column=Column(Text, nullable=False))
    sort_key: str = Field(sa_column=Column(Text(collation="C"), nullable=False))
    email: str | None = Field(sa_column=Column(Text, nullable=True))
    email_key: str | None = Field(sa_column=Column(Text, nullable=True))
    language: str = Field(sa_column=Column(Text, nullable=False))
    party: str | None = Field(sa_column=Column(Text, nullable=True))
    municipality: str | None = Field(sa_column=Column(Text, nullable=True))
    page_version: int = Field(sa_column=Column(Integer, nullable=False, server_default=text("1")))


PERSON = MeetingsTable.metadata.tables["person"]
