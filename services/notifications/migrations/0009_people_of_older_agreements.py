"""Mails about agreements from before their people were kept go to nobody new, either."""

from alembic import op

revision = "notifications_0009"
down_revision = "notifications_0008"


def upgrade() -> None:
    op.execute("ALTER TABLE agreement ADD COLUMN asked jsonb")
    # Who was mailed is one of its people, but for an address that a later version of its request has replaced. Whoever
    # has not been asked yet is not known here: the first request of each says who it is.
    op.execute(
        """
        UPDATE agreement SET
            people = (
                SELECT coalesce(jsonb_agg(DISTINCT mail.recipient_key), '[]') FROM delivery AS mail
                WHERE mail.organisation = agreement.organisation AND mail.agreement_id = agreement.agreement_id
                  AND NOT EXISTS (
                      SELECT FROM delivery AS later
                      WHERE later.organisation = mail.organisation AND later.agreement_id = mail.agreement_id
                        AND later.request_id = mail.request_id AND mail.request_id <> ''
                        AND later.request_version > mail.request_version
                  )
            ),
            asked = (
                SELECT coalesce(jsonb_agg(DISTINCT mail.request_id), '[]') FROM delivery AS mail
                WHERE mail.organisation = agreement.organisation AND mail.agreement_id = agreement.agreement_id
                  AND mail.request_id <> ''
            )
        WHERE people IS NULL AND sender IS NOT NULL
        """
    )
