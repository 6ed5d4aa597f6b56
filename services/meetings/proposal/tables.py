"""What is stored of this aggregate. `organisation` is in every key."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import Column, Date, DateTime, Index, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from services.meetings.tables import MeetingsTable


class ProposalRow(MeetingsTable, table=True):
    """What a member wants to be dealt with at a meeting; see `proposal.Proposal`."""

    __tablename__ = "proposal"
    __table_args__ = (Index("proposal_by_meeting", "organisation", "meeting_id", "at"),)

    organisation: str = Field(sa_column=Column(Text, primary_key=True))
    id: str = Field(sa_column=Column(Text, primary_key=True))
    meeting_id: str = Field(sa_column=Column(Text, nullable=False))
    person_id: str = Field(sa_column=Column(Text, nullable=False))
    person: str = Field(sa_column=Column(Text, nullable=False))
    details: dict[str, Any] = Field(sa_column=Column(JSONB, nullable=False))
    status: str = Field(sa_column=Column(Text, nullable=False))
    reason: str | None = Field(sa_column=Column(Text, nullable=True))
    item_id: str | None = Field(sa_column=Column(Text, nullable=True))
    at: datetime = Field(sa_column=Column(DateTime(timezone=True), nullable=False))


class ProposalsUntilRow(MeetingsTable, table=True):
    """The last day on which items are proposed for a meeting, where one was set."""

    __tablename__ = "proposals_until"

    organisation: str = Field(sa_column=Column(Text, primary_key=True))
    meeting_id: str = Field(sa_column=Column(Text, primary_key=True))
    day: date | None = Field(sa_column=Column(Date, nullable=True))


PROPOSAL = MeetingsTable.metadata.tables["proposal"]
PROPOSALS_UNTIL = MeetingsTable.metadata.tables["proposals_until"]
