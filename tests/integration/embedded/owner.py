"""A process that owns the embedded servers, for the tests to kill: `python -m … FOLDER`.

Prints `PID-of-PostgreSQL PID-of-broker URL` once all is up, then waits.
"""

import asyncio
import sys
from pathlib import Path

from services.embedded.broker import EmbeddedBroker
from services.embedded.postgres import EmbeddedPostgres
from shared.logging import configure_logging


async def own(folder: Path) -> None:
    async with (
        EmbeddedPostgres(folder / "postgres", folder / "postgres.log") as postgres,
        EmbeddedBroker(folder / "broker", folder / "broker.log") as broker,
    ):
        url = await postgres.ensure_database("kept")
        print(postgres.pid, broker.pid, url, flush=True)
        await asyncio.Event().wait()


if __name__ == "__main__":
    configure_logging(level="WARNING")
    asyncio.run(own(Path(sys.argv[1])))
