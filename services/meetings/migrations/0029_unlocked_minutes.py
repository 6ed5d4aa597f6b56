"""Minutes that were drafted are unlocked: what they were drafted of, and when."""

from alembic import op

revision = "meetings_0029"
down_revision = "meetings_0027"


def upgrade() -> None:
    op.execute("ALTER TABLE minutes ADD COLUMN source jsonb, ADD COLUMN unlocked_at timestamptz")
