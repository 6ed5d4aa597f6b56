"""The fields of a standard delivery report: RFC 3464 `message/delivery-status` and RFC 6533's international form.

Tolerant where servers differ from the standards: types left out, comments on the action, transfer encodings that the
standard forbids, addresses in bytes that are no UTF-8. Every text that leaves here is one line of bounded length.
"""

import binascii
import quopri
import re
import unicodedata
from dataclasses import dataclass
from email.message import Message
from email.parser import HeaderParser

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
_BLANK_LINES = re.compile(r"\n(?:[ \t]*\n)+")


@dataclass(frozen=True)
class RecipientStatus:
    """One recipient's fields; `status` and `action` agree with each other."""

    recipient: str | None
    action: str
    status: str
    diagnostic: str


def read_delivery_status(part: Message) -> tuple[str | None, list[RecipientStatus]]:
    """The original envelope id, if given, and what became of each recipient. Groups that say nothing are left out."""
    groups = _groups(part)
    envelope_ids = [one_line(header(group, "Original-Envelope-Id")) for group in groups]
    envelope_id = next((from_xtext(each)[:200] for each in envelope_ids if each), None)
    return envelope_id, [status for group in groups if (status := _recipient_status(group)) is not None]


def _groups(part: Message) -> list[Message]:
    """The blank-line separated groups of fields: the first about the mail, then one a recipient."""
    payload = part.get_payload()
    written = payload if isinstance(payload, str) else "\n".join(_flatten(each) for each in payload)
    text = _decode_text(_decode_transfer(part, written.encode("utf-8", "surrogateescape")))
    return [HeaderParser().parsestr(group) for group in _BLANK_LINES.split(text.strip())]


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


def _recipient_status(group: Message) -> RecipientStatus | None:
    final = header(group, "Final-Recipient")
    recipient = _recipient(header(group, "Original-Recipient")) or _recipient(final)
    diagnostic = _diagnostic(header(group, "Diagnostic-Code"))
    written_status = _find_status(header(group, "Status")) or _find_status(diagnostic)
    action = _action(header(group, "Action"), written_status)
    if action is None or not (recipient or final):
        return None
    return RecipientStatus(recipient, action, _consistent_status(action, written_status, diagnostic), diagnostic)


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


def _action(value: str, status: str | None) -> str | None:
    """Some servers put comments on the action, or their own words in its place."""
    words = re.findall(r"[a-z]+", value.lower()[:100])
    first = words[0] if words else ""
    if first.startswith(("fail", "error")):
        return "failed"
    if first in STATUS_OF_ACTION:
        return first
    return _ACTION_OF_CLASS[status[0]] if status else None


def _consistent_status(action: str, written: str | None, diagnostic: str) -> str:
    if written and (written[0] == "2") == (STATUS_OF_ACTION[action][0] == "2"):
        return written
    reply = _SMTP_REPLY.search(diagnostic)
    if reply and action in ("failed", "delayed"):
        return f"{reply[1]}.0.0"
    return STATUS_OF_ACTION[action]


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
