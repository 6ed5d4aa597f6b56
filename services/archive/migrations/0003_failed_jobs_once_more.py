"""What stuck because its text could not be set is tried once more: no text stops a final copy any longer.

Whatever failed for another cause fails again, and is told again.
"""

from alembic import op

revision = "archive_0003"
down_revision = "archive_0002"


def upgrade() -> None:
    op.execute(
        "UPDATE archiving_job SET state = 'waiting', attempts = 0, due_at = clock_timestamp() WHERE state = 'failed'"
    )
