"""Answers to requests with an `Idempotency-Key`."""

from alembic import op

from shared.messaging.schema import statements_v2

revision = "signing_0004"
down_revision = "signing_0003"


def upgrade() -> None:
    for statement in statements_v2():
        op.execute(statement)
