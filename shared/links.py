"""Unguessable links: derived where they are needed, never stored, never in an event.

A link's token is an HMAC over what it opens, under a key that only its maker and its reader hold. Whether it still
opens anything (expired, revoked, replaced, done) is a question of the state it names, which the reader checks.
"""

import base64
import hashlib
import hmac
import re
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import urlencode

from shared.errors import InvalidInput
from shared.keys import KeyRing
from shared.suspension import require_active
from shared.text import email_key

PERSONAL_COPY = "personal-copy"
EXTRACT = "extract"
MEMBER = "member"
CALENDAR = "calendar"
ROOM = "room"
FIRST_VERSION = 1
LINKS_OPEN = timedelta(days=90)
"""How long a link shows anything after the end of what it is about: to sign, or to the sealed copy once archived."""

_LONGEST = 400
_PART = re.compile(r"[A-Za-z0-9_-]{1,128}")
_HOLDER = 32  # hexadecimal digits


class BadLink(InvalidInput):
    """Not one of our links, or not whole. Says no more than that."""

    slug = "bad-link"


@dataclass(frozen=True, slots=True)
class Link:
    """`purpose` keeps links of different kinds apart; `version` revokes all links of earlier versions."""

    purpose: str
    organisation: str
    subject: str
    version: int

    def _parts(self) -> tuple[str, ...]:
        return ("justera-link", self.purpose, self.organisation, self.subject, str(self.version))


def holder_of(subject: str, email: str) -> str:
    """Who holds a link to the subject: the address by its hash (128 bits of SHA-256), so that no link shows one."""
    return hashlib.sha256(f"{subject}\0{email_key(email)}".encode()).hexdigest()[:_HOLDER]


def copy_link(organisation: str, agreement_id: str, email: str, version: int) -> Link:
    """To an agreement's sealed copy, one person's alone: its version rises without those of others."""
    return Link(PERSONAL_COPY, organisation, f"{agreement_id}-{holder_of(agreement_id, email)}", version)


def parts_of_copy_link(subject: str) -> tuple[str, str]:
    """The agreement's id, and the holder."""
    agreement_id, _, holder = subject.rpartition("-")
    return agreement_id, holder


def extract_link(organisation: str, agreement_id: str, number: int, email: str, version: int) -> Link:
    """To a certified extract of an agreement's minutes, one person's alone."""
    return Link(EXTRACT, organisation, f"{agreement_id}-{number}-{holder_of(agreement_id, email)}", version)


def parts_of_extract_link(subject: str) -> tuple[str, int, str]:
    """The agreement's id, the extract's number, and the holder. Raises BadLink."""
    agreement_id, number, holder = ["", "", *subject.rsplit("-", 2)][-3:]
    if not number.isdigit() or len(number) > 6:  # a subject is ASCII
        raise BadLink("the link is not whole", hint="open it from the mail again, or copy all of it")
    return agreement_id, int(number), holder


def member_link(organisation: str, person_id: str, version: int) -> Link:
    """To a member's own page, whatever bodies they sit in: their meetings, papers and answers."""
    return Link(MEMBER, organisation, person_id, version)


def calendar_link(organisation: str, person_id: str, version: int) -> Link:
    """To a member's calendar, to subscribe to: it shows their meetings, and can answer nothing."""
    return Link(CALENDAR, organisation, person_id, version)


def room_link(organisation: str, meeting_id: str) -> Link:
    """To the page that shows a sitting to those in the room. Nobody's own: who has it reads, and it ends with the
    sitting."""
    return Link(ROOM, organisation, meeting_id, FIRST_VERSION)


def member_address(
    public_url: str, token: str, *, meeting: str = "", answer: str = "", poll: str = "", review: str = ""
) -> str:
    """What a mail leads to: a member's own page, or there a meeting, with an answer chosen beforehand, a date poll, or
    minutes to be read.

    `answer`: coming, absent or tentative. It is chosen, not given: mail scanners open links.
    """
    asked = {"meeting": meeting, "answer": answer, "poll": poll, "review": review}
    query = urlencode({name: value for name, value in asked.items() if value})
    return f"{public_url.rstrip('/')}/meetings/my/{token}" + (f"?{query}" if query else "")


def issue(ring: KeyRing, link: Link) -> str:
    """The token: URL-safe, about 120 characters. Raises ValueError for what no token could carry."""
    if not all(_PART.fullmatch(part) for part in (link.organisation, link.subject)) or not 0 <= link.version < 10**9:
        raise ValueError("a link's organisation and subject are 1-128 of A-Z a-z 0-9 _ -, its version below 10^9")
    encoded = _encoded_mac(ring, ring.current, link)
    return f"{ring.current}.{link.organisation}.{link.subject}.{link.version}.{encoded}"


def read(ring: KeyRing, purpose: str, token: str) -> Link:
    """Raises BadLink when the token is not whole and ours, OrganisationSuspended."""
    parts = token.split(".") if len(token) <= _LONGEST else []
    if len(parts) != 5 or not all(_PART.fullmatch(part) for part in parts) or not parts[3].isdigit():
        raise BadLink("the link is not whole", hint="open it from the mail again, or copy all of it")
    key_id, organisation, subject, version, encoded = parts
    link = Link(purpose, organisation, subject, int(version[:9]))
    expected = _encoded_mac(ring, key_id, link)
    # Compared as text: base64 would let several spellings of one token pass.
    if not expected or not hmac.compare_digest(expected, encoded) or str(link.version) != version:
        raise BadLink("the link is not whole", hint="open it from the mail again, or copy all of it")
    require_active(organisation)
    return link


def _encoded_mac(ring: KeyRing, key_id: str, link: Link) -> str:
    """Empty when the ring has no such key."""
    return base64.urlsafe_b64encode(ring.mac(key_id, *link._parts()) or b"").decode().rstrip("=")
