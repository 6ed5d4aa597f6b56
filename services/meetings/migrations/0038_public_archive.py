"""The public archive of the notice board: searched by title, read by the day of the meeting."""

from alembic import op

revision = "meetings_0038"
down_revision = "meetings_0037"


def upgrade() -> None:
    op.execute("ALTER TABLE publication ADD COLUMN title_key text")
    op.execute("CREATE INDEX publication_by_meeting_day ON publication (organisation, status, held_on, id)")
