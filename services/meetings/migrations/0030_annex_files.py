"""Files that were handed in for a meeting's minutes."""

from alembic import op

revision = "meetings_0030"
down_revision = "meetings_0029"

_STATEMENTS = (
    """
    CREATE TABLE annex_file (
        organisation text NOT NULL,
        id text NOT NULL,
        meeting_id text NOT NULL,
        name text NOT NULL,
        content jsonb NOT NULL,
        at timestamptz NOT NULL,
        PRIMARY KEY (organisation, id)
    )
    """,
    "CREATE INDEX annex_file_by_meeting ON annex_file (organisation, meeting_id)",
)


def upgrade() -> None:
    for statement in _STATEMENTS:
        op.execute(statement)
