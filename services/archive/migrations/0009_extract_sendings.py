"""To whom certified extracts were sent."""

from alembic import op

revision = "archive_0009"
down_revision = "archive_0008"


def upgrade() -> None:
    op.execute(
        """
        CREATE TABLE extract_sending (
            organisation text NOT NULL,
            agreement_id text NOT NULL,
            number integer NOT NULL,
            holder text NOT NULL,
            body text NOT NULL,
            recipient jsonb NOT NULL,
            sender jsonb NOT NULL,
            version integer NOT NULL,
            sent_at timestamptz NOT NULL,
            opens_until timestamptz NOT NULL,
            ended_at timestamptz,
            bounced_at timestamptz,
            diagnostic text NOT NULL,
            sent_by text NOT NULL,
            told integer NOT NULL,
            PRIMARY KEY (organisation, agreement_id, number, holder)
        )
        """
    )
    op.execute("CREATE INDEX extract_sending_of_body ON extract_sending (organisation, body, sent_at)")
