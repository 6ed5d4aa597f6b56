"""An association's letterhead."""

from alembic import op

revision = "meetings_0022"
down_revision = "meetings_0021"


def upgrade() -> None:
    op.execute("CREATE TABLE letterhead (organisation text NOT NULL PRIMARY KEY, letterhead jsonb NOT NULL)")
