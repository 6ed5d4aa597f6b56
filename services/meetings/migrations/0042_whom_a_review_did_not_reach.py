"""Whom a mail that asks to read minutes did not reach is kept with its review."""

from alembic import op

revision = "meetings_0042"
down_revision = "meetings_0041"


def upgrade() -> None:
    op.execute("ALTER TABLE review ADD COLUMN unreached jsonb NOT NULL DEFAULT '{}'")
