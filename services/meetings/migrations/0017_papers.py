"""The papers of meetings: those that were made last, what was published; and how a file is bound into them."""

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
)


def upgrade() -> None:
    for statement in _STATEMENTS:
        op.execute(statement)
