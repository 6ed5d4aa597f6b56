"""What the tables of all aggregates share. Each stands in the room of its aggregate; `organisation` is in every key."""

from sqlalchemy import MetaData
from sqlmodel import SQLModel


class MeetingsTable(SQLModel):
    metadata = MetaData()
