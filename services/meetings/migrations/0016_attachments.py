"""Attachments of agenda items, and the versions of their files."""

from alembic import op

revision = "meetings_0016"
down_revision = "meetings_0015"

_STATEMENTS = (
    """
    CREATE TABLE attachment (
        organisation text NOT NULL,
        id text NOT NULL,
        version integer NOT NULL,
        item_id text NOT NULL,
        place integer NOT NULL,
        title text NOT NULL,
        confidential boolean NOT NULL,
        PRIMARY KEY (organisation, id)
    )
    """,
    "CREATE INDEX attachment_by_item ON attachment (organisation, item_id, place)",
    """
    CREATE TABLE attachment_file (
        organisation text NOT NULL,
        attachment_id text NOT NULL,
        number integer NOT NULL,
        name text NOT NULL,
        content jsonb NOT NULL,
        late boolean NOT NULL,
        at timestamptz NOT NULL,
        PRIMARY KEY (organisation, attachment_id, number)
    )
    """,
)


def upgrade() -> None:
    for statement in _STATEMENTS:
        op.execute(statement)
