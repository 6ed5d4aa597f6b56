"""The mails that people get: words in Swedish and English, one link, as plain text with an HTML alternative.

A mail is composed from facts alone, so the same facts make the same mail again (but for MIME boundaries). The words lie
in `templates/<language>/<purpose>.txt`, in four blocks: subject, lead, action (the link's label), then (what happens
next). They are rendered as plain text and then laid out twice; only the HTML layout knows markup, and it escapes all.
"""

import re
from dataclasses import dataclass
from datetime import datetime
from email.headerregistry import Address, BaseHeader, HeaderRegistry
from email.message import EmailMessage
from enum import StrEnum
from functools import cached_property, lru_cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from services.notifications.letter.languages import Language
from services.notifications.letter.mail_headers import MailPolicy
from services.notifications.letter.meeting_words import MeetingWords
from shared.errors import InvalidInput
from shared.plain_text import forbidden_character
from shared.text import ascii_domain, clean_email


class _Headers(HeaderRegistry):
    """The standard library makes a class for each header of each mail, and parses what stands in all of them anew."""

    def __init__(self) -> None:
        super().__init__()
        self._type_of = lru_cache(maxsize=64)(super().__getitem__)
        self._parsed = lru_cache(maxsize=1024)(super().__call__)

    def __getitem__(self, name: str) -> type[BaseHeader]:
        return self._type_of(name)

    def __call__(self, name: str, value: Any) -> BaseHeader:
        return self._parsed(name, value) if type(value) is str else super().__call__(name, value)


MAIL_POLICY = MailPolicy(linesep="\r\n", cte_type="7bit", header_factory=_Headers())
"""Every mail server takes seven-bit mail; nothing on the way then needs to change the bytes."""

_LONGEST_TEXT = 500  # characters of a name or a title
_MESSAGE_ID = re.compile(r"<[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,120}@[A-Za-z0-9.-]{1,120}>")
_LINK = re.compile(r"https?://[!-~]{1,2000}")

_loader = PackageLoader("services.notifications.letter", "templates")
# Words and the text layout hold no markup to escape into; the HTML layout escapes everything that it is given.
_words = Environment(loader=_loader, undefined=StrictUndefined, autoescape=False, auto_reload=False)  # noqa: S701
_html = Environment(loader=_loader, undefined=StrictUndefined, autoescape=True, auto_reload=False)


class Purpose(StrEnum):
    """What a mail is for. `request-again` tells the original signer that an alternate was added; the rest say
    themselves."""

    SIGNATURE_REQUEST = "signature-request"
    ALTERNATE_REQUEST = "alternate-request"
    REQUEST_AGAIN = "request-again"
    REMINDER = "reminder"
    RECEIPT = "receipt"
    ARCHIVED = "archived"
    # A certified extract of archived minutes: to whom it is for, and to who sent it when that did not arrive:
    EXTRACT = "extract"
    EXTRACT_UNREACHED = "extract-unreached"
    # To the sender:
    BOUNCE_NOTICE = "bounce-notice"
    DEADLINE_NOTICE = "deadline-notice"
    DECLINED_NOTICE = "declined-notice"
    EXPIRED_NOTICE = "expired-notice"
    # To who declined, and to those who had signed when it ended:
    DECLINE_RECEIPT = "decline-receipt"
    ENDED_DECLINED = "ended-declined"
    ENDED_CANCELLED = "ended-cancelled"
    ENDED_EXPIRED = "ended-expired"
    # To those who were asked to sign when it was withdrawn:
    REQUEST_WITHDRAWN = "request-withdrawn"
    # To members of a body, about a plan of its meetings:
    PLAN_ADOPTED = "plan-adopted"
    PLAN_CHANGED = "plan-changed"
    # About one meeting, to those who are asked to it; `released`: who is no longer asked:
    NOTICE_PRELIMINARY = "notice-preliminary"
    NOTICE = "notice"
    NOTICE_UPDATED = "notice-updated"
    NOTICE_SUBSTITUTE = "notice-substitute"
    NOTICE_REMINDER = "notice-reminder"  # who has not answered is asked again
    NOTICE_WITHDRAWN = "notice-withdrawn"
    NOTICE_RELEASED = "notice-released"
    PAPERS_PUBLISHED = "papers-published"
    # To who proposed an item for the meeting:
    PROPOSAL_TAKEN = "proposal-taken"
    PROPOSAL_DECLINED = "proposal-declined"
    # About a date poll, to those who are asked:
    DATE_POLL = "date-poll"
    DATE_POLL_CALLED_OFF = "date-poll-called-off"
    # About a review of minutes, to those who are asked to read them:
    REVIEW = "review"
    REVIEW_AGAIN = "review-again"
    REVIEW_CALLED_OFF = "review-called-off"
    # To who writes them:
    REVIEW_COMMENTED = "review-commented"
    REVIEW_AGREED = "review-agreed"
    REVIEW_UNREACHED = "review-unreached"
    # To who does what a decision asks for:
    TASK_SOON = "task-soon"
    TASK_TODAY = "task-today"
    TASK_HANDED = "task-handed"
    TASK_RELIEVED = "task-relieved"
    TASK_WITHDRAWN = "task-withdrawn"
    # To who looks after minutes whose deadlines end or have passed:
    PUBLICATION_ADJUST_NEAR = "publication-adjust-near"
    PUBLICATION_ADJUST_MISSED = "publication-adjust-missed"
    PUBLICATION_POST_NEAR = "publication-post-near"
    PUBLICATION_POST_MISSED = "publication-post-missed"
    # To who looks after the meeting:
    QUORUM_AT_RISK = "quorum-at-risk"
    NOTICE_UNREACHED = "notice-unreached"
    DATE_POLL_UNREACHED = "date-poll-unreached"
    PROPOSAL_RECEIVED = "proposal-received"


