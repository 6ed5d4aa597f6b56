"""The journal is partitioned by months (docs/decisions/0110). What it held so far is the first partition, as it is.

Nothing is copied or read: it takes as long as some names take, and what waited for that meanwhile finds the new table
by the old name, the release before this one, too. Its ids come from the new table's identity.
"""

from itertools import pairwise

from alembic import op
from sqlalchemy import text

from shared.row_security import policies

revision = "archive_0016"
down_revision = "archive_0015"
begins_anew = True

_INDEXES = {
    "listed": "(organisation, id)",
    "subject": "(organisation, subject, id)",
    "correlation": "(organisation, correlation_id, id)",
    "type": "(organisation, event_type, id)",
    "time": '(organisation, "time", id)',
    "not_authentic": "(id) WHERE NOT authentic",
}
_IN_A_MONTH = 10_000_000_000
_MONTHS = text(
    "SELECT to_char(date_trunc('month', clock_timestamp() AT TIME ZONE 'UTC') + make_interval(months => n), 'YYYYMM')"
    " FROM generate_series(0, 3) AS n"
)


def upgrade() -> None:
    months = [int(month) for month in op.get_bind().execute(_MONTHS).scalars()]
    op.execute("ALTER TABLE journal RENAME TO journal_before")
    op.execute("ALTER TABLE journal_before RENAME CONSTRAINT journal_pkey TO journal_before_pkey")
    op.execute("ALTER TABLE journal_before ALTER id DROP IDENTITY")
    for name in _INDEXES:
        op.execute(f"ALTER INDEX journal_{name} RENAME TO journal_before_{name}")
    op.execute("CREATE TABLE journal (LIKE journal_before INCLUDING DEFAULTS) PARTITION BY RANGE (id)")
    op.execute("ALTER TABLE journal ALTER id ADD GENERATED ALWAYS AS IDENTITY (CACHE 1)")
    op.execute("ALTER TABLE journal ADD PRIMARY KEY (id)")
    for name, what in _INDEXES.items():
        op.execute(f"CREATE INDEX journal_{name} ON journal {what}")
    for statement in policies("journal"):
        op.execute(statement)
    op.execute(f"SELECT setval('journal_id_seq', {months[0] * _IN_A_MONTH})")
    op.execute(f"ALTER TABLE journal ATTACH PARTITION journal_before {_values('MINVALUE', months[0] * _IN_A_MONTH)}")
    op.execute("ALTER TABLE journal_before DROP CONSTRAINT before_months")
    for month, following in pairwise(months):
        _add(f"journal_{month}", _values(month * _IN_A_MONTH, following * _IN_A_MONTH))
    _add("journal_other", "DEFAULT")


def _values(first: int | str, end: int) -> str:
    return f"FOR VALUES FROM ({first}) TO ({end})"


def _add(name: str, bound: str) -> None:
    op.execute(f"CREATE TABLE {name} PARTITION OF journal {bound}")
    for statement in policies(name):
        op.execute(statement)
