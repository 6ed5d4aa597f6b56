"""A paragraph that is approved at once holds the numbers of its whole meeting; its version is below 0."""

from alembic import op

revision = "meetings_0037"
down_revision = "meetings_0036"


def upgrade() -> None:
    op.execute("ALTER TABLE minutes ADD COLUMN reserved_first integer, ADD COLUMN reserved_last integer")
