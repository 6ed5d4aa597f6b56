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
from shared.names import SERVICES
from tests.support.parts import Kind, PartMissing, docker_answers, embedded_forced
from tests.support.processes import run


@dataclass
class Postgres:
    """The session's server, by an administrator's SQLAlchemy URL."""

    admin_url: URL
    kind: Kind
    created: list[str] = field(default_factory=list)

    async def create_database(self) -> str:
        """A fresh, empty database for this test; its SQLAlchemy URL. It is dropped after the test."""
        return self._url(await self._create(f"test_{uuid.uuid4().hex}"))

    async def create_service_databases(self) -> str:
        """One for each service; their SQLAlchemy URL with `{service}` in it, as the configuration takes it."""
        prefix = f"test_{uuid.uuid4().hex}_"
        for service in SERVICES:
            await self._create(f"{prefix}{service}")
        return self._url(prefix).replace(prefix, f"{prefix}{{service}}")

    async def drop_databases(self, kept: int = 0) -> None:
        """Drop what was created, the first `kept` apart, whoever is still connected."""
        while len(self.created) > kept:
            await self._execute(f'DROP DATABASE IF EXISTS "{self.created.pop()}" WITH (FORCE)')

    async def _create(self, name: str) -> str:
        await self._execute(f'CREATE DATABASE "{name}"')
        self.created.append(name)
        return name

    def _url(self, database: str) -> str:
        return self.admin_url.set(database=database).render_as_string(hide_password=False)

    async def _execute(self, statement: str) -> None:
        plain = self.admin_url.set(drivername="postgresql")
        connection = await asyncpg.connect(plain.render_as_string(hide_password=False))
        try:
            await connection.execute(statement)
        finally:
            await connection.close()


@contextmanager
def find_postgres(folder: Path) -> Iterator[Postgres]:
    """The first that is there; servers started here end with the block and keep their files in `folder`."""
    with ExitStack() as stack:
        if embedded_forced():
            yield stack.enter_context(_served(folder, None, "embedded"))
            return
        if url := os.environ.get("JUSTERA_TEST_POSTGRES"):
            found = Postgres(make_url(url).set(drivername="postgresql+asyncpg"), "environment")
            stack.callback(lambda: run(found.drop_databases()))
            yield found
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

    container = PostgresContainer(os.environ.get("JUSTERA_TEST_POSTGRES_IMAGE", "postgres:18-alpine"))
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
    server = EmbeddedPostgres(folder / "postgres", folder / "postgres.log", durable=False, binaries=binaries)
    run(server.start())
    try:
        yield Postgres(make_url(server.url("postgres")), kind)
    finally:
        run(server.stop())
