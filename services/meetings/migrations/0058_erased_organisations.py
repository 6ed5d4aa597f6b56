"""What stays of an organisation that was erased: its id, when, and how many rows."""

from alembic import op

from shared.messaging.schema import statements_v6

revision = "meetings_0058"
down_revision = "meetings_0057"


def upgrade() -> None:
    for statement in statements_v6():
        op.execute(statement)
