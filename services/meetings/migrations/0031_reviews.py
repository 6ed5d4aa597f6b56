"""Drafted minutes are read by those who are asked: what they say of them."""

from alembic import op

revision = "meetings_0031"
down_revision = "meetings_0030"

_STATEMENTS = (
    """
    CREATE TABLE review (
        organisation text NOT NULL,
        id text NOT NULL,
        version integer NOT NULL,
        meeting_id text NOT NULL,
        body_id text NOT NULL,
        status text NOT NULL,
        minutes_version integer NOT NULL,
        agreement_id text NOT NULL,
        document_name text NOT NULL,
        answer_by date NOT NULL,
        note text,
        people jsonb NOT NULL,
        agreed jsonb NOT NULL,
        reason text,
        PRIMARY KEY (organisation, id)
    )
    """,
    "CREATE INDEX review_by_meeting ON review (organisation, meeting_id)",
    "CREATE UNIQUE INDEX review_open ON review (organisation, meeting_id) WHERE status = 'open'",
    """
    CREATE TABLE review_comment (
        organisation text NOT NULL,
        review_id text NOT NULL,
        id text NOT NULL,
        minutes_version integer NOT NULL,
        paragraph integer NOT NULL,
        heading text NOT NULL,
        person_id text NOT NULL,
        text text NOT NULL,
        at timestamptz NOT NULL,
        reply text,
        replied_at timestamptz,
        settled_at timestamptz,
        PRIMARY KEY (organisation, review_id, id)
    )
    """,
)


def upgrade() -> None:
    for statement in _STATEMENTS:
        op.execute(statement)
