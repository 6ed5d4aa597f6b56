"""What meetings holds of an organisation; see `shared.holdings`."""

from services.meetings import transaction  # noqa: F401  (its stores make all tables known)
from services.meetings.tables import MeetingsTable
from shared.holdings import Holdings
from shared.passed_sessions import PassedTable

_OPEN_DATA = "open data, made anew of what was told when somebody asks"
_WORDS = "made of the row's texts, for the search"

HOLDINGS = Holdings(
    (MeetingsTable.metadata, PassedTable.metadata),
    exported=(
        "agenda",
        "agenda_item",
        "agenda_stay",
        "annex_file",
        "attachment",
        "attachment_file",
        "body",
        "date_poll",
        "date_poll_answer",
        "decision",
        "election",
        "letterhead",
        "manuscript",
        "meeting",
        "membership",
        "minutes",
        "minutes_signature",
        "notice",
        "numbering",
        "papers_publication",
        "person",
        "proposal",
        "proposals_until",
        "publication",
        "register",
        "reply",
        "review",
        "review_comment",
        "sitting",
        "sitting_step",
        "task",
    ),
    left_out={
        "calendar_said": "which version of a calendar was told last, to programs that ask for changes",
        "open_meeting": _OPEN_DATA,
        "open_object": _OPEN_DATA,
        "open_state": _OPEN_DATA,
        "papers": "the bound papers of a meeting, made anew of its files",
    },
    without={"decision": {"words": _WORDS, "named": _WORDS}},
)
