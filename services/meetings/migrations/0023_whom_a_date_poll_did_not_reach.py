"""Whom a mail of a date poll did not reach."""

from alembic import op

revision = "meetings_0023"
down_revision = "meetings_0022"


def upgrade() -> None:
    op.execute("ALTER TABLE date_poll ADD COLUMN unreached jsonb NOT NULL DEFAULT '{}'")
