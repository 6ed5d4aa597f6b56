"""A member's meetings as a calendar to subscribe to (RFC 5545); each is the one that the invitation is to. Pure.

No `METHOD`: nobody is invited by it. Neither agendas nor join links are in it, since such addresses are handed to
services that fetch them.
"""

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from icalendar import Calendar, Event

from services.meetings.member.member import OwnMeeting, OwnMeetings, Part
from services.meetings.reply.reply import Answer
from shared.calendars import PRODUCT, meeting_uid, vtimezone

ASK_AGAIN = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Feed:
    """`tag`: a weak entity tag (RFC 9110 section 8.8.3), the same while nothing that is said changes."""

    text: str
    tag: str


def feed(found: OwnMeetings, name: str, stamp: datetime) -> Feed:
    """`name`: of the association; `stamp`, UTC, is when it is said."""
    made = Calendar()
    made.add("prodid", PRODUCT)
    made.add("version", "2.0")
    made.add("calscale", "GREGORIAN")
    made.add("name", name)  # RFC 7986 section 5.1; the one below is what most programs read
    made.add("x-wr-calname", name)
    made.add("refresh-interval", ASK_AGAIN, parameters={"VALUE": "DURATION"})  # RFC 7986 section 5.7
    made.add("x-published-ttl", "PT1H")
    meetings = sorted((*found.past, *found.coming), key=lambda own: (own.meeting.details.starts, own.meeting.id))
    earliest: dict[str, int] = {}
    for own in meetings:
        earliest.setdefault(own.meeting.details.timezone, own.meeting.details.starts.year)
    events = [_event(own) for own in meetings]
    used = {event["DTSTART"].params.get("TZID") for event in events}
    for zone, year in sorted(earliest.items()):
        if zone in used:  # UTC needs none
            made.add_component(vtimezone(zone, year))
    for event in events:
        made.add_component(event)
    tag = hashlib.sha256(bytes(made.to_ical())).hexdigest()[:32]
    for event in events:
        event.add("dtstamp", stamp.astimezone(UTC).replace(microsecond=0))
    return Feed(bytes(made.to_ical()).decode(), f'W/"{tag}"')


def _event(own: OwnMeeting) -> Event:
    details = own.meeting.details
    zone = ZoneInfo(details.timezone)
    event = Event()
    event.add("uid", meeting_uid(own.meeting.id))
    event.add("dtstart", details.starts.replace(tzinfo=zone))
    event.add("dtend", details.ends.replace(tzinfo=zone))
    event.add("sequence", own.meeting.version)
    event.add("summary", details.title if details.title == details.body else f"{details.title} ({details.body})")
    event.add("location", details.place)
    waits = own.part is Part.SUBSTITUTE
    event.add("status", "CANCELLED" if own.is_cancelled else "TENTATIVE" if waits else "CONFIRMED")
    is_free = own.is_cancelled or waits or own.answer is Answer.ABSENT
    event.add("transp", "TRANSPARENT" if is_free else "OPAQUE")
    return event
