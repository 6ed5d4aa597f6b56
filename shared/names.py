"""Names that both the services and the command line speak of; imports nothing, so that `--help` stays quick."""

from enum import StrEnum
from typing import Literal

SERVICES = ("meetings", "signing", "notifications", "archive")
DEFAULT_URL = "http://127.0.0.1:8350"


class Role(StrEnum):
    """What a token's holder may do."""

    SECRETARY = "secretary"  # schedules, drafts, sends off, follows
    OPERATOR = "operator"  # runs the system: events, dead letters, republishing
    AUDITOR = "auditor"  # reads


class Standing(StrEnum):
    """Of an organisation in its installation."""

    ACTIVE = "active"
    SUSPENDED = "suspended"  # nobody of it is let in, and what is to happen by itself waits


MailSubject = Literal["agreement", "body", "meeting", "poll", "review"]

_MEETING_MAILS = frozenset(
    {"papers-published", "quorum-at-risk", "proposal-received", "proposal-taken", "proposal-declined"}
)


def subject_of_mail(purpose: str) -> MailSubject:
    """What `agreement_id` is the id of, in a mail of this purpose."""
    if purpose == "notice" or purpose.startswith("notice-") or purpose in _MEETING_MAILS:
        return "meeting"
    if purpose.startswith("date-poll"):
        return "poll"
    if purpose == "review" or purpose.startswith("review-"):
        return "review"
    return "body" if purpose.startswith(("plan-", "task-", "publication-")) else "agreement"
