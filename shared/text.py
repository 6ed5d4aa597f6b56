"""What people type, made fit to keep: names, reasons, e-mail addresses, IP addresses.

Every door uses these before a command or an event is made, so that the rules, the report and the pages may trust the
text. Each function returns the cleaned text or raises InvalidInput saying what is wrong. Which characters it may hold,
and in which form, is one rule for all: `shared.plain_text`.
"""

import ipaddress
import re
import unicodedata
from collections.abc import Iterable

import idna

from shared.errors import InvalidInput, says
from shared.plain_text import forbidden_character, one_line, unfit, without_shapeless

MAX_NAME = 200  # characters
MAX_LINE = 300  # characters
MAX_REASON = 2000  # characters
MAX_EMAIL = 254  # octets in UTF-8; RFC 5321 4.5.3.1.3 less the angle brackets
_MOST_TYPED = 8  # times a limit, before it is brought into form: a letter may be typed with marks of its own
MAX_LOCAL_PART = 64  # octets; RFC 5321 4.5.3.1.1

# RFC 5321 4.1.2 dot-string; quoted local parts are deliverable almost nowhere and are refused. RFC 6531 adds UTF-8.
_LOCAL_PART = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~\-\u0080-\U0010ffff.]+")
_LABEL = re.compile(r"(?!-)[A-Za-z0-9\-\u0080-\U0010ffff]{1,63}(?<!-)")


def clean_name(text: str) -> str:
    """A person's name: one line of 1-200 characters, at least one of them visible. Otherwise free text."""
    return _one_line(text, "the name", MAX_NAME)


def clean_reason(text: str) -> str:
    """Why someone declines or cancels: one line of 1-2000 characters; line breaks and tabs become spaces."""
    return _one_line(text, "the reason", MAX_REASON)


def clean_line(text: str, field: str) -> str:
    """A title, a place, a body's name: one line of 1-300 characters. `field` names it in the error."""
    return _one_line(text, f"{field}:", MAX_LINE)


def clean_email(text: str) -> str:
    """An address `local@domain` (RFC 5321, RFC 6531), NFC, as typed: case is kept, comparison is `same_email`'s."""
    email = unicodedata.normalize("NFC", text.strip(" "))
    hidden = without_shapeless(email) != email  # two addresses that look alike are one mailbox, or a trap
    if hidden or forbidden_character(email) or any(char.isspace() or not _visible(char) for char in email):
        raise InvalidInput(
            f"{_shown(email)} is no e-mail address: it holds a space or an invisible character",
            says=says("email", given=_shown(email)),
        )
    if found := unfit(email):
        raise InvalidInput(
            f"{_shown(email)} is no e-mail address: it holds {found}", says=says("email", given=_shown(email))
        )
    local, at, domain = email.partition("@")
    if not at or "@" in domain:
        raise InvalidInput(
            f"{_shown(email)} is no e-mail address: it needs exactly one @", says=says("email", given=_shown(email))
        )
    if len(email.encode()) > MAX_EMAIL or len(local.encode()) > MAX_LOCAL_PART:
        raise InvalidInput(
            f"{_shown(email)} is no e-mail address: it is too long", says=says("email", given=_shown(email))
        )
    if not _LOCAL_PART.fullmatch(local) or "" in local.split("."):
        raise InvalidInput(
            f"{_shown(email)} is no e-mail address: the part before @ is malformed",
            says=says("email", given=_shown(email)),
        )
    if not all(_LABEL.fullmatch(label) for label in domain.split(".")):
        raise InvalidInput(
            f"{_shown(email)} is no e-mail address: the domain is malformed", says=says("email", given=_shown(email))
        )
    return email


def clean_mailbox(text: str) -> str:
    """As `clean_email`, of an address that mail is sent to or answered at: every mail server takes it.

    Letters outside ASCII before the @ would need SMTPUTF8 (RFC 6531) on every server up to the recipient's.
    """
    email = clean_email(text)
    local, _, domain = email.rpartition("@")
    if not local.isascii():
        raise InvalidInput(
            f"{_shown(email)} is no e-mail address that all mail servers take: it has letters outside a-z before the @",
            hint="most mailboxes have a second address, without such letters",
        )
    ascii_domain(domain)
    return email


def ascii_domain(domain: str) -> str:
    """A domain as mail servers look it up: IDNA 2008 (RFC 5891), with UTS 46's mapping of case and width.

    Not Python's own codec, which is IDNA 2003: it makes `strasse.example` of `straße.example`, another domain. Raises
    InvalidInput for what has no such form.
    """
    if domain.isascii():
        return domain
    try:
        return idna.encode(domain, uts46=True, transitional=False).decode()
    except idna.IDNAError as error:
        raise InvalidInput(f"{_shown(domain)} is no domain that can be written in ASCII") from error


def clean_ip(text: str) -> str:
    """An IPv4 or IPv6 address in its usual short form (RFC 5952)."""
    try:
        return str(ipaddress.ip_address(text.strip()))
    except ValueError as error:
        raise InvalidInput(f"{_shown(text)} is no IP address") from error


def email_key(email: str) -> str:
    """What two spellings of one address share. Servers may tell cases apart (RFC 5321 2.4); people do not.

    `faß` and `fass` differ: case folding, which makes one of them, is no question of case here.
    """
    return email.lower()


def same_email(one: str, other: str) -> bool:
    return email_key(one) == email_key(other)


def mailbox_key(email: str) -> str:
    """What all addresses share whose mail arrives at one place: `åke@BJÖRKÅ.example` and `ÅKE@xn--bjrk-toa3h.example`.

    It tells whether two who are to sign are one. Stored keys and histories of agreements stand on `email_key`, which
    they keep.
    """
    local, at, domain = unicodedata.normalize("NFC", email).rpartition("@")
    try:
        return f"{local.lower()}{at}{ascii_domain(domain).lower()}"
    except InvalidInput:
        return email_key(email)


def same_mailbox(one: str, other: str) -> bool:
    return mailbox_key(one) == mailbox_key(other)


def named_twice(emails: Iterable[str]) -> str | None:
    """The first address whose mail arrives where an earlier one's does, for a message that says so."""
    named: dict[str, str] = {}
    for email in emails:
        key = mailbox_key(email)
        if key in named:
            return in_both_spellings(email, named[key])
        named[key] = email
    return None


def in_both_spellings(one: str, other: str) -> str:
    """One address as two people wrote it, for a message that says that it is one."""
    return one if one == other else f"{one} (that is {other})"


def _one_line(text: str, what: str, limit: int) -> str:
    if len(text) > _MOST_TYPED * limit:
        raise InvalidInput(f"{what} is longer than {limit} characters", says=says("too_long", _field(what), most=limit))
    line = one_line(text)
    if not any(_visible(char) for char in line):
        raise InvalidInput(f"{what} is empty", says=says("empty", _field(what)))
    if len(line) > limit:
        raise InvalidInput(f"{what} is longer than {limit} characters", says=says("too_long", _field(what), most=limit))
    if found := unfit(line):
        raise InvalidInput(f"{what} holds {found}", says=says("characters", _field(what)))
    return line


def _field(what: str) -> str:
    """Where it is the name of one, such as `title:`."""
    return what.removesuffix(":") if what.endswith(":") else ""


def _visible(char: str) -> bool:
    return unicodedata.category(char)[0] not in "CZ"


def _shown(text: str) -> str:
    """The input in a message of one line: quoted, escaped, cut."""
    escaped = "".join(c if c.isprintable() else f"\\u{ord(c):04x}" for c in text)
    return f"'{escaped[:80]}{'…' if len(escaped) > 80 else ''}'"
