"""Which link to an extract still opens is known also of those that were sent again before that was kept."""

from alembic import op

revision = "notifications_0013"
down_revision = "notifications_0012"


def upgrade() -> None:
    op.execute(
        """
        UPDATE agreement SET copy_links = sent.links || agreement.copy_links
        FROM (
            SELECT organisation, agreement_id, jsonb_object_agg(key, version) AS links
            FROM (
                SELECT organisation, agreement_id, request_id || ' ' || recipient_key AS key,
                       max(request_version) AS version
                FROM delivery WHERE purpose = 'extract' GROUP BY organisation, agreement_id, key
            ) AS last WHERE version > 1 GROUP BY organisation, agreement_id
        ) AS sent
        WHERE agreement.organisation = sent.organisation AND agreement.agreement_id = sent.agreement_id
        """
    )
