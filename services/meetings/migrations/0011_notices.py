"""What people were told of a meeting, who stands in for whom, and whom no mail reached."""

from alembic import op

revision = "meetings_0011"
down_revision = "meetings_0010"

_STATEMENTS = (
    """
    ALTER TABLE notice
        ALTER COLUMN version SET DEFAULT 0,
        ADD COLUMN stage text NOT NULL DEFAULT 'none',
        ADD COLUMN sequence integer NOT NULL DEFAULT 0,
        ADD COLUMN approved_at timestamptz,
        ADD COLUMN note text,
        ADD COLUMN issued_at timestamptz,
        ADD COLUMN told jsonb,
        ADD COLUMN time_since integer NOT NULL DEFAULT 0,
        ADD COLUMN at_risk boolean NOT NULL DEFAULT false
    """,
    """
    ALTER TABLE reply
        ADD COLUMN instead_of text,
        ADD COLUMN unreached text,
        ADD COLUMN left_empty boolean NOT NULL DEFAULT false
    """,
)


def upgrade() -> None:
    for statement in _STATEMENTS:
        op.execute(statement)
