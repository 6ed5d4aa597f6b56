"""Drives a signing service: people's commands, and facts as Kafka would bring them."""

import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select

from services.signing.commands import SigningCommands
from services.signing.queries import SigningQueries
from shared.blobs import BlobStore
from shared.clock import ManualClock
from shared.events import (
    BounceDetected,
    EmailSent,
    Envelope,
    Event,
    ProtocolArchived,
    ProtocolDrafted,
    ProtocolReleased,
    ProtocolUnlocked,
    ReplyLeftUnread,
    event_class,
    event_type,
)
from shared.events.envelope import kafka_headers
from shared.ids import new_id
from shared.messaging.message import RawMessage
from shared.messaging.tables import OUTBOX
from shared.service import Service
from tests.unit.signing.story import ADJUSTER, AGREEMENT_ID, CHAIR, SECRETARY, draft

ORGANISATION = "norrdalen"
MEETING = "meeting-1"
IP = "198.51.100.7"


def message(event: Event, at: datetime, *, key: str = AGREEMENT_ID, organisation: str = ORGANISATION) -> RawMessage:
    envelope = Envelope(
        id=new_id(),
        source=f"/services/{event.service}",
        type=event_type(event),
        subject=key,
        time=at,
        organisation=organisation,
        sequence=1,
        correlation_id=MEETING,
        key=key,
        data=event.to_json(),
    )
    headers = tuple(kafka_headers(envelope.attributes()))
    return RawMessage(event.topic, 0, 0, key, headers, envelope.data.encode())


def drafted(agreement_id: str = AGREEMENT_ID) -> ProtocolDrafted:
    return draft().model_copy(update={"agreement_id": agreement_id})


def unlocked(agreement_id: str = AGREEMENT_ID) -> ProtocolUnlocked:
    return ProtocolUnlocked(
        meeting_id=MEETING,
        agreement_id=agreement_id,
        document_name=draft().document_name,
        version=1,
        reason="§ 29 är fel",
        ip=IP,
    )


def released(agreement_id: str = AGREEMENT_ID) -> ProtocolReleased:
    return ProtocolReleased(
        meeting_id=MEETING, agreement_id=agreement_id, document_name=draft().document_name, version=1
    )


class Flow:
    def __init__(self, service: Service, clock: ManualClock, blobs: BlobStore) -> None:
        self.service = service
        self.clock = clock
        self.blobs = blobs
        self.commands: SigningCommands = service.commands
        self.queries: SigningQueries = service.commands.queries

    def tick(self, seconds: float = 1) -> datetime:
        self.clock.move_to(self.clock.now() + timedelta(seconds=seconds))
        return self.clock.now()

    async def bring(self, *messages: RawMessage) -> None:
        await self.service.gates[0].behind.handle(messages)

    async def draft(self) -> None:
        await self.bring(message(drafted(), self.tick(), key=MEETING))

    async def send_off(self) -> None:
        self.tick()
        await self.commands.send_off(ORGANISATION, AGREEMENT_ID)

    async def id(self, email: str) -> str:
        return await self.queries.request_id(ORGANISATION, AGREEMENT_ID, email)

    async def email_sent(self, email: str, purpose: str = "signature-request") -> EmailSent:
        return EmailSent(
            email_id=new_id(),
            agreement_id=AGREEMENT_ID,
            purpose=purpose,
            recipient=email,
            request_id=await self.id(email),
            request_version=1,
            message_id="<1@norrdalen.example>",
        )

    async def deliver(self, email: str, purpose: str = "signature-request") -> RawMessage:
        """The mail is taken by a mail server; returns the message that said so."""
        brought = message(await self.email_sent(email, purpose), self.tick())
        await self.bring(brought)
        return brought

    async def bounce(self, email: str) -> None:
        sent = await self.email_sent(email)
        fact = BounceDetected(
            **sent.model_dump(exclude={"message_id"}), status="5.1.1", diagnostic="550 unknown", permanent=True
        )
        await self.bring(message(fact, self.tick()))

    async def reply_left_unread(self, email: str, purpose: str = "signature-request") -> None:
        sent = await self.email_sent(email, purpose)
        await self.bring(message(ReplyLeftUnread(**sent.model_dump(exclude={"message_id"})), self.tick()))

    async def copy_bounced(self, email: str) -> None:
        """The mail with the link to the sealed copy."""
        fact = BounceDetected(
            email_id="copy-mail",
            agreement_id=AGREEMENT_ID,
            purpose="archived",
            recipient=email,
            status="5.2.2",
            diagnostic="552 5.2.2 mailbox full",
            permanent=True,
        )
        await self.bring(message(fact, self.tick()))

    async def sign(self, email: str, name: str | None = None) -> None:
        self.tick()
        request_id = await self.id(email)
        await self.commands.view(ORGANISATION, request_id, version=1, ip=IP)
        await self.commands.sign(ORGANISATION, request_id, version=1, name=name, ip=IP)

    async def all_signed(self, *, delivered: bool = True) -> None:
        """From the draft to the last signature; the last mail's delivery is known when `delivered`."""
        await self.draft()
        await self.sign_all(delivered=delivered)

    async def sign_all(self, *, delivered: bool = True) -> None:
        await self.send_off()
        await self.deliver(SECRETARY)
        await self.sign(SECRETARY)
        await self.deliver(CHAIR)
        await self.sign(CHAIR, "Olof Berg")
        if delivered:
            await self.deliver(ADJUSTER)
        await self.sign(ADJUSTER, "Sven Dahl")

    async def archived(self, sealed: bytes) -> None:
        """The archive tells that it keeps this copy."""
        ref = await self.blobs.put(ORGANISATION, sealed, "application/pdf")
        state = await self.queries.state(ORGANISATION, AGREEMENT_ID)
        fact = ProtocolArchived(
            agreement_id=AGREEMENT_ID,
            meeting_id=state.meeting_id,
            document_name=state.document_name,
            sealed=ref,
            manifest=ref,
            test_seal=True,
            recipients=(),
            language=state.language,
        )
        await self.bring(message(fact, self.tick()))

    async def published(self) -> list[tuple[dict[str, str], Event]]:
        """What the outbox holds: attributes and events, in key order."""
        async with self.service.database.transaction() as connection:
            rows = await connection.execute(select(OUTBOX).order_by(OUTBOX.c.id))
            return [(row.attributes, _event(row.attributes, row.data)) for row in rows]

    async def published_names(self) -> list[str]:
        return [type(event).__name__ for _, event in await self.published()]

    async def recorded_names(self) -> list[str]:
        entries = await self.queries.entries(ORGANISATION, AGREEMENT_ID)
        return [type(entry.event()).__name__ for entry in entries]


def _event(attributes: dict[str, Any], data: str) -> Event:
    cls = event_class(attributes["type"])
    assert cls is not None
    return cls.from_json(data)


def names(content: bytes) -> Sequence[str]:
    """The types in a history.json."""
    return [entry["header"]["type"] for entry in json.loads(content)["entries"]]
