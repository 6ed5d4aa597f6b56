"""What stands before a consumer: only messages that their writer signed come through.

A message that nobody signed for us becomes a dead letter of its own kind, which no other waits behind: else whoever
reaches Kafka could hold up an agreement by a forged message under its key. So does one that was signed so long ago that
the inbox may have forgotten it (`shared.messaging.freshness`): a retry lets it through.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from prometheus_client import Counter

from shared.database import Database
from shared.logging import get_logger
from shared.messaging import dead_letters
from shared.messaging.freshness import Freshness
from shared.messaging.inbound import Inbound
from shared.messaging.message import RawMessage
from shared.messaging.signatures import NotAuthentic, Verifier

log = get_logger(__name__)

EVENTS_REFUSED = Counter("justera_events_refused", "Messages that nobody signed for us", ["consumer"])
EVENTS_LATE = Counter("justera_events_late", "Messages that were signed too long ago to be believed", ["consumer"])

# Each is kept once, this many in all and this much of each: a flood is counted by the metric, and does not fill the
# database. What was cut and is true all the same comes again by `justera republish`.
MOST_KEPT = 1000
KEPT_BYTES = 64 * 1024
CUT = "cut"  # a header in place of the rest, with the size in bytes


class Gate:
    """Before one consumer, whose name and topics it takes on."""

    def __init__(self, behind: Inbound[Any], database: Database, verifier: Verifier, freshness: Freshness) -> None:
        self.name = behind.name
        self.topics = behind.topics
        self.behind = behind
        self._database = database
        self._verifier = verifier
        self._freshness = freshness
        for counter in (EVENTS_REFUSED, EVENTS_LATE):
            counter.labels(self.name)  # from 0 on: a rate does not see the first of a new series

    async def handle(self, batch: Sequence[RawMessage]) -> None:
        """Handle what is authentic and fresh, keep the rest apart. Raises only what may succeed later."""
        believed: list[RawMessage] = []
        forged: list[tuple[RawMessage, str]] = []
        late: list[tuple[RawMessage, str]] = []
        for raw in batch:
            try:
                authentic = self._verifier.incoming(raw)
            except NotAuthentic as error:
                forged.append((kept_part(raw), str(error)))
                continue
            if (reason := self._freshness.refusal(raw)) is not None:
                late.append((raw, reason))
            else:
                believed.append(authentic)
        for refused, counter in ((forged, EVENTS_REFUSED), (late, EVENTS_LATE)):
            if refused:
                await self._keep_apart(refused, counter)
        await self.behind.handle(believed)

    async def _keep_apart(self, refused: Sequence[tuple[RawMessage, str]], counter: Counter) -> None:
        async with self._database.transaction() as connection:
            room = MOST_KEPT - await dead_letters.count_refused(connection, self.name)
            for raw, reason in refused[: max(0, room)]:
                await dead_letters.park(connection, self.name, raw, reason, authentic=False)
        counter.labels(self.name).inc(len(refused))
        first, reason = refused[0]
        log.warning("event.refused", consumer=self.name, count=len(refused), topic=first.topic, reason=reason)

    async def retry(self, letter_id: int) -> int:
        """As `Inbound.retry`; a refused message is looked at again, with the keys of today. Whoever retries one that
        came late has looked at it: it is handled, unless the inbox knows it. Raises NotFound."""
        async with self._database.transaction() as connection:
            letter = await dead_letters.get(connection, letter_id)
        if letter.authentic:
            return await self.behind.retry(letter_id)
        try:
            raw = self._verifier.incoming(letter.raw)
        except NotAuthentic as error:
            async with self._database.transaction() as connection:
                await dead_letters.fail(connection, letter_id, str(error))
            return 0
        # Handled first: killed in between, it comes again, and the inbox knows it.
        await self.behind.handle([raw])
        await self._remove(letter_id)
        return 1

    async def drop(self, letter_id: int) -> int:
        """As `Inbound.drop`; nothing waits behind a refused message. Raises NotFound."""
        async with self._database.transaction() as connection:
            letter = await dead_letters.get(connection, letter_id)
        if letter.authentic:
            return await self.behind.drop(letter_id)
        await self._remove(letter_id)
        log.warning("dead_letter.dropped", consumer=self.name, dead_letter=letter_id)
        return 0

    async def _remove(self, letter_id: int) -> None:
        async with self._database.transaction() as connection:
            await dead_letters.remove(connection, [letter_id])


def kept_part(raw: RawMessage) -> RawMessage:
    """What is kept of a message that nobody signed: no more than `KEPT_BYTES` of its body, its headers and its key."""
    size = len(raw.body or b"")
    in_headers = sum(len(name) + len(value) for name, value in raw.headers)
    headers = raw.headers if in_headers <= KEPT_BYTES else ()
    if size <= KEPT_BYTES and headers is raw.headers:
        return raw
    # The fingerprint of the whole: of two that begin alike both are kept.
    whole = ((CUT, f"{size} {raw.fingerprint}".encode()),)
    return replace(raw, headers=headers + whole, body=(raw.body or b"")[:KEPT_BYTES])
