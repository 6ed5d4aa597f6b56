"""A new version of minutes is found from the agreement that it replaces: by their meeting."""

from alembic import op

revision = "signing_0006"
down_revision = "signing_0005"


def upgrade() -> None:
    op.execute("CREATE INDEX agreement_of_meeting ON agreement (organisation, correlation_id)")
