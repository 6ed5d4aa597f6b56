"""Tasks: what paragraphs of signed minutes ask somebody to do."""

from alembic import op

revision = "meetings_0032"
down_revision = "meetings_0031"

_STATEMENTS = (
    """
    CREATE TABLE task (
        organisation text NOT NULL,
        id text NOT NULL,
        version integer NOT NULL,
        meeting_id text NOT NULL,
        paragraph integer NOT NULL,
        heading text NOT NULL,
        held_on date NOT NULL,
        body_id text NOT NULL,
        body text NOT NULL,
        timezone text NOT NULL,
        what text NOT NULL,
        owner_id text,
        owner_role text,
        due date NOT NULL,
        back_on text,
        given_at timestamptz NOT NULL,
        reminded jsonb NOT NULL,
        done_at timestamptz,
        note text,
        item_id text,
        PRIMARY KEY (organisation, id)
    )
    """,
    "CREATE INDEX task_by_day ON task (organisation, due)",
    "CREATE INDEX task_by_meeting ON task (organisation, meeting_id)",
    "CREATE INDEX task_coming_back ON task (organisation, back_on) WHERE done_at IS NULL",
)


def upgrade() -> None:
    for statement in _STATEMENTS:
        op.execute(statement)
