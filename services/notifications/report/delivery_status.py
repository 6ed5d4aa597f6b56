"""The fields of a standard delivery report: RFC 3464 `message/delivery-status` and RFC 6533's international form.

Tolerant where servers differ from the standards: types left out, comments on the action, transfer encodings that the
standard forbids, addresses in bytes that are no UTF-8. Every text that leaves here is one line of bounded length.
"""

import binascii
import quopri
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from email.message import Message

from services.notifications.verp import from_xtext

CONTENT_TYPES = ("message/delivery-status", "message/global-delivery-status")
STATUS_OF_ACTION = {
    "failed": "5.0.0",
    "delayed": "4.0.0",
    "delivered": "2.0.0",
    "relayed": "2.0.0",
    "expanded": "2.0.0",
}

_MAX_TEXT = 1000  # characters
_ACTION_OF_CLASS = {"2": "delivered", "4": "delayed", "5": "failed"}
_STATUS = re.compile(r"(?<![\d.])([245])\.(\d{1,3})\.(\d{1,3})(?![\d.]*\d)", re.ASCII)
_SMTP_REPLY = re.compile(r"\b([45])\d\d\b", re.ASCII)
_ADDRESS = re.compile(r"[^\s@<>]{1,256}@[^\s@<>]{1,255}")
_UTF8_XTEXT = re.compile(r"\\x\{([0-9A-Fa-f]{2,6})\}")  # RFC 6533 section 3
_FIELD = re.compile(r"([A-Za-z][A-Za-z-]{2,40})[ \t]*:(.*)")
_RECIPIENT_FIELDS = frozenset({"original-recipient", "final-recipient", "action", "status", "diagnostic-code"})
_FAILED = ("fail", "error", "expired", "undeliver", "bounce", "reject", "refuse")
_EXPIRED = "4.4.7"


@dataclass(frozen=True)
class RecipientStatus:
    """One recipient's fields; `status` and `action` agree with each other."""

    recipient: str | None
    action: str
    status: str
    diagnostic: str


def read_delivery_status(part: Message) -> tuple[str | None, list[RecipientStatus]]:
    """The original envelope id, if given, and what became of each recipient. Groups that say nothing are left out."""
    payload = part.get_payload()
    written = payload if isinstance(payload, str) else "\n".join(_flatten(each) for each in payload)
    return read_fields(_decode_text(_decode_transfer(part, written.encode("utf-8", "surrogateescape"))))


def read_fields(text: str, *, strict: bool = False) -> tuple[str | None, list[RecipientStatus]]:
    """The same of fields in a text. `strict`, where there may be other text between them: an action must be one.

    Neither a line that is no field nor a blank one in the wrong place hides the rest: the next recipient begins where a
    field comes that the last one has already.
    """
    envelope_id, groups = None, [dict[str, str]()]
    name = ""
    for line in text.strip().split("\n"):
        match = _FIELD.match(line)
        if not match:
            if not line.strip():
                name = ""
            elif name and len(groups[-1][name]) < _MAX_TEXT:
                groups[-1][name] += " " + line.strip()
            continue
        name = match[1].lower()
        if name == "original-envelope-id" and envelope_id is None:
            envelope_id = from_xtext(one_line(match[2]))[:200] or None
        if name not in _RECIPIENT_FIELDS:
            name = ""
            continue
        if name in groups[-1]:
            groups.append({})
        groups[-1][name] = match[2]
    return envelope_id, [one for group in groups if (one := _recipient_status(group, strict=strict)) is not None]


def _flatten(group: object) -> str:
    """The parser has taken the part for messages; the fields are wanted as they were written."""
    if not isinstance(group, Message):
        return ""
    payload = group.get_payload()
    fields = "".join(f"{name}:{value}\n" for name, value in group.raw_items())
    return fields + "\n" + (payload if isinstance(payload, str) else "")


