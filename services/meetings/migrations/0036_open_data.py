"""Open data: objects as clients get them, and what they were made of."""

from alembic import op

revision = "meetings_0036"
down_revision = "meetings_0035"

_STATEMENTS = (
    """
    CREATE TABLE open_object (
        organisation text NOT NULL,
        kind text NOT NULL,
        id text NOT NULL,
        owner text,
        created timestamptz NOT NULL,
        modified timestamptz NOT NULL,
        fields jsonb,
        PRIMARY KEY (organisation, kind, id)
    )
    """,
    "CREATE INDEX open_object_in_order ON open_object (organisation, kind, created, id)",
    """
    CREATE TABLE open_state (
        organisation text NOT NULL,
        mark text NOT NULL,
        PRIMARY KEY (organisation)
    )
    """,
)


def upgrade() -> None:
    for statement in _STATEMENTS:
        op.execute(statement)
