"""A history that is not what the journal has is refused, and accepted by a person or not at all."""

from alembic import op

revision = "archive_0002"
down_revision = "archive_0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE archiving_job ADD COLUMN differences jsonb, ADD COLUMN accepted jsonb")
