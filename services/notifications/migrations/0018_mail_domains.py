"""An organisation's mails can be from an address and a domain of its own."""

from alembic import op

from shared.messaging.schema import statements_v7

revision = "notifications_0018"
down_revision = "notifications_0017"


def upgrade() -> None:
    for statement in statements_v7():
        op.execute(statement)
