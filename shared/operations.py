"""The routes by which operators look after any service: its state, its dead letters, republishing its events."""

import base64
from dataclasses import asdict
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Path, Query
from pydantic import AwareDatetime, BaseModel, ConfigDict

from shared import migrations
from shared.auth import Role, public, requires
from shared.errors import NotFound
from shared.events import topics
from shared.events.envelope import readable_attributes
from shared.logging import get_logger
from shared.messaging import dead_letters, outbox
from shared.messaging.dead_letters import DeadLetter
from shared.messaging.gate import Gate
from shared.metrics import include_metrics
from shared.routes import LazyRoute, include
from shared.service import Service

log = get_logger(__name__)

_LARGEST_ID = 2**63 - 1  # PostgreSQL's bigint
LetterId = Annotated[int, Path(ge=1, le=_LARGEST_ID)]
_READERS = (Role.OPERATOR, Role.AUDITOR)


class ServiceState(BaseModel):
    """`oldest_unpublished` is seconds; `lag` is messages by consumer group, null while a group is not joined; `unread`
    is what came in and nobody could read."""

    service: str
    schema_current: bool
    unpublished: int
    oldest_unpublished: float
    lag: dict[str, int | None]
    dead_letters: int
    pending: int
    unread: int = 0


class DeadLetterView(BaseModel):
    """`reason` is empty for a message that only waits behind a failed one of its key. One that is not `authentic` was
    not signed by the service that writes its topic: nobody read it, and nothing waits behind it."""

    id: int
    consumer: str
    topic: str
    partition: int
    position: int
    key: str
    event_id: str | None
    event_type: str | None
    reason: str | None
    authentic: bool = True
    created_at: datetime
    attributes: dict[str, str] = {}
    body: str | None = None


class Republish(BaseModel):
    model_config = ConfigDict(extra="forbid")

    since: AwareDatetime
    topic: str | None = None


class ErasureView(BaseModel):
    """An organisation that is erased here: `told_at`, when that was decided; `ended_at`, when nothing of it was left;
    `rows` by table, and documents, that were erased so far; `late`: its events that came after, and were dropped."""

    organisation: str
    told_at: datetime
    ended_at: datetime | None
    rows: dict[str, int]
    late: int


class HoldingView(BaseModel):
    """How many rows of an organisation a service has."""

    organisation: str
    rows: int


class Outcome(BaseModel):
    """How many messages were handled, or events are to be published again."""

    count: int


def include_operations(service: Service) -> None:
    """Add the routes under `/operations`, and `/metrics`."""
    include(service.app, _router(service))
    include_metrics(service)


