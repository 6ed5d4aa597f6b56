"""The tables of members: who may be mailed, who was told of which plan, and mails to those not heard of yet."""

from datetime import datetime
from typing import Any

from sqlalchemy import Column, Index, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from services.notifications.tables import NotificationsTable, moment


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
    held_at: datetime = Field(sa_column=moment(default_now=True))


BODY_MEMBER = NotificationsTable.metadata.tables["body_member"]
PLAN_TOLD = NotificationsTable.metadata.tables["plan_told"]
HELD_MAIL = NotificationsTable.metadata.tables["held_mail"]
