"""Invitations to meetings as calendars take them: iTIP (RFC 5546) in iCalendar (RFC 5545), as a part of a mail. Pure.

Outlook, Google and Apple show a mail as an invitation when a part of its alternatives is `text/calendar` with the same
`method` as the calendar inside (RFC 6047 section 2.4), and change what they have when the `UID` is the same and the
`SEQUENCE` is not lower (RFC 5546 section 2.1.4). Each mail names its own recipient as the only attendee: who else is
asked is not everybody's to see, and an answer is then about one person.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import EmailMessage
from enum import StrEnum
from zoneinfo import ZoneInfo

from icalendar import Calendar, Event, vCalAddress, vText, vUri

from services.notifications.letter.letter import Person, ascii_address
from shared.calendars import PRODUCT, add_conference, vtimezone
from shared.errors import InvalidInput
from shared.plain_text import forbidden_character

_LONGEST_LINE = 500  # characters of a title, a place or a name
_LONGEST_TEXT = 60_000
_PARTSTAT = {"coming": "ACCEPTED", "absent": "DECLINED", "tentative": "TENTATIVE"}


class Method(StrEnum):
    REQUEST = "REQUEST"
    CANCEL = "CANCEL"


@dataclass(frozen=True)
class Invitation:
    """`uid` stays through all changes of a meeting, `sequence` rises with each. `starts` and `ends` are local wall time
    in `timezone`, an IANA name; `stamp`, UTC, is when it was said. `text`: the agenda, say; `page`: the attendee's own,
    `join_link`: where it is joined; both http or https.
    `tentative`: the time is preliminary. `attendee_only`: a CANCEL that takes back this invitation, not the meeting.
    `answer`: what the attendee said before and still holds, so that no program asks anew; coming, absent or tentative.
    """

    method: Method
    uid: str
    sequence: int
    title: str
    place: str
    starts: datetime
    ends: datetime
    timezone: str
    stamp: datetime
    organiser: Person
    attendee: Person
    text: str = ""
    page: str = ""
    join_link: str = ""
    tentative: bool = False
    attendee_only: bool = False
    answer: str = ""


def calendar(invitation: Invitation) -> str:
    """The same text each time for the same invitation. Raises InvalidInput for what no calendar can hold."""
    _check(invitation)
    made = Calendar()
    made.add("prodid", PRODUCT)
    made.add("version", "2.0")
    made.add("calscale", "GREGORIAN")
    made.add("method", invitation.method.value)
    event = _event(invitation)
    if "TZID" in event["DTSTART"].params:  # UTC needs no zone
        made.add_component(vtimezone(invitation.timezone, invitation.starts.year))
    made.add_component(event)
    return bytes(made.to_ical()).decode()


def attach(message: EmailMessage, invitation: Invitation) -> None:
    """As the last of the mail's alternatives, which programs that know calendars prefer (RFC 2046 section 5.1.4)."""
    message.add_alternative(
        calendar(invitation), subtype="calendar", charset="utf-8", params={"method": invitation.method.value}
    )


def _event(invitation: Invitation) -> Event:
    zone = ZoneInfo(invitation.timezone)
    event = Event()
    event.add("uid", invitation.uid)
    event.add("dtstamp", invitation.stamp.astimezone(UTC).replace(microsecond=0))
    event.add("dtstart", invitation.starts.replace(tzinfo=zone))
    event.add("dtend", invitation.ends.replace(tzinfo=zone))
    event.add("sequence", invitation.sequence)
    event.add("summary", invitation.title)
    event.add("location", invitation.place)
    if invitation.text:
        event.add("description", invitation.text)
    if invitation.page:
        event.add("url", vUri(invitation.page))
    if invitation.join_link:
        add_conference(event, invitation.join_link)
    event.add("organizer", _address(invitation.organiser))
    attendee = _address(invitation.attendee)
    attendee.params["CUTYPE"] = vText("INDIVIDUAL")
    attendee.params["ROLE"] = vText("REQ-PARTICIPANT")
    if invitation.method is Method.REQUEST:
        attendee.params["PARTSTAT"] = vText(_PARTSTAT.get(invitation.answer, "NEEDS-ACTION"))
        attendee.params["RSVP"] = vText("TRUE")
    event.add("attendee", attendee)
    if not invitation.attendee_only:  # then there must be none (RFC 5546 section 3.2.5)
        event.add("status", _status(invitation))
    event.add("transp", "OPAQUE" if invitation.method is Method.REQUEST else "TRANSPARENT")
    return event


def _status(invitation: Invitation) -> str:
    if invitation.method is Method.CANCEL:
        return "CANCELLED"
    return "TENTATIVE" if invitation.tentative else "CONFIRMED"


def _address(person: Person) -> vCalAddress:
    """A name in a parameter is without quotation marks and control characters (RFC 5545 section 3.2)."""
    address = vCalAddress(f"mailto:{ascii_address(person.email)}")
    if person.name:
        address.params["CN"] = vText(person.name.replace('"', "'"))
    return address


def _check(invitation: Invitation) -> None:
    for what, text in [
        ("title", invitation.title),
        ("place", invitation.place),
        ("name", invitation.organiser.name),
        ("name", invitation.attendee.name),
    ]:
        if forbidden_character(text):
            raise InvalidInput(f"the {what} in an invitation holds a control or direction character")
        if len(text) > _LONGEST_LINE:
            raise InvalidInput(f"the {what} in an invitation is longer than {_LONGEST_LINE} characters")
    if any(forbidden_character(line) for line in invitation.text.split("\n")):
        raise InvalidInput("the text in an invitation holds a control or direction character")
    if len(invitation.text) > _LONGEST_TEXT:
        raise InvalidInput(f"the text in an invitation is longer than {_LONGEST_TEXT} characters")
    if not all(one.startswith(("https://", "http://")) for one in (invitation.page, invitation.join_link) if one):
        raise InvalidInput("an invitation needs its links whole, http or https")
    if invitation.ends < invitation.starts:
        raise InvalidInput("an invitation ends before it starts")
