"""Who was mailed that a task is due is known, whoever has it now."""

from alembic import op

revision = "meetings_0050"
down_revision = "meetings_0049"


def upgrade() -> None:
    op.execute("ALTER TABLE task ADD COLUMN mailed jsonb NOT NULL DEFAULT '[]'")
