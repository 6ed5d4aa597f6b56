"""Unmatched reports that were kept before our links were taken out of them, or by a weaker rule, lose them now."""

from alembic import op
from sqlalchemy import text

from services.notifications.redaction import redacted_bytes

revision = "notifications_0007"
down_revision = "notifications_0006"


def upgrade() -> None:
    connection = op.get_bind()
    keys = connection.execute(text("SELECT organisation, sha256 FROM unmatched_report")).all()
    for organisation, sha256 in keys:
        key = {"organisation": organisation, "sha256": sha256}
        which = "WHERE organisation = :organisation AND sha256 = :sha256"
        raw = connection.execute(text(f"SELECT raw FROM unmatched_report {which}"), key).scalar_one()  # noqa: S608
        if (kept := redacted_bytes(raw)) != raw:
            connection.execute(text(f"UPDATE unmatched_report SET raw = :raw {which}"), {**key, "raw": kept})  # noqa: S608
