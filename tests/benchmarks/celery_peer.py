"""A Celery chain on Redis: each hop is a task, which commits its rows and then sends the tasks that follow.

With what Celery offers to keep a hop: late acknowledgement, and a Redis that syncs each write. There is no outbox and
no inbox: a worker that dies between commit and sending loses what follows, or does a hop twice.
"""

import os
from dataclasses import asdict

from celery import Celery
from kombu import Queue
from sqlalchemy import create_engine

from tests.benchmarks.hops import Hop, effect

app = Celery("peer", broker=os.environ["PEER_REDIS"])
app.conf.update(
    task_acks_late=True,
    task_reject_on_worker_lost=True,
    task_ignore_result=True,
    task_queues=[Queue(name) for name in ("meetings", "signing", "notifications", "archive")],
    task_create_missing_queues=False,
    worker_hijack_root_logger=False,
    broker_connection_retry_on_startup=True,
)
_engine = create_engine(os.environ["PEER_DATABASE"], pool_size=4)


def send(hop: Hop) -> None:
    run_hop.apply_async((asdict(hop),), queue=hop.service)


@app.task(name="hop")
def run_hop(given: dict[str, str]) -> None:
    statements, following = effect(Hop(**given))
    with _engine.begin() as connection:
        for statement, parameters in statements:
            connection.execute(statement, parameters)
    for hop in following:
        send(hop)
