"""When minutes were sent to be signed, by a review or as they were put forward."""

from alembic import op

revision = "meetings_0033"
down_revision = "meetings_0032"


def upgrade() -> None:
    op.execute("ALTER TABLE minutes ADD COLUMN released_at timestamptz")
