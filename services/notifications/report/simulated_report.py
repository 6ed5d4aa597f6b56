"""A delivery report (RFC 3464) as a mail server would send it: for replays and for embedded mode's bouncing addresses.

It is read by the real parser, so a simulated bounce proves the same path as a real one.
"""

import re
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime

from services.notifications.delivery.composing import Outgoing
from services.notifications.letter.letter import MAIL_POLICY, ascii_address
from services.notifications.report.delivery_status import one_line
from shared.errors import InvalidInput

REPORTING_SERVER = "mx.justera.example"

_BOUNDARY = "report-of-mx.justera.example"
_STATUS = re.compile(r"[45]\.\d{1,3}\.\d{1,3}", re.ASCII)
_ANSWERS = {
    "5.1.1": "Recipient address rejected: User unknown",
    "5.1.2": "Host or domain name not found",
    "5.2.1": "Mailbox disabled, not accepting messages",
    "5.2.2": "Mailbox full",
    "5.7.1": "Message rejected by policy",
    "4.2.2": "Mailbox full",
    "4.4.1": "Connection timed out",
    "4.4.7": "Delivery time expired",
}


@dataclass(frozen=True)
class Failure:
    """What the simulated mail server says. `status` is RFC 3463: 5.x.x for good, 4.x.x given up after trying."""

    status: str = "5.1.1"
    diagnostic: str = ""


def failed_report(mail: Outgoing, failure: Failure, *, at: datetime) -> bytes:
    """The report about one mail, addressed to its return path. Raises InvalidInput for what is no failure's status."""
    if not _STATUS.fullmatch(failure.status):
        raise InvalidInput(f"a bounce's status is 4.x.x or 5.x.x, not {failure.status[:20]!r}")
    recipient = ascii_address(mail.recipient)
    answer = _ascii(failure.diagnostic) or _answer(failure.status, recipient)
    headers = mail.message.as_bytes(policy=MAIL_POLICY).partition(b"\r\n\r\n")[0].decode("ascii", "replace")
    lines = [
        f"From: Mail Delivery System <MAILER-DAEMON@{REPORTING_SERVER}>",
        f"To: {mail.return_path}",
        "Subject: Undelivered Mail Returned to Sender",
        f"Date: {format_datetime(at)}",
        "Auto-Submitted: auto-replied",
        "MIME-Version: 1.0",
        f'Content-Type: multipart/report; report-type=delivery-status; boundary="{_BOUNDARY}"',
        "",
        f"--{_BOUNDARY}",
        "Content-Type: text/plain; charset=us-ascii",
        "",
        f"This is the mail system at host {REPORTING_SERVER}.",
        "",
        "Your message could not be delivered to one recipient.",
        "",
        f"<{recipient}>: {answer}",
        "",
        f"--{_BOUNDARY}",
        "Content-Type: message/delivery-status",
        "",
        f"Reporting-MTA: dns; {REPORTING_SERVER}",
        f"Original-Envelope-Id: {mail.envelope_id}",
        f"Arrival-Date: {format_datetime(at)}",
        "",
        f"Original-Recipient: rfc822;{recipient}",
        f"Final-Recipient: rfc822; {recipient}",
        "Action: failed",
        f"Status: {failure.status}",
        f"Diagnostic-Code: smtp; {answer}",
        "",
        f"--{_BOUNDARY}",
        "Content-Type: text/rfc822-headers",
        "",
        f"Return-Path: <{mail.return_path}>",
        headers,
        "",
        f"--{_BOUNDARY}--",
        "",
    ]
    return "\r\n".join(lines).encode("ascii", "replace")


def _answer(status: str, recipient: str) -> str:
    """As a mail server would word it: SMTP reply, enhanced status (RFC 2034), text."""
    reply = "550" if status.startswith("5") else "450"
    return f"{reply} {status} <{recipient}>: {_ANSWERS.get(status, 'Delivery failed')}"


def _ascii(text: str) -> str:
    return one_line(text).encode("ascii", "replace").decode()
