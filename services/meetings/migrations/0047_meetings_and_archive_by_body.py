"""A body's meetings that are to come, its drafts, and the years of its archive are found without reading all."""

from alembic import op

revision = "meetings_0047"
down_revision = "meetings_0046"

_STATEMENTS = (
    "CREATE INDEX meeting_by_body ON meeting (organisation, body_id, ends)",
    """
    CREATE INDEX publication_unsigned ON publication (organisation, body_id)
    WHERE status = 'draft' AND adjusted_on IS NULL AND part = 0
    """,
    "CREATE INDEX publication_in_archive ON publication (organisation, body_id, held_on) WHERE status = 'archived'",
)


def upgrade() -> None:
    for statement in _STATEMENTS:
        op.execute(statement)
