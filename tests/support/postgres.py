"""Where the tests' PostgreSQL comes from: the environment, Docker, this machine, else the embedded server."""

import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import asyncpg
from sqlalchemy.engine import URL, make_url

from services.embedded.postgres import EmbeddedPostgres
from shared.database import Database
from shared.migrations import migrate
from shared.names import SERVICES
from tests.support.memory import scratch_folder
from tests.support.parts import Kind, PartMissing, docker_answers, docker_forced, embedded_forced
from tests.support.processes import run

_OWNER = "justera_tests"  # of the databases that tests get
# For data that is thrown away, as `EmbeddedPostgres` does it.
_VOLATILE = "postgres -c fsync=off -c synchronous_commit=off -c full_page_writes=off"


@dataclass
class Postgres:
    """The session's server, by an administrator's SQLAlchemy URL."""

    admin_url: URL
    kind: Kind
    created: list[str] = field(default_factory=list)
    templates: dict[str, str] = field(default_factory=dict)
    has_owner: bool = False

    async def create_database(self, service: str | None = None) -> str:
        """A fresh database for this test, empty or with a service's tables; its SQLAlchemy URL. Dropped after the test.

        Migrations run once a session, into a template that the databases of tests are copied from.
        """
        template = await self._template(service) if service else "template1"
        # As files: half the work of the default, which writes each page to the log.
        return self._url(await self._create(f"test_{uuid.uuid4().hex}", template, "STRATEGY file_copy"))

    async def create_other_encoding(self) -> str:
        """A fresh database that is not in UTF-8."""
        options = "ENCODING 'SQL_ASCII' LOCALE_PROVIDER 'libc' LOCALE 'C'"
        return self._url(await self._create(f"test_{uuid.uuid4().hex}", "template0", options))

    async def create_service_databases(self, *, migrated: bool = False) -> str:
        """One for each service, empty or with its tables; their SQLAlchemy URL with `{service}` in it, as the
        configuration takes it."""
        prefix = f"test_{uuid.uuid4().hex}_"
        for service in SERVICES:
            template = await self._template(service) if migrated else "template1"
            await self._create(f"{prefix}{service}", template)
        return self._url(prefix).replace(prefix, f"{prefix}{{service}}")

    async def drop_databases(self, kept: int = 0) -> None:
        """Drop what was created, the first `kept` apart, whoever is still connected."""
        while len(self.created) > kept:
            await self._drop(self.created.pop())

    async def drop_everything(self) -> None:
        """At the session's end, on a server that lives on."""
        await self.drop_databases()
        while self.templates:
            await self._drop(self.templates.popitem()[1])

    async def _template(self, service: str) -> str:
        if service not in self.templates:
            name = f"template_{uuid.uuid4().hex}"
            await self._ensure_owner()
            await self._execute(f'CREATE DATABASE "{name}" OWNER {_OWNER}')
            self.templates[service] = name
            database = Database(self._url(name))
            await migrate(database.engine, service)
            await database.close()  # a database that someone is connected to cannot be copied
        return self.templates[service]

    async def _create(self, name: str, template: str = "template1", options: str = "") -> str:
        await self._ensure_owner()
        await self._execute(f'CREATE DATABASE "{name}" OWNER {_OWNER} TEMPLATE "{template}" {options}')
        self.created.append(name)
        return name

    async def _drop(self, name: str) -> None:
        await self._execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')

    async def _ensure_owner(self) -> None:
        """As in production: no superuser, whom policies would not bind."""
        if not self.has_owner:
            await self._execute(
                f"DO $$ BEGIN CREATE ROLE {_OWNER} LOGIN PASSWORD '{_OWNER}'; "
                "EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$"
            )
            await self._execute(f"GRANT SET ON PARAMETER deadlock_timeout TO {_OWNER}")  # for a test of deadlocks
            await self._execute(f"GRANT pg_checkpoint TO {_OWNER}")  # for benchmarks, between filling and measuring
            self.has_owner = True

    def _url(self, database: str) -> str:
        owned = self.admin_url.set(username=_OWNER, password=_OWNER, database=database)
        return owned.render_as_string(hide_password=False)

    async def _execute(self, statement: str) -> None:
        plain = self.admin_url.set(drivername="postgresql")
        connection = await asyncpg.connect(plain.render_as_string(hide_password=False))
        try:
            await connection.execute(statement)
        finally:
            await connection.close()


@contextmanager
def find_postgres(folder: Path) -> Iterator[Postgres]:
    """The first that is there; servers started here end with the block; their log stays in `folder`."""
    with ExitStack() as stack:
        if embedded_forced():
            yield stack.enter_context(_served(folder, None, "embedded"))
            return
        if url := os.environ.get("JUSTERA_TEST_POSTGRES"):
            found = Postgres(make_url(url).set(drivername="postgresql+asyncpg"), "environment")
            stack.callback(lambda: run(found.drop_everything()))
            yield found
            return
        if docker_forced():
            yield stack.enter_context(_docker(folder))
            return
        for source in (_docker, _machine):
            with suppress(PartMissing):
                found = stack.enter_context(source(folder))
                break
        else:
            found = stack.enter_context(_served(folder, None, "embedded"))
        yield found


def machine_binaries() -> Path:
    """The newest of this machine's own PostgreSQL programs. Raises PartMissing."""
    installed = sorted(
        Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3].split(".")[0])
    )
    in_path = shutil.which("initdb")
    found = installed[-1] if installed else Path(in_path).resolve() if in_path else None
    if found is None:
        raise PartMissing("no initdb in PATH or /usr/lib/postgresql")
    return found.parent


@contextmanager
def _docker(folder: Path) -> Iterator[Postgres]:
    if not docker_answers():
        raise PartMissing("no Docker daemon answers")
    from testcontainers.community.postgres import PostgresContainer

    container = PostgresContainer(os.environ.get("JUSTERA_TEST_POSTGRES_IMAGE", "postgres:17")).with_command(_VOLATILE)
    try:
        container.start()
    except Exception as error:  # no image, no permission …: whatever Docker says, the machine's own is next
        with suppress(Exception):
            container.stop()
        raise PartMissing(f"Docker has no PostgreSQL: {error}") from error
    try:
        yield Postgres(make_url(container.get_connection_url(driver="asyncpg")), "docker")
    finally:
        container.stop()


@contextmanager
def _machine(folder: Path) -> Iterator[Postgres]:
    with _served(folder, machine_binaries(), "machine") as found:
        yield found


@contextmanager
def _served(folder: Path, binaries: Path | None, kind: Kind) -> Iterator[Postgres]:
    with scratch_folder(folder) as data:
        server = EmbeddedPostgres(data / "postgres", folder / "postgres.log", durable=False, binaries=binaries)
        run(server.start())
        try:
            yield Postgres(make_url(server.admin_url), kind)
        finally:
            run(server.stop())
