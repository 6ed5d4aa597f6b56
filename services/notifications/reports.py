"""Reading delivery reports: which recipient, hard or soft, and why.

Standard reports (RFC 3464, RFC 6533) are read with the standard library's MIME parser; what remains goes to
flufl.bounce, which knows the wordings of many mail servers. The bytes come from strangers: size, lines, parts and how
much heuristics may look at are bounded before any parser sees them, so that no input costs more than a few seconds.
"""

import email
import re
from collections.abc import Iterator
from dataclasses import dataclass
from email.message import Message
from email.parser import HeaderParser
from email.utils import parseaddr

from flufl.bounce import all_failures

from services.notifications.delivery_status import (
    CONTENT_TYPES,
    STATUS_OF_ACTION,
    find_address,
    header,
    one_line,
    read_delivery_status,
)
from services.notifications.verp import token_in
from shared.errors import InvalidInput

MAX_REPORT_BYTES = 1024 * 1024

_MAX_LINES = 50_000
_MAX_PARTS = 40
_MAX_CONTENT_TYPE_BYTES = 4096
_MAX_RECIPIENTS = 100
# Some of flufl.bounce's patterns take time in the square of a line's length, and look at every line many times.
_SCANNED_BYTES = 32 * 1024
_SCANNED_LINE_BYTES = 256

_CONTENT_TYPE = re.compile(rb"^content-type:[^\n]*(?:\n[ \t][^\n]*)*", re.IGNORECASE | re.MULTILINE)
_RETURNED_CONTENT = (
    "message/rfc822",
    "message/global",
    "message/global-headers",
    "text/rfc822-headers",
    "message/rfc822-headers",
)
_ENVELOPE_RECIPIENT_HEADERS = (
    "Delivered-To",
    "X-Original-To",
    "X-Delivered-To",
    "Envelope-To",
    "X-Envelope-To",
    "Apparently-To",
    "To",
)
_AUTOMATIC_SUBJECT = re.compile(r"(auto(matic|matiskt)?[ -:]?(re|svar)|out of (the )?office|frånvaro)", re.IGNORECASE)


@dataclass(frozen=True)
class DeliveryReport:
    """What a mail server says became of one recipient.

    `action` is `failed`, `delayed`, `delivered`, `relayed` or `expanded` (RFC 3464 section 2.3.3); `status` an enhanced
    status code (RFC 3463, such as `5.1.1`); `diagnostic` one line, at most 1,000 characters. `envelope_id` and
    `return_path_token` are as the report gives them: unverified (see `verp.decode`).
    """

    recipient: str | None
    action: str
    status: str
    diagnostic: str
    envelope_id: str | None
    return_path_token: str | None

    @property
    def is_failure(self) -> bool:
        """The mail was not delivered, and the mail server has given up: a bounce, hard or soft."""
        return self.action == "failed"

    @property
    def is_permanent(self) -> bool:
        """A hard bounce: the same mail will fail again. A soft one was given up after trying (4.4.7 is "expired")."""
        return self.is_failure and self.status.startswith("5.")

    @property
    def is_delayed(self) -> bool:
        """No bounce yet: the mail server goes on trying."""
        return self.action == "delayed"


@dataclass(frozen=True)
class _Origin:
    """What points back to the mail that the report is about."""

    token: str | None
    envelope_id: str | None = None


def read_report(raw: bytes) -> tuple[DeliveryReport, ...]:
    """The outcomes that a received mail reports; empty when it is no delivery report (automatic reply, own mail).

    Raises InvalidInput when it is over 1 MiB, malformed beyond reading, or nothing that we recognise: for a human.
    """
    _check_bounds(raw)
    try:
        return _read(raw)
    except InvalidInput:
        raise
    except Exception as error:
        # The parsers were not written for hostile input, and none of their failures may stop the receiver.
        raise InvalidInput(f"the delivery report cannot be parsed ({type(error).__name__})") from error


def _check_bounds(raw: bytes) -> None:
    if not raw.strip():
        raise InvalidInput("the delivery report is empty")
    if len(raw) > MAX_REPORT_BYTES:
        raise InvalidInput(f"the delivery report is larger than {MAX_REPORT_BYTES} bytes")
    if max(raw.count(b"\n"), raw.count(b"\r")) > _MAX_LINES:
        raise InvalidInput(f"the delivery report has more than {_MAX_LINES} lines")
    # Each part costs the parser time on every line inside it, each parameter on every other parameter.
    content_types = _CONTENT_TYPE.findall(raw.replace(b"\r", b"\n"))
    if len(content_types) > _MAX_PARTS or any(len(each) > _MAX_CONTENT_TYPE_BYTES for each in content_types):
        raise InvalidInput("the delivery report has too many parts, or too long a content type")


def _read(raw: bytes) -> tuple[DeliveryReport, ...]:
    message = email.message_from_bytes(raw)
    origin = _Origin(token=_return_path_token(message))
    reports = _standard_reports(message, origin)
    if reports:
        return reports
    if _is_own_mail(message):
        return ()
    reports = _heuristic_reports(raw, origin)
    if _is_disposition_notification(message):
        # A read receipt, unless its words say that the mail was rejected: some servers bounce a full mailbox so.
        return reports
    if _is_automatic_reply(message):
        return ()
    if not reports:
        raise InvalidInput("the mail is not recognised as a delivery report")
    return reports


