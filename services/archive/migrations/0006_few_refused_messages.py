"""What nobody signed is counted before it is kept."""

from alembic import op

revision = "archive_0006"
down_revision = "archive_0005"


def upgrade() -> None:
    op.execute("CREATE INDEX journal_not_authentic ON journal (id) WHERE NOT authentic")
