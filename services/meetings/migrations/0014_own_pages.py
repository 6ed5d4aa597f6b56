"""A person's own page has a version: the links that opened an earlier one open it no more."""

from alembic import op

revision = "meetings_0014"
down_revision = "meetings_0013"


def upgrade() -> None:
    op.execute("ALTER TABLE person ADD COLUMN page_version integer NOT NULL DEFAULT 1")
