"""What each member's calendar said last, and since when: programs that know no tags ask by the time."""

from alembic import op

revision = "meetings_0035"
down_revision = "meetings_0034"


def upgrade() -> None:
    op.execute(
        """
        CREATE TABLE calendar_said (
            organisation text NOT NULL,
            person_id text NOT NULL,
            tag text NOT NULL,
            since timestamptz NOT NULL,
            PRIMARY KEY (organisation, person_id)
        )
        """
    )
