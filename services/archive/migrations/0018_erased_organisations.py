"""What stays of an organisation that was erased: its id, when, and how many rows."""

from alembic import op

from shared.messaging.schema import statements_v6

revision = "archive_0018"
down_revision = "archive_0017"


def upgrade() -> None:
    for statement in statements_v6():
        op.execute(statement)
