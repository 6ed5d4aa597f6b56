"""Behind PgBouncer by session, as overlays/production has it: it lets us in, and each session has our settings."""

import shutil
import socket
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.engine import make_url

from services.embedded.children import Child, account_for
from shared.database import Database
from shared.migrations import migrate
from tests.support.parts import missing
from tests.support.postgres import Postgres
from tests.support.processes import free_ports

# One connection to the server for all that come: what one leaves behind, the next would find.
_CONFIGURATION = """\
[databases]
* = {server}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = any
pool_mode = session
default_pool_size = 1
"""


@pytest.fixture
async def pooled(postgres: Postgres, tmp_path: Path) -> AsyncIterator[str]:
    """A fresh database's SQLAlchemy URL that leads through a PgBouncer of this test's own."""
    program = shutil.which("pgbouncer") or shutil.which("pgbouncer", path="/usr/sbin")
    if program is None:
        missing("pgbouncer", "no pgbouncer is installed")
    url = make_url(await postgres.create_database())
    parts = {"host": url.host or url.query["host"], "port": url.port, "user": url.username, "password": url.password}
    (port,) = free_ports(1)
    folder = tmp_path / "pgbouncer"
    folder.mkdir()
    configuration = folder / "pgbouncer.ini"
    server = " ".join(f"{name}={value}" for name, value in parts.items() if value)
    configuration.write_text(_CONFIGURATION.format(server=server, port=port))
    child = Child.spawn(
        "PgBouncer",
        [program, configuration],
        log_file=tmp_path / "pgbouncer.log",
        folder=folder,
        account=account_for(folder, Path(program).parent),
    )
    await child.wait_until(lambda: _listens(port), seconds=30)
    yield url.set(host="127.0.0.1", port=port, query={}).render_as_string(hide_password=False)
    await child.stop()


@pytest.mark.postgres
async def test_we_work_behind_a_pooler(pooled: str) -> None:
    for _ in range(2):
        database = Database(pooled, pool_size=1)
        await migrate(database.engine, "signing")
        async with database.single() as connection:
            for name, value in {
                "jit": "off",
                "enable_seqscan": "off",
                "plan_cache_mode": "force_generic_plan",
                "idle_in_transaction_session_timeout": "1min",
            }.items():
                shown = await connection.execute(text(f"SHOW {name}"))
                assert shown.scalar_one() == value, name
        await database.close()


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
