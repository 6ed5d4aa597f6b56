"""A lease that has ended is contested before it is taken over."""

from alembic import op

revision = "notifications_0002"
down_revision = "notifications_0001"


def upgrade() -> None:
    op.execute("ALTER TABLE delivery ADD COLUMN contested boolean NOT NULL DEFAULT false")
