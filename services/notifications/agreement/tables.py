"""The table of agreements."""

from typing import Any

from sqlalchemy import Column, Text, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from services.notifications.tables import NotificationsTable


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


AGREEMENT = NotificationsTable.metadata.tables["agreement"]
