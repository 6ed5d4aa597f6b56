"""Who is asked to a meeting and has not answered is known to have been reminded."""

from alembic import op

revision = "meetings_0049"
down_revision = "meetings_0048"


def upgrade() -> None:
    op.execute("ALTER TABLE reply ADD COLUMN reminded_at timestamptz")
