"""PostgreSQL shows and takes rows of the organisations alone that a transaction says it is for."""

from alembic import op

from shared.row_security import policies

revision = "notifications_0015"
down_revision = "notifications_0014"

_TABLES = (
    "agreement",
    "body_member",
    "delivery",
    "held_mail",
    "inbox_mail",
    "invitation",
    "kept_answer",
    "plan_told",
    "timer",
    "unmatched_report",
)


def upgrade() -> None:
    for statement in policies(*_TABLES):
        op.execute(statement)
