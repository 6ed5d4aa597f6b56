"""All that an installation holds of one organisation, as a package: a file of rows for each table, the documents, and a
manifest. It is written as it is read: memory holds some rows, a piece of a document, and the documents' hashes.

See docs/decisions/0103-an-organisation-is-exported-as-a-package.md.
"""

import importlib
import json
import os
import re
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.embedded.home import Home
from services.embedded.package import Package, packing
from services.embedded.postgres import url_where_it_runs
from shared.blobs import BlobStore, open_blobs
from shared.database import Database
from shared.database_refusals import refusal_of
from shared.errors import NotFound, Refused
from shared.holdings import Holdings, Taken
from shared.names import SERVICES
from shared.row_security import acting_for, is_name
from shared.settings import Settings, load_settings

FORMAT = "justera-organisation/1"
MANIFEST = "manifest.json"

_AT_ONCE = 100  # rows; one can be a megabyte
# A document that a row speaks of, as `BlobRef` is written; in a text that holds JSON, with its quotation marks escaped.
_SPOKEN_OF = re.compile(r"\{(?=[^{}]*\\?\"media_type\\?\")[^{}]*?\\?\"sha256\\?\": ?\\?\"([0-9a-f]{64})\\?\"", re.ASCII)
# The rows of all tables of a database at one moment. The documents are read while none of them is asked anything.
_AT_ONE_MOMENT = (
    "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY",
    "SET LOCAL idle_in_transaction_session_timeout = 0",
    "SET LOCAL timezone = 'UTC'",
)
_SCHEMA = text("SELECT version_num FROM alembic_version")
_ORGANISATION = text("SELECT row_to_json(o) FROM organisation AS o WHERE id = :organisation")

Observer = Callable[[str, int, int], None]
"""What is being written, how many more of it are, and how many there are in all: rows and documents."""


@dataclass
class Exported:
    """What went into the package. `missing` are documents that rows speak of and the store has not, `altered` those
    that are not what their hash says."""

    rows: int = 0
    blobs: int = 0
    missing: list[str] = field(default_factory=list)
    altered: list[str] = field(default_factory=list)


@dataclass
class _Source:
    service: str
    holdings: Holdings
    connection: AsyncConnection
    counts: Mapping[str, int]


def settings_of(data: Path) -> Settings:
    """Those of the environment; where it names no database, and `justera up` runs on this data folder, those of that.
    Raises BadConfiguration."""
    home = Home(data)
    url = url_where_it_runs(home.postgres, "justera_SERVICE")
    if "JUSTERA_DATABASE_URL" in os.environ or url is None:
        return load_settings()
    return load_settings(database_url=url.replace("SERVICE", "{service}"), blobs=f"file:{home.blobs}")


def holdings_of(service: str) -> Holdings:
    found: Holdings = importlib.import_module(f"services.{service}.holdings").HOLDINGS
    return found


async def export(settings: Settings, organisation: str, to: Path, observe: Observer) -> Exported:
    """Raises NotFound for an organisation of which nothing is there, Refused, InvalidInput, Unavailable."""
    if not is_name(organisation):
        raise NotFound(f"there is no organisation {organisation[:80]!r}")
    blobs = open_blobs(settings.blobs)
    with acting_for(organisation):
        async with AsyncExitStack() as stack:
            sources = [await stack.enter_async_context(_source(settings, name, organisation)) for name in SERVICES]
            known = (await sources[0].connection.execute(_ORGANISATION, {"organisation": organisation})).scalar()
            if known is not None and known["erased_at"] is not None:
                raise NotFound(f"{organisation} was erased", hint="a package of it was to be made before that")
            names = [name async for name in blobs.names(organisation)]
            total = sum(sum(source.counts.values()) for source in sources) + len(names)
            if not total and known is None:
                raise NotFound(
                    f"nothing of an organisation {organisation!r} is there", hint="`justera organisation list`"
                )
            with packing(to) as package:
                return await _Export(package, organisation, total, observe).run(sources, blobs, sorted(names), known)


