"""The tables of signing. `history_entry` is the truth; `agreement` is its fold, kept so that loading costs one row."""

from datetime import datetime
from typing import Any

from sqlalchemy import Boolean, Column, DateTime, Index, Integer, LargeBinary, MetaData, Text, UniqueConstraint, func
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel


class SigningTable(SQLModel):
    metadata = MetaData()


def _timestamptz(*, default_now: bool = False) -> Any:
    default = func.clock_timestamp() if default_now else None
    return Column(DateTime(timezone=True), nullable=False, server_default=default)


class AgreementRow(SigningTable, table=True):
    """The state after `version` entries of the history, whose last hash is `head`."""

    __tablename__ = "agreement"
    __table_args__ = (
        Index("agreement_listed", "organisation", "created_at", "agreement_id"),
        Index("agreement_of_meeting", "organisation", "correlation_id"),
        Index("agreement_listed_by_status", "organisation", "status", "created_at", "agreement_id"),
    )

    organisation: str = Field(sa_column=Column(Text, primary_key=True))
    agreement_id: str = Field(sa_column=Column(Text, primary_key=True))
    correlation_id: str = Field(sa_column=Column(Text, nullable=False))
    version: int = Field(sa_column=Column(Integer, nullable=False))
    head: str = Field(sa_column=Column(Text, nullable=False))
    status: str = Field(sa_column=Column(Text, nullable=False))
    created_at: datetime = Field(sa_column=_timestamptz())
    # JSON of services.signing.agreement.Agreement: read as a whole, never queried into.
    snapshot: str = Field(sa_column=Column(Text, nullable=False))


class HistoryEntryRow(SigningTable, table=True):
    """One chained entry, as `shared.history.Entry`. Payload and salt are nullable so that they can be erased."""

    __tablename__ = "history_entry"

    organisation: str = Field(sa_column=Column(Text, primary_key=True))
    agreement_id: str = Field(sa_column=Column(Text, primary_key=True))
    n: int = Field(sa_column=Column(Integer, primary_key=True, autoincrement=False))
    type: str = Field(sa_column=Column(Text, nullable=False))
    time: datetime = Field(sa_column=_timestamptz())
    recorded: datetime = Field(sa_column=_timestamptz())
    previous: str = Field(sa_column=Column(Text, nullable=False))
    commitment: str = Field(sa_column=Column(Text, nullable=False))
    payload: str | None = Field(sa_column=Column(Text, nullable=True))
    salt: bytes | None = Field(sa_column=Column(LargeBinary, nullable=True))


class SignatureRequestRow(SigningTable, table=True):
    """Which agreement a request belongs to: a signer's link names the request alone."""

    __tablename__ = "signature_request"

    organisation: str = Field(sa_column=Column(Text, primary_key=True))
    request_id: str = Field(sa_column=Column(Text, primary_key=True))
    agreement_id: str = Field(sa_column=Column(Text, nullable=False))


class LoginIdentityRow(SigningTable, table=True):
    """Which account somebody at a provider of OpenID Connect has here. `account`: its id in the token file, which says
    of which organisation it is: nobody is known yet when it is looked up."""

    __tablename__ = "login_identity"
    __table_args__ = (UniqueConstraint("issuer", "account", name="login_identity_of_account"),)

    issuer: str = Field(sa_column=Column(Text, primary_key=True))
    subject: str = Field(sa_column=Column(Text, primary_key=True))
    account: str = Field(sa_column=Column(Text, nullable=False))
    bound_at: datetime = Field(sa_column=_timestamptz(default_now=True))


class LoginSessionRow(SigningTable, table=True):
    """A browser that is logged in; its row is its right to be. `token_sha256`: of the token that it was opened with."""

    __tablename__ = "login_session"
    __table_args__ = (
        Index("login_session_of_token", "organisation", "token_sha256", "opened_at"),
        Index("login_session_end", "ends_at"),
    )

    organisation: str = Field(sa_column=Column(Text, primary_key=True))
    id: str = Field(sa_column=Column(Text, primary_key=True))
    token_sha256: str = Field(sa_column=Column(Text, nullable=False))
    browser: str = Field(sa_column=Column(Text, nullable=False))
    opened_at: datetime = Field(sa_column=_timestamptz(default_now=True))
    seen_at: datetime = Field(sa_column=_timestamptz(default_now=True))
    ends_at: datetime = Field(sa_column=_timestamptz())


class SealedCopyRow(SigningTable, table=True):
    """Where the archive keeps a completed agreement's sealed copy: beside the history, which it is no part of."""

    __tablename__ = "sealed_copy"

    organisation: str = Field(sa_column=Column(Text, primary_key=True))
    agreement_id: str = Field(sa_column=Column(Text, primary_key=True))
    archived_at: datetime = Field(sa_column=_timestamptz())
    pdf: dict[str, Any] = Field(sa_column=Column(JSONB, nullable=False))
    test_seal: bool = Field(sa_column=Column(Boolean, nullable=False))


class MailNewsRow(SigningTable, table=True):
    """What became of a mail and is no part of the history: beside it, for the sender."""

    __tablename__ = "mail_news"

    organisation: str = Field(sa_column=Column(Text, primary_key=True))
    agreement_id: str = Field(sa_column=Column(Text, primary_key=True))
    email_id: str = Field(sa_column=Column(Text, primary_key=True))
    kind: str = Field(sa_column=Column(Text, primary_key=True))
    request_id: str | None = Field(sa_column=Column(Text, nullable=True))
    recipient: str = Field(sa_column=Column(Text, nullable=False))
    at: datetime = Field(sa_column=_timestamptz())
    diagnostic: str = Field(sa_column=Column(Text, nullable=False))


class EndedLinkRow(SigningTable, table=True):
    """A person whose links were ended after the agreement's end: beside the history, which is sealed.

    `email_key` as in `shared.text`; `version` is that of their next link to the sealed copy; `mailed`: they were mailed
    it.
    """

    __tablename__ = "ended_link"

    organisation: str = Field(sa_column=Column(Text, primary_key=True))
    agreement_id: str = Field(sa_column=Column(Text, primary_key=True))
    email_key: str = Field(sa_column=Column(Text, primary_key=True))
    email: str = Field(sa_column=Column(Text, nullable=False))
    version: int = Field(sa_column=Column(Integer, nullable=False))
    mailed: bool = Field(sa_column=Column(Boolean, nullable=False))
    at: datetime = Field(sa_column=_timestamptz())


AGREEMENT = SigningTable.metadata.tables["agreement"]
HISTORY_ENTRY = SigningTable.metadata.tables["history_entry"]
SIGNATURE_REQUEST = SigningTable.metadata.tables["signature_request"]
LOGIN_IDENTITY = SigningTable.metadata.tables["login_identity"]
LOGIN_SESSION = SigningTable.metadata.tables["login_session"]
SEALED_COPY = SigningTable.metadata.tables["sealed_copy"]
MAIL_NEWS = SigningTable.metadata.tables["mail_news"]
ENDED_LINK = SigningTable.metadata.tables["ended_link"]
