"""A planned meeting knows the year of its plan, wherever it was moved since."""

from alembic import op

revision = "meetings_0046"
down_revision = "meetings_0045"


def upgrade() -> None:
    op.execute("ALTER TABLE meeting ADD COLUMN plan_year integer")
