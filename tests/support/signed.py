"""Messages as their writer would have signed and sent them."""

from dataclasses import replace

from aiokafka import AIOKafkaProducer

from shared.events import topics
from shared.messaging.message import RawMessage
from shared.messaging.signatures import Signer, Verifier, parse_event_keys
from shared.settings import Settings


def as_signed(raw: RawMessage, settings: Settings) -> RawMessage:
    """With a header for each reader of its topic, under the keys of `settings`."""
    signer = parse_event_keys(settings.secret("event_keys")).signer(topics.WRITERS[raw.topic])
    return _sent(raw, signer)


def signed_for(verifier: Verifier, raw: RawMessage) -> RawMessage:
    """With the header that this one reader looks for."""
    signer = Signer(dict.fromkeys(topics.READERS[raw.topic], verifier.rings[topics.WRITERS[raw.topic]]))
    return _sent(raw, signer)


def _sent(raw: RawMessage, signer: Signer) -> RawMessage:
    headers, body = signer.outgoing(raw.topic, raw.key.encode(), raw.headers, raw.body or b"")
    return replace(raw, headers=tuple(headers), body=body)


async def send(bootstrap: str, *messages: RawMessage) -> None:
    """As they are: what is to be believed was signed before."""
    async with AIOKafkaProducer(bootstrap_servers=bootstrap, acks="all") as producer:
        for raw in messages:
            await producer.send_and_wait(raw.topic, raw.body, key=raw.key.encode(), headers=list(raw.headers))
