"""Organisations take turns where they share a queue: who waits is told by an index."""

from alembic import op

from shared.messaging.schema import statements_v5

revision = "archive_0017"
down_revision = "archive_0016"


def upgrade() -> None:
    for statement in statements_v5():
        op.execute(statement)
    op.execute(
        "CREATE INDEX archiving_job_turns ON archiving_job (organisation, due_at) "
        "WHERE state = 'waiting' AND organisation <> ''"
    )
