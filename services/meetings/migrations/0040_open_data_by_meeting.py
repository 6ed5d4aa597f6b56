"""Open data know of which meeting each object is made, and of what of it."""

from alembic import op

revision = "meetings_0040"
down_revision = "meetings_0039"

_STATEMENTS = (
    "ALTER TABLE open_object ADD COLUMN source text",
    "UPDATE open_object SET source = id WHERE kind IN ('meeting', 'location')",
    "UPDATE open_object SET source = regexp_replace(id, '-[0-9]+$', '') WHERE kind = 'agendaItem'",
    """
    UPDATE open_object SET source = publication.meeting_id FROM publication
    WHERE kind IN ('paper', 'file') AND publication.organisation = open_object.organisation
        AND publication.id = open_object.id
    """,
    "CREATE INDEX open_object_of_source ON open_object (organisation, source)",
    """
    CREATE TABLE open_meeting (
        organisation text NOT NULL,
        meeting_id text NOT NULL,
        mark text NOT NULL,
        PRIMARY KEY (organisation, meeting_id)
    )
    """,
)


def upgrade() -> None:
    for statement in _STATEMENTS:
        op.execute(statement)
