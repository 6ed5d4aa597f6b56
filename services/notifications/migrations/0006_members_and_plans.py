"""Who is known to be a member of a body, and who was told of which plan."""

from alembic import op

revision = "notifications_0006"
down_revision = "notifications_0005"


def upgrade() -> None:
    op.execute(
        """
        CREATE TABLE body_member (
            organisation text NOT NULL,
            body_id text NOT NULL,
            person_id text NOT NULL,
            PRIMARY KEY (organisation, body_id, person_id)
        )
        """
    )
    op.execute(
        """
        CREATE TABLE plan_told (
            organisation text NOT NULL,
            body_id text NOT NULL,
            plan text NOT NULL,
            person_id text NOT NULL,
            PRIMARY KEY (organisation, body_id, plan, person_id)
        )
        """
    )
