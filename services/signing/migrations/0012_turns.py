"""Organisations take turns where they share a queue: who waits is told by an index."""

from alembic import op

from shared.messaging.schema import statements_v5

revision = "signing_0012"
down_revision = "signing_0011"


def upgrade() -> None:
    for statement in statements_v5():
        op.execute(statement)
