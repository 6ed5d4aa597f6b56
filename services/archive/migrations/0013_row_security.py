"""PostgreSQL shows and takes rows of the organisations alone that a transaction says it is for."""

from alembic import op

from shared.row_security import policies

revision = "archive_0013"
down_revision = "archive_0012"

_TABLES = (
    "archived_protocol",
    "archiving_job",
    "ended_link",
    "extract",
    "extract_sending",
    "journal",
    "kept_answer",
    "passed_session",
    "timer",
)


def upgrade() -> None:
    for statement in policies(*_TABLES):
        op.execute(statement)
