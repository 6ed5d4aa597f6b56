"""A form sends an extract once; what came back to its mail and nobody could read; the last certifiers by an index."""

from alembic import op

revision = "archive_0010"
down_revision = "archive_0009"


def upgrade() -> None:
    op.execute("ALTER TABLE extract_sending ADD COLUMN form_key text, ADD COLUMN unread_at timestamptz")
    op.execute("CREATE INDEX extract_by_time ON extract (organisation, certified_at)")
