"""Browser sessions that can be ended."""

from alembic import op

revision = "signing_0002"
down_revision = "signing_0001"

_STATEMENTS = (
    """
    CREATE TABLE login_session (
        organisation text NOT NULL,
        id text NOT NULL,
        token_sha256 text NOT NULL,
        browser text NOT NULL,
        opened_at timestamptz NOT NULL DEFAULT clock_timestamp(),
        seen_at timestamptz NOT NULL DEFAULT clock_timestamp(),
        ends_at timestamptz NOT NULL,
        PRIMARY KEY (organisation, id)
    )
    """,
    "CREATE INDEX login_session_of_token ON login_session (organisation, token_sha256, opened_at)",
    "CREATE INDEX login_session_end ON login_session (ends_at)",
)


def upgrade() -> None:
    for statement in _STATEMENTS:
        op.execute(statement)
