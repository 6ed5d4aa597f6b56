"""Elections that minutes declare."""

from alembic import op

revision = "meetings_0013"
down_revision = "meetings_0012"


def upgrade() -> None:
    op.execute(
        """
        CREATE TABLE election (
            organisation text NOT NULL,
            meeting_id text NOT NULL,
            version integer NOT NULL,
            number integer NOT NULL,
            body_id text NOT NULL,
            person_id text NOT NULL,
            elected jsonb NOT NULL,
            outcome text,
            membership_id text,
            PRIMARY KEY (organisation, meeting_id, version, number)
        )
        """
    )
