"""Where the sealed copies are."""

from alembic import op

revision = "signing_0003"
down_revision = "signing_0002"


def upgrade() -> None:
    op.execute(
        """
        CREATE TABLE sealed_copy (
            organisation text NOT NULL,
            agreement_id text NOT NULL,
            archived_at timestamptz NOT NULL,
            pdf jsonb NOT NULL,
            test_seal boolean NOT NULL,
            PRIMARY KEY (organisation, agreement_id)
        )
        """
    )
