"""Date polls: which days are asked about, and what each person says of them."""

from alembic import op

revision = "meetings_0015"
down_revision = "meetings_0014"

_STATEMENTS = (
    """
    CREATE TABLE date_poll (
        organisation text NOT NULL,
        id text NOT NULL,
        version integer NOT NULL,
        meeting_id text NOT NULL,
        body_id text NOT NULL,
        status text NOT NULL,
        times jsonb NOT NULL,
        timezone text NOT NULL,
        answer_by date NOT NULL,
        note text,
        people jsonb NOT NULL,
        chosen text,
        reason text,
        PRIMARY KEY (organisation, id)
    )
    """,
    "CREATE INDEX date_poll_by_meeting ON date_poll (organisation, meeting_id)",
    "CREATE UNIQUE INDEX date_poll_open ON date_poll (organisation, meeting_id) WHERE status = 'open'",
    """
    CREATE TABLE date_poll_answer (
        organisation text NOT NULL,
        poll_id text NOT NULL,
        person_id text NOT NULL,
        times jsonb NOT NULL,
        comment text,
        answered_at timestamptz NOT NULL,
        PRIMARY KEY (organisation, poll_id, person_id)
    )
    """,
)


def upgrade() -> None:
    for statement in _STATEMENTS:
        op.execute(statement)
