"""An organisation's mails can be from an address and a domain of its own."""

from alembic import op

from shared.messaging.schema import statements_v7

revision = "meetings_0059"
down_revision = "meetings_0058"


def upgrade() -> None:
    for statement in statements_v7():
        op.execute(statement)
