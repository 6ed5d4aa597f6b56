"""A dead letter, and an entry of the journal, can be one that nobody signed."""

from alembic import op

from shared.messaging.schema import statements_v3

revision = "archive_0005"
down_revision = "archive_0004"


def upgrade() -> None:
    for statement in statements_v3():
        op.execute(statement)
    # What stands there was believed when it came; from now on it is told.
    op.execute("ALTER TABLE journal ADD COLUMN authentic boolean NOT NULL DEFAULT true")
