"""What people type, made fit to keep: names, reasons, e-mail addresses, IP addresses.

Every door uses these before a command or an event is made, so that the rules, the report and the pages may trust the
text. Each function returns the cleaned text or raises InvalidInput saying what is wrong.
"""

import ipaddress
import re
import unicodedata

from shared.errors import InvalidInput
from shared.plain_text import forbidden_character

MAX_NAME = 200  # characters
MAX_LINE = 300  # characters
MAX_REASON = 2000  # characters
MAX_EMAIL = 254  # octets in UTF-8; RFC 5321 4.5.3.1.3 less the angle brackets
MAX_LOCAL_PART = 64  # octets; RFC 5321 4.5.3.1.1

# RFC 5321 4.1.2 dot-string; quoted local parts are deliverable almost nowhere and are refused. RFC 6531 adds UTF-8.
_LOCAL_PART = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~\-\u0080-\U0010ffff.]+")
_LABEL = re.compile(r"(?!-)[A-Za-z0-9\-\u0080-\U0010ffff]{1,63}(?<!-)")


def clean_name(text: str) -> str:
    """A person's name: NFC, trimmed, 1-200 characters, at least one of them visible. Otherwise free text."""
    name = unicodedata.normalize("NFC", text).strip()
    _check(name, "the name", MAX_NAME)
    return name


def clean_reason(text: str) -> str:
    """Why someone declines or cancels: NFC, one line (line breaks and tabs become spaces), 1-2000 characters."""
    reason = re.sub(r"\s+", " ", unicodedata.normalize("NFC", text)).strip()
    _check(reason, "the reason", MAX_REASON)
    return reason


def clean_line(text: str, field: str) -> str:
    """A title, a place, a body's name: trimmed, one line of 1-300 characters. `field` names it in the error."""
    line = text.strip()
    if not line:
        raise InvalidInput(f"{field}: is empty")
    if len(line) > MAX_LINE:
        raise InvalidInput(f"{field}: longer than {MAX_LINE} characters")
    if found := forbidden_character(line):
        raise InvalidInput(f"{field}: holds {found}, a control or bidi character; remove it")
    return line


def clean_email(text: str) -> str:
    """An address `local@domain` (RFC 5321, RFC 6531), NFC, as typed: case is kept, comparison is `same_email`'s."""
    email = unicodedata.normalize("NFC", text.strip(" "))
    if forbidden_character(email) or any(char.isspace() or not _visible(char) for char in email):
        raise InvalidInput(f"{_shown(email)} is no e-mail address: it holds a space or an invisible character")
    local, at, domain = email.partition("@")
    if not at or "@" in domain:
        raise InvalidInput(f"{_shown(email)} is no e-mail address: it needs exactly one @")
    if len(email.encode()) > MAX_EMAIL or len(local.encode()) > MAX_LOCAL_PART:
        raise InvalidInput(f"{_shown(email)} is no e-mail address: it is too long")
    if not _LOCAL_PART.fullmatch(local) or "" in local.split("."):
        raise InvalidInput(f"{_shown(email)} is no e-mail address: the part before @ is malformed")
    if not all(_LABEL.fullmatch(label) for label in domain.split(".")):
        raise InvalidInput(f"{_shown(email)} is no e-mail address: the domain is malformed")
    return email


def clean_ip(text: str) -> str:
    """An IPv4 or IPv6 address in its usual short form (RFC 5952)."""
    try:
        return str(ipaddress.ip_address(text.strip()))
    except ValueError as error:
        raise InvalidInput(f"{_shown(text)} is no IP address") from error


def email_key(email: str) -> str:
    """What two spellings of one address share. Servers may tell cases apart (RFC 5321 2.4); people do not."""
    return email.casefold()


def same_email(one: str, other: str) -> bool:
    return email_key(one) == email_key(other)


def _check(text: str, what: str, limit: int) -> None:
    if not any(_visible(char) for char in text):
        raise InvalidInput(f"{what} is empty")
    if len(text) > limit:
        raise InvalidInput(f"{what} is longer than {limit} characters")
    if found := forbidden_character(text):
        raise InvalidInput(f"{what} holds a control or direction character ({found})")


def _visible(char: str) -> bool:
    return unicodedata.category(char)[0] not in "CZ"


def _shown(text: str) -> str:
    """The input in a message of one line: quoted, escaped, cut."""
    escaped = "".join(c if c.isprintable() else f"\\u{ord(c):04x}" for c in text)
    return f"'{escaped[:80]}{'…' if len(escaped) > 80 else ''}'"
