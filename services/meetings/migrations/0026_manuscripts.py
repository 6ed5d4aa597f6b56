"""Minutes while they are written."""

from alembic import op

revision = "meetings_0026"
down_revision = "meetings_0024"


def upgrade() -> None:
    op.execute(
        "CREATE TABLE manuscript (organisation text NOT NULL, meeting_id text NOT NULL, state jsonb NOT NULL, "
        "PRIMARY KEY (organisation, meeting_id))"
    )
