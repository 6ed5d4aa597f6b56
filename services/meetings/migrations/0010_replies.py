"""What those who are asked to a meeting answer, and how many facts of it were told."""

from alembic import op

revision = "meetings_0010"
down_revision = "meetings_0009"

_STATEMENTS = (
    """
    CREATE TABLE notice (
        organisation text NOT NULL,
        meeting_id text NOT NULL,
        version integer NOT NULL,
        PRIMARY KEY (organisation, meeting_id)
    )
    """,
    """
    CREATE TABLE reply (
        organisation text NOT NULL,
        meeting_id text NOT NULL,
        person_id text NOT NULL,
        role text NOT NULL,
        asked boolean NOT NULL,
        answer text,
        via text,
        comment text,
        answered_at timestamptz,
        PRIMARY KEY (organisation, meeting_id, person_id)
    )
    """,
    "CREATE INDEX reply_by_person ON reply (organisation, person_id)",
)


def upgrade() -> None:
    for statement in _STATEMENTS:
        op.execute(statement)
