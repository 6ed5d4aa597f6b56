"""What comes to a mail's return path and is no report is kept with the mail."""

from alembic import op

revision = "notifications_0005"
down_revision = "notifications_0004"


def upgrade() -> None:
    op.execute(
        """
        ALTER TABLE unmatched_report
            ADD COLUMN delivery_id text,
            ADD COLUMN answer boolean NOT NULL DEFAULT false,
            ADD COLUMN settled_at timestamptz
        """
    )
    op.execute(
        """
        CREATE INDEX unmatched_report_of_delivery ON unmatched_report (organisation, delivery_id)
        WHERE delivery_id IS NOT NULL
        """
    )
