"""Who was asked to read a body's minutes last is found by an index."""

from alembic import op

revision = "meetings_0052"
down_revision = "meetings_0051"


def upgrade() -> None:
    op.execute("CREATE INDEX review_by_body ON review (organisation, body_id, id)")
