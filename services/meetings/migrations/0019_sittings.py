"""Sittings: what was recorded while a body met, step by step, and the state that it makes."""

from alembic import op

revision = "meetings_0019"
down_revision = "meetings_0017"

_STATEMENTS = (
    """
    CREATE TABLE sitting (
        organisation text NOT NULL,
        meeting_id text NOT NULL,
        version integer NOT NULL,
        state jsonb NOT NULL,
        PRIMARY KEY (organisation, meeting_id)
    )
    """,
    """
    CREATE TABLE sitting_step (
        organisation text NOT NULL,
        meeting_id text NOT NULL,
        number integer NOT NULL,
        key text NOT NULL,
        step jsonb NOT NULL,
        corrects integer,
        after integer,
        reason text,
        recorded_by text NOT NULL,
        recorded_at timestamptz NOT NULL,
        PRIMARY KEY (organisation, meeting_id, number)
    )
    """,
    "CREATE UNIQUE INDEX sitting_step_by_key ON sitting_step (organisation, meeting_id, key)",
)


def upgrade() -> None:
    for statement in _STATEMENTS:
        op.execute(statement)
