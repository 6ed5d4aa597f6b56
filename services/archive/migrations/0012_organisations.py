"""Each service knows which organisations the installation serves, and which are suspended."""

from alembic import op

from shared.messaging.schema import statements_v4

revision = "archive_0012"
down_revision = "archive_0011"


def upgrade() -> None:
    for statement in statements_v4():
        op.execute(statement)
