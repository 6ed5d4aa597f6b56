"""What each service holds of an organisation, table by table: what goes along when all of it is exported, and why the
rest does not. Pure: a service's own list is its file `holdings.py`, and a test holds it against its tables.

See docs/decisions/0103-an-organisation-is-exported-as-a-package.md.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from sqlalchemy import MetaData, Table

from shared.messaging.tables import MessagingTable

OWNER = "organisation"  # the column

_LINKS = "mails as they were shown here: links in them open pages"
_SESSIONS = "who is logged in: cookies' and tokens' hashes"
# Of tables that services have in common. Those of messaging without `organisation` (outbox, inbox, dead letters) are on
# their way, or were: what they tell stands in the journal.
COMMON_EXPORTED = ("timer",)
COMMON_LEFT_OUT: Mapping[str, str] = {
    "kept_answer": "answers to requests, kept for some days in case these are sent again",
    "passed_session": _SESSIONS,
}
SECRET: Mapping[str, str] = {"inbox_mail": _LINKS, "login_session": _SESSIONS}


@dataclass(frozen=True)
class Holdings:
    """`exported`: the service's own tables that go along; `left_out`: those that do not, with why; `without`: columns
    of exported tables that do not, with why."""

    metadata: tuple[MetaData, ...]
    exported: tuple[str, ...]
    left_out: Mapping[str, str] = field(default_factory=dict)
    without: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    @property
    def tables(self) -> Mapping[str, Table]:
        """All that have rows of organisations, by name."""
        return {
            table.name: table
            for metadata in (MessagingTable.metadata, *self.metadata)
            for table in metadata.sorted_tables
            if OWNER in table.c
        }

    def taken(self) -> Iterable["Taken"]:
        """What goes along, by the tables' names."""
        tables = self.tables
        for name in sorted((*self.exported, *COMMON_EXPORTED)):
            without = self.without.get(name, {})
            yield Taken(tables[name], tuple(c.name for c in tables[name].c if c.name not in (OWNER, *without)))

    def said_left_out(self) -> dict[str, str]:
        """By table, or table and column: why it is not there."""
        whole = {**self.left_out, **{name: why for name, why in COMMON_LEFT_OUT.items() if name in self.tables}}
        columns = {f"{table}.{name}": why for table, these in self.without.items() for name, why in these.items()}
        return dict(sorted({**whole, **columns}.items()))


@dataclass(frozen=True, slots=True)
class Taken:
    """A table whose rows go along, with these columns of theirs."""

    table: Table
    columns: tuple[str, ...]

    @property
    def key(self) -> tuple[str, ...]:
        """By which the rows of one organisation are ordered; empty where there is one row at most."""
        return tuple(column.name for column in self.table.primary_key if column.name != OWNER)


def faults(holdings: Holdings) -> list[str]:
    """Tables that nobody has said anything of, or that are not there; in words."""
    there = set(holdings.tables)
    said = [*holdings.exported, *holdings.left_out, *COMMON_EXPORTED, *(there & set(COMMON_LEFT_OUT))]
    found = [f"{name} is neither exported nor left out" for name in sorted(there - set(said))]
    found += [f"{name} is no table with {OWNER}" for name in sorted(set(said) - there)]
    found += [f"{name} is said twice" for name in sorted({name for name in said if said.count(name) > 1})]
    for table, columns in holdings.without.items():
        if table not in holdings.exported:
            found.append(f"{table} is not exported, so no column of it is left out")
        elif strange := set(columns) - {column.name for column in holdings.tables[table].c if not column.primary_key}:
            found.append(f"{table} cannot be without {sorted(strange)}")
    return found
