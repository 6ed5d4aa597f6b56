"""Whether SQL statements keep to one organisation: what is sent to PostgreSQL, as it is sent."""

import re
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import event
from sqlalchemy.engine import Connection, Engine

_NO_ALIAS = r"(?!(?:WHERE|SET|ON|JOIN|LEFT|ORDER|FOR|LIMIT|VALUES|FROM)\b)"
_NAME = rf"(?:ONLY\s+)?(\w+)(?:\s+(?:AS\s+)?{_NO_ALIAS}(\w+))?"
# After one of these words stand a table and the name that it has in the statement; more, after commas.
_SOURCES = re.compile(
    rf"\b(?:FROM|JOIN|(?<!FOR )(?<!DO )UPDATE|USING)\s+{_NAME}((?:\s*,\s*\w+(?:\s+AS\s+\w+)?)*)", re.I
)
_INSERT = re.compile(r"\bINSERT INTO\s+(\w+)(?:\s+AS\s+\w+)?\s*\(([^)]*)\)", re.I)
# The organisation is a parameter, or one of a list of them.
_GIVEN = re.compile(r"organisation\s*=\s*\$\d|\bunnest\s*\(|organisation\s*=\s*ANY", re.I)


@dataclass(frozen=True, slots=True)
class Query:
    sql: str
    parameters: Any

    def mentions(self, value: str) -> bool:
        return any(value == given or (isinstance(given, list) and value in given) for given in _flat(self.parameters))


def unscoped(sql: str, tables: Collection[str]) -> list[str]:
    """Which of the tables `sql` reads or changes without its `organisation` being compared (or, in an INSERT, given).

    A table that stands in a statement twice needs two comparisons. What is joined needs a comparison with something
    that is itself given: `a.organisation = b.organisation` alone scopes neither.
    """
    flat = " ".join(sql.split())
    inserted = [(table, columns) for table, columns in _INSERT.findall(flat) if table in tables]
    bad = [table for table, columns in inserted if not re.search(r"\borganisation\b", columns)]
    sources = [(table, alias) for table, alias in _sources(flat) if table in tables]
    for table, alias in sources:
        name = alias or table
        alone = len({alias or table for table, alias in sources}) == 1
        prefix = rf"(?:\b{name}\.)?" if alone else rf"\b{name}\."
        column = rf"{prefix}\borganisation\b"
        compared = re.findall(
            rf"{column}\s*=(?!\s*excluded)|=\s*{prefix}organisation\b|\({column}[^()]*\)\s*(?:IN|=)", flat, re.I
        )
        if len(compared) < sum((alias or table) == name for table, alias in sources) or not _GIVEN.search(flat):
            bad.append(table)
    return bad


@contextmanager
def observed(engine: Engine, seen: list[Query]) -> Iterator[None]:
    """Adds what is executed on the engine meanwhile."""

    def note(_: Connection, __: Any, statement: str, parameters: Any, *___: Any) -> None:
        seen.append(Query(statement, parameters))

    event.listen(engine, "before_cursor_execute", note)
    try:
        yield
    finally:
        event.remove(engine, "before_cursor_execute", note)


def _sources(sql: str) -> Iterator[tuple[str, str]]:
    for table, alias, more in _SOURCES.findall(sql):
        yield table, alias
        for one in filter(None, (part.strip() for part in more.split(","))):
            name, _, given = one.partition(" AS ")
            yield name.strip(), given.strip()


def _flat(parameters: Any) -> Iterator[Any]:
    """The values of one set of parameters, or of many."""
    values = parameters.values() if isinstance(parameters, dict) else parameters or ()
    for one in values:
        if isinstance(one, (tuple, dict)):
            yield from _flat(one)
        else:
            yield one
