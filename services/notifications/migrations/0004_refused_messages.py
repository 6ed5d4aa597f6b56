"""A dead letter can be one that nobody signed; mails go only to people of their agreement."""

from alembic import op

from shared.messaging.schema import statements_v3

revision = "notifications_0004"
down_revision = "notifications_0003"


def upgrade() -> None:
    for statement in statements_v3():
        op.execute(statement)
    # Empty for agreements of before: whoever is asked there cannot be checked.
    op.execute("ALTER TABLE agreement ADD COLUMN people jsonb")
