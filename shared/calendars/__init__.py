"""What invitations and calendars to subscribe to have in common: the names of things in iCalendar, and time zones."""

from icalendar import Event, vUri

from shared.calendars.time_zones import vtimezone

PRODUCT = "-//Justera//Justera//SV"

TO_JOIN = {"sv": "Anslut: {}", "en": "Join: {}"}
"""By language: how a description says where an online meeting is joined; programs find the link there."""


def meeting_uid(meeting_id: str) -> str:
    """How calendars know a meeting again, wherever they got it from: its id, which is a UUID (RFC 7986 section 5.3).

    Not a host's name behind it: a meeting would be another one when the address of our pages changes.
    """
    return meeting_id


def add_conference(event: Event, link: str) -> None:
    """Where an online meeting is joined (RFC 7986 section 5.11)."""
    event.add("conference", vUri(link), parameters={"VALUE": "URI", "FEATURE": "VIDEO"})


__all__ = ["PRODUCT", "TO_JOIN", "add_conference", "meeting_uid", "vtimezone"]