def _decode_transfer(part: Message, octets: bytes) -> bytes:
    encoding = header(part, "Content-Transfer-Encoding").lower()
    if encoding == "quoted-printable":
        return quopri.decodestring(octets)
    if encoding == "base64":
        try:
            return binascii.a2b_base64(octets)
        except binascii.Error:
            return octets
    return octets


def _decode_text(octets: bytes) -> str:
    try:
        text = octets.decode("utf-8")
    except UnicodeDecodeError:
        text = octets.decode("latin-1")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _recipient_status(group: Mapping[str, str], *, strict: bool) -> RecipientStatus | None:
    fields = {name: value[:_MAX_TEXT].strip() for name, value in group.items()}
    recipient = _recipient(fields.get("original-recipient", "")) or _recipient(fields.get("final-recipient", ""))
    diagnostic = _diagnostic(fields.get("diagnostic-code", ""))
    written_status = _find_status(fields.get("status", ""))
    said = fields.get("action", "")
    action = _action(said, written_status or _find_status(diagnostic), strict=strict)
    if action is None or not (said or written_status or diagnostic):
        return None
    return RecipientStatus(recipient, action, _consistent_status(action, said, written_status, diagnostic), diagnostic)


def _recipient(value: str) -> str | None:
    """`type; address` (RFC 3464 section 2.3.1), also without a type, in angle brackets or with a comment."""
    kind, separator, rest = value.partition(";")
    text = rest if separator else value
    if kind.strip().lower() == "utf-8":
        text = _UTF8_XTEXT.sub(lambda match: _character(match[1]), text)
    return find_address(text)


def _character(hexadecimal: str) -> str:
    code = int(hexadecimal, 16)
    return chr(code) if code <= 0x10FFFF else "\ufffd"


def _action(value: str, status: str | None, *, strict: bool) -> str | None:
    """Some servers put comments on the action, or their own words in its place."""
    words = re.findall(r"[a-z]+", value.lower()[:100])
    first = words[0] if words else ""
    if first.startswith(_FAILED):
        return "failed"
    if first in STATUS_OF_ACTION:
        return first
    return _ACTION_OF_CLASS[status[0]] if status and not (strict and first) else None


def _consistent_status(action: str, said: str, written: str | None, diagnostic: str) -> str:
    """The most telling one that agrees with the action: a general `5.0.0` gives way to what the last server said."""
    told = _find_status(diagnostic)
    fitting = [each for each in (written, told) if each and (each[0] == "2") == (STATUS_OF_ACTION[action][0] == "2")]
    telling = next((each for each in fitting if not each.endswith(".0.0")), None)
    if telling:
        return telling
    reply = _SMTP_REPLY.search(diagnostic)
    if reply and action in ("failed", "delayed"):
        return f"{reply[1]}.0.0"
    if fitting:
        return fitting[0]
    return _EXPIRED if said.lower().startswith("expired") else STATUS_OF_ACTION[action]


def _find_status(text: str) -> str | None:
    match = _STATUS.search(text)
    return f"{match[1]}.{int(match[2])}.{int(match[3])}" if match else None


def _diagnostic(value: str) -> str:
    kind, separator, rest = value.partition(";")
    return one_line(rest if separator and re.fullmatch(r"\s*[\w-]{1,40}\s*", kind) else value)


def find_address(text: str) -> str | None:
    """The first thing in `text` that looks like an e-mail address and holds no invisible character."""
    match = _ADDRESS.search(text[:_MAX_TEXT])
    if match is None:
        return None
    address = match[0].strip("\"'(),;:")
    return None if any(unicodedata.category(character)[0] == "C" for character in address) else address


def header(message: Message, name: str) -> str:
    """A header's value, stripped, at most 1,000 characters; empty when it is missing."""
    value = message.get(name)
    return "" if value is None else str(value)[:_MAX_TEXT].strip()


def one_line(text: str) -> str:
    """At most 1,000 characters; runs of white space, control and format characters (bidi) become one space."""
    printable = "".join(" " if unicodedata.category(each)[0] == "C" else each for each in text[:_MAX_TEXT])
    return " ".join(printable.split())
