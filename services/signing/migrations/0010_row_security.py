"""PostgreSQL shows and takes rows of the organisations alone that a transaction says it is for."""

from alembic import op

from shared.row_security import policies

revision = "signing_0010"
down_revision = "signing_0009"

_TABLES = (
    "agreement",
    "ended_link",
    "history_entry",
    "kept_answer",
    "login_session",
    "mail_news",
    "sealed_copy",
    "signature_request",
    "timer",
)


def upgrade() -> None:
    for statement in policies(*_TABLES):
        op.execute(statement)
