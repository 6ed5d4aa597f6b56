"""A paragraph that was approved at once is posted on its own, beside the minutes of its meeting."""

from alembic import op

revision = "meetings_0039"
down_revision = "meetings_0038"

_STATEMENTS = (
    "ALTER TABLE publication ADD COLUMN part integer NOT NULL DEFAULT 0, ADD COLUMN paragraph integer",
    "DROP INDEX publication_by_meeting",
    "CREATE UNIQUE INDEX publication_by_meeting ON publication (organisation, meeting_id, part)",
)


def upgrade() -> None:
    for statement in _STATEMENTS:
        op.execute(statement)
