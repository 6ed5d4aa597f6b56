"""When the notice board changed last is found without reading all that was ever posted."""

from alembic import op

revision = "meetings_0048"
down_revision = "meetings_0047"


def upgrade() -> None:
    op.execute("CREATE INDEX publication_changed ON publication (organisation, GREATEST(edited_at, removed_at))")
