"""Minutes whose agreement ended before everyone had signed are drafted anew: a version each."""

from alembic import op

revision = "meetings_0006"
down_revision = "meetings_0005"


def upgrade() -> None:
    op.execute("ALTER TABLE minutes ADD COLUMN version integer NOT NULL DEFAULT 1, ADD COLUMN ended text")
    op.execute("ALTER TABLE minutes DROP CONSTRAINT minutes_pkey")
    op.execute("ALTER TABLE minutes ADD PRIMARY KEY (organisation, meeting_id, version)")
