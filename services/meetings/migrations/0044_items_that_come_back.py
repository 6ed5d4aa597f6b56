"""An item that waits may have a day on which it comes back."""

from alembic import op

revision = "meetings_0044"
down_revision = "meetings_0043"


def upgrade() -> None:
    op.execute("ALTER TABLE agenda_item ADD COLUMN back_on date")
