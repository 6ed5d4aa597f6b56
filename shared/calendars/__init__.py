"""What invitations and calendars to subscribe to have in common: the names of things in iCalendar, and time zones."""

from shared.calendars.time_zones import vtimezone

PRODUCT = "-//Justera//Justera//SV"


def meeting_uid(meeting_id: str) -> str:
    """How calendars know a meeting again, wherever they got it from: its id, which is a UUID (RFC 7986 section 5.3).

    Not a host's name behind it: a meeting would be another one when the address of our pages changes.
    """
    return meeting_id


__all__ = ["PRODUCT", "meeting_uid", "vtimezone"]
