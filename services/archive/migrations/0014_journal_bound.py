"""What the journal holds so far is declared to have ids below those that begin with a month."""

from alembic import op

revision = "archive_0014"
down_revision = "archive_0013"


def upgrade() -> None:
    """At once, for what is written from now on; the next revision reads what is there, and stops no writer."""
    op.execute("ALTER TABLE journal ADD CONSTRAINT before_months CHECK (id < 1000000000000000) NOT VALID")
