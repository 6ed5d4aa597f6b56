"""An organisation's mails can be from an address and a domain of its own."""

from alembic import op

from shared.messaging.schema import statements_v7

revision = "archive_0019"
down_revision = "archive_0018"


def upgrade() -> None:
    for statement in statements_v7():
        op.execute(statement)
