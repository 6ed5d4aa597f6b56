"""A member's meetings as a calendar to subscribe to (RFC 5545); each is the one that the invitation is to. Pure.

No `METHOD`: nobody is invited by it. Such addresses are handed to services that fetch them, so neither agendas nor
links that open a member's pages are in it: its `URL` shows the page to whoever has opened it by a mailed link.
"""

import hashlib
import json
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from zoneinfo import ZoneInfo

from icalendar import Calendar, Event, vUri

from services.meetings.member.member import OwnMeeting, OwnMeetings, Part
from services.meetings.reply.reply import Answer
from shared.calendars import PRODUCT, TO_JOIN, add_conference, meeting_uid, vtimezone
from shared.readable import Language, place

ASK_AGAIN = timedelta(hours=1)
_FORM = 3
"""Rises when the same meetings are told in another way: programs that ask then get it."""
_SAID = {"body", "title", "starts", "ends", "timezone"}
"""Of a meeting's details, beside its place."""


def tag_of(found: OwnMeetings, name: str, pages: str = "", language: Language = "sv") -> str:
    """A weak entity tag (RFC 9110 section 8.8.3), the same while nothing that is said changes.

    Made of the meetings themselves: programs ask for hours without news, and the calendar is not written for that.
    """
    said = [[_FORM, PRODUCT, name, pages], *(_said_of(own, language) for own in _all(found))]
    return f'W/"{hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()[:32]}"'


def is_known(tag: str, if_none_match: str) -> bool:
    """Whether the request's `If-None-Match` names this one (RFC 9110 section 13.1.2, by weak comparison)."""
    known = [one.strip().removeprefix("W/") for one in if_none_match.split(",")]
    return known == ["*"] or tag.removeprefix("W/") in known


def is_of(since: datetime | None, if_modified_since: str) -> bool:
    """Whether the request's `If-Modified-Since` is the very second that it was told (RFC 9110 section 13.1.3).

    No later one: a program's own clock says nothing of what it has read.
    """
    return since is not None and if_modified_since == format_datetime(since, usegmt=True)


def feed(found: OwnMeetings, name: str, stamp: datetime, pages: str = "", language: Language = "sv") -> str:
    """`name`: of the association; `stamp`, UTC, is when it is said; `pages`: what the addresses of their meetings'
    pages begin with, before a meeting's id; `language`: the member's."""
    made = Calendar()
    made.add("prodid", PRODUCT)
    made.add("version", "2.0")
    made.add("calscale", "GREGORIAN")
    made.add("name", name)  # RFC 7986 section 5.1; the one below is what most programs read
    made.add("x-wr-calname", name)
    made.add("refresh-interval", ASK_AGAIN, parameters={"VALUE": "DURATION"})  # RFC 7986 section 5.7
    made.add("x-published-ttl", "PT1H")
    meetings = _all(found)
    earliest: dict[str, int] = {}
    for own in meetings:
        earliest.setdefault(own.meeting.details.timezone, own.meeting.details.starts.year)
    events = [_event(own, stamp, pages, language) for own in meetings]
    used = {event["DTSTART"].params.get("TZID") for event in events}
    for zone, year in sorted(earliest.items()):
        if zone in used:  # UTC needs none
            made.add_component(vtimezone(zone, year))
    for event in events:
        made.add_component(event)
    return bytes(made.to_ical()).decode()


def _all(found: OwnMeetings) -> list[OwnMeeting]:
    return sorted((*found.past, *found.coming), key=lambda own: (own.meeting.details.starts, own.meeting.id))


def _said_of(own: OwnMeeting, language: Language) -> list[object]:
    meeting = own.meeting
    said = meeting.details.model_dump(mode="json", include=_SAID)
    told = [_place(own, language), _joining(own, language)]
    return [meeting.id, meeting.version, said, _status(own), _takes_time(own), *told]


def _status(own: OwnMeeting) -> str:
    return "CANCELLED" if own.is_cancelled else "TENTATIVE" if own.part is Part.SUBSTITUTE else "CONFIRMED"


def _takes_time(own: OwnMeeting) -> bool:
    return not (own.is_cancelled or own.part is Part.SUBSTITUTE or own.answer is Answer.ABSENT)


def _join_link(own: OwnMeeting) -> str:
    """Of what they are asked to."""
    return "" if own.part is Part.SUBSTITUTE else own.join_link


def _joining(own: OwnMeeting, language: Language) -> str:
    """The line that has the link; empty where there is none."""
    return TO_JOIN[language].format(link) if (link := _join_link(own)) else ""


def _place(own: OwnMeeting, language: Language) -> str:
    return place(own.meeting.details.place, own.meeting.details.mode, language)


def _event(own: OwnMeeting, stamp: datetime, pages: str, language: Language) -> Event:
    details = own.meeting.details
    zone = ZoneInfo(details.timezone)
    event = Event()
    event.add("uid", meeting_uid(own.meeting.id))
    event.add("dtstart", details.starts.replace(tzinfo=zone))
    event.add("dtend", details.ends.replace(tzinfo=zone))
    event.add("sequence", own.meeting.version)
    event.add("summary", details.title if details.title == details.body else f"{details.title} ({details.body})")
    event.add("location", _place(own, language))
    if link := _join_link(own):
        event.add("description", _joining(own, language))
        add_conference(event, link)
    if pages:
        event.add("url", vUri(f"{pages}{own.meeting.id}"))
    event.add("status", _status(own))
    event.add("transp", "OPAQUE" if _takes_time(own) else "TRANSPARENT")
    event.add("dtstamp", stamp.astimezone(UTC).replace(microsecond=0))
    return event
