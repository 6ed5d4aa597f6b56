"""A board's year as text: its meetings with their agendas, what happened, who was mailed, what calendars said. Pure.

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
from services.meetings.attachment.attachment import AttachmentShown, FileShown
from services.meetings.meeting.meeting import Meeting, MeetingStatus
from services.meetings.papers.papers import Publication
from services.meetings.poll.commands import PollView
from services.meetings.poll.poll import PollAnswer, TimeAsked
from services.meetings.proposal.proposal import ItemProposal
from services.notifications.delivery.delivery import Delivery
from shared.plain_text import printable


@dataclass(frozen=True, slots=True)
class PastPoll:
    """`answers`: by the name of who gave it, those who said nothing with None."""

    times: tuple[TimeAsked, ...]
    answers: Mapping[str, PollAnswer | None]
    ended: str

    @classmethod
    def of(cls, view: PollView) -> "PastPoll":
        poll = view.poll
        ended = "open"
        if poll.chosen:
            ended = f"chosen {_time(poll.time(poll.chosen))}"
        elif poll.reason:
            ended = f"called off: {poll.reason}"
        return cls(poll.times, {view.name(one): view.answers.get(one) for one in poll.people}, ended)


@dataclass(frozen=True, slots=True)
class PastMeeting:
    """`attachments`: by the ids of the items on its agenda."""

    meeting: Meeting
    items: tuple[Item, ...]
    attachments: Mapping[str, Sequence[AttachmentShown]]
    proposals: Sequence[ItemProposal]
    publications: Sequence[Publication]
    polls: Sequence[PastPoll]


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


@dataclass(frozen=True, slots=True)
class CalendarAnswer:
    """What a calendar program mailed; `became`: what came of it."""

    time: datetime
    meeting: str
    sender: str
    answer: str
    became: str


_CALLED = ("document_name", "what", "name", "body", "title")
"""The field of a first event that says what it is about, the most telling first."""


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


def year_text(
    meetings: Sequence[PastMeeting],
    happened: Sequence[Occurrence],
    mails: Sequence[Mail],
    answers: Sequence[CalendarAnswer],
) -> str:
    """Three parts; one that is empty says so. A fourth where calendars answered."""
    parts = [
        ("Meetings", _meeting_lines(meetings)),
        ("What happened", _happened_lines(happened)),
        ("Mails", _mail_lines(mails)),
        *([("Answers of calendars", _answer_lines(answers))] if answers else []),
    ]
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
            for attachment in one.attachments.get(item.id, ()):
                yield from _file_lines(attachment)
        yield from (printable(f"    {line}") for line in _beside(one))


def _file_lines(attachment: AttachmentShown) -> Iterable[str]:
    """Each version of it."""
    secret = ", confidential" if attachment.details.confidential else ""
    for file in attachment.files:
        yield printable(f"        {attachment.details.title}{secret}: {_file(file)}")


def _file(file: FileShown) -> str:
    pages = f", pages {file.pages}" if file.pages else ""
    return f"{file.name}, version {file.number}, {file.content.media_type}{pages}{', late' if file.late else ''}"


def _beside(one: PastMeeting) -> Iterable[str]:
    """What is about the meeting, and no item of it."""
    for proposal in one.proposals:
        what = f"{proposal.status.value}: {proposal.reason}" if proposal.reason else proposal.status.value
        yield f"proposal by {proposal.person}: {proposal.details.title}, {what}"
    for published in one.publications:
        files = ", ".join(f"{file.title} {file.number}" for file in published.files) or "no files"
        late = f"; late {', '.join(published.late)}" if published.late else ""
        yield f"papers {published.number} of {_stamp(published.at)}: {files}{late}{'; told' if published.told else ''}"
    for poll in one.polls:
        yield f"date poll, {poll.ended}"
        for name, answer in sorted(poll.answers.items()):
            yield f"    {name}: {_said(poll, answer)}"


def _said(poll: PastPoll, answer: PollAnswer | None) -> str:
    if answer is None:
        return "said nothing"
    said = [f"{_time(one)} {answer.times[one.key].value}" for one in poll.times if one.key in answer.times]
    return ", ".join(said) + (f" ({answer.comment})" if answer.comment else "")


def _time(time: TimeAsked) -> str:
    return f"{time.starts:%Y-%m-%d %H:%M}"


def _happened_lines(happened: Sequence[Occurrence]) -> Iterable[str]:
    names = _names(happened)
    for time, of_time in groupby(sorted(happened, key=lambda one: one.time), key=lambda one: one.time):
        yield _stamp(time)
        ordered = sorted((one.topic, f"{one.name:<18} {_told(one.data, names)}") for one in of_time)
        yield from (printable(f"    {line}".rstrip()) for _, line in ordered)


def _names(happened: Sequence[Occurrence]) -> dict[str, str]:
    """Of what ids mean, as it was first called: a body, a person, a meeting, an item, what is reviewed, a task."""
    found: dict[str, str] = {}
    for one in sorted(happened, key=lambda one: one.time):
        if isinstance(one.data, dict):
            starts = str(one.data.get("starts", "")).replace("T", " ")
            name = next((one.data[field] for field in _CALLED if one.data.get(field)), None)
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
        elif not name.endswith("_sealed") and (shown := _shown(value, names)) != "":
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


def _answer_lines(answers: Sequence[CalendarAnswer]) -> Iterable[str]:
    for one in answers:
        yield printable(f"{_stamp(one.time)}  {one.meeting}, from {one.sender}: {one.answer}")
        yield printable(f"    {one.became}")


def _invitation(message: EmailMessage) -> str:
    for part in message.walk():
        if part.get_content_type() == "text/calendar":
            lines = part.get_content().splitlines()
            values = dict(line.split(":", 1) for line in lines if line.startswith(("METHOD:", "SEQUENCE:")))
            return " ".join(filter(None, (values.get("METHOD"), values.get("SEQUENCE"))))
    return ""


def _stamp(time: datetime) -> str:
    return f"{time:%Y-%m-%d %H:%M:%SZ}"
