"""A paragraph that is put forward at once is known by its piece of the draft and its heading, too."""

from alembic import op

revision = "meetings_0045"
down_revision = "meetings_0044"


def upgrade() -> None:
    op.execute("ALTER TABLE minutes ADD COLUMN piece text, ADD COLUMN heading text")
