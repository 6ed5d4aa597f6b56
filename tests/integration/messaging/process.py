"""A relay or a consumer as an operating-system process that can be killed, or kills itself at the worst moment."""

import asyncio
import os
import signal
import sys
from functools import partial
from typing import Any

from shared.database import Database
from shared.events import MeetingCancelled
from shared.messaging import outbox
from shared.messaging.broker import KafkaSettings
from shared.messaging.consumer import EventConsumer
from tests.integration.messaging.ledger import SESSION_MS, Ledger
from tests.support.parts import REPOSITORY


async def start(role: str, url: str, kafka: KafkaSettings) -> asyncio.subprocess.Process:
    """`role`: relay, consumer, relay-dies-before-mark, consumer-dies-before-commit. Returns when it is up."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", __name__, role, url, kafka.bootstrap, MeetingCancelled.topic,
        cwd=REPOSITORY, stdout=asyncio.subprocess.PIPE, env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
    )  # fmt: skip
    assert process.stdout is not None
    async with asyncio.timeout(30):
        assert await process.stdout.readline() == b"up\n"
    return process


async def _die(*_: Any) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


async def _die_when_marking(unpublished: Any, *arguments: Any, published: Any, **more: Any) -> Any:
    return await (_die() if published else unpublished(*arguments, **more))


async def _main(role: str, url: str, bootstrap: str, topic: str) -> None:
    MeetingCancelled.topic = topic
    kafka = KafkaSettings(bootstrap, session_timeout_ms=SESSION_MS)
    ledger = Ledger(Database(url))
    if role == "relay-dies-before-mark":
        outbox.unpublished = partial(_die_when_marking, outbox.unpublished)
    if role == "consumer-dies-before-commit":
        EventConsumer._commit = _die  # type: ignore[method-assign]
    relay = ledger.relay(kafka)
    consumer = ledger.consumer(kafka, max_records=20)
    stopped = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopped.set)
    print("up", flush=True)
    if role.startswith("relay"):
        relay.start()
        await stopped.wait()
        await relay.stop()
    else:
        await consumer.start()
        await stopped.wait()
        await consumer.stop()


if __name__ == "__main__":
    asyncio.run(_main(*sys.argv[1:]))
