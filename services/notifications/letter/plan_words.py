"""A plan's meetings and changes as lines of a mail, in the reader's language. Pure."""

from datetime import datetime

from services.notifications.letter.languages import Language, capital
from services.notifications.letter.letter import quotable
from shared.events.meetings import PlanChange, PlannedMeeting
from shared.readable import place, span

_KINDS = {
    "sv": {"scheduled": "Nytt", "changed": "Ändrat", "cancelled": "Inställt"},
    "en": {"scheduled": "New", "changed": "Changed", "cancelled": "Called off"},
}
_BEFORE = {"sv": "förut", "en": "before"}
_LONGEST_LINE = 400  # characters


def meeting_line(meeting: PlannedMeeting, language: Language) -> str:
    """`Fredag 24 februari 2023 kl. 09:00–12:00: Styrelsen sammanträder, Digitalt`."""
    return quotable(f"{capital(_when(meeting, language))}: {meeting.title}, {_where(meeting, language)}", _LONGEST_LINE)


def change_line(change: PlanChange, language: Language) -> str:
    """What is so now, and of it what was otherwise before."""
    kind = _KINDS[language].get(change.kind, _KINDS[language]["changed"])
    now, before = change.meeting, change.before
    line = f"{kind}: {_when(now, language)}: {now.title}, {_where(now, language)}"
    if before is not None:
        was = []
        if (before.starts, before.ends) != (now.starts, now.ends):
            was.append(_when(before, language))
        if before.title != now.title:
            was.append(before.title)
        if _where(before, language) != _where(now, language):
            was.append(_where(before, language))
        if was:
            line += f" ({_BEFORE[language]} {', '.join(was)})"
    return quotable(line, _LONGEST_LINE)


def _where(meeting: PlannedMeeting, language: Language) -> str:
    return place(meeting.place, meeting.mode, language)


def _when(meeting: PlannedMeeting, language: Language) -> str:
    return span(datetime.fromisoformat(meeting.starts), datetime.fromisoformat(meeting.ends), language)
