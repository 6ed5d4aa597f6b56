"""Of which trace a mail is, where traces are kept: it is sent long after its cause was handled."""

from alembic import op

revision = "notifications_0012"
down_revision = "notifications_0011"


def upgrade() -> None:
    op.execute("ALTER TABLE delivery ADD COLUMN traceparent text")