@asynccontextmanager
async def _source(settings: Settings, service: str, organisation: str) -> AsyncIterator[_Source]:
    holdings = holdings_of(service)
    database = Database(settings.database_url_of(service), pool_size=1, application_name="justera-export")
    try:
        async with AsyncExitStack() as stack:
            try:
                connection = await stack.enter_async_context(database.transaction())
            except Exception as error:
                if refusal := refusal_of(error, service, database.engine.url):
                    raise refusal from error
                raise
            for statement in _AT_ONE_MOMENT:
                await connection.execute(text(statement))
            counts = {}
            for taken in holdings.taken():
                counting = text(f"SELECT count(*) FROM {taken.table.name} WHERE organisation = :organisation")  # noqa: S608
                found = await connection.execute(counting, {"organisation": organisation})
                counts[taken.table.name] = found.scalar_one()
            yield _Source(service, holdings, connection, counts)
    finally:
        await database.close()


class _Export:
    def __init__(self, package: Package, organisation: str, total: int, observe: Observer) -> None:
        self._package = package
        self._organisation = organisation
        self._total = total
        self._observe = observe
        self._spoken_of: set[str] = set()
        self._done = Exported()

    async def run(self, sources: list[_Source], blobs: BlobStore, names: list[str], known: Any) -> Exported:
        services = {source.service: await self._service(source) for source in sources}
        size = sum([await self._blob(blobs, name) for name in names])
        self._done.missing = sorted(self._spoken_of - set(names))
        manifest = {
            "format": FORMAT,
            "organisation": self._organisation,
            "register": known,
            "made_at": datetime.now(UTC).isoformat(timespec="seconds"),
            "release": version("justera"),
            "services": services,
            "blobs": {
                "count": self._done.blobs,
                "bytes": size,
                "missing": self._done.missing,
                "altered": self._done.altered,
            },
        }
        with self._package.entry(MANIFEST) as file:
            file.write(json.dumps(manifest, ensure_ascii=False, indent=2).encode() + b"\n")
        return self._done

    async def _service(self, source: _Source) -> dict[str, Any]:
        schema = (await source.connection.execute(_SCHEMA)).scalar_one()
        tables = {one.table.name: await self._table(source, one) for one in source.holdings.taken()}
        return {"schema": schema, "tables": tables, "left_out": source.holdings.said_left_out()}

    async def _table(self, source: _Source, taken: Taken) -> dict[str, Any]:
        """Raises Refused where the rows are not as many as were counted in the same moment: a bug of ours."""
        name, rows = taken.table.name, 0
        with self._package.entry(f"{source.service}/{name}.ndjson") as file:
            async for line in _lines(source.connection, taken, self._organisation):
                self._spoken_of.update(_SPOKEN_OF.findall(line))
                file.write(line.encode() + b"\n")
                rows += 1
                self._one_more(f"{source.service}: {name}")
        if rows != source.counts[name]:
            raise Refused(f"{source.service}: of {source.counts[name]} rows of {name}, {rows} were read")
        self._done.rows += rows
        return {"rows": rows, "bytes": file.size, "sha256": file.sha256}

    async def _blob(self, blobs: BlobStore, name: str) -> int:
        with self._package.entry(f"blobs/{name[:2]}/{name}") as file:
            async for piece in blobs.pieces(self._organisation, name):
                file.write(piece)
        if file.sha256 != name:
            self._done.altered.append(name)
        self._done.blobs += 1
        self._one_more("documents")
        return file.size

    def _one_more(self, what: str) -> None:
        self._observe(what, 1, self._total)


async def _lines(connection: AsyncConnection, taken: Taken, organisation: str) -> AsyncIterator[str]:
    """The rows as JSON, one a line, in the order of their key."""
    columns = ", ".join(f'"{name}"' for name in taken.columns)
    key = [f'"{name}"' for name in taken.key]
    order = f"ORDER BY {', '.join(key)} LIMIT {_AT_ONCE}" if key else ""
    last: tuple[Any, ...] = ()
    while True:
        after = f"AND ({', '.join(key)}) > ({', '.join(f':k{n}' for n in range(len(key)))})" if last else ""
        statement = text(
            f"WITH page AS MATERIALIZED (SELECT {columns} FROM {taken.table.name} "  # noqa: S608
            f"WHERE organisation = :organisation {after} {order}) "
            f"SELECT {', '.join([*key, 'row_to_json(page)::text AS line'])} FROM page {order}"
        )
        given = {f"k{n}": value for n, value in enumerate(last)}
        found = (await connection.execute(statement, {"organisation": organisation, **given})).all()
        for row in found:
            yield row.line
        if not key or len(found) < _AT_ONCE:
            return
        last = tuple(found[-1][:-1])
