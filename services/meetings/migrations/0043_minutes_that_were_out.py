"""Minutes that somebody had signed when it began to be kept when they are sent were sent by then."""

from alembic import op

revision = "meetings_0043"
down_revision = "meetings_0042"


def upgrade() -> None:
    op.execute(
        """
        UPDATE minutes SET released_at = signed.first FROM (
            SELECT organisation, agreement_id, min(at) AS first FROM minutes_signature
            GROUP BY organisation, agreement_id
        ) AS signed
        WHERE minutes.released_at IS NULL
            AND (minutes.organisation, minutes.agreement_id) = (signed.organisation, signed.agreement_id)
        """
    )
