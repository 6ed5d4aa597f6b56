"""faststream-outbox: each hop is a row of its table, added in the transaction of the hop before and handled in place.

As it is fastest: all in one database, without Kafka; workers and fetches as wide as our own batches and command loops.
`python -m tests.benchmarks.outbox_peer SERVICE DATABASE_URL` runs one of the four processes.
"""

import asyncio
import logging
import sys
from collections.abc import Sequence
from dataclasses import asdict

from faststream_outbox import OutboxBroker, make_outbox_table
from sqlalchemy import MetaData
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from tests.benchmarks.hops import Hop, effect

metadata = MetaData()
outbox = make_outbox_table(metadata, table_name="outbox")


async def send(broker: OutboxBroker, connection: AsyncConnection, hops: Sequence[Hop]) -> None:
    by_queue: dict[str, list[dict[str, str]]] = {}
    for hop in hops:
        by_queue.setdefault(hop.service, []).append(asdict(hop))
    for queue, bodies in by_queue.items():
        await broker.publish_batch(*bodies, queue=queue, session=connection)


def broker_on(engine: AsyncEngine) -> OutboxBroker:
    return OutboxBroker(engine, outbox_table=outbox, logger=None, log_level=logging.CRITICAL)


async def _serve(service: str, url: str) -> None:
    # A worker holds one connection and its handler another, and PostgreSQL takes 100 from the four processes: with
    # more workers some are refused and tried again, at a tenth of the speed.
    engine = create_async_engine(url, pool_size=20, max_overflow=0)
    broker = broker_on(engine)

    @broker.subscriber(
        service, max_workers=8, fetch_batch_size=100, min_fetch_interval=0.01, terminal_flush_batch_size=50
    )
    async def handle(given: dict[str, str]) -> None:
        statements, following = effect(Hop(**given))
        async with engine.begin() as connection:
            for statement, parameters in statements:
                await connection.execute(statement, parameters)
            await send(broker, connection, following)

    await broker.start()
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(_serve(*sys.argv[1:]))
