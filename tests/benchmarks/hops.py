"""The hops of an agreement for systems that are no services of ours: the same steps and rows as the bare baseline's.

A hop is one message and what it causes: a transaction with the rows of its `Step`, and the hops that follow. Entries of
the journal, mails and the archive's jobs are hops, too. A peer's own tables (queues) come beside.
"""

import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import text

from tests.benchmarks.bare import CONSUMES, STEPS

_PADDING = "d" * 480
_EVENT = "a" * 900

SCHEMA = """
CREATE TABLE aggregate (
    service text, id text, version integer NOT NULL, state text NOT NULL, PRIMARY KEY (service, id)
);
CREATE TABLE fact (service text, aggregate text, n text, state text NOT NULL, PRIMARY KEY (service, aggregate, n));
CREATE TABLE mail (id text PRIMARY KEY, aggregate text NOT NULL, kind text NOT NULL, status text NOT NULL);
"""
ARCHIVED = "SELECT count(*) FROM aggregate WHERE service = 'archive'"
MAILS_SENT = "SELECT count(*) FROM mail WHERE status = 'sent'"

_ADD = text("INSERT INTO aggregate VALUES (:service, :id, 1, :state)")
_LOCK = text("SELECT version FROM aggregate WHERE service = :service AND id = :id FOR UPDATE")
_UPDATE = text("UPDATE aggregate SET version = version + 1 WHERE service = :service AND id = :id")
_FACT = text("INSERT INTO fact VALUES (:service, :aggregate, :n, :state)")
_MAIL = text("INSERT INTO mail VALUES (:id, :aggregate, :kind, 'waiting')")
_SENT = text("UPDATE mail SET status = 'sent' WHERE id = :id")

Statement = tuple[Any, Any]


@dataclass(frozen=True)
class Hop:
    """`kind`: an event or command of STEPS; `journal`, `mail` (of `mail`, which publishes `event`), `job`."""

    service: str
    kind: str
    aggregate: str
    mail: str = ""
    event: str = ""


def effect(hop: Hop) -> tuple[list[Statement], list[Hop]]:
    """What the hop's transaction executes, and the hops that follow it."""
    service, aggregate = hop.service, hop.aggregate
    if hop.kind == "journal":
        return [(_FACT, _fact(service, aggregate, _EVENT))], []
    if hop.kind == "mail":
        return [(_SENT, {"id": hop.mail})], list(_told("notifications", hop.event, aggregate))
    if hop.kind == "job":
        added = [(_ADD, {"service": service, "id": aggregate, "state": _PADDING})]
        return added, list(_told("archive", "archived", aggregate))
    step = STEPS[service][hop.kind]
    key = {"service": service, "id": aggregate}
    statements: list[Statement] = [(_ADD, {**key, "state": _PADDING})] if step.new else []
    if step.update:
        statements += [(_LOCK, key), (_UPDATE, key)]
    if step.facts:
        statements.append((_FACT, [_fact(service, aggregate, _PADDING) for _ in range(step.facts)]))
    mails = [Hop("notifications", "mail", aggregate, mail=str(uuid.uuid4()), event=event) for event in step.mails]
    if mails:
        rows = [{"id": mail.mail, "aggregate": aggregate, "kind": mail.event} for mail in mails]
        statements.append((_MAIL, rows))
    commands = [Hop(service, command, aggregate) for command in step.commands]
    jobs = [Hop(service, "job", aggregate)] if step.job else []
    events = [hop for event in step.publishes for hop in _told(service, event, aggregate)]
    return statements, [*events, *commands, *mails, *jobs]


def first(count: int) -> Sequence[Hop]:
    return [Hop("meetings", "schedule", str(uuid.uuid4())) for _ in range(count)]


def _told(topic: str, event: str, aggregate: str) -> Iterator[Hop]:
    """An event goes to the journal, and to whoever consumes its topic and does something about it."""
    yield Hop("archive", "journal", aggregate)
    for service, topics in CONSUMES.items():
        if topic in topics and event in STEPS[service]:
            yield Hop(service, event, aggregate)


def _fact(service: str, aggregate: str, state: str) -> dict[str, str]:
    return {"service": service, "aggregate": aggregate, "n": str(uuid.uuid4()), "state": state}
