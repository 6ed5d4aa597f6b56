"""Answers to requests with an `Idempotency-Key`."""

from alembic import op

from shared.messaging.schema import statements_v2

revision = "notifications_0003"
down_revision = "notifications_0002"


def upgrade() -> None:
    for statement in statements_v2():
        op.execute(statement)