_NAMES_ANOTHER = frozenset(
    {
        Purpose.ALTERNATE_REQUEST,
        Purpose.REQUEST_AGAIN,
        Purpose.BOUNCE_NOTICE,
        Purpose.DECLINED_NOTICE,
        Purpose.NOTICE_UNREACHED,
        Purpose.DATE_POLL_UNREACHED,
        Purpose.REVIEW_UNREACHED,
        Purpose.EXTRACT_UNREACHED,
    }
)
# Whose two links are two answers: neither is more of a button than the other.
_TWO_ANSWERS = frozenset(
    {
        Purpose.NOTICE_PRELIMINARY,
        Purpose.NOTICE,
        Purpose.NOTICE_UPDATED,
        Purpose.NOTICE_SUBSTITUTE,
        Purpose.NOTICE_REMINDER,
    }
)
_TWO_LINKS = frozenset({Purpose.BOUNCE_NOTICE, Purpose.DEADLINE_NOTICE}) | _TWO_ANSWERS
_ABOUT_A_MEETING = _TWO_ANSWERS | {
    Purpose.NOTICE_WITHDRAWN,
    Purpose.NOTICE_RELEASED,
    Purpose.PAPERS_PUBLISHED,
    Purpose.QUORUM_AT_RISK,
    Purpose.NOTICE_UNREACHED,
    Purpose.PROPOSAL_RECEIVED,
    Purpose.PROPOSAL_TAKEN,
    Purpose.PROPOSAL_DECLINED,
}
_NEEDS_NO_LINK = frozenset(
    {
        Purpose.RECEIPT,
        Purpose.DECLINE_RECEIPT,
        Purpose.ENDED_DECLINED,
        Purpose.ENDED_CANCELLED,
        Purpose.ENDED_EXPIRED,
        Purpose.REQUEST_WITHDRAWN,
        Purpose.PLAN_ADOPTED,
        Purpose.PLAN_CHANGED,
        Purpose.DATE_POLL_CALLED_OFF,
        Purpose.DATE_POLL_UNREACHED,
        Purpose.REVIEW_CALLED_OFF,
        Purpose.TASK_SOON,
        Purpose.TASK_TODAY,
        Purpose.TASK_HANDED,
        Purpose.TASK_RELIEVED,
        Purpose.TASK_WITHDRAWN,
        Purpose.PUBLICATION_ADJUST_NEAR,
        Purpose.PUBLICATION_ADJUST_MISSED,
        Purpose.PUBLICATION_POST_NEAR,
        Purpose.PUBLICATION_POST_MISSED,
        Purpose.NOTICE_WITHDRAWN,
        Purpose.NOTICE_RELEASED,
        Purpose.NOTICE_UNREACHED,
        Purpose.PROPOSAL_RECEIVED,
    }
)


