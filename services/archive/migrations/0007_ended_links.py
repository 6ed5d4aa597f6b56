"""Whose links to a sealed copy were ended."""

from alembic import op

revision = "archive_0007"
down_revision = "archive_0006"


def upgrade() -> None:
    op.execute(
        """
        CREATE TABLE ended_link (
            organisation text NOT NULL,
            agreement_id text NOT NULL,
            holder text NOT NULL,
            version integer NOT NULL,
            PRIMARY KEY (organisation, agreement_id, holder)
        )
        """
    )
