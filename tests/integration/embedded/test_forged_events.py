"""A local user reaches the embedded broker: they read no address there, and what they publish is not believed."""

import json

from aiokafka import AIOKafkaConsumer

from services.embedded.replay import replaying
from services.embedded.scenario import load_scenario
from shared.events import AgreementCompleted, ProtocolArchived, SignatureRequested, event_type, topics
from shared.ids import new_id
from shared.messaging import dead_letters
from shared.messaging.message import RawMessage, from_record
from shared.messaging.signatures import parse_event_keys
from tests.support.parts import REPOSITORY
from tests.support.processes import until
from tests.support.signed import send

MALLORY = "mallory@evil.example"
SCENARIO = REPOSITORY / "tests/scenarios/seed_history_sv/scenario.yaml"


async def everything(bootstrap: str) -> list[RawMessage]:
    consumer = AIOKafkaConsumer(*topics.ALL, bootstrap_servers=bootstrap, auto_offset_reset="earliest")
    await consumer.start()
    found: list[RawMessage] = []
    try:
        while batches := await consumer.getmany(timeout_ms=1000):
            found += [from_record(record) for records in batches.values() for record in records]
    finally:
        await consumer.stop()
    return found


def forged(raw: RawMessage) -> RawMessage:
    """The same event once more, under an id of its own, with the attacker's address in it."""
    body = json.loads(raw.body or b"")
    for person in [body, *body.get("recipients", [])]:
        person["email"] = MALLORY
    headers = tuple((name, new_id().encode() if name == "ce_id" else value) for name, value in raw.headers)
    return RawMessage(raw.topic, 0, 0, raw.key, headers, json.dumps(body).encode())


async def test_who_reaches_the_embedded_broker_is_not_believed() -> None:
    async with replaying(load_scenario(SCENARIO)) as replay:
        await replay.run()
        system = replay.system
        wanted = {event_type(event).encode() for event in (SignatureRequested, AgreementCompleted, ProtocolArchived)}
        seen = await everything(system.settings.kafka)
        assert not [raw for raw in seen if b"norrdalen.example" in (raw.body or b"") + repr(raw.headers).encode()]
        # As if they had guessed what stands in them.
        archive_reads = parse_event_keys(system.settings.secret("event_keys")).verifier("archive")
        copied = [raw for raw in map(archive_reads.incoming, seen) if dict(raw.headers)["ce_type"] in wanted]
        assert len(copied) >= 6
        await send(system.settings.kafka, *map(forged, copied))
        notifications, archive = system.services["notifications"], system.services["archive"]

        async def refused() -> bool | None:
            async with notifications.database.transaction() as connection:
                letters = await dead_letters.listing(connection)
            by_us = [letter for letter in letters if not letter.authentic]
            return len(by_us) == len(copied) or None

        await until(refused, what="refused messages")
        mailed = await notifications.commands.deliveries(system.settings.organisation, most=1000)
        assert MALLORY not in {one.recipient for one in mailed}
        assert await archive.commands.queries.count_waiting() == 0
