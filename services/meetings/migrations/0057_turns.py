"""Organisations take turns where they share a queue: who waits is told by an index."""

from alembic import op

from shared.messaging.schema import statements_v5

revision = "meetings_0057"
down_revision = "meetings_0056"


def upgrade() -> None:
    for statement in statements_v5():
        op.execute(statement)