def _router(service: Service) -> APIRouter:
    router = APIRouter(prefix="/operations", tags=["operations"], route_class=LazyRoute)
    # Dead letters and outboxes hold whatever the service handles: they are for those who run this installation.
    reader = requires(*_READERS, organisation=service.organisation)
    operator = requires(Role.OPERATOR, organisation=service.organisation)

    @router.get("/name", dependencies=[public("tells only which service this is")])
    async def name() -> dict[str, str]:
        """Which service answers here."""
        return {"service": service.name}

    @router.get("/state", dependencies=[reader])
    async def state() -> ServiceState:
        """Outbox, lag, dead letters, schema: what `justera doctor` shows."""
        return await state_of(service)

    @router.get("/dead-letters", dependencies=[reader])
    async def list_dead_letters(
        after: Annotated[int, Query(ge=0, le=_LARGEST_ID)] = 0, limit: Annotated[int, Query(ge=1, le=500)] = 100
    ) -> list[DeadLetterView]:
        """Messages that could not be handled, and those that wait behind them, oldest first."""
        async with service.database.transaction() as connection:
            return [_summary(letter) for letter in await dead_letters.listing(connection, after=after, most=limit)]

    @router.get("/dead-letters/{letter_id}", dependencies=[reader])
    async def show_dead_letter(letter_id: LetterId) -> DeadLetterView:
        """One message with its attributes and body as Kafka brought them."""
        async with service.database.transaction() as connection:
            return _whole(await dead_letters.get(connection, letter_id))

    @router.post("/dead-letters/{letter_id}/retry", dependencies=[operator])
    async def retry_dead_letter(letter_id: LetterId) -> Outcome:
        """Handle what waits at the message's key, in order, until one fails again."""
        gate = await _gate_of(service, letter_id)
        return Outcome(count=await gate.retry(letter_id))

    @router.post("/dead-letters/{letter_id}/drop", dependencies=[operator])
    async def drop_dead_letter(letter_id: LetterId) -> Outcome:
        """Give the message up, and handle what waited behind it."""
        gate = await _gate_of(service, letter_id)
        return Outcome(count=await gate.drop(letter_id))

    @router.post("/republish", dependencies=[operator])
    async def republish(request: Republish) -> Outcome:
        """Publish again what this service published since a time: into a rebuilt topic, say. Consumers drop seconds."""
        if request.topic is not None and request.topic not in topics.ALL:
            raise NotFound(f"there is no topic {request.topic[:80]}", hint=f"topics: {', '.join(topics.ALL)}")
        async with service.database.transaction() as connection:
            count = await outbox.republish(connection, since=request.since, topic=request.topic)
        service.outbox_wakeup.set()
        log.warning("outbox.republishing", service=service.name, count=count)
        return Outcome(count=count)

    @router.get("/erasures", dependencies=[reader])
    async def list_erasures() -> list[ErasureView]:
        """The organisations that this service has erased, or is erasing, by their short names."""
        found = await service.eraser.erasures() if service.eraser is not None else []
        return [ErasureView(**asdict(one)) for one in found]

    @router.get("/holdings", dependencies=[reader])
    async def list_holdings() -> list[HoldingView]:
        """How many rows this service has of each organisation, by their short names. It counts them: ask seldom."""
        found = await service.eraser.held() if service.eraser is not None else {}
        return [HoldingView(organisation=organisation, rows=rows) for organisation, rows in found.items()]

    return router


async def state_of(service: Service) -> ServiceState:
    async with service.database.transaction() as connection:
        letters = await dead_letters.count(connection)
    outgoing = await service.outbox_state()
    return ServiceState(
        service=service.name,
        schema_current=await migrations.is_current(service.database.engine, service.name),
        unpublished=outgoing.unpublished,
        oldest_unpublished=outgoing.oldest,
        lag=await service.lag(),
        dead_letters=letters,
        pending=await service.pending(),
        unread=await service.unread(),
    )


async def _gate_of(service: Service, letter_id: int) -> Gate:
    async with service.database.transaction() as connection:
        letter = await dead_letters.get(connection, letter_id)
    for gate in service.gates:
        if gate.name == letter.consumer:
            return gate
    raise NotFound(f"no consumer {letter.consumer} runs in this service any more")


def _summary(letter: DeadLetter) -> DeadLetterView:
    return DeadLetterView(
        id=letter.id,
        consumer=letter.consumer,
        topic=letter.raw.topic,
        partition=letter.raw.partition,
        position=letter.raw.position,
        key=letter.raw.key,
        event_id=letter.event_id,
        event_type=letter.event_type,
        reason=letter.reason,
        authentic=letter.authentic,
        created_at=letter.created_at,
    )


def _whole(letter: DeadLetter) -> DeadLetterView:
    body = letter.raw.body
    return _summary(letter).model_copy(
        update={"attributes": readable_attributes(letter.raw.headers), "body": _readable(body)}
    )


def _readable(body: bytes | None) -> str | None:
    """As text, or, when it is not UTF-8, as base64 with a prefix that says so."""
    if body is None:
        return None
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError:
        return "base64:" + base64.b64encode(body).decode()
