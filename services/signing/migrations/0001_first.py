"""The first tables of signing."""

from alembic import op

from shared.messaging.schema import statements_v1

revision = "signing_0001"
down_revision = None
branch_labels = None
depends_on = None

_TABLES = (
    """
    CREATE TABLE agreement (
        organisation text NOT NULL,
        agreement_id text NOT NULL,
        correlation_id text NOT NULL,
        version integer NOT NULL,
        head text NOT NULL,
        status text NOT NULL,
        created_at timestamptz NOT NULL,
        snapshot text NOT NULL,
        PRIMARY KEY (organisation, agreement_id)
    )
    """,
    "CREATE INDEX agreement_listed ON agreement (organisation, created_at, agreement_id)",
    "CREATE INDEX agreement_listed_by_status ON agreement (organisation, status, created_at, agreement_id)",
    """
    CREATE TABLE history_entry (
        organisation text NOT NULL,
        agreement_id text NOT NULL,
        n integer NOT NULL,
        type text NOT NULL,
        "time" timestamptz NOT NULL,
        recorded timestamptz NOT NULL,
        previous text NOT NULL,
        commitment text NOT NULL,
        payload text,
        salt bytea,
        PRIMARY KEY (organisation, agreement_id, n)
    )
    """,
    """
    CREATE TABLE signature_request (
        organisation text NOT NULL,
        request_id text NOT NULL,
        agreement_id text NOT NULL,
        PRIMARY KEY (organisation, request_id)
    )
    """,
)


def upgrade() -> None:
    for statement in (*statements_v1(), *_TABLES):
        op.execute(statement)
