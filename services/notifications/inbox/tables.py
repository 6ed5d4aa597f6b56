"""The table of embedded mode's mails."""

from datetime import datetime

from sqlalchemy import Column, Index, Text, text
from sqlmodel import Field

from services.notifications.tables import NotificationsTable, moment


class InboxMailRow(NotificationsTable, table=True):
    """A mail that embedded mode shows instead of sending it. `id` is its delivery's."""

    __tablename__ = "inbox_mail"
    __table_args__ = (
        Index("inbox_mail_by_time", "organisation", "accepted_at", "id"),
        Index("inbox_mail_report_due", "report_due_at", postgresql_where=text("report_due_at IS NOT NULL")),
    )

    organisation: str = Field(sa_column=Column(Text, primary_key=True))
    id: str = Field(sa_column=Column(Text, primary_key=True))
    sender: str = Field(sa_column=Column(Text, nullable=False))
    recipient: str = Field(sa_column=Column(Text, nullable=False))
    subject: str = Field(sa_column=Column(Text, nullable=False))
    text: str = Field(sa_column=Column(Text, nullable=False))
    html: str = Field(sa_column=Column(Text, nullable=False))
    accepted_at: datetime = Field(sa_column=moment())
    report_due_at: datetime | None = Field(sa_column=moment(nullable=True))


INBOX_MAIL = NotificationsTable.metadata.tables["inbox_mail"]
