"""Whose links to a sealed copy were ended."""

from alembic import op

revision = "notifications_0008"
down_revision = "notifications_0007"


def upgrade() -> None:
    op.execute("ALTER TABLE agreement ADD COLUMN copy_links jsonb NOT NULL DEFAULT '{}'")
