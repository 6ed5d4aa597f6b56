"""The first schema of meetings."""

from alembic import op

from shared.messaging.schema import statements_v1

revision = "meetings_0001"
down_revision = None

_TABLES = (
    """
    CREATE TABLE meeting (
        organisation text NOT NULL,
        id text NOT NULL,
        version integer NOT NULL,
        status text NOT NULL,
        body text NOT NULL,
        title text NOT NULL,
        place text NOT NULL,
        starts text NOT NULL,
        ends text NOT NULL,
        timezone text NOT NULL,
        participants jsonb NOT NULL,
        PRIMARY KEY (organisation, id)
    )
    """,
    "CREATE INDEX meeting_by_start ON meeting (organisation, starts, id)",
    """
    CREATE TABLE numbering (
        organisation text NOT NULL,
        body_key text NOT NULL,
        year integer NOT NULL,
        next_paragraph integer,
        PRIMARY KEY (organisation, body_key, year)
    )
    """,
    """
    CREATE TABLE minutes (
        organisation text NOT NULL,
        meeting_id text NOT NULL,
        agreement_id text NOT NULL,
        document_name text NOT NULL,
        year integer NOT NULL,
        first_paragraph integer NOT NULL,
        last_paragraph integer NOT NULL,
        pdf jsonb NOT NULL,
        drafted_at timestamptz NOT NULL,
        PRIMARY KEY (organisation, meeting_id)
    )
    """,
    "CREATE UNIQUE INDEX minutes_by_agreement ON minutes (organisation, agreement_id)",
)


def upgrade() -> None:
    for statement in (*statements_v1(), *_TABLES):
        op.execute(statement)
