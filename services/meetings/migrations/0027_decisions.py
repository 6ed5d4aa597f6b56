"""The decision register: the paragraphs of minutes that everyone signed, to be searched."""

from alembic import op

revision = "meetings_0027"
down_revision = "meetings_0026"

_STATEMENTS = (
    "ALTER TABLE minutes ADD COLUMN signed_at timestamptz",
    """
    CREATE TABLE decision (
        organisation text NOT NULL,
        meeting_id text NOT NULL,
        paragraph integer NOT NULL,
        version integer NOT NULL,
        agreement_id text NOT NULL,
        document_name text NOT NULL,
        body_id text,
        body text NOT NULL,
        body_key text NOT NULL,
        held_on date NOT NULL,
        language text NOT NULL,
        heading text NOT NULL,
        decision text NOT NULL,
        background text NOT NULL,
        people jsonb NOT NULL,
        words tsvector NOT NULL,
        named tsvector NOT NULL,
        PRIMARY KEY (organisation, meeting_id, paragraph)
    )
    """,
    "CREATE INDEX decision_by_words ON decision USING gin (words)",
    "CREATE INDEX decision_by_named ON decision USING gin (named)",
    "CREATE INDEX decision_by_day ON decision (organisation, held_on)",
    "CREATE INDEX decision_by_body ON decision (organisation, body_id, held_on)",
)


def upgrade() -> None:
    for statement in _STATEMENTS:
        op.execute(statement)
