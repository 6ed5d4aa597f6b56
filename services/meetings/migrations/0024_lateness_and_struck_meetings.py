"""Lateness follows from when a file came; a struck meeting names the one that took its items over.

`attachment_file.late` is not read any more; it stays, with a value of its own, for pods of the version before.
"""

from alembic import op

revision = "meetings_0024"
down_revision = "meetings_0023"

_STATEMENTS = (
    "ALTER TABLE attachment_file ALTER COLUMN late SET DEFAULT false",
    "ALTER TABLE notice ADD COLUMN redated_at timestamptz",
    "ALTER TABLE meeting ADD COLUMN taken_over_by text",
    "CREATE INDEX meeting_taken_over ON meeting (organisation, taken_over_by) WHERE taken_over_by IS NOT NULL",
    # Items of a meeting that was struck went along for the reason that it was struck for.
    """
    UPDATE meeting SET taken_over_by = stay.to_meeting_id
    FROM (
        SELECT DISTINCT ON (organisation, meeting_id) organisation, meeting_id, to_meeting_id, reason
        FROM agenda_stay
        WHERE how = 'moved' AND to_meeting_id IS NOT NULL AND reason IS NOT NULL
        ORDER BY organisation, meeting_id, at DESC
    ) AS stay
    WHERE meeting.organisation = stay.organisation AND meeting.id = stay.meeting_id
        AND meeting.status = 'cancelled' AND meeting.reason = stay.reason
    """,
)


def upgrade() -> None:
    for statement in _STATEMENTS:
        op.execute(statement)
