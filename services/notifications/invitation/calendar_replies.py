"""Answers to invitations as calendar programs mail them: iTIP `REPLY` (RFC 5546 section 3.2.3), iMIP (RFC 6047). Pure.

The bytes come from strangers. So a calendar is read line by line, and never as a whole: what it holds beside an answer
(time zones whose rules make endless lists, thousands of nested parts) is not looked at. Lines and their number are
bounded before. Outlook, Google and Apple each add what they like; a line that cannot be read is left out.
"""

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from email import message_from_bytes
from email.message import Message
from urllib.parse import unquote

from icalendar.parser import Contentline

from services.notifications.letter.letter import quotable
from services.notifications.redaction import redacted
from services.notifications.report.report import check_bounds
from services.notifications.report.wording import own_parts
from shared.errors import InvalidInput
from shared.text import mailbox_key

COMING, ABSENT, TENTATIVE = "coming", "absent", "tentative"

_MOST_BYTES = 256 * 1024
_MOST_LINES = 4000
_LONGEST_LINE = 8 * 1024
_MOST_ATTENDEES = 20
_LONGEST_COMMENT = 500  # characters
_MOST_SEQUENCE = 2**31 - 1

_TYPES = ("text/calendar", "application/ics", "text/x-vcalendar")
_ANSWERS = {"ACCEPTED": COMING, "DECLINED": ABSENT, "TENTATIVE": TENTATIVE}
_FOLD = re.compile(rb"(?:\r\n|\n|\r)[ \t]")
_BREAK = re.compile(rb"\r\n|\n|\r")
_NAME = re.compile(r"[ \t]*([A-Za-z0-9-]{1,60})[;:]")
_PARTSTAT = re.compile(r';[ \t]*PARTSTAT="?([A-Za-z-]{1,30})', re.IGNORECASE)
_ADDRESS = re.compile(r"mailto:[ \t]*<?([^\s<>\"',;]{3,320})>?[ \t]*$", re.IGNORECASE)
_WANTED = frozenset({"METHOD", "UID", "SEQUENCE", "DTSTAMP", "ATTENDEE", "COMMENT"})


class NotBelieved(InvalidInput):
    """It is an answer, but not one that may be recorded; says why."""

    slug = "answer-not-believed"


@dataclass(frozen=True)
class Attendee:
    """`partstat` in capitals, as RFC 5545 section 3.2.12 has it."""

    address: str
    partstat: str
    comment: str = ""


@dataclass(frozen=True)
class CalendarReply:
    """What a mail says about one event. `method` in capitals: REPLY, COUNTER or REFRESH. `stamp`, UTC: when the answer
    was given."""

    method: str
    uid: str = ""
    sequence: int = 0
    stamp: datetime | None = None
    attendees: tuple[Attendee, ...] = ()
    comment: str = ""


@dataclass(frozen=True)
class Answer:
    """What someone says to an invitation. `sequence` is of the invitation that they saw; `at` when they said it."""

    answer: str
    sequence: int
    at: datetime
    comment: str | None = None


def read_reply(raw: bytes) -> CalendarReply | None:
    """None when the mail is no answer of a calendar program. Raises InvalidInput for one that is too large to be read.

    A delivery report that returns an answer, or an invitation, is none: only the mail's own parts count.
    """
    if not re.search(rb"calendar|/ics|\.ics", raw[: 2 * _MOST_BYTES], re.IGNORECASE):
        return None
    check_bounds(raw)
    try:
        return _reply_in(message_from_bytes(raw))
    except InvalidInput:
        raise
    except Exception:
        # The parsers were not written for hostile input: whatever it is, it is no answer that could be believed.
        return None


def answer_of(
    reply: CalendarReply,
    *,
    uid: str,
    addresses: Collection[str],
    latest: int,
    invited_at: datetime,
    now: datetime,
    before: Answer | None,
) -> Answer | None:
    """The answer that a reply gives to the event `uid`; None when it says nothing new.

    `addresses`: those at which the person was invited; `latest`: the sequence of the last invitation to them, and
    `invited_at` its time. An answer to an earlier one is what it is: its `sequence` says so. Of two of one time the
    later to arrive holds (RFC 5546 section 2.1.5 leaves them equal). Raises NotBelieved.
    """
    if reply.method != "REPLY":
        raise NotBelieved(f"a calendar program sent {reply.method}, which asks for something: a person must answer")
    if reply.uid.lower() != uid.lower():
        raise NotBelieved("the calendar's answer is about another event than the one that was mailed")
    known = {mailbox_key(address) for address in addresses}
    said = [one for one in reply.attendees if mailbox_key(one.address) in known]
    if not said:
        raise NotBelieved("the calendar's answer is somebody else's than the one's who was invited")
    if len({one.partstat for one in said}) > 1:
        raise NotBelieved("the calendar's answer says two things of the one who was invited: a person must read it")
    answer = _ANSWERS.get(said[0].partstat)
    if answer is None:
        if said[0].partstat in ("NEEDS-ACTION", ""):
            return None
        raise NotBelieved("the calendar's answer is neither yes, no nor perhaps: a person must read it")
    comment = _comment(reply.comment or said[0].comment)
    # Some programs copy the invitation's own time: no answer was given then, so it says nothing of when this one was.
    is_copied = reply.stamp is not None and reply.sequence >= latest and reply.stamp <= _second(invited_at)
    # A clock that is ahead must not make each later answer an older one.
    at = now if reply.stamp is None or is_copied else min(reply.stamp, now)
    if before is not None and at < _second(before.at):  # what was answered elsewhere is known to the microsecond
        return None  # overtaken on the way (RFC 5546 section 2.1.5)
    found = Answer(answer, min(reply.sequence, latest), at, comment)
    if before is not None and (before.answer, before.sequence, before.comment) == (answer, found.sequence, comment):
        return None
    return found


