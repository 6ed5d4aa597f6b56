"""The messaging tables as SQL, for the services' migrations. Frozen: a change is a new function."""

_V1 = (
    """
    CREATE TABLE outbox (
        id bigint GENERATED ALWAYS AS IDENTITY (CACHE 1) PRIMARY KEY,
        event_id text NOT NULL,
        topic text NOT NULL,
        key text NOT NULL,
        attributes jsonb NOT NULL,
        data text,
        created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
        published_at timestamptz
    ) WITH (fillfactor = 80)
    """,
    "CREATE INDEX outbox_unpublished ON outbox (id) WHERE published_at IS NULL",
    "CREATE INDEX outbox_published ON outbox (created_at) WHERE published_at IS NOT NULL",
    """
    CREATE TABLE inbox (
        consumer text NOT NULL,
        event_id text NOT NULL,
        received_at timestamptz NOT NULL DEFAULT clock_timestamp(),
        PRIMARY KEY (consumer, event_id)
    )
    """,
    "CREATE INDEX inbox_received ON inbox (received_at)",
    """
    CREATE TABLE dead_letter (
        id bigint GENERATED ALWAYS AS IDENTITY (CACHE 1) PRIMARY KEY,
        consumer text NOT NULL,
        topic text NOT NULL,
        partition bigint NOT NULL,
        position bigint NOT NULL,
        key text NOT NULL,
        fingerprint text NOT NULL,
        event_id text,
        event_type text,
        headers jsonb NOT NULL,
        body text,
        reason text,
        created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
        CONSTRAINT dead_letter_once UNIQUE (consumer, topic, fingerprint)
    )
    """,
    "CREATE INDEX dead_letter_key ON dead_letter (consumer, topic, key, id)",
    """
    CREATE TABLE timer (
        organisation text NOT NULL,
        kind text NOT NULL,
        subject text NOT NULL,
        due_at timestamptz NOT NULL,
        PRIMARY KEY (organisation, kind, subject)
    )
    """,
    "CREATE INDEX timer_due ON timer (due_at)",
)


_V2 = (
    """
    CREATE TABLE kept_answer (
        organisation text NOT NULL,
        caller text NOT NULL,
        key text NOT NULL,
        fingerprint text NOT NULL,
        status integer NOT NULL,
        body text NOT NULL,
        location text,
        created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
        PRIMARY KEY (organisation, caller, key)
    )
    """,
    "CREATE INDEX kept_answer_created ON kept_answer (created_at)",
)

_V3 = (
    "ALTER TABLE dead_letter ADD COLUMN authentic boolean NOT NULL DEFAULT true",
    "CREATE INDEX dead_letter_refused ON dead_letter (consumer) WHERE NOT authentic",
)


_V4 = (
    """
    CREATE TABLE organisation (
        id text PRIMARY KEY,
        version integer NOT NULL,
        standing text NOT NULL,
        since timestamptz NOT NULL,
        reason text NOT NULL,
        name text NOT NULL,
        language text NOT NULL
    )
    """,
    # Few are, and whoever looks for work asks which.
    "CREATE INDEX organisation_suspended ON organisation (id) WHERE standing = 'suspended'",
)

_V5 = (
    # Its condition keeps it for who asks for turns. To who asks for the longest wait it would seem cheap to sort by it,
    # as long as PostgreSQL has counted few that wait.
    """
    CREATE INDEX outbox_turns ON outbox ((attributes ->> 'organisation'), id)
    WHERE published_at IS NULL AND (attributes ->> 'organisation') <> ''
    """,
)

_V6 = (
    "ALTER TABLE organisation ADD COLUMN erased_at timestamptz",
    "ALTER TABLE organisation ADD COLUMN erasure_ended_at timestamptz",
    "ALTER TABLE organisation ADD COLUMN erased jsonb",
    "ALTER TABLE organisation ADD COLUMN late bigint NOT NULL DEFAULT 0",
    # Whoever takes in events asks whether they are of one of these.
    "CREATE INDEX organisation_erased ON organisation (id) WHERE erased_at IS NOT NULL",
)

_V7 = (
    "ALTER TABLE organisation ADD COLUMN mail_from text NOT NULL DEFAULT '', "
    "ADD COLUMN bounce_domain text NOT NULL DEFAULT ''",
)


def statements_v1() -> tuple[str, ...]:
    return _V1


def statements_v2() -> tuple[str, ...]:
    """On top of v1: answers to requests with an `Idempotency-Key`."""
    return _V2


def statements_v3() -> tuple[str, ...]:
    """On top of v2: a dead letter can be one that nobody signed."""
    return _V3


def statements_v4() -> tuple[str, ...]:
    """On top of v3: what is known of the installation's organisations."""
    return _V4


def statements_v5() -> tuple[str, ...]:
    """On top of v4: which organisations have events that wait is told by an index."""
    return _V5


def statements_v6() -> tuple[str, ...]:
    """On top of v5: what stays of an organisation that was erased."""
    return _V6


def statements_v7() -> tuple[str, ...]:
    """On top of v6: where an organisation's mails are from."""
    return _V7
