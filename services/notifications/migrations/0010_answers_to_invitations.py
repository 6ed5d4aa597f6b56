"""Whose answers the organiser of an invitation gets, and the last one that a calendar program sent there."""

from alembic import op

revision = "notifications_0010"
down_revision = "notifications_0009"


def upgrade() -> None:
    op.execute(
        """
        CREATE TABLE invitation (
            organisation text NOT NULL,
            id text NOT NULL,
            meeting_id text NOT NULL,
            person_id text NOT NULL,
            answer text,
            answered_sequence integer,
            answered_at timestamptz,
            comment text,
            PRIMARY KEY (organisation, id)
        )
        """
    )