def _second(moment: datetime) -> datetime:
    """As calendars tell it."""
    return moment.replace(microsecond=0)


def _reply_in(message: Message) -> CalendarReply | None:
    if message.get_content_type() == "multipart/report":
        return None
    for part in own_parts(message):
        if _is_calendar(part):
            reply = _read(part)
            if reply is not None:
                return reply
    return None


def _is_calendar(part: Message) -> bool:
    if part.is_multipart():
        return False
    if part.get_content_type() in _TYPES:
        return True
    return part.get_content_maintype() == "application" and str(part.get_filename() or "").lower().endswith(".ics")


def _read(part: Message) -> CalendarReply | None:
    content = part.get_payload(decode=True)
    if not isinstance(content, bytes):
        return None
    found: dict[str, list[Contentline]] = {}
    for name, line in _lines(content, str(part.get_content_charset() or "utf-8")):
        kept = found.setdefault(name, [])
        if len(kept) < _MOST_ATTENDEES:
            kept.append(line)
    # The mail's header has it, too, and must agree; some gateways lose one of them.
    method = (_value(found, "METHOD") or str(part.get_param("method") or "")).strip().upper()
    if method not in ("REPLY", "COUNTER", "REFRESH"):
        return None
    return CalendarReply(
        method=method,
        uid=_value(found, "UID").strip(),
        sequence=_sequence(_value(found, "SEQUENCE")),
        stamp=_stamp(_value(found, "DTSTAMP")),
        attendees=tuple(filter(None, map(_attendee, found.get("ATTENDEE", [])))),
        comment=_value(found, "COMMENT"),
    )


def _lines(content: bytes, charset: str) -> Iterator[tuple[str, Contentline]]:
    """The lines of interest by their names in capitals: of the calendar itself, and of its first event's own.

    Raises InvalidInput for a calendar that is too large.
    """
    if len(content) > _MOST_BYTES:
        raise InvalidInput(f"the calendar in the mail is larger than {_MOST_BYTES // 1024} KiB")
    # Folds may cut a character in two (RFC 5545 section 3.1): unfolded before it is decoded.
    lines = _BREAK.split(_FOLD.sub(b"", content.removeprefix(b"\xef\xbb\xbf")))
    if len(lines) > _MOST_LINES:
        raise InvalidInput(f"the calendar in the mail has more than {_MOST_LINES} lines")
    within: list[str] = []
    events = 0
    for octets in lines:
        line = _decoded(octets[:_LONGEST_LINE], charset)
        name = match[1].upper() if (match := _NAME.match(line)) else ""
        if name == "BEGIN":
            within.append(line.partition(":")[2].strip().upper())
            events += within[-1] == "VEVENT"
        elif name == "END":
            del within[-1:]
        elif name in _WANTED and (within == ["VCALENDAR"] or (within == ["VCALENDAR", "VEVENT"] and events == 1)):
            yield name, Contentline(line.strip())  # type: ignore[no-untyped-call]


def _decoded(octets: bytes, charset: str) -> str:
    for tried in ("utf-8", charset):
        try:
            return octets.decode(tried)
        except (UnicodeDecodeError, LookupError):
            continue
    return octets.decode("latin-1")


def _parts(line: Contentline) -> tuple[dict[str, object], str]:
    """Parameters by their names in capitals, and the value. Raises ValueError."""
    _, parameters, value = line.parts()
    return {str(name).upper(): given for name, given in parameters.items()}, str(value)


def _value(found: dict[str, list[Contentline]], name: str) -> str:
    """Of the first line that can be read; empty when there is none."""
    for line in found.get(name, []):
        try:
            return _parts(line)[1]
        except ValueError:
            continue
    return ""


def _attendee(line: Contentline) -> Attendee | None:
    """Names with quotation marks in them break a line's grammar, not what it says of the answer."""
    try:
        parameters, value = _parts(line)
    except ValueError:
        parameters, value = {}, str(line)
    address = _ADDRESS.search(unquote(value))
    partstat = parameters.get("PARTSTAT")
    if not isinstance(partstat, str):
        match = _PARTSTAT.search(line)
        partstat = match[1] if match else ""
    if address is None:
        return None
    comment = parameters.get("X-RESPONSE-COMMENT")  # Google's
    return Attendee(address[1], partstat.strip().upper(), comment if isinstance(comment, str) else "")


def _sequence(text: str) -> int:
    text = text.strip()
    return min(int(text), _MOST_SEQUENCE) if text.isascii() and text.isdigit() and len(text) <= 10 else 0


def _stamp(text: str) -> datetime | None:
    try:
        return datetime.strptime(text.strip().upper(), "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    except ValueError:
        return None


def _comment(text: str) -> str | None:
    """Without links of ours, which a program may have copied from the invitation."""
    return quotable(redacted(text[: 4 * _LONGEST_COMMENT]), _LONGEST_COMMENT) or None
