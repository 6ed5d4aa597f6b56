"""Certified extracts of archived minutes."""

from alembic import op

revision = "archive_0008"
down_revision = "archive_0007"


def upgrade() -> None:
    op.execute(
        """
        CREATE TABLE extract (
            organisation text NOT NULL,
            agreement_id text NOT NULL,
            number integer NOT NULL,
            paragraph integer NOT NULL,
            certified_by text NOT NULL,
            certified_at timestamptz NOT NULL,
            asked_by text NOT NULL,
            sealed jsonb NOT NULL,
            test_seal boolean NOT NULL,
            PRIMARY KEY (organisation, agreement_id, number)
        )
        """
    )
