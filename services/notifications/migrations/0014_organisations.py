"""Each service knows which organisations the installation serves, and which are suspended."""

from alembic import op

from shared.messaging.schema import statements_v4

revision = "notifications_0014"
down_revision = "notifications_0013"


def upgrade() -> None:
    for statement in statements_v4():
        op.execute(statement)
