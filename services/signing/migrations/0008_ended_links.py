"""Whose links were ended after an agreement's end."""

from alembic import op

revision = "signing_0008"
down_revision = "signing_0007"


def upgrade() -> None:
    op.execute(
        """
        CREATE TABLE ended_link (
            organisation text NOT NULL,
            agreement_id text NOT NULL,
            email_key text NOT NULL,
            email text NOT NULL,
            version integer NOT NULL,
            mailed boolean NOT NULL,
            at timestamptz NOT NULL,
            PRIMARY KEY (organisation, agreement_id, email_key)
        )
        """
    )
