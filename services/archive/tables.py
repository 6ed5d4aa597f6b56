"""The tables of the archive: documents waiting to be archived, those that are, and the journal of every event."""

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
    LargeBinary,
    MetaData,
    Text,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel


class ArchiveTable(SQLModel):
    metadata = MetaData()


def _text(*, nullable: bool = False, primary_key: bool = False) -> Any:
    return Column(Text, nullable=nullable, primary_key=primary_key)


def _timestamptz(*, nullable: bool = False, default_now: bool = False) -> Any:
    default = func.clock_timestamp() if default_now else None
    return Column(DateTime(timezone=True), nullable=nullable, server_default=default)


class ArchivingJobRow(ArchiveTable, table=True):
    """A completed agreement that is to be archived; the row goes when it is.

    `due_at` is also the lease: who claims a job moves it ahead, so a job whose worker died becomes due again. By the
    database's clock. `state` is `waiting`; `failed` once `attempts` reached their limit: then only a retry helps; or
    `refused` for a history that is not what the journal has, with the `differences`, until a person has `accepted` them
    ({by, reason, at, differences}) or a retry finds none.
    """

    __tablename__ = "archiving_job"
    __table_args__ = (
        Index("archiving_job_due", "due_at", postgresql_where=text("state = 'waiting'")),
        Index(
            "archiving_job_turns",
            "organisation",
            "due_at",
            postgresql_where=text("state = 'waiting' AND organisation <> ''"),
        ),
    )

    organisation: str = Field(sa_column=_text(primary_key=True))
    agreement_id: str = Field(sa_column=_text(primary_key=True))
    state: str = Field(sa_column=Column(Text, nullable=False, server_default="waiting"))
    attempts: int = Field(sa_column=Column(Integer, nullable=False, server_default=text("0")))
    due_at: datetime = Field(sa_column=_timestamptz(default_now=True))
    reason: str | None = Field(sa_column=_text(nullable=True))
    # AgreementCompleted as it came: the envelope's attributes, and the body.
    attributes: dict[str, str] = Field(sa_column=Column(JSONB, nullable=False))
    data: str = Field(sa_column=_text())
    differences: list[str] | None = Field(sa_column=Column(JSONB(none_as_null=True), nullable=True))
    accepted: dict[str, Any] | None = Field(sa_column=Column(JSONB(none_as_null=True), nullable=True))


class ArchivedProtocolRow(ArchiveTable, table=True):
    """A sealed and stored final copy. `sealed` and `manifest` are blob references."""

    __tablename__ = "archived_protocol"
    __table_args__ = (Index("archived_protocol_listed", "organisation", "archived_at", "agreement_id"),)

    organisation: str = Field(sa_column=_text(primary_key=True))
    agreement_id: str = Field(sa_column=_text(primary_key=True))
    meeting_id: str = Field(sa_column=_text())
    document_name: str = Field(sa_column=_text())
    language: str = Field(sa_column=_text())
    timezone: str = Field(sa_column=_text())
    correlation_id: str = Field(sa_column=_text())
    completed_at: datetime = Field(sa_column=_timestamptz())
    archived_at: datetime = Field(sa_column=_timestamptz())
    sealed: dict[str, Any] = Field(sa_column=Column(JSONB, nullable=False))
    manifest: dict[str, Any] = Field(sa_column=Column(JSONB, nullable=False))
    test_seal: bool = Field(sa_column=Column(Boolean, nullable=False))


class ExtractRow(ArchiveTable, table=True):
    """A certified extract of archived minutes, `number` counting from 1; see `extracts.Extract`. `asked_by`: a token's
    name."""

    __tablename__ = "extract"
    __table_args__ = (Index("extract_by_time", "organisation", "certified_at"),)

    organisation: str = Field(sa_column=_text(primary_key=True))
    agreement_id: str = Field(sa_column=_text(primary_key=True))
    number: int = Field(sa_column=Column(Integer, primary_key=True, autoincrement=False))
    paragraph: int = Field(sa_column=Column(Integer, nullable=False))
    certified_by: str = Field(sa_column=_text())
    certified_at: datetime = Field(sa_column=_timestamptz())
    asked_by: str = Field(sa_column=_text())
    sealed: dict[str, Any] = Field(sa_column=Column(JSONB, nullable=False))
    test_seal: bool = Field(sa_column=Column(Boolean, nullable=False))


