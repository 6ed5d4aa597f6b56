"""Answers to requests with an `Idempotency-Key`."""

from alembic import op

from shared.messaging.schema import statements_v2

revision = "meetings_0004"
down_revision = "meetings_0003"


def upgrade() -> None:
    for statement in statements_v2():
        op.execute(statement)
