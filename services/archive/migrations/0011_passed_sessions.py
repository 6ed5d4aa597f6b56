"""Who is logged in to signing has sessions here, opened by its passes."""

from alembic import op

from shared.passed_sessions import STATEMENTS_V1

revision = "archive_0011"
down_revision = "archive_0010"


def upgrade() -> None:
    for statement in STATEMENTS_V1:
        op.execute(statement)
