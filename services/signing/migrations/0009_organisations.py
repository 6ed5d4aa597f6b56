"""Each service knows which organisations the installation serves, and which are suspended."""

from alembic import op

from shared.messaging.schema import statements_v4

revision = "signing_0009"
down_revision = "signing_0008"


def upgrade() -> None:
    for statement in statements_v4():
        op.execute(statement)
