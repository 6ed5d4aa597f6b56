"""A service that starts while its database is away waits for it, and begins no work on another version's schema."""

from pathlib import Path

import asyncpg
import pytest

from tests.support.cluster import Cluster
from tests.support.kafka import Kafka
from tests.support.postgres_server import RealPostgres
from tests.support.processes import until


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.postgres
async def test_a_service_waits_for_its_database_and_for_its_schema(
    tmp_path: Path, kafka: Kafka, real_postgres: RealPostgres
) -> None:
    url = await real_postgres.server.create_service_databases()
    async with Cluster(tmp_path / "cluster", kafka=kafka.bootstrap, database_url=url) as cluster:

        async def start_without_database() -> None:
            cluster.kill("signing")
            real_postgres.kill()
            await cluster.start("signing", ready=False)
            await until(answers, what="an answer without a database")
            await real_postgres.start()

        async def answers() -> bool | None:
            return await cluster.answers("signing") or None

        await start_without_database()
        await cluster.wait_ready("signing")

        signing = await asyncpg.connect(url.format(service="signing").replace("+asyncpg", ""))
        await signing.execute("DELETE FROM alembic_version")
        await signing.close()
        before = cluster.log("signing")
        await start_without_database()
        (instance,) = (one for one in cluster.instances if one.service == "signing")
        assert instance.child is not None
        assert await instance.child.wait() != 0
        said = cluster.log("signing").removeprefix(before)
        assert "not at this version's schema" in said
        assert "worker.failed" not in said
        assert "Traceback" not in said
