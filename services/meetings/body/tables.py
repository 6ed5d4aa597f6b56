"""What is stored of this aggregate. `organisation` is in every key."""

from datetime import date
from typing import Any

from sqlalchemy import BigInteger, Column, Date, Index, Integer, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from services.meetings.tables import MeetingsTable


class RegisterRow(MeetingsTable, table=True):
    """An organisation's register of bodies and people. `version` counts what was asked of it: its row lock lets one
    change it at a time, so that what must be unique in it, or must fit together, is checked against what stands."""

    __tablename__ = "register"

    organisation: str = Field(sa_column=Column(Text, primary_key=True))
    version: int = Field(sa_column=Column(BigInteger, nullable=False))


class BodyRow(MeetingsTable, table=True):
    """A body as it stands. `name_key` is what spellings of one name share; `rules` are `body.BodyRules`."""

    __tablename__ = "body"
    __table_args__ = (
        Index("body_by_key", "organisation", "key", unique=True),
        Index("body_by_name", "organisation", "name_key", unique=True),
    )

    organisation: str = Field(sa_column=Column(Text, primary_key=True))
    id: str = Field(sa_column=Column(Text, primary_key=True))
    version: int = Field(sa_column=Column(Integer, nullable=False))
    key: str = Field(sa_column=Column(Text, nullable=False))
    name: str = Field(sa_column=Column(Text, nullable=False))
    name_key: str = Field(sa_column=Column(Text, nullable=False))
    kind: str = Field(sa_column=Column(Text, nullable=False))
    rules: dict[str, Any] = Field(sa_column=Column(JSONB, nullable=False))
    closed: date | None = Field(sa_column=Column(Date, nullable=True))


class MembershipRow(MeetingsTable, table=True):
    """A person's place in a body. `place` is a substitute's order; `basis` is `membership.Basis`."""

    __tablename__ = "membership"
    __table_args__ = (
        Index("membership_by_body", "organisation", "body_id"),
        Index("membership_by_person", "organisation", "person_id"),
    )

    organisation: str = Field(sa_column=Column(Text, primary_key=True))
    id: str = Field(sa_column=Column(Text, primary_key=True))
    body_id: str = Field(sa_column=Column(Text, nullable=False))
    person_id: str = Field(sa_column=Column(Text, nullable=False))
    role: str = Field(sa_column=Column(Text, nullable=False))
    place: int | None = Field(sa_column=Column(Integer, nullable=True))
    begins: date | None = Field(sa_column=Column(Date, nullable=True))
    ends: date | None = Field(sa_column=Column(Date, nullable=True))
    basis: dict[str, Any] | None = Field(sa_column=Column(JSONB(none_as_null=True), nullable=True))


REGISTER = MeetingsTable.metadata.tables["register"]
BODY = MeetingsTable.metadata.tables["body"]
MEMBERSHIP = MeetingsTable.metadata.tables["membership"]
