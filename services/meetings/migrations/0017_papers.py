"""The papers of meetings: those that were made last, what was published; how a file is bound in; proposals."""

from alembic import op

revision = "meetings_0017"
down_revision = "meetings_0016"

_STATEMENTS = (
    "ALTER TABLE attachment_file ADD COLUMN pages integer",
    "ALTER TABLE attachment_file ADD COLUMN unbound text",
    """
    CREATE TABLE papers (
        organisation text NOT NULL,
        meeting_id text NOT NULL,
        for_members boolean NOT NULL,
        key text NOT NULL,
        pdf jsonb NOT NULL,
        PRIMARY KEY (organisation, meeting_id, for_members)
    )
    """,
    """
    CREATE TABLE papers_publication (
        organisation text NOT NULL,
        meeting_id text NOT NULL,
        number integer NOT NULL,
        at timestamptz NOT NULL,
        key text NOT NULL,
        papers jsonb NOT NULL,
        for_members jsonb NOT NULL,
        files jsonb NOT NULL,
        late jsonb NOT NULL,
        told boolean NOT NULL,
        PRIMARY KEY (organisation, meeting_id, number)
    )
    """,
    """
    CREATE TABLE proposal (
        organisation text NOT NULL,
        id text NOT NULL,
        meeting_id text NOT NULL,
        person_id text NOT NULL,
        person text NOT NULL,
        details jsonb NOT NULL,
        status text NOT NULL,
        reason text,
        item_id text,
        at timestamptz NOT NULL,
        PRIMARY KEY (organisation, id)
    )
    """,
    "CREATE INDEX proposal_by_meeting ON proposal (organisation, meeting_id, at)",
    """
    CREATE TABLE proposals_until (
        organisation text NOT NULL,
        meeting_id text NOT NULL,
        day date,
        PRIMARY KEY (organisation, meeting_id)
    )
    """,
)


def upgrade() -> None:
    for statement in _STATEMENTS:
        op.execute(statement)
