"""A task comes back on a day, before the meeting of that day is planned."""

from alembic import op

revision = "meetings_0051"
down_revision = "meetings_0050"


def upgrade() -> None:
    op.execute("ALTER TABLE task ADD COLUMN back_day date")
