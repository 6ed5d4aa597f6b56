"""The first tables of the archive."""

from alembic import op

from shared.messaging.schema import statements_v1

revision = "archive_0001"
down_revision = None
branch_labels = None
depends_on = None

_TABLES = (
    """
    CREATE TABLE archiving_job (
        organisation text NOT NULL,
        agreement_id text NOT NULL,
        state text NOT NULL DEFAULT 'waiting',
        attempts integer NOT NULL DEFAULT 0,
        due_at timestamptz NOT NULL DEFAULT clock_timestamp(),
        reason text,
        attributes jsonb NOT NULL,
        data text NOT NULL,
        PRIMARY KEY (organisation, agreement_id)
    )
    """,
    "CREATE INDEX archiving_job_due ON archiving_job (due_at) WHERE state = 'waiting'",
    """
    CREATE TABLE archived_protocol (
        organisation text NOT NULL,
        agreement_id text NOT NULL,
        meeting_id text NOT NULL,
        document_name text NOT NULL,
        language text NOT NULL,
        timezone text NOT NULL,
        correlation_id text NOT NULL,
        completed_at timestamptz NOT NULL,
        archived_at timestamptz NOT NULL,
        sealed jsonb NOT NULL,
        manifest jsonb NOT NULL,
        test_seal boolean NOT NULL,
        PRIMARY KEY (organisation, agreement_id)
    )
    """,
    "CREATE INDEX archived_protocol_listed ON archived_protocol (organisation, archived_at, agreement_id)",
    """
    CREATE TABLE journal (
        id bigint GENERATED ALWAYS AS IDENTITY (CACHE 1) PRIMARY KEY,
        organisation text NOT NULL,
        topic text NOT NULL,
        partition bigint NOT NULL,
        position bigint NOT NULL,
        key text NOT NULL,
        event_id text,
        event_type text,
        subject text,
        correlation_id text,
        "time" timestamptz,
        readable boolean NOT NULL,
        headers jsonb NOT NULL,
        body bytea,
        recorded_at timestamptz NOT NULL DEFAULT clock_timestamp()
    )
    """,
    "CREATE INDEX journal_listed ON journal (organisation, id)",
    "CREATE INDEX journal_subject ON journal (organisation, subject, id)",
    "CREATE INDEX journal_correlation ON journal (organisation, correlation_id, id)",
    "CREATE INDEX journal_type ON journal (organisation, event_type, id)",
    'CREATE INDEX journal_time ON journal (organisation, "time", id)',
)


def upgrade() -> None:
    for statement in (*statements_v1(), *_TABLES):
        op.execute(statement)
