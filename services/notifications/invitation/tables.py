"""The table of invitations."""

from datetime import datetime

from sqlalchemy import Column, Integer, Text
from sqlmodel import Field

from services.notifications.tables import NotificationsTable, moment


class InvitationRow(NotificationsTable, table=True):
    """One person's invitations to one meeting, a row for each address that they came to: `id` is in the organiser's
    address, where answers come (`verp.invitation_id`). One row more, `verp.answers_id`, has the last answer that a
    calendar program sent: `answered_sequence` is of the invitation that it was given to, `answered_at` when."""

    __tablename__ = "invitation"

    organisation: str = Field(sa_column=Column(Text, primary_key=True))
    id: str = Field(sa_column=Column(Text, primary_key=True))
    meeting_id: str = Field(sa_column=Column(Text, nullable=False))
    person_id: str = Field(sa_column=Column(Text, nullable=False))
    answer: str | None = Field(sa_column=Column(Text, nullable=True))
    answered_sequence: int | None = Field(sa_column=Column(Integer, nullable=True))
    answered_at: datetime | None = Field(sa_column=moment(nullable=True))
    comment: str | None = Field(sa_column=Column(Text, nullable=True))


INVITATION = NotificationsTable.metadata.tables["invitation"]
