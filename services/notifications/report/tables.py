"""The table of what came back and is kept for a human."""

from datetime import datetime

from sqlalchemy import Boolean, Column, Index, Integer, LargeBinary, Text, text
from sqlmodel import Field

from services.notifications.tables import NotificationsTable, moment


class UnmatchedReportRow(NotificationsTable, table=True):
    """A delivery report that points to no mail of ours, or cannot be read: for a human. `raw` is cut.

    `delivery_id`: whose return path it came to; `answer`: it is no report, but what a person or a machine answered;
    `settled_at`: since when it needs nobody any more.
    """

    __tablename__ = "unmatched_report"
    __table_args__ = (
        Index("unmatched_report_by_time", "organisation", "received_at", "sha256"),
        Index(
            "unmatched_report_of_delivery",
            "organisation",
            "delivery_id",
            postgresql_where=text("delivery_id IS NOT NULL"),
        ),
    )

    organisation: str = Field(sa_column=Column(Text, primary_key=True))
    sha256: str = Field(sa_column=Column(Text, primary_key=True))
    received_at: datetime = Field(sa_column=moment(default_now=True))
    reason: str = Field(sa_column=Column(Text, nullable=False))
    size: int = Field(sa_column=Column(Integer, nullable=False))
    raw: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    delivery_id: str | None = Field(sa_column=Column(Text, nullable=True))
    answer: bool = Field(sa_column=Column(Boolean, nullable=False, server_default=text("false")))
    settled_at: datetime | None = Field(sa_column=moment(nullable=True))


UNMATCHED_REPORT = NotificationsTable.metadata.tables["unmatched_report"]