def _standard_reports(message: Message, origin: _Origin) -> tuple[DeliveryReport, ...]:
    found: dict[DeliveryReport, None] = {}
    for part in _own_parts(message):
        if part.get_content_type() not in CONTENT_TYPES:
            continue
        envelope_id, statuses = read_delivery_status(part)
        for each in statuses[:_MAX_RECIPIENTS]:
            about = _Origin(origin.token, envelope_id)
            found[_report(each.recipient, each.action, each.status, each.diagnostic, about)] = None
    return tuple(found)[:_MAX_RECIPIENTS]


def _own_parts(message: Message) -> Iterator[Message]:
    """The parts of the report itself, never those of the mail that it returns."""
    yield message
    payload = message.get_payload()
    if message.get_content_maintype() == "multipart" and isinstance(payload, list):
        for part in payload:
            if isinstance(part, Message):
                yield from _own_parts(part)


def _heuristic_reports(raw: bytes, origin: _Origin) -> tuple[DeliveryReport, ...]:
    lines = [line[:_SCANNED_LINE_BYTES] for line in raw[:_SCANNED_BYTES].splitlines()]
    temporary, permanent = _failures_by_wording(b"\n".join(lines) + b"\n")
    found = [(each, "failed") for each in sorted(permanent)]
    found += [(each, "delayed") for each in sorted(temporary - permanent)]
    text = [one_line(line.decode("latin-1")) for line in lines] if found else []
    explanations = {action: _explanation(text, STATUS_OF_ACTION[action]) for action in ("failed", "delayed")}
    return tuple(
        _report(find_address(address.decode("utf-8", "replace")), action, *explanations[action], origin)
        for address, action in found[:_MAX_RECIPIENTS]
    )


def _failures_by_wording(scanned: bytes) -> tuple[frozenset[bytes], frozenset[bytes]]:
    """Temporary and permanent. A detector that trips over a mail (some expect a second line) has recognised nothing."""
    try:
        temporary, permanent = all_failures(email.message_from_bytes(scanned))
    except Exception:
        return frozenset(), frozenset()
    return frozenset(temporary), frozenset(permanent)


def _explanation(lines: list[str], default: str) -> tuple[str, str]:
    """Status and diagnostic: the first line with a code of the default's class, beside an SMTP reply (`550 5.1.1`)
    or as qmail writes it (`#5.1.1`)."""
    pattern = re.compile(rf"(?:\b{default[0]}\d\d[ -]|#)({default[0]}\.\d{{1,3}}\.\d{{1,3}})(?![\d.])", re.ASCII)
    for line in lines:
        match = pattern.search(line)
        if match:
            return match[1], line
    return default, ""


def _report(recipient: str | None, action: str, status: str, diagnostic: str, origin: _Origin) -> DeliveryReport:
    return DeliveryReport(
        recipient=recipient,
        action=action,
        status=status,
        diagnostic=diagnostic,
        envelope_id=origin.envelope_id,
        return_path_token=origin.token,
    )


# What else a mail at a return path may be


def _is_own_mail(message: Message) -> bool:
    """A copy of what we sent: RFC 3834 `auto-generated`; a mail server's report is `auto-replied`, or says nothing."""
    return _auto_submitted(message) == "auto-generated" and not _is_from_a_mail_server(message)


def _is_disposition_notification(message: Message) -> bool:
    if message.get_content_type() != "multipart/report":
        return False
    return "disposition-notification" in header(message, "Content-Type").lower()


def _is_automatic_reply(message: Message) -> bool:
    if _is_from_a_mail_server(message) or message.get("X-Failed-Recipients") is not None:
        return False
    return bool(
        _auto_submitted(message) in ("auto-replied", "auto-notified")
        or message.get("X-Autoreply")
        or message.get("X-Autorespond")
        or header(message, "Precedence").lower() in ("auto_reply", "auto-reply")
        or _AUTOMATIC_SUBJECT.match(header(message, "Subject"))
    )


def _auto_submitted(message: Message) -> str:
    return re.split(r"[;\s(]", header(message, "Auto-Submitted").lower(), maxsplit=1)[0]


def _is_from_a_mail_server(message: Message) -> bool:
    local_part = parseaddr(header(message, "From"))[1].partition("@")[0].lower()
    return local_part in ("mailer-daemon", "postmaster", "mail-daemon", "mailerdaemon")


# Which mail it is about


def _return_path_token(message: Message) -> str | None:
    """Mail servers keep the address that a report went to in different headers; the returned mail has it too."""
    for name in _ENVELOPE_RECIPIENT_HEADERS:
        for value in message.get_all(name, []):
            token = token_in(str(value)[:1000])
            if token:
                return token
    return token_in(_returned_header(message, "Return-Path"))


def _returned_header(message: Message, name: str) -> str:
    for part in _own_parts(message):
        if part is message or part.get_content_type() not in _RETURNED_CONTENT:
            continue
        value = header(_returned_mail(part), name)
        if value:
            return value
    return ""


def _returned_mail(part: Message) -> Message:
    payload = part.get_payload()
    if isinstance(payload, list) and payload and isinstance(payload[0], Message):
        return payload[0]
    return HeaderParser().parsestr(payload.lstrip() if isinstance(payload, str) else "")
