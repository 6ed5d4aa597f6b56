"""Organisations take turns where they share a queue: who waits is told by an index."""

from alembic import op

from shared.messaging.schema import statements_v5

revision = "notifications_0016"
down_revision = "notifications_0015"


def upgrade() -> None:
    for statement in statements_v5():
        op.execute(statement)
    op.execute(
        "CREATE INDEX delivery_turns ON delivery (organisation, due_at, id) "
        "WHERE status = 'waiting' AND organisation <> ''"
    )
