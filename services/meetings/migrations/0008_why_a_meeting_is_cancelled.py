"""A cancelled meeting keeps why."""

from alembic import op

revision = "meetings_0008"
down_revision = "meetings_0007"


def upgrade() -> None:
    op.execute("ALTER TABLE meeting ADD COLUMN reason text")