@dataclass(frozen=True)
class Person:
    """`name` is empty while it is not known; then the address stands for it."""

    email: str
    name: str = ""

    @property
    def shown(self) -> str:
        return self.name or self.email


@dataclass(frozen=True)
class Letter:
    """What a mail says. `link` must be given for all purposes but receipts, `ended-…`, `plan-…` and those that take
    something back, `second_link` for those whose words have a block `second`. `lines`: what is listed, one a paragraph;
    `document` is then what of. `meeting`: of a mail about one, which must have it.

    `other` is the signer that an alternate stands in for (alternate-request), the alternate (request-again), or whom
    the sender is told about (bounce-notice, declined-notice), and has to be given for these. `signed_at` is the stamp
    that a receipt shows, and `deadline` when the time to sign ends, ready for reading, such as
    `26 sep 2022 10:58 GMT+2`. `quoted` is foreign text of one line: a reason, or a mail server's words, with its
    `status`. `who` names those that are waited for.
    """

    purpose: Purpose
    language: Language
    document: str
    sender: Person
    recipient: Person
    link: str = ""
    other: Person | None = None
    signed_at: str = ""
    second_link: str = ""
    who: str = ""
    quoted: str = ""
    status: str = ""
    deadline: str = ""
    lines: tuple[str, ...] = ()
    meeting: MeetingWords | None = None


def compose(letter: Letter, *, mail_from: Person, date: datetime, message_id: str) -> EmailMessage:
    """The mail, ready for `SmtpTransport.send`. Replies go to the letter's sender.

    `mail_from` is the service's own mailbox; `message_id` (`<unique@domain>`) stays the same when the mail is sent
    again. Raises InvalidInput when a text holds control or direction characters (which could forge a header or make a
    name read as another) or is too long, when an address cannot be written in ASCII, or something needed is missing.
    """
    _check(letter, message_id)
    words = _Words(letter)
    message = EmailMessage(policy=MAIL_POLICY)
    # As objects: a text would be read again, and a name with an encoded word in it come out as another.
    message["From"] = _mailbox(mail_from)
    message["To"] = _mailbox(letter.recipient)
    reply_to = _reply_to(letter.sender)
    if reply_to:
        message["Reply-To"] = reply_to
    message["Subject"] = words.subject
    message["Date"] = date
    message["Message-ID"] = message_id
    # RFC 3834 section 5: so that no absence notice answers; the second says the same to Exchange.
    message["Auto-Submitted"] = "auto-generated"
    message["X-Auto-Response-Suppress"] = "All"
    message.set_content(words.as_text())
    message.add_alternative(words.as_html(), subtype="html")
    message["Content-Language"] = letter.language
    return message


def message_id(delivery_id: str, domain: str) -> str:
    """The `Message-ID` of a delivery: the same each time it is sent."""
    return f"<{delivery_id}@{domain}>"


def ascii_address(email: str) -> str:
    """The address as every mail server takes it: an international domain in its ASCII form (RFC 5890).

    Raises InvalidInput for what is no address, and for a local part outside ASCII (`shared.text.clean_mailbox`).
    """
    local_part, _, domain = clean_email(email).rpartition("@")
    if not local_part.isascii():
        raise InvalidInput("the address has letters outside a-z before the @, which mail servers do not take")
    return f"{local_part}@{ascii_domain(domain)}"


def is_link(text: str) -> bool:
    """Whole, http or https, and short enough for a mail."""
    return _LINK.fullmatch(text) is not None


def quotable(text: str, most: int = 2000) -> str:
    """Foreign text made fit to quote in a mail: one line, what has no shape left out, cut."""
    line = " ".join("".join(" " if char.isspace() else char for char in text).split())
    kept = "".join(char for char in line if not forbidden_character(char))
    return kept if len(kept) <= most else kept[: most - 1] + "…"


