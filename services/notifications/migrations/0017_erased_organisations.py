"""What stays of an organisation that was erased: its id, when, and how many rows."""

from alembic import op

from shared.messaging.schema import statements_v6

revision = "notifications_0017"
down_revision = "notifications_0016"


def upgrade() -> None:
    for statement in statements_v6():
        op.execute(statement)
