"""What is stored of this aggregate. `organisation` is in every key."""

from typing import Any

from sqlalchemy import Column, Index, Integer, Text, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from services.meetings.tables import MeetingsTable


class MeetingRow(MeetingsTable, table=True):
    """A meeting as it stands. `starts` and `ends` are local wall time as text; `timezone` places them.

    `body_id`: of the body that `body` names, when the register knows it. `plan`, `slot`: which meeting of which plan it
    is, when a plan made it; `plan_year`: that plan's year. `reserved` is `meeting.Reserved`. `reason`: why it is
    cancelled; `taken_over_by`: the meeting that took its items, when it was struck.
    """

    __tablename__ = "meeting"
    __table_args__ = (
        Index("meeting_by_start", "organisation", "starts", "id"),
        Index("meeting_by_plan", "organisation", "plan"),
        Index("meeting_by_body", "organisation", "body_id", "ends"),
        Index("meeting_of_no_body", "organisation", "body", postgresql_where=text("body_id IS NULL")),
        Index(
            "meeting_taken_over", "organisation", "taken_over_by", postgresql_where=text("taken_over_by IS NOT NULL")
        ),
    )

    organisation: str = Field(sa_column=Column(Text, primary_key=True))
    id: str = Field(sa_column=Column(Text, primary_key=True))
    version: int = Field(sa_column=Column(Integer, nullable=False))
    status: str = Field(sa_column=Column(Text, nullable=False))
    body: str = Field(sa_column=Column(Text, nullable=False))
    body_id: str | None = Field(sa_column=Column(Text, nullable=True))
    title: str = Field(sa_column=Column(Text, nullable=False))
    place: str = Field(sa_column=Column(Text, nullable=False))
    starts: str = Field(sa_column=Column(Text, nullable=False))
    ends: str = Field(sa_column=Column(Text, nullable=False))
    timezone: str = Field(sa_column=Column(Text, nullable=False))
    participants: list[dict[str, Any]] = Field(sa_column=Column(JSONB, nullable=False))
    mode: str | None = Field(sa_column=Column(Text, nullable=True))
    occasion: str = Field(sa_column=Column(Text, nullable=False, server_default="ordinary"))
    reserved: dict[str, Any] | None = Field(sa_column=Column(JSONB(none_as_null=True), nullable=True))
    plan: str | None = Field(sa_column=Column(Text, nullable=True))
    slot: str | None = Field(sa_column=Column(Text, nullable=True))
    plan_year: int | None = Field(sa_column=Column(Integer, nullable=True))
    reason: str | None = Field(sa_column=Column(Text, nullable=True))
    taken_over_by: str | None = Field(sa_column=Column(Text, nullable=True))


MEETING = MeetingsTable.metadata.tables["meeting"]