class ExtractSendingRow(ArchiveTable, table=True):
    """To whom an extract was sent; see `extract_sending.Sending`. `holder` as in `shared.links`, `body` as the minutes
    name it: who sends the next one of that body's is offered the same people. `sent_by`: a token's name. `told`: how
    many events speak of it; `form_key`: of the form that had it sent last."""

    __tablename__ = "extract_sending"
    __table_args__ = (Index("extract_sending_of_body", "organisation", "body", "sent_at"),)

    organisation: str = Field(sa_column=_text(primary_key=True))
    agreement_id: str = Field(sa_column=_text(primary_key=True))
    number: int = Field(sa_column=Column(Integer, primary_key=True, autoincrement=False))
    holder: str = Field(sa_column=_text(primary_key=True))
    body: str = Field(sa_column=_text())
    recipient: dict[str, Any] = Field(sa_column=Column(JSONB, nullable=False))
    sender: dict[str, Any] = Field(sa_column=Column(JSONB, nullable=False))
    version: int = Field(sa_column=Column(Integer, nullable=False))
    sent_at: datetime = Field(sa_column=_timestamptz())
    opens_until: datetime = Field(sa_column=_timestamptz())
    ended_at: datetime | None = Field(sa_column=_timestamptz(nullable=True))
    bounced_at: datetime | None = Field(sa_column=_timestamptz(nullable=True))
    diagnostic: str = Field(sa_column=_text())
    sent_by: str = Field(sa_column=_text())
    told: int = Field(sa_column=Column(Integer, nullable=False))
    form_key: str | None = Field(sa_column=_text(nullable=True))
    unread_at: datetime | None = Field(sa_column=_timestamptz(nullable=True))


class EndedLinkRow(ArchiveTable, table=True):
    """A person whose links to a sealed copy open nothing below `version`. `holder` as in `shared.links`."""

    __tablename__ = "ended_link"

    organisation: str = Field(sa_column=_text(primary_key=True))
    agreement_id: str = Field(sa_column=_text(primary_key=True))
    holder: str = Field(sa_column=_text(primary_key=True))
    version: int = Field(sa_column=Column(Integer, nullable=False))


class JournalRow(ArchiveTable, table=True):
    """A message of any topic, as Kafka brought it. `id` order is commit order (see `services.archive.journal`). An id
    begins with its month, and each month is a partition (see `services.archive.journal_months`).

    The text columns are for finding: cut to a length that an index takes, and without what PostgreSQL's text does not
    hold; `headers` and `body` keep every byte. `body` is nullable so that personal data can be erased.
    """

    __tablename__ = "journal"
    __table_args__ = (
        Index("journal_listed", "organisation", "id"),
        Index("journal_subject", "organisation", "subject", "id"),
        Index("journal_correlation", "organisation", "correlation_id", "id"),
        Index("journal_type", "organisation", "event_type", "id"),
        Index("journal_time", "organisation", "time", "id"),
        Index("journal_not_authentic", "id", postgresql_where=text("NOT authentic")),
        {"postgresql_partition_by": "RANGE (id)"},
    )

    id: int = Field(sa_column=Column(BigInteger, Identity(always=True, cache=1), primary_key=True))
    organisation: str = Field(sa_column=_text())
    topic: str = Field(sa_column=_text())
    partition: int = Field(sa_column=Column(BigInteger, nullable=False))
    position: int = Field(sa_column=Column(BigInteger, nullable=False))
    key: str = Field(sa_column=_text())
    event_id: str | None = Field(sa_column=_text(nullable=True))
    event_type: str | None = Field(sa_column=_text(nullable=True))
    subject: str | None = Field(sa_column=_text(nullable=True))
    correlation_id: str | None = Field(sa_column=_text(nullable=True))
    time: datetime | None = Field(sa_column=_timestamptz(nullable=True))
    readable: bool = Field(sa_column=Column(Boolean, nullable=False))
    authentic: bool = Field(sa_column=Column(Boolean, nullable=False, server_default=text("true")))
    headers: list[list[str]] = Field(sa_column=Column(JSONB, nullable=False))  # [name, base64 of the value]
    body: bytes | None = Field(sa_column=Column(LargeBinary, nullable=True))
    recorded_at: datetime = Field(sa_column=_timestamptz(default_now=True))


ARCHIVING_JOB = ArchiveTable.metadata.tables["archiving_job"]
ARCHIVED_PROTOCOL = ArchiveTable.metadata.tables["archived_protocol"]
JOURNAL = ArchiveTable.metadata.tables["journal"]
ENDED_LINK = ArchiveTable.metadata.tables["ended_link"]
EXTRACT = ArchiveTable.metadata.tables["extract"]
EXTRACT_SENDING = ArchiveTable.metadata.tables["extract_sending"]
