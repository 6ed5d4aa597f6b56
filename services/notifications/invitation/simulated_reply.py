"""An answer to an invitation (iTIP `REPLY`, RFC 5546 section 3.2.3) as a calendar program would mail it: for replays.

It is read by the real parser, so a simulated answer proves the same path as a real one.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import EmailMessage
from email.utils import format_datetime

from icalendar import Calendar, Component, Event, vCalAddress, vText

from services.notifications.invitation.calendar_replies import ABSENT, COMING, TENTATIVE
from services.notifications.letter.letter import MAIL_POLICY, ascii_address
from shared.errors import InvalidInput, NotFound

_PARTSTAT = {COMING: "ACCEPTED", ABSENT: "DECLINED", TENTATIVE: "TENTATIVE"}


@dataclass(frozen=True)
class Said:
    """`answer`: coming, absent or tentative. `sender`: the address of whose calendar it is."""

    answer: str
    sender: str
    comment: str = ""


def calendar_in(message: EmailMessage) -> str:
    """The calendar that a mail carries. Raises NotFound for one without."""
    for part in message.walk():
        if part.get_content_type() == "text/calendar":
            return str(part.get_content())
    raise NotFound("the mail carries no calendar")


def reply_mail(invitation: EmailMessage, said: Said, *, at: datetime) -> bytes:
    """To the organiser of a mail's invitation, about its event. Raises NotFound, InvalidInput for no such answer."""
    if said.answer not in _PARTSTAT:
        raise InvalidInput(f"answer: is one of {', '.join(_PARTSTAT)}")
    [event] = Calendar.from_ical(calendar_in(invitation)).walk("VEVENT")
    organiser = str(event["ORGANIZER"])
    message = EmailMessage()
    message["From"] = said.sender
    message["To"] = organiser.partition(":")[2]
    message["Subject"] = f"{_PARTSTAT[said.answer].capitalize()}: {event['SUMMARY']}"
    message["Date"] = format_datetime(at)
    message.set_content(said.comment or f"{_PARTSTAT[said.answer].capitalize()}.")
    message.add_alternative(
        _calendar(event, organiser, said, at), subtype="calendar", charset="utf-8", params={"method": "REPLY"}
    )
    return message.as_bytes(policy=MAIL_POLICY)


def _calendar(event: Component, organiser: str, said: Said, at: datetime) -> str:
    answered = Event()
    answered.add("uid", str(event["UID"]))
    answered.add("sequence", int(str(event["SEQUENCE"])))
    answered.add("dtstamp", at.astimezone(UTC).replace(microsecond=0))
    answered.add("organizer", vCalAddress(organiser))
    attendee = vCalAddress(f"mailto:{ascii_address(said.sender)}")
    attendee.params["PARTSTAT"] = vText(_PARTSTAT[said.answer])
    answered.add("attendee", attendee)
    if said.comment:
        answered.add("comment", said.comment)
    made = Calendar()
    made.add("prodid", "-//Example//Calendar//EN")
    made.add("version", "2.0")
    made.add("method", "REPLY")
    made.add_component(answered)
    return bytes(made.to_ical()).decode()
