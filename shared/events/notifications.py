"""Facts of the notifications service. Subject: the e-mail's id. Key: the agreement's id."""

from typing import ClassVar

from pydantic import Field

from shared.events import topics
from shared.events.base import Event


class _EmailEvent(Event):
    abstract: ClassVar[bool] = True
    service: ClassVar[str] = "notifications"
    topic: ClassVar[str] = topics.NOTIFICATIONS

    email_id: str
    agreement_id: str = Field(
        description="what the mail is about, as its purpose says: the agreement, the body of a plan, or the meeting"
    )
    purpose: str = Field(
        description="signature-request, alternate-request, request-again or reminder ask; receipt and archived follow "
        "a signature and the end; extract brings an extract of the minutes, extract-unreached tells who sent it; "
        "bounce-notice, deadline-notice, declined-notice and expired-notice tell the sender; "
        "decline-receipt who declined; ended-declined, ended-cancelled and ended-expired those who had signed; "
        "request-withdrawn those who were asked; "
        "plan-adopted and plan-changed tell members of a plan; notice-preliminary, notice, notice-updated and "
        "notice-substitute ask to a meeting, notice-reminder asks again who has not answered, notice-withdrawn and "
        "notice-released take that back, papers-published follows; quorum-at-risk, notice-unreached and "
        "proposal-received tell who looks after the meeting, "
        "proposal-taken and proposal-declined who proposed an item for it; date-poll asks on which days one can come, "
        "date-poll-called-off takes that back, date-poll-unreached tells who looks after the meeting; review and "
        "review-again ask to read minutes, review-called-off takes that back, review-commented and review-agreed tell "
        "who writes them, review-unreached who looks after the meeting; task-handed tells whose a task is now, "
        "task-relieved and task-withdrawn who was mailed about it and does it no more"
    )
    recipient: str
    request_id: str | None = Field(
        default=None,
        description="the request that the mail spoke of; of a mail about a meeting, the person it went to; of one "
        "with an extract, its number",
    )
    request_version: int | None = Field(
        default=None, description="of the request; of a mail about a meeting, the sequence of its notice"
    )


class EmailSent(_EmailEvent):
    """A mail server took responsibility for the mail (RFC 5321 4.2.5). The event's time is when it did."""

    message_id: str


class _EmailTrouble(_EmailEvent):
    abstract: ClassVar[bool] = True

    status: str = Field(description="RFC 3463, e.g. 5.1.1")
    diagnostic: str


class EmailDeferred(_EmailTrouble):
    """Not delivered yet (4xx, no connection, or a delay report); it is tried again."""


class BounceDetected(_EmailTrouble):
    """The mail could not be delivered: refused at RCPT, or a delivery report came back."""

    permanent: bool = Field(description="hard (5.x.x) or soft (4.x.x: given up after trying)")


class ReplyLeftUnread(_EmailEvent):
    """Something came back to the mail's return path that is no delivery report that could be read: kept for a person.

    Once a mail. It may be a bounce in words that nobody knows; an absence note or another answer is none of this.
    """


class InvitationAnswered(_EmailEvent):
    """A calendar program sent back whether its owner comes (RFC 5546 `REPLY`), to a mail that carried an invitation.

    Who: `recipient` (`request_id` is the person), as the signed address says that the answer came to, and the calendar
    agrees with; whoever else writes is not believed. The mail is the last one to them about the meeting.
    """

    answer: str = Field(description="coming, absent or tentative")
    sequence: int = Field(description="of the invitation that was answered, which may not be the last one")
    comment: str | None = None
    page_version: int | None = Field(
        default=None, description="of the person's own page, as the notice had it that the invitation came with"
    )
