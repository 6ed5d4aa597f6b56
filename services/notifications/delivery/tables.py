"""The table of mails."""

from datetime import datetime
from typing import Any

from sqlalchemy import Boolean, Column, Index, Integer, Text, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from services.notifications.tables import NotificationsTable, moment


class DeliveryRow(NotificationsTable, table=True):
    """One mail to one person for one cause, and what became of it.

    `created_at`, `sent_at` and `bounced_at` are business time; `queued_at`, `due_at`, `lease_until` and `changed_at`
    the database's clock. `version` counts the events published about it. The mail is composed from `facts` and the
    columns before it; its link is derived then, never stored.
    """

    __tablename__ = "delivery"
    __table_args__ = (
        Index(
            "delivery_once",
            "organisation",
            "agreement_id",
            "request_id",
            "recipient",
            "request_version",
            "purpose",
            "cause_id",
            unique=True,
        ),
        Index("delivery_due", "due_at", "id", postgresql_where=text("status = 'waiting'")),
        Index(
            "delivery_turns",
            "organisation",
            "due_at",
            "id",
            postgresql_where=text("status = 'waiting' AND organisation <> ''"),
        ),
        Index("delivery_by_recipient", "organisation", "recipient_key", "id"),
    )

    organisation: str = Field(sa_column=Column(Text, primary_key=True))
    id: str = Field(sa_column=Column(Text, primary_key=True))
    agreement_id: str = Field(sa_column=Column(Text, nullable=False))
    purpose: str = Field(sa_column=Column(Text, nullable=False))
    recipient: str = Field(sa_column=Column(Text, nullable=False))
    recipient_key: str = Field(sa_column=Column(Text, nullable=False))
    # Empty and 0 instead of null where the mail speaks of no request: nulls would make the unique index let seconds in.
    request_id: str = Field(sa_column=Column(Text, nullable=False))
    request_version: int = Field(sa_column=Column(Integer, nullable=False))
    place: int | None = Field(sa_column=Column(Integer, nullable=True))
    cause_id: str = Field(sa_column=Column(Text, nullable=False))
    correlation_id: str = Field(sa_column=Column(Text, nullable=False))
    traceparent: str | None = Field(default=None, sa_column=Column(Text, nullable=True))
    facts: dict[str, Any] = Field(sa_column=Column(JSONB, nullable=False))
    created_at: datetime = Field(sa_column=moment())
    status: str = Field(sa_column=Column(Text, nullable=False))
    version: int = Field(sa_column=Column(Integer, nullable=False, server_default=text("0")))
    attempts: int = Field(sa_column=Column(Integer, nullable=False, server_default=text("0")))
    queued_at: datetime = Field(sa_column=moment(default_now=True))
    due_at: datetime = Field(sa_column=moment(default_now=True))
    changed_at: datetime = Field(sa_column=moment(default_now=True))
    lease_until: datetime | None = Field(sa_column=moment(nullable=True))
    claim: str | None = Field(sa_column=Column(Text, nullable=True))
    contested: bool = Field(sa_column=Column(Boolean, nullable=False, server_default=text("false")))
    sent_at: datetime | None = Field(sa_column=moment(nullable=True))
    bounced_at: datetime | None = Field(sa_column=moment(nullable=True))
    last_status: str | None = Field(sa_column=Column(Text, nullable=True))
    last_diagnostic: str | None = Field(sa_column=Column(Text, nullable=True))
    last_report: str | None = Field(sa_column=Column(Text, nullable=True))


DELIVERY = NotificationsTable.metadata.tables["delivery"]
