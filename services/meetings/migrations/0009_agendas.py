"""Agenda items, and the meetings that they left."""

from alembic import op

revision = "meetings_0009"
down_revision = "meetings_0008"

_STATEMENTS = (
    """
    CREATE TABLE agenda (
        organisation text NOT NULL,
        meeting_id text NOT NULL,
        PRIMARY KEY (organisation, meeting_id)
    )
    """,
    """
    CREATE TABLE agenda_item (
        organisation text NOT NULL,
        id text NOT NULL,
        version integer NOT NULL,
        body text NOT NULL,
        body_key text NOT NULL,
        meeting_id text,
        place integer NOT NULL,
        standing boolean NOT NULL,
        details jsonb NOT NULL,
        PRIMARY KEY (organisation, id)
    )
    """,
    "CREATE INDEX agenda_item_by_meeting ON agenda_item (organisation, meeting_id, place)",
    "CREATE INDEX agenda_item_by_body ON agenda_item (organisation, body_key) WHERE meeting_id IS NULL",
    """
    CREATE TABLE agenda_stay (
        organisation text NOT NULL,
        item_id text NOT NULL,
        number integer NOT NULL,
        meeting_id text NOT NULL,
        body text NOT NULL,
        starts text NOT NULL,
        how text NOT NULL,
        reason text,
        at timestamptz NOT NULL,
        to_meeting_id text,
        PRIMARY KEY (organisation, item_id, number)
    )
    """,
    "CREATE INDEX agenda_stay_by_meeting ON agenda_stay (organisation, meeting_id)",
)


def upgrade() -> None:
    for statement in _STATEMENTS:
        op.execute(statement)
