"""The tables that messaging keeps in every service's own database."""

from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Identity,
    Index,
    Integer,
    MetaData,
    Text,
    UniqueConstraint,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel


class MessagingTable(SQLModel):
    metadata = MetaData()


def _timestamptz(*, nullable: bool = False, default_now: bool = False) -> Any:
    return Column(
        DateTime(timezone=True), nullable=nullable, server_default=func.clock_timestamp() if default_now else None
    )


class OutboxRow(MessagingTable, table=True):
    """An event to publish. `id` is assigned by the database after the aggregate's lock: key order is commit order."""

    __tablename__ = "outbox"
    __table_args__ = (
        Index("outbox_unpublished", "id", postgresql_where=text("published_at IS NULL")),
        Index(
            "outbox_turns",
            text("(attributes ->> 'organisation')"),
            "id",
            postgresql_where=text("published_at IS NULL AND (attributes ->> 'organisation') <> ''"),
        ),
        Index("outbox_published", "created_at", postgresql_where=text("published_at IS NOT NULL")),
    )

    id: int = Field(sa_column=Column(BigInteger, Identity(always=True, cache=1), primary_key=True))
    event_id: str = Field(sa_column=Column(Text, nullable=False))
    topic: str = Field(sa_column=Column(Text, nullable=False))
    key: str = Field(sa_column=Column(Text, nullable=False))
    attributes: dict[str, str] = Field(sa_column=Column(JSONB, nullable=False))
    # Nullable so that personal data can be erased from a published row and the row stays.
    data: str | None = Field(sa_column=Column(Text, nullable=True))
    created_at: datetime = Field(sa_column=_timestamptz(default_now=True))
    published_at: datetime | None = Field(default=None, sa_column=_timestamptz(nullable=True))


class InboxRow(MessagingTable, table=True):
    """An event that a consumer has handled (or parked): a second copy of it is dropped."""

    __tablename__ = "inbox"
    __table_args__ = (Index("inbox_received", "received_at"),)

    consumer: str = Field(sa_column=Column(Text, primary_key=True))
    event_id: str = Field(sa_column=Column(Text, primary_key=True))
    received_at: datetime = Field(sa_column=_timestamptz(default_now=True))


class DeadLetterRow(MessagingTable, table=True):
    """A message that could not be handled (`reason` set), or one that waits behind such a one (`reason` empty).

    The raw headers and body are kept, so that `retry` reads exactly what Kafka brought.
    """

    __tablename__ = "dead_letter"
    __table_args__ = (
        UniqueConstraint("consumer", "topic", "fingerprint", name="dead_letter_once"),
        Index("dead_letter_key", "consumer", "topic", "key", "id"),
        Index("dead_letter_refused", "consumer", postgresql_where=text("NOT authentic")),
    )

    id: int = Field(sa_column=Column(BigInteger, Identity(always=True, cache=1), primary_key=True))
    consumer: str = Field(sa_column=Column(Text, nullable=False))
    topic: str = Field(sa_column=Column(Text, nullable=False))
    partition: int = Field(sa_column=Column(BigInteger, nullable=False))
    position: int = Field(sa_column=Column(BigInteger, nullable=False))
    key: str = Field(sa_column=Column(Text, nullable=False))
    # SHA-256 over headers and body: a rebuilt topic brings the same message at another position.
    fingerprint: str = Field(sa_column=Column(Text, nullable=False))
    event_id: str | None = Field(sa_column=Column(Text, nullable=True))
    event_type: str | None = Field(sa_column=Column(Text, nullable=True))
    headers: list[list[str]] = Field(sa_column=Column(JSONB, nullable=False))  # [name, base64 of the value]
    body: str | None = Field(sa_column=Column(Text, nullable=True))  # base64
    reason: str | None = Field(sa_column=Column(Text, nullable=True))
    # False: nobody signed it for us. Kept apart from those of its key.
    authentic: bool = Field(sa_column=Column(Boolean, nullable=False, server_default=text("true")))
    created_at: datetime = Field(sa_column=_timestamptz(default_now=True))


class TimerRow(MessagingTable, table=True):
    """Something to do at a time of business; one of a kind for a subject."""

    __tablename__ = "timer"
    __table_args__ = (Index("timer_due", "due_at"),)

    organisation: str = Field(sa_column=Column(Text, primary_key=True))
    kind: str = Field(sa_column=Column(Text, primary_key=True))
    subject: str = Field(sa_column=Column(Text, primary_key=True))
    due_at: datetime = Field(sa_column=_timestamptz())


class KeptAnswerRow(MessagingTable, table=True):
    """The answer to a request that bore an `Idempotency-Key`, as long as it may be sent again."""

    __tablename__ = "kept_answer"
    __table_args__ = (Index("kept_answer_created", "created_at"),)

    organisation: str = Field(sa_column=Column(Text, primary_key=True))
    caller: str = Field(sa_column=Column(Text, primary_key=True))
    key: str = Field(sa_column=Column(Text, primary_key=True))
    fingerprint: str = Field(sa_column=Column(Text, nullable=False))
    status: int = Field(sa_column=Column(Integer, nullable=False))
    body: str = Field(sa_column=Column(Text, nullable=False))
    location: str | None = Field(sa_column=Column(Text, nullable=True))
    created_at: datetime = Field(sa_column=_timestamptz(default_now=True))


class OrganisationRow(MessagingTable, table=True):
    """What the service knows of an organisation of the installation: see `shared.organisations`. `since`: when it came
    to stand so.

    Of one that is to be erased (`shared.erasing`), and then was, it is what stays: `erased_at`, when that was decided;
    `erasure_ended_at`, when nothing was left here; `erased`, how many rows by table; `late`, how many of its events
    came after, and were dropped. It stays suspended.
    """

    __tablename__ = "organisation"
    __table_args__ = (
        Index("organisation_suspended", "id", postgresql_where=text("standing = 'suspended'")),
        Index("organisation_erased", "id", postgresql_where=text("erased_at IS NOT NULL")),
    )

    id: str = Field(sa_column=Column(Text, primary_key=True))
    version: int = Field(sa_column=Column(Integer, nullable=False))
    standing: str = Field(sa_column=Column(Text, nullable=False))
    since: datetime = Field(sa_column=_timestamptz())
    reason: str = Field(sa_column=Column(Text, nullable=False))
    name: str = Field(sa_column=Column(Text, nullable=False))
    language: str = Field(sa_column=Column(Text, nullable=False))
    erased_at: datetime | None = Field(default=None, sa_column=_timestamptz(nullable=True))
    erasure_ended_at: datetime | None = Field(default=None, sa_column=_timestamptz(nullable=True))
    erased: dict[str, int] | None = Field(default=None, sa_column=Column(JSONB(none_as_null=True), nullable=True))
    late: int = Field(default=0, sa_column=Column(BigInteger, nullable=False, server_default=text("0")))
    # Empty: the installation's.
    mail_from: str = Field(default="", sa_column=Column(Text, nullable=False, server_default=""))
    bounce_domain: str = Field(default="", sa_column=Column(Text, nullable=False, server_default=""))


OUTBOX = MessagingTable.metadata.tables["outbox"]
INBOX = MessagingTable.metadata.tables["inbox"]
DEAD_LETTER = MessagingTable.metadata.tables["dead_letter"]
KEPT_ANSWER = MessagingTable.metadata.tables["kept_answer"]
TIMER = MessagingTable.metadata.tables["timer"]
ORGANISATION = MessagingTable.metadata.tables["organisation"]
