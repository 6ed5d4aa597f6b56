"""PostgreSQL shows and takes rows of the organisations alone that a transaction says it is for."""

from alembic import op

from shared.row_security import policies

revision = "meetings_0056"
down_revision = "meetings_0055"

_TABLES = (
    "agenda",
    "agenda_item",
    "agenda_stay",
    "annex_file",
    "attachment",
    "attachment_file",
    "body",
    "calendar_said",
    "date_poll",
    "date_poll_answer",
    "decision",
    "election",
    "kept_answer",
    "letterhead",
    "manuscript",
    "meeting",
    "membership",
    "minutes",
    "minutes_signature",
    "notice",
    "numbering",
    "open_meeting",
    "open_object",
    "open_state",
    "papers",
    "papers_publication",
    "passed_session",
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
    "timer",
)


def upgrade() -> None:
    for statement in policies(*_TABLES):
        op.execute(statement)
