"""A board's year as text: its meetings with their agendas, what happened, and who was mailed. Pure.

The same scenario gives the same text: what happened at one moment is in the order of its words, and ids, which are new
each time, are told by the name of what they mean.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from itertools import groupby
from typing import Any

from services.meetings.agenda.agenda import Item
from services.meetings.meeting.meeting import Meeting, MeetingStatus
from services.notifications.delivery import Delivery
from shared.plain_text import printable


@dataclass(frozen=True, slots=True)
class PastMeeting:
    meeting: Meeting
    items: tuple[Item, ...]


@dataclass(frozen=True, slots=True)
class Occurrence:
    """An event of the journal."""

    time: datetime
    topic: str
    name: str
    subject: str
    data: Any


@dataclass(frozen=True, slots=True)
class Mail:
    """`invitation`: what a calendar does with it, `REQUEST 2`; empty when none is in it."""

    time: datetime
    purpose: str
    recipient: str
    subject: str
    invitation: str
    status: str


def mail_of(delivery: Delivery, message: EmailMessage) -> Mail:
    """A mail about an agreement has the agreement's report; its subject is told all the same."""
    return Mail(
        time=delivery.created_at,
        purpose=delivery.purpose.value,
        recipient=delivery.recipient,
        subject=str(message["Subject"]),
        invitation=_invitation(message),
        status=delivery.status.value,
    )


def year_text(meetings: Sequence[PastMeeting], happened: Sequence[Occurrence], mails: Sequence[Mail]) -> str:
    """Three parts; one that is empty says so."""
    parts = (
        ("Meetings", _meeting_lines(meetings)),
        ("What happened", _happened_lines(happened)),
        ("Mails", _mail_lines(mails)),
    )
    return "\n\n".join("\n".join((title, "", *(list(lines) or ["none"]))) for title, lines in parts) + "\n"


def _meeting_lines(meetings: Sequence[PastMeeting]) -> Iterable[str]:
    for one in meetings:
        details = one.meeting.details
        about = [details.title, details.place, *([details.mode.value] if details.mode else [])]
        if details.occasion.value != "ordinary":
            about.append(details.occasion.value)
        if details.reserved:
            about.append(f"{details.reserved.starts:%H:%M}-{details.reserved.ends:%H:%M} {details.reserved.what}")
        if one.meeting.status is MeetingStatus.CANCELLED:
            about.append(f"CANCELLED: {one.meeting.reason}")
        yield printable(f"{details.starts:%Y-%m-%d %H:%M}-{details.ends:%H:%M}  {details.body}: {', '.join(about)}")
        for number, item in enumerate(one.items, start=1):
            came = item.stays[-1] if item.stays else None
            trace = f" ({came.how.value} from {came.body} {came.starts:%Y-%m-%d})" if came else ""
            yield printable(f"    {number}. {item.details.title}, {item.details.kind.value}{trace}")


def _happened_lines(happened: Sequence[Occurrence]) -> Iterable[str]:
    names = _names(happened)
    for time, of_time in groupby(sorted(happened, key=lambda one: one.time), key=lambda one: one.time):
        yield _stamp(time)
        ordered = sorted((one.topic, f"{one.name:<18} {_told(one.data, names)}") for one in of_time)
        yield from (printable(f"    {line}".rstrip()) for _, line in ordered)


def _names(happened: Sequence[Occurrence]) -> dict[str, str]:
    """Of what ids mean, as it was first called: a body, a person, a meeting, an item."""
    found: dict[str, str] = {}
    for one in sorted(happened, key=lambda one: one.time):
        if isinstance(one.data, dict):
            starts = str(one.data.get("starts", "")).replace("T", " ")
            name = one.data.get("name") or one.data.get("body") or one.data.get("title")
            if isinstance(name, str):
                found.setdefault(one.subject, f"{name} {starts}".rstrip())
    return found


def _told(data: Any, names: Mapping[str, str]) -> str:
    return "; ".join(_fields(data, names)) if isinstance(data, dict) else ""


def _fields(data: Mapping[str, Any], names: Mapping[str, str]) -> Iterable[str]:
    for name, value in data.items():
        if name.endswith("_id"):
            if value in names:
                yield f"{name.removesuffix('_id')} {names[value]}"
        elif (shown := _shown(value, names)) != "":
            yield f"{name} {shown}"


def _shown(value: Any, names: Mapping[str, str]) -> str:
    """People by their address, a plan's meetings by their hours; an id by its name, and no document's."""
    if isinstance(value, dict) and "email" in value:
        return str(value["email"])
    if isinstance(value, dict) and "meeting_id" in value:
        return f"{value.get('starts')} to {value.get('ends')}"
    if isinstance(value, dict):
        inner = "; ".join(_fields(value, names)) if "sha256" not in value else ""
        return f"({inner})" if inner else ""
    if isinstance(value, list):
        return f"[{' | '.join(filter(None, (_shown(one, names) for one in value)))}]" if value else ""
    if value is None or value in names:
        return names.get(value, "")
    return str(value)


def _mail_lines(mails: Sequence[Mail]) -> Iterable[str]:
    """Those that say the same to several people are one."""
    ordered = sorted(mails, key=lambda one: (one.time, one.purpose, one.subject, one.invitation, one.status))
    for (time, purpose, subject, invitation, status), alike in groupby(
        ordered, key=lambda one: (one.time, one.purpose, one.subject, one.invitation, one.status)
    ):
        calendar = f", invitation {invitation}" if invitation else ""
        yield printable(f"{_stamp(time)}  {purpose}, {status}{calendar}: {subject}")
        yield from sorted(printable(f"    {one.recipient}") for one in alike)


def _invitation(message: EmailMessage) -> str:
    for part in message.walk():
        if part.get_content_type() == "text/calendar":
            lines = part.get_content().splitlines()
            values = dict(line.split(":", 1) for line in lines if line.startswith(("METHOD:", "SEQUENCE:")))
            return " ".join(filter(None, (values.get("METHOD"), values.get("SEQUENCE"))))
    return ""


def _stamp(time: datetime) -> str:
    return f"{time:%Y-%m-%d %H:%M:%SZ}"
