"""Meetings know how they are held, for what, and which plan made them."""

from alembic import op

revision = "meetings_0007"
down_revision = "meetings_0006"


def upgrade() -> None:
    op.execute(
        """
        ALTER TABLE meeting
            ADD COLUMN mode text,
            ADD COLUMN occasion text NOT NULL DEFAULT 'ordinary',
            ADD COLUMN reserved jsonb,
            ADD COLUMN plan text,
            ADD COLUMN slot text
        """
    )
    op.execute("CREATE INDEX meeting_by_plan ON meeting (organisation, plan)")
