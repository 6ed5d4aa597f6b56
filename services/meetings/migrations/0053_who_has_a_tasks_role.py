"""Who has the role that does a task is known, so that whoever has it next is told; of tasks to be done, as of now."""

from alembic import op

revision = "meetings_0053"
down_revision = "meetings_0052"


def upgrade() -> None:
    op.execute("ALTER TABLE task ADD COLUMN holders jsonb")
    op.execute(
        "CREATE INDEX task_of_role ON task (organisation, body_id) WHERE owner_role IS NOT NULL AND done_at IS NULL"
    )
    # Its handler asks who has the role, and when that is to be asked next.
    op.execute(
        "INSERT INTO timer (organisation, kind, subject, due_at) "
        "SELECT organisation, 'task-role', id || '~role', now() "
        "FROM task WHERE owner_role IS NOT NULL AND done_at IS NULL"
    )
