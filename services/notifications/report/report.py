"""Reading delivery reports: which recipient, hard or soft, and why.

Standard reports (RFC 3464, RFC 6533) are read from their fields; for the others it is first decided what kind of mail
this is (`kinds_of_mail`), and only a report's words are read (`wording`). The bytes come from strangers: size, lines,
parts and how much is looked at are bounded before any parser sees them, so that no input costs more than a few seconds.
"""

import email
import re
from dataclasses import dataclass
from email.message import Message
from email.parser import HeaderParser
from email.utils import parseaddr

from services.notifications.report.delivery_status import CONTENT_TYPES, find_address, header, read_delivery_status
from services.notifications.report.kinds_of_mail import Kind, kind_of, subject, subject_of_report
from services.notifications.report.wording import Outcome, explanation, own_parts, own_text, quotes_a_mail, read_text
from services.notifications.verp import organiser_in, token_in
from shared.errors import InvalidInput

MAX_REPORT_BYTES = 1024 * 1024

_MAX_LINES = 50_000
_MAX_PARTS = 40
_MAX_CONTENT_TYPE_BYTES = 4096
_MAX_RECIPIENTS = 100
_QUOTED_BYTES = 128 * 1024

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
_NO_REPORTS = frozenset({Kind.OWN, Kind.COMPLAINT, Kind.ANSWER})
_HELD = re.compile(r"quarantin|moderat|\bheld\b|confirm|verif|complain|abuse|karantän|success", re.IGNORECASE)
_REJECTED_SUBJECT = re.compile(r"reject|fail|undeliver|not deliver|avvisa", re.IGNORECASE)


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
    check_bounds(raw)
    try:
        return _read(raw)
    except InvalidInput:
        raise
    except Exception as error:
        # The parsers were not written for hostile input, and none of their failures may stop the receiver.
        raise InvalidInput(f"the delivery report cannot be parsed ({type(error).__name__})") from error


def return_path_token(raw: bytes) -> str | None:
    """The token (unverified) of the return path that a received mail names, report or not: in its headers, in those of
    the mail that it returns, or quoted in its text."""
    try:
        check_bounds(raw)
        found = _return_path_token(email.message_from_bytes(raw))
    except Exception:
        found = None  # the parsers were not written for hostile input
    return found or token_in(raw[:_QUOTED_BYTES].decode("latin-1"))


def organiser_token(raw: bytes) -> str | None:
    """The local part (unverified) of the organiser's address that a mail was sent to; see `verp.organiser`."""
    try:
        check_bounds(raw)
        message = HeaderParser().parsestr(raw[:_QUOTED_BYTES].decode("latin-1"))
    except Exception:
        return organiser_in(raw[:_QUOTED_BYTES].partition(b"\r\n\r\n")[0].decode("latin-1"))
    addresses = (value for name in _ENVELOPE_RECIPIENT_HEADERS for value in message.get_all(name, []))
    return next(filter(None, (organiser_in(str(value)[:1000]) for value in addresses)), None)


def check_bounds(raw: bytes) -> None:
    """What no parser may see. Raises InvalidInput."""
    if not raw.strip():
        raise InvalidInput("the mail is empty")
    if len(raw) > MAX_REPORT_BYTES:
        raise InvalidInput(f"the mail is larger than {MAX_REPORT_BYTES} bytes")
    if max(raw.count(b"\n"), raw.count(b"\r")) > _MAX_LINES:
        raise InvalidInput(f"the mail has more than {_MAX_LINES} lines")
    # Each part costs the parser time on every line inside it, each parameter on every other parameter.
    content_types = _CONTENT_TYPE.findall(raw.replace(b"\r", b"\n"))
    if len(content_types) > _MAX_PARTS or any(len(each) > _MAX_CONTENT_TYPE_BYTES for each in content_types):
        raise InvalidInput("the mail has too many parts, or too long a content type")


def _read(raw: bytes) -> tuple[DeliveryReport, ...]:
    message = email.message_from_bytes(raw.replace(b"\r\n", b"\n").replace(b"\r", b"\n"))
    origin = _Origin(token=_return_path_token(message))
    text = own_text(message)
    reports = _standard_reports(message, text, origin)
    if reports:
        return reports
    kind = kind_of(message, text)
    if kind in _NO_REPORTS:
        return ()
    outcome = read_text(text, subject(message)) if kind is not Kind.UNKNOWN else None
    if outcome is None and kind is Kind.REPORT and _returns_a_mail(message) and not _HELD.search(text):
        # In words that nobody knows, a mail server gives the mail back.
        outcome = Outcome("failed", "5.0.0", explanation(text, ""), certain=False)
    if outcome is None or not _is_believed(kind, outcome, message):
        if kind is Kind.RECEIPT:
            return ()
        raise InvalidInput("the mail is not recognised as a delivery report")
    return (_report(_recipient(message, text), outcome.action, outcome.status, outcome.diagnostic, origin),)


def _is_believed(kind: Kind, outcome: Outcome, message: Message) -> bool:
    """A mail server's words are; a receipt's when it says that the mail was rejected (some servers bounce a full
    mailbox so); of what may be a person's, a reply with its code is, or a report's subject above a report's words."""
    if kind is Kind.REPORT:
        return outcome.certain or outcome.telling or subject_of_report(message) or _returns_a_mail(message)
    if kind is Kind.RECEIPT:
        return outcome.action == "failed" and bool(_REJECTED_SUBJECT.search(subject(message)))
    return subject_of_report(message) or (outcome.certain and outcome.action == "failed" and _returns_a_mail(message))


def _standard_reports(message: Message, text: str, origin: _Origin) -> tuple[DeliveryReport, ...]:
    found: dict[DeliveryReport, None] = {}
    for part in own_parts(message):
        if part.get_content_type() not in CONTENT_TYPES:
            continue
        envelope_id, statuses = read_delivery_status(part)
        for each in statuses[:_MAX_RECIPIENTS]:
            about = _Origin(origin.token, envelope_id)
            words = each.diagnostic or (explanation(text, each.status) if each.action in ("failed", "delayed") else "")
            found[_report(each.recipient, each.action, each.status, words, about)] = None
    return tuple(found)[:_MAX_RECIPIENTS]


def _recipient(message: Message, text: str) -> str | None:
    """For those who read the report; which mail it is about says the token."""
    named = find_address(header(message, "X-Failed-Recipients"))
    if named:
        return named
    sender = parseaddr(header(message, "From"))[1]
    for line in text.split("\n"):
        address = find_address(line)
        if address and address != sender and not token_in(address):
            return address
    return None


def _report(recipient: str | None, action: str, status: str, diagnostic: str, origin: _Origin) -> DeliveryReport:
    return DeliveryReport(
        recipient=recipient,
        action=action,
        status=status,
        diagnostic=diagnostic,
        envelope_id=origin.envelope_id,
        return_path_token=origin.token,
    )


# Which mail it is about


def _return_path_token(message: Message) -> str | None:
    """Mail servers keep the address that a report went to in different headers; the returned mail has it too."""
    for name in _ENVELOPE_RECIPIENT_HEADERS:
        for value in message.get_all(name, []):
            token = token_in(str(value)[:1000])
            if token:
                return token
    return token_in(_returned_header(message, "Return-Path"))


def _returns_a_mail(message: Message) -> bool:
    parts = (part for part in own_parts(message) if part is not message)
    return any(part.get_content_type() in _RETURNED_CONTENT for part in parts) or quotes_a_mail(message)


def _returned_header(message: Message, name: str) -> str:
    for part in own_parts(message):
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
