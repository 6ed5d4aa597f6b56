"""What minutes were set from is kept beside their PDF, so that they are read as HTML, too."""

from alembic import op

revision = "meetings_0021"
down_revision = "meetings_0019"


def upgrade() -> None:
    op.execute("ALTER TABLE minutes ADD COLUMN render_input jsonb")
