"""The first schema of notifications."""

from alembic import op

from shared.messaging.schema import statements_v1

revision = "notifications_0001"
down_revision = None

_TABLES = (
    """
    CREATE TABLE agreement (
        organisation text NOT NULL,
        agreement_id text NOT NULL,
        sender jsonb,
        timezone text NOT NULL,
        others jsonb NOT NULL,
        PRIMARY KEY (organisation, agreement_id)
    )
    """,
    """
    CREATE TABLE delivery (
        organisation text NOT NULL,
        id text NOT NULL,
        agreement_id text NOT NULL,
        purpose text NOT NULL,
        recipient text NOT NULL,
        recipient_key text NOT NULL,
        request_id text NOT NULL,
        request_version integer NOT NULL,
        place integer,
        cause_id text NOT NULL,
        correlation_id text NOT NULL,
        facts jsonb NOT NULL,
        created_at timestamptz NOT NULL,
        status text NOT NULL,
        version integer NOT NULL DEFAULT 0,
        attempts integer NOT NULL DEFAULT 0,
        queued_at timestamptz NOT NULL DEFAULT clock_timestamp(),
        due_at timestamptz NOT NULL DEFAULT clock_timestamp(),
        changed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
        lease_until timestamptz,
        claim text,
        sent_at timestamptz,
        bounced_at timestamptz,
        last_status text,
        last_diagnostic text,
        last_report text,
        PRIMARY KEY (organisation, id)
    ) WITH (fillfactor = 80)
    """,
    """
    CREATE UNIQUE INDEX delivery_once ON delivery
        (organisation, agreement_id, request_id, recipient, request_version, purpose, cause_id)
    """,
    "CREATE INDEX delivery_due ON delivery (due_at, id) WHERE status = 'waiting'",
    "CREATE INDEX delivery_by_recipient ON delivery (organisation, recipient_key, id)",
    """
    CREATE TABLE unmatched_report (
        organisation text NOT NULL,
        sha256 text NOT NULL,
        received_at timestamptz NOT NULL DEFAULT clock_timestamp(),
        reason text NOT NULL,
        size integer NOT NULL,
        raw bytea NOT NULL,
        PRIMARY KEY (organisation, sha256)
    )
    """,
    "CREATE INDEX unmatched_report_by_time ON unmatched_report (organisation, received_at, sha256)",
    """
    CREATE TABLE inbox_mail (
        organisation text NOT NULL,
        id text NOT NULL,
        sender text NOT NULL,
        recipient text NOT NULL,
        subject text NOT NULL,
        text text NOT NULL,
        html text NOT NULL,
        accepted_at timestamptz NOT NULL,
        report_due_at timestamptz,
        PRIMARY KEY (organisation, id)
    )
    """,
    "CREATE INDEX inbox_mail_by_time ON inbox_mail (organisation, accepted_at, id)",
    "CREATE INDEX inbox_mail_report_due ON inbox_mail (report_due_at) WHERE report_due_at IS NOT NULL",
)


def upgrade() -> None:
    for statement in (*statements_v1(), *_TABLES):
        op.execute(statement)
