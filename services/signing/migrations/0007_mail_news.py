"""What became of mails and is no part of a history: for the sender's page."""

from alembic import op

revision = "signing_0007"
down_revision = "signing_0006"


def upgrade() -> None:
    op.execute(
        """
        CREATE TABLE mail_news (
            organisation text NOT NULL,
            agreement_id text NOT NULL,
            email_id text NOT NULL,
            kind text NOT NULL,
            request_id text,
            recipient text NOT NULL,
            at timestamptz NOT NULL,
            diagnostic text NOT NULL,
            PRIMARY KEY (organisation, agreement_id, email_id, kind)
        )
        """
    )
