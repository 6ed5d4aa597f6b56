"""Facts of meetings about tasks: what a decision asks somebody to do. Subject: the task's id; key: its body's, so that
they come behind the memberships of those who are mailed."""

from typing import ClassVar

from pydantic import Field

from shared.events import topics
from shared.events.base import Event
from shared.events.notices import AskedMember


class _TaskEvent(Event):
    abstract: ClassVar[bool] = True
    service: ClassVar[str] = "meetings"
    topic: ClassVar[str] = topics.BODIES

    task_id: str
    meeting_id: str = Field(description="whose minutes give it")
    paragraph: int
    held_on: str = Field(description="the day of that meeting, ISO 8601")
    body_id: str
    body: str
    what: str = Field(description="what is to be done, in one line")


class _TaskAsGiven(_TaskEvent):
    abstract: ClassVar[bool] = True

    owner_id: str | None = Field(None, description="the person who does it; else `owner_role`")
    owner_role: str | None = Field(None, description="whoever has this role in the body does it")
    due: str = Field(description="day, ISO 8601")
    back_on: str | None = Field(None, description="the meeting at which it comes back")
    back_day: str | None = Field(None, description="day, ISO 8601, on which it comes back, before its meeting is known")


class TaskGiven(_TaskAsGiven):
    """A paragraph of signed minutes gives somebody something to do."""


class TaskChanged(_TaskAsGiven):
    """Another owner, day, text or meeting, or another person in the role that owns it; reminders follow the new day."""

    people: tuple[AskedMember, ...] = Field((), description="of another owner: who does it from now on; they are told")
    relieved: tuple[AskedMember, ...] = Field((), description="who was mailed about it, and does it no more; are told")


class TaskDue(_TaskEvent):
    """It is to be done within a week, or today. Each once for a day that it is due."""

    reminder: str = Field(description="week or day")
    due: str = Field(description="day, ISO 8601")
    people: tuple[AskedMember, ...] = Field(description="who does it and has an address; may be nobody")


class TaskWithdrawn(_TaskEvent):
    """It was given by mistake, or is wanted no more: nobody is reminded any more."""

    reason: str
    people: tuple[AskedMember, ...] = Field((), description="who was mailed that it is due: they are told")


class TaskDone(_TaskEvent):
    """It is done, and nobody is reminded any more."""

    note: str | None = Field(None, description="what came of it")
