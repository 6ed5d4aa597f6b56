"""The rules of a meeting: what may be done with it, and which fact that makes. Pure."""

import unicodedata
from dataclasses import dataclass
from datetime import datetime, time
from enum import StrEnum
from typing import Annotated, Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, ConfigDict, WithJsonSchema

from services.meetings.wall_time import require_there
from shared.errors import InvalidInput, Refused, says
from shared.events import MeetingCancelled, MeetingChanged, MeetingScheduled, Person
from shared.events.meetings import ReservedHours
from shared.plain_text import one_line
from shared.text import clean_email, clean_line, clean_name, clean_reason


class MeetingStatus(StrEnum):
    SCHEDULED = "scheduled"
    CANCELLED = "cancelled"


# JSON Schema's `date-time` would ask for an offset, which local time has not.
LocalTime = Annotated[
    datetime,
    WithJsonSchema(
        {
            "type": "string",
            "pattern": r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d{1,6})?)?$",
            "description": "local wall time, ISO 8601 without an offset",
        }
    ),
]


YEARS = range(1900, 2200)
"""In which meetings are: what is reckoned from their days stays within the calendar."""


class Mode(StrEnum):
    """How a meeting is held."""

    PHYSICAL = "physical"
    DIGITAL = "digital"
    HYBRID = "hybrid"


class Occasion(StrEnum):
    """What a meeting is for, beyond the usual."""

    ORDINARY = "ordinary"
    CONGRESS = "congress"
    CONSTITUTING = "constituting"
    TRAINING = "training"
    ANNUAL_ACCOUNTS = "annual_accounts"  # its members sign them


class Reserved(BaseModel):
    """Hours of the same day that its people keep free for something else. Local wall time."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    starts: time
    ends: time
    what: str


class PlanSlot(BaseModel):
    """Which meeting of which plan it is. `year`: the plan's; None of what an older plan made."""

    model_config = ConfigDict(frozen=True)

    plan: str
    slot: str
    year: int | None = None


