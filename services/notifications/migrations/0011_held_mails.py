"""Mails to people whose membership has not been heard of yet: the two facts come by topics without a common order."""

from alembic import op

revision = "notifications_0011"
down_revision = "notifications_0010"


def upgrade() -> None:
    op.execute(
        """
        CREATE TABLE held_mail (
            organisation text NOT NULL,
            body_id text NOT NULL,
            person_id text NOT NULL,
            cause_id text NOT NULL,
            purpose text NOT NULL,
            mail jsonb NOT NULL,
            held_at timestamptz NOT NULL DEFAULT clock_timestamp(),
            PRIMARY KEY (organisation, body_id, person_id, cause_id, purpose)
        )
        """
    )
    op.execute("CREATE INDEX held_mail_by_time ON held_mail (held_at)")
