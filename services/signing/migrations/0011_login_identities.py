"""Who logs in at a provider of OpenID Connect is known by their subject."""

from alembic import op

revision = "signing_0011"
down_revision = "signing_0010"


def upgrade() -> None:
    op.execute(
        """
        CREATE TABLE login_identity (
            issuer text NOT NULL,
            subject text NOT NULL,
            account text NOT NULL,
            bound_at timestamptz NOT NULL DEFAULT clock_timestamp(),
            PRIMARY KEY (issuer, subject),
            CONSTRAINT login_identity_of_account UNIQUE (issuer, account)
        )
        """
    )
