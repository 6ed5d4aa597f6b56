"""A body typed on a Mac (NFD) and elsewhere (NFC) is one body: one numbering, which goes on after the highest."""

from alembic import op

revision = "meetings_0002"
down_revision = "meetings_0001"


def upgrade() -> None:
    op.execute(
        """
        INSERT INTO numbering (organisation, body_key, year, next_paragraph)
        SELECT organisation, normalize(body_key, NFC), year, max(next_paragraph)
        FROM numbering WHERE body_key IS NOT NFC NORMALIZED
        GROUP BY organisation, normalize(body_key, NFC), year
        ON CONFLICT (organisation, body_key, year) DO UPDATE
        SET next_paragraph = greatest(numbering.next_paragraph, excluded.next_paragraph)
        """
    )
    op.execute("DELETE FROM numbering WHERE body_key IS NOT NFC NORMALIZED")
