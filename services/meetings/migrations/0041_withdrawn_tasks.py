"""A task that was given by mistake is withdrawn, and kept."""

from alembic import op

revision = "meetings_0041"
down_revision = "meetings_0040"


def upgrade() -> None:
    op.execute("ALTER TABLE task ADD COLUMN withdrawn boolean NOT NULL DEFAULT false")
