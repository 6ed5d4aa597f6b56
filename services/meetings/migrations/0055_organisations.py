"""Each service knows which organisations the installation serves, and which are suspended."""

from alembic import op

from shared.messaging.schema import statements_v4

revision = "meetings_0055"
down_revision = "meetings_0054"


def upgrade() -> None:
    for statement in statements_v4():
        op.execute(statement)
