"""The notifications service's own tables. `organisation` is in every key."""

from datetime import datetime
from typing import Any

from sqlalchemy import Boolean, Column, DateTime, Index, Integer, LargeBinary, MetaData, Text, func, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel


class NotificationsTable(SQLModel):
    metadata = MetaData()


def _moment(*, nullable: bool = False, default_now: bool = False) -> Any:
    return Column(
        DateTime(timezone=True), nullable=nullable, server_default=func.clock_timestamp() if default_now else None
    )


class AgreementRow(NotificationsTable, table=True):
    """What mails about an agreement need and their own event does not carry.

    `others`: for a request's id, the person who may sign for the same place (the alternate, or the original).
    `people`: the addresses that mails about it may go to, as `email_key`s; null until it was made known.
    `asked`: of an agreement that an earlier version took in, the requests that have asked somebody; else null.
    `copy_links`: by `email_key`, the version of the next link to the sealed copy, of those whose links were ended.
    """

    __tablename__ = "agreement"

    organisation: str = Field(sa_column=Column(Text, primary_key=True))
    agreement_id: str = Field(sa_column=Column(Text, primary_key=True))
    sender: dict[str, Any] | None = Field(sa_column=Column(JSONB(none_as_null=True), nullable=True))
    timezone: str = Field(sa_column=Column(Text, nullable=False))
    others: dict[str, Any] = Field(sa_column=Column(JSONB, nullable=False))
    people: list[str] | None = Field(sa_column=Column(JSONB(none_as_null=True), nullable=True))
    asked: list[str] | None = Field(sa_column=Column(JSONB(none_as_null=True), nullable=True))
    copy_links: dict[str, int] = Field(sa_column=Column(JSONB, nullable=False, server_default=text("'{}'")))


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
    facts: dict[str, Any] = Field(sa_column=Column(JSONB, nullable=False))
    created_at: datetime = Field(sa_column=_moment())
    status: str = Field(sa_column=Column(Text, nullable=False))
    version: int = Field(sa_column=Column(Integer, nullable=False, server_default=text("0")))
    attempts: int = Field(sa_column=Column(Integer, nullable=False, server_default=text("0")))
    queued_at: datetime = Field(sa_column=_moment(default_now=True))
    due_at: datetime = Field(sa_column=_moment(default_now=True))
    changed_at: datetime = Field(sa_column=_moment(default_now=True))
    lease_until: datetime | None = Field(sa_column=_moment(nullable=True))
    claim: str | None = Field(sa_column=Column(Text, nullable=True))
    contested: bool = Field(sa_column=Column(Boolean, nullable=False, server_default=text("false")))
    sent_at: datetime | None = Field(sa_column=_moment(nullable=True))
    bounced_at: datetime | None = Field(sa_column=_moment(nullable=True))
    last_status: str | None = Field(sa_column=Column(Text, nullable=True))
    last_diagnostic: str | None = Field(sa_column=Column(Text, nullable=True))
    last_report: str | None = Field(sa_column=Column(Text, nullable=True))


class BodyMemberRow(NotificationsTable, table=True):
    """Someone who has, or had, a place in a body: mails about its meetings may go to them."""

    __tablename__ = "body_member"

    organisation: str = Field(sa_column=Column(Text, primary_key=True))
    body_id: str = Field(sa_column=Column(Text, primary_key=True))
    person_id: str = Field(sa_column=Column(Text, primary_key=True))


class PlanToldRow(NotificationsTable, table=True):
    """Someone who was told of a body's plan: later they are told what changes."""

    __tablename__ = "plan_told"

    organisation: str = Field(sa_column=Column(Text, primary_key=True))
    body_id: str = Field(sa_column=Column(Text, primary_key=True))
    plan: str = Field(sa_column=Column(Text, primary_key=True))
    person_id: str = Field(sa_column=Column(Text, primary_key=True))


class HeldMailRow(NotificationsTable, table=True):
    """A mail about a body's meeting to someone whose membership has not been heard of yet; see `held`."""

    __tablename__ = "held_mail"
    __table_args__ = (Index("held_mail_by_time", "held_at"),)

    organisation: str = Field(sa_column=Column(Text, primary_key=True))
    body_id: str = Field(sa_column=Column(Text, primary_key=True))
    person_id: str = Field(sa_column=Column(Text, primary_key=True))
    cause_id: str = Field(sa_column=Column(Text, primary_key=True))
    purpose: str = Field(sa_column=Column(Text, primary_key=True))
    mail: dict[str, Any] = Field(sa_column=Column(JSONB, nullable=False))
    held_at: datetime = Field(sa_column=_moment(default_now=True))


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
    answered_at: datetime | None = Field(sa_column=_moment(nullable=True))
    comment: str | None = Field(sa_column=Column(Text, nullable=True))


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
    received_at: datetime = Field(sa_column=_moment(default_now=True))
    reason: str = Field(sa_column=Column(Text, nullable=False))
    size: int = Field(sa_column=Column(Integer, nullable=False))
    raw: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    delivery_id: str | None = Field(sa_column=Column(Text, nullable=True))
    answer: bool = Field(sa_column=Column(Boolean, nullable=False, server_default=text("false")))
    settled_at: datetime | None = Field(sa_column=_moment(nullable=True))


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
    accepted_at: datetime = Field(sa_column=_moment())
    report_due_at: datetime | None = Field(sa_column=_moment(nullable=True))


AGREEMENT = NotificationsTable.metadata.tables["agreement"]
DELIVERY = NotificationsTable.metadata.tables["delivery"]
BODY_MEMBER = NotificationsTable.metadata.tables["body_member"]
PLAN_TOLD = NotificationsTable.metadata.tables["plan_told"]
HELD_MAIL = NotificationsTable.metadata.tables["held_mail"]
INVITATION = NotificationsTable.metadata.tables["invitation"]
UNMATCHED_REPORT = NotificationsTable.metadata.tables["unmatched_report"]
INBOX_MAIL = NotificationsTable.metadata.tables["inbox_mail"]
