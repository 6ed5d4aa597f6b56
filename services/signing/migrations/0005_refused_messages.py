"""A dead letter can be one that nobody signed."""

from alembic import op

from shared.messaging.schema import statements_v3

revision = "signing_0005"
down_revision = "signing_0004"


def upgrade() -> None:
    for statement in statements_v3():
        op.execute(statement)
