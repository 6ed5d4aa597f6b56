"""The rules of reminding those who have not said whether they come: who gets a mail, and how often. Pure."""

from datetime import datetime, timedelta

from services.meetings.reply.reply import Reply

REST = timedelta(days=1)
"""Between two reminders of one person about one meeting, at least."""


def may_be_reminded(reply: Reply, now: datetime) -> bool:
    """Whoever is asked and has said nothing: neither at an address that mails do not reach, nor twice within a day."""
    rested = reply.reminded_at is None or now - reply.reminded_at >= REST
    return reply.asked and reply.answer is None and reply.unreached is None and rested
