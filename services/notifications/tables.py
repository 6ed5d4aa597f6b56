"""What the tables of all aggregates share. Each stands in the room of its aggregate; `organisation` is in every key."""

from typing import Any

from sqlalchemy import Column, DateTime, MetaData, func
from sqlmodel import SQLModel


class NotificationsTable(SQLModel):
    metadata = MetaData()


def moment(*, nullable: bool = False, default_now: bool = False) -> Any:
    return Column(
        DateTime(timezone=True), nullable=nullable, server_default=func.clock_timestamp() if default_now else None
    )
