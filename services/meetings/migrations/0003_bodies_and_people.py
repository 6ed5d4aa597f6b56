"""Bodies, people, and who sits in what."""

from alembic import op

revision = "meetings_0003"
down_revision = "meetings_0002"

_TABLES = (
    """
    CREATE TABLE register (
        organisation text NOT NULL,
        version bigint NOT NULL,
        PRIMARY KEY (organisation)
    )
    """,
    """
    CREATE TABLE body (
        organisation text NOT NULL,
        id text NOT NULL,
        version integer NOT NULL,
        key text NOT NULL,
        name text NOT NULL,
        name_key text NOT NULL,
        kind text NOT NULL,
        rules jsonb NOT NULL,
        closed date,
        PRIMARY KEY (organisation, id)
    )
    """,
    "CREATE UNIQUE INDEX body_by_key ON body (organisation, key)",
    "CREATE UNIQUE INDEX body_by_name ON body (organisation, name_key)",
    """
    CREATE TABLE person (
        organisation text NOT NULL,
        id text NOT NULL,
        version integer NOT NULL,
        key text NOT NULL,
        name text NOT NULL,
        sort_key text COLLATE "C" NOT NULL,
        email text,
        email_key text,
        language text NOT NULL,
        party text,
        municipality text,
        PRIMARY KEY (organisation, id)
    )
    """,
    "CREATE UNIQUE INDEX person_by_key ON person (organisation, key)",
    "CREATE UNIQUE INDEX person_by_email ON person (organisation, email_key)",
    "CREATE INDEX person_by_name ON person (organisation, sort_key, id)",
    """
    CREATE TABLE membership (
        organisation text NOT NULL,
        id text NOT NULL,
        body_id text NOT NULL,
        person_id text NOT NULL,
        role text NOT NULL,
        place integer,
        begins date,
        ends date,
        basis jsonb,
        PRIMARY KEY (organisation, id)
    )
    """,
    "CREATE INDEX membership_by_body ON membership (organisation, body_id)",
    "CREATE INDEX membership_by_person ON membership (organisation, person_id)",
)


def upgrade() -> None:
    for statement in _TABLES:
        op.execute(statement)