class _Words:
    """The rendered blocks of one letter."""

    def __init__(self, letter: Letter) -> None:
        self._letter = letter
        self._facts = {
            "name": letter.recipient.name,
            "document": letter.document,
            "sender": _name_and_address(letter.sender),
            "sender_name": letter.sender.shown,
            "other": letter.other.shown if letter.other else "",
            "other_in_full": _name_and_address(letter.other) if letter.other else "",
            "link": letter.link,
            "signed_at": letter.signed_at,
            "who": letter.who,
            "quoted": letter.quoted,
            "status": letter.status,
            "deadline": letter.deadline,
            "lines": letter.lines,
            "meeting": letter.meeting,
        }
        self.subject = self._line("subject")

    def as_text(self) -> str:
        return _words.get_template("letter.txt").render(self._laid_out)

    def as_html(self) -> str:
        return _html.get_template("letter.html").render(self._laid_out)

    @cached_property
    def _laid_out(self) -> dict[str, object]:
        return {
            "language": self._letter.language,
            "subject": self.subject,
            "link": self._letter.link,
            "second_link": self._letter.second_link,
            "join": self._letter.meeting.join if self._letter.meeting else "",
            "lead": self._paragraphs("lead"),
            "action": self._line("action"),
            "second": self._line("second") if self._letter.purpose in _TWO_LINKS else "",
            "two_answers": self._letter.purpose in _TWO_ANSWERS,
            "then": self._paragraphs("then"),
            "greeting": self._line("greeting", of="common"),
            "link_in_words": self._line("link_in_words", of="common"),
            "footer": self._line("footer", of="common"),
        }

    def _line(self, block: str, *, of: str = "") -> str:
        template = _words.get_template(f"{self._letter.language}/{of or self._letter.purpose}.txt")
        return "".join(template.blocks[block](template.new_context(self._facts))).strip()

    def _paragraphs(self, block: str) -> list[str]:
        return [paragraph.strip() for paragraph in self._line(block).split("\n\n") if paragraph.strip()]


def _name_and_address(person: Person) -> str:
    return f"{person.name} ({person.email})" if person.name else person.email


@lru_cache(maxsize=1024)  # the same people get many mails
def _reply_to(sender: Person) -> Address | None:
    """None for an address that no header can hold: the mail says it, and its recipient is not to blame for it."""
    try:
        return _mailbox(sender)
    except InvalidInput:
        return None


def _mailbox(person: Person) -> Address:
    return Address(display_name=person.name, addr_spec=ascii_address(person.email))


def _check(letter: Letter, message_id: str) -> None:
    people = [letter.sender, letter.recipient, *([letter.other] if letter.other else [])]
    for what, text in [
        ("title", letter.document),
        ("time", letter.signed_at),
        ("time", letter.deadline),
        ("status", letter.status),
        ("list of names", letter.who),
        *(("list", line) for line in letter.lines),
        *(("meeting", text) for text in (letter.meeting.texts() if letter.meeting else ())),
        *(("name", person.name) for person in people),
        *(("address", person.email) for person in people),
    ]:
        if forbidden_character(text):
            raise InvalidInput(f"the {what} in a mail holds a control or direction character")
        if len(text) > _LONGEST_TEXT:
            raise InvalidInput(f"the {what} in a mail is longer than {_LONGEST_TEXT} characters")
    if forbidden_character(letter.quoted):
        raise InvalidInput("the quoted text in a mail holds a control or direction character")
    if not letter.document.strip():
        raise InvalidInput("a mail needs the document's title")
    if (letter.link or letter.purpose not in _NEEDS_NO_LINK) and not _LINK.fullmatch(letter.link):
        raise InvalidInput("a mail needs a whole http or https link")
    if letter.purpose in _TWO_LINKS and not _LINK.fullmatch(letter.second_link):
        raise InvalidInput("a mail needs its second link whole, http or https")
    if letter.meeting and letter.meeting.join and not _LINK.fullmatch(letter.meeting.join):
        raise InvalidInput("a mail needs the link to its meeting whole, http or https")
    if letter.purpose in _NAMES_ANOTHER and letter.other is None:
        raise InvalidInput(f"a mail of purpose {letter.purpose} needs the other person")
    if letter.purpose in _ABOUT_A_MEETING and letter.meeting is None:
        raise InvalidInput(f"a mail of purpose {letter.purpose} needs its meeting")
    if not _MESSAGE_ID.fullmatch(message_id):
        raise InvalidInput("a Message-ID is <unique@domain> in ASCII")