class MeetingDetails(BaseModel):
    """When and where a body meets. `starts` and `ends` are local wall time; `timezone` is their IANA name."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    body: str
    title: str
    place: str
    starts: LocalTime
    ends: LocalTime
    timezone: str = "Europe/Stockholm"
    participants: tuple[Person, ...] = ()
    mode: Mode | None = None
    occasion: Occasion = Occasion.ORDINARY
    reserved: Reserved | None = None

    @property
    def time(self) -> tuple[datetime, datetime]:
        return self.starts, self.ends


@dataclass(frozen=True, slots=True)
class WhichBody:
    """Which body something is of: by its id, which stays when it is renamed; by its name, where the register did not
    know it (`id` is None)."""

    id: str | None
    name: str

    def is_same(self, other: "WhichBody") -> bool:
        if self.id is not None and other.id is not None:
            return self.id == other.id
        return body_key(self.name) == body_key(other.name)


class Meeting(BaseModel):
    """A meeting's state. `version` counts its facts. `plan`: for one that a plan made. `reason`: of one called off;
    `taken_over_by`: the meeting that took its items, when it was struck.

    `body_id`: absent, where the register knows no body of that name.
    """

    model_config = ConfigDict(frozen=True)

    id: str
    body_id: str | None = None
    version: int
    status: MeetingStatus
    details: MeetingDetails
    plan: PlanSlot | None = None
    reason: str | None = None
    taken_over_by: str | None = None

    @property
    def which_body(self) -> WhichBody:
        return WhichBody(self.body_id, self.details.body)

    def require_scheduled(self) -> None:
        """Raises Refused for one that is cancelled."""
        if self.status is MeetingStatus.CANCELLED:
            raise Refused(
                "the meeting is cancelled",
                hint="choose a meeting that takes place, or schedule another one",
                says=says("called_off", day=self.details.starts.date()),
            )

    def has_begun(self, now: datetime) -> bool:
        return self.details.starts.replace(tzinfo=ZoneInfo(self.details.timezone)) <= now

    def is_over(self, now: datetime) -> bool:
        return self.details.ends.replace(tzinfo=ZoneInfo(self.details.timezone)) <= now


def schedule(meeting_id: str, details: MeetingDetails, body_id: str | None = None) -> tuple[Meeting, MeetingScheduled]:
    """`body_id`: of the body that `details` name, when the register knows it. Raises InvalidInput."""
    cleaned = clean_details(details)
    _require_hours(cleaned)
    meeting = Meeting(id=meeting_id, body_id=body_id, version=1, status=MeetingStatus.SCHEDULED, details=cleaned)
    return meeting, MeetingScheduled(meeting_id=meeting_id, **_event_fields(cleaned))


def change(meeting: Meeting, details: MeetingDetails) -> tuple[Meeting, MeetingChanged | None]:
    """No event when nothing changes. Raises Refused for a cancelled meeting, InvalidInput."""
    meeting.require_scheduled()
    cleaned = clean_details(details)
    if cleaned == meeting.details:
        return meeting, None
    if _hours(cleaned) != _hours(meeting.details):  # what stands may be changed otherwise
        _require_hours(cleaned)
    changed = meeting.model_copy(update={"version": meeting.version + 1, "details": cleaned})
    return changed, MeetingChanged(meeting_id=meeting.id, **_event_fields(cleaned))


def cancel(meeting: Meeting, reason: str, *, for_meeting: str | None = None) -> tuple[Meeting, MeetingCancelled]:
    """`for_meeting`: the id of the one that takes its items over.

    Raises Refused for a meeting that is cancelled already, InvalidInput.
    """
    meeting.require_scheduled()
    fact = MeetingCancelled(
        meeting_id=meeting.id, body=meeting.details.body, title=meeting.details.title, reason=clean_reason(reason)
    )
    update = {"version": meeting.version + 1, "status": MeetingStatus.CANCELLED, "reason": fact.reason}
    return meeting.model_copy(update=update | {"taken_over_by": for_meeting}), fact


def require_minutes_fit(meeting: Meeting, body: str, called_now: str | None = None) -> None:
    """Minutes belong to a meeting that took place, of the same body, by its name then or now. Raises Refused."""
    meeting.require_scheduled()
    if body_key(body) not in {body_key(name) for name in (meeting.details.body, called_now) if name}:
        raise Refused(
            f"the minutes are of {body}, but the meeting is of {meeting.details.body}",
            hint="name that body in the minutes, or choose its meeting",
            says=says("minutes_of_another_body", named=body, body=meeting.details.body),
        )


def body_key(body: str) -> str:
    """One body, however its name is spaced, capitalised or composed."""
    return unicodedata.normalize("NFC", one_line(body).casefold())


def clean_details(details: MeetingDetails) -> MeetingDetails:
    """Raises InvalidInput that names the field."""
    if details.starts.tzinfo or details.ends.tzinfo:
        raise InvalidInput("starts: give local time without an offset; `timezone` places it")
    if details.ends < details.starts:
        raise InvalidInput("ends: is before starts")
    for name, moment in (("starts", details.starts), ("ends", details.ends)):
        if moment.year not in YEARS:
            raise InvalidInput(f"{name}: the year {moment.year} is not one of {YEARS[0]} to {YEARS[-1]}")
    return details.model_copy(
        update={
            "body": clean_line(details.body, "body"),
            "title": clean_line(details.title, "title"),
            "place": clean_line(details.place, "place"),
            "timezone": known_timezone(details.timezone),
            "participants": tuple(_clean_person(person) for person in details.participants),
            "reserved": _clean_reserved(details.reserved),
        }
    )


def _hours(details: MeetingDetails) -> tuple[object, ...]:
    return details.starts, details.ends, details.reserved, details.timezone


def _require_hours(details: MeetingDetails) -> None:
    """Raises InvalidInput for an hour that its day has not."""
    require_there(details.starts, details.timezone, "starts")
    require_there(details.ends, details.timezone, "ends")
    if details.reserved is not None:
        for hour in (details.reserved.starts, details.reserved.ends):
            require_there(datetime.combine(details.starts.date(), hour), details.timezone, "reserved")


def known_timezone(name: str) -> str:
    """Raises InvalidInput."""
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise InvalidInput(f"timezone: {name[:60]!r} is no IANA time zone", hint="e.g. Europe/Stockholm") from error
    return name


def _clean_reserved(reserved: Reserved | None) -> Reserved | None:
    if reserved is None:
        return None
    if reserved.starts.tzinfo or reserved.ends.tzinfo:
        raise InvalidInput("reserved: give local time without an offset")
    if reserved.ends <= reserved.starts:
        raise InvalidInput("reserved: ends before it starts")
    return reserved.model_copy(update={"what": clean_line(reserved.what, "reserved")})


def _clean_person(person: Person) -> Person:
    name = clean_name(person.name) if person.name else None
    return person.model_copy(update={"email": clean_email(person.email), "name": name})


def _event_fields(details: MeetingDetails) -> dict[str, Any]:
    return {
        **details.model_dump(include={"body", "title", "place", "timezone"}),
        "participants": details.participants,
        "mode": details.mode,
        "occasion": details.occasion,
        "reserved": None if details.reserved is None else _told(details.reserved),
        "starts": details.starts.isoformat(timespec="minutes"),
        "ends": details.ends.isoformat(timespec="minutes"),
    }


def _told(reserved: Reserved) -> ReservedHours:
    return ReservedHours(
        starts=reserved.starts.isoformat("minutes"), ends=reserved.ends.isoformat("minutes"), what=reserved.what
    )
