"""Who is logged in to signing has sessions here, opened by its passes."""

from alembic import op

from shared.passed_sessions import STATEMENTS_V1

revision = "meetings_0054"
down_revision = "meetings_0053"


def upgrade() -> None:
    for statement in STATEMENTS_V1:
        op.execute(statement)
