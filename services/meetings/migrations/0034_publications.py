"""The notice board: what of minutes is posted, and who signed them."""

from alembic import op

revision = "meetings_0034"
down_revision = "meetings_0033"

_STATEMENTS = (
    """
    CREATE TABLE publication (
        organisation text NOT NULL,
        id text NOT NULL,
        version integer NOT NULL,
        meeting_id text NOT NULL,
        body_id text NOT NULL,
        held_on date NOT NULL,
        timezone text NOT NULL,
        status text NOT NULL,
        adjust_by date,
        adjusted_on date,
        post_by date,
        edition integer NOT NULL,
        masks jsonb NOT NULL,
        posted jsonb,
        posted_at timestamptz,
        posted_on date,
        edited_at timestamptz,
        appeal_until date,
        remove_on date,
        removed_at timestamptz,
        removal_reason text,
        told jsonb NOT NULL,
        PRIMARY KEY (organisation, id)
    )
    """,
    "CREATE UNIQUE INDEX publication_by_meeting ON publication (organisation, meeting_id)",
    "CREATE INDEX publication_by_status ON publication (organisation, status, posted_on)",
    """
    CREATE TABLE minutes_signature (
        organisation text NOT NULL,
        agreement_id text NOT NULL,
        place integer NOT NULL,
        role text NOT NULL,
        name text NOT NULL,
        at timestamptz NOT NULL,
        PRIMARY KEY (organisation, agreement_id, place)
    )
    """,
)


def upgrade() -> None:
    for statement in _STATEMENTS:
        op.execute(statement)
