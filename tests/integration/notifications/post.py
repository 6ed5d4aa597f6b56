"""Drives a notifications service: facts as Kafka would bring them, its mailer, and what it published."""

import asyncio
import json
import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import select

from services.notifications.commands import NotificationsCommands
from services.notifications.delivery.delivery import Delivery, Status
from services.notifications.delivery.mailer import Mailer
from shared.clock import ManualClock
from shared.database import Database
from shared.events import (
    AgreementCreated,
    AlternateSignerAdded,
    BlobRef,
    DeadlineNeared,
    EndedLinks,
    Envelope,
    Event,
    LinksEnded,
    Person,
    ProtocolArchived,
    SignatureRequested,
    SignerInvitation,
    SignerUnreached,
    event_type,
)
from shared.events.envelope import kafka_headers
from shared.events.signing import DocumentSigned, ReminderRequested, RequestPurpose
from shared.ids import new_id
from shared.messaging.message import RawMessage
from shared.messaging.tables import OUTBOX
from shared.service import Service
from tests.support.smtp_server import Mail

ORGANISATION = "norrdalen"
AGREEMENT = "Xk29fQpLr8sTuVwYz1A3bC5dE7gH9jKmNoPqRsTuVwXy"
MEETING = "meeting-1"
TITLE = "Protokoll styrelsen Norrdalen 2022-09-23"
SENDER = Person(email="karin.ek@norrdalen.example", name="Karin Ek")
OLOF = "olof.berg@bjorka.example"
SVEN = "sven.dahl@norrdalen.example"
SVENS_OTHER = "sven.dahl@granvik.example"
START = datetime(2022, 9, 26, 8, 41, 44, tzinfo=UTC)
_DOCUMENT = BlobRef(sha256="a" * 64, size=10)


def message(event: Event, at: datetime = START, *, organisation: str = ORGANISATION) -> RawMessage:
    agreement_id: str = event.agreement_id  # type: ignore[attr-defined]
    envelope = Envelope(
        id=new_id(),
        source=f"/services/{event.service}",
        type=event_type(event),
        subject=agreement_id,
        time=at,
        organisation=organisation,
        sequence=1,
        correlation_id=MEETING,
        key=agreement_id,
        data=event.to_json(),
    )
    headers = tuple(kafka_headers(envelope.attributes()))
    return RawMessage(event.topic, 0, 0, agreement_id, headers, envelope.data.encode())


def id_of(raw: RawMessage) -> str:
    return dict(raw.headers)["ce_id"].decode()


def created(agreement_id: str = AGREEMENT) -> AgreementCreated:
    return AgreementCreated(
        agreement_id=agreement_id,
        meeting_id=MEETING,
        document_name=TITLE,
        document=_DOCUMENT,
        render_input=_DOCUMENT,
        template_version="v1",
        sender=SENDER,
        ip="192.0.2.1",
        signers=(SignerInvitation(role="chair", email=OLOF),),
        language="sv",
        timezone="Europe/Stockholm",
    )


def requested(
    email: str = OLOF,
    purpose: RequestPurpose = "first",
    *,
    request_id: str = "request-1",
    place: int = 1,
    agreement_id: str = AGREEMENT,
    name: str | None = None,
) -> SignatureRequested:
    return SignatureRequested(
        agreement_id=agreement_id,
        request_id=request_id,
        version=1,
        place=place,
        role="chair",
        purpose=purpose,
        email=email,
        name=name,
        language="sv",
        document_name=TITLE,
        sender=SENDER,
        expires="2022-10-26T00:00:00.000000Z",
    )


def reminder(email: str = OLOF, *, request_id: str = "request-1", place: int = 1) -> ReminderRequested:
    asked = requested(email, request_id=request_id, place=place)
    return ReminderRequested(**asked.model_dump(exclude={"purpose"}))


def alternate_added() -> AlternateSignerAdded:
    return AlternateSignerAdded(
        agreement_id=AGREEMENT,
        place=2,
        by=SENDER,
        ip="192.0.2.1",
        original_request_id="request-2",
        original_email=SVEN,
        original_name=None,
        request_id="request-2a",
        email=SVENS_OTHER,
        name=None,
    )


def signed(email: str = OLOF, *, request_id: str = "request-1", place: int = 1) -> DocumentSigned:
    return DocumentSigned(
        agreement_id=AGREEMENT,
        request_id=request_id,
        place=place,
        email=email,
        name="Olof Berg",
        ip="198.51.100.7",
        role="chair",
        document_sha256="a" * 64,
        language="sv",
        document_name=TITLE,
    )


def archived() -> ProtocolArchived:
    return ProtocolArchived(
        agreement_id=AGREEMENT,
        meeting_id=MEETING,
        document_name=TITLE,
        sealed=_DOCUMENT,
        manifest=_DOCUMENT,
        test_seal=True,
        recipients=(SENDER, Person(email=OLOF, name="Olof Berg", language="en")),
        language="sv",
    )


def links_ended(*people: tuple[str, int, bool]) -> LinksEnded:
    """Of each: address, the next link's version, whether it is mailed."""
    ended = tuple(
        EndedLinks(email=email, name=None, version=version, mailed=mailed) for email, version, mailed in people
    )
    return LinksEnded(agreement_id=AGREEMENT, by=SENDER, ip="192.0.2.1", people=ended, document_name=TITLE)


def unreached(email: str = SVEN, *, diagnostic: str = "550 5.1.1 no such user") -> SignerUnreached:
    return SignerUnreached(
        agreement_id=AGREEMENT,
        request_id="request-2",
        version=1,
        place=2,
        role="adjuster",
        email=email,
        name=None,
        status="5.1.1",
        diagnostic=diagnostic,
        document_name=TITLE,
        sender=SENDER,
    )


def deadline_neared() -> DeadlineNeared:
    return DeadlineNeared(
        agreement_id=AGREEMENT,
        expires="2022-10-26T08:41:44.000000Z",
        waiting_for=(Person(email=SVEN), Person(email=SVENS_OTHER, name="Sven Dahl")),
        document_name=TITLE,
        sender=SENDER,
    )


def words(mail: Mail) -> str:
    """A received mail's plain text."""
    body = mail.message.get_body(("plain",))
    assert body is not None
    return str(body.get_content())


@dataclass(frozen=True)
class Published:
    """One event in the outbox."""

    name: str
    body: dict[str, Any]
    attributes: dict[str, str]
    key: str


def _emails_in(raw: RawMessage) -> set[str]:
    """Of everybody whom the event names."""
    return set(re.findall(r'"email":\s*"([^"\\]+)"', (raw.body or b"").decode(errors="replace")))


class Post:
    def __init__(self, service: Service, clock: ManualClock) -> None:
        self.service = service
        self.clock = clock
        self.commands: NotificationsCommands = service.commands
        self._people: dict[str, set[str]] = {}

    @property
    def database(self) -> Database:
        return self.service.database

    @property
    def mailer(self) -> Mailer:
        [mailer] = [worker for worker in self.service.workers if isinstance(worker, Mailer)]
        return mailer

    async def bring(self, *messages: RawMessage) -> None:
        """After what signing said before: that there is such an agreement, and who is part of it."""
        await self.bring_alone(*self._introductions(messages), *messages)

    async def bring_alone(self, *messages: RawMessage) -> None:
        await self.service.gates[0].behind.handle(messages)

    def _introductions(self, messages: Sequence[RawMessage]) -> list[RawMessage]:
        found = []
        for raw in messages:
            people = self._people.setdefault(raw.key, set())
            if not (named := _emails_in(raw)) <= people:
                people |= named
                invited = tuple(SignerInvitation(role="chair", email=one) for one in sorted(people))
                found.append(message(created(raw.key).model_copy(update={"signers": invited})))
        return found

    async def deliveries(self) -> list[Delivery]:
        return await self.commands.deliveries(ORGANISATION, most=1000)

    async def all_sent(self) -> bool:
        return all(one.status is Status.SENT for one in await self.deliveries())

    async def published(self) -> list[Published]:
        async with self.database.transaction() as connection:
            rows = await connection.execute(select(OUTBOX).order_by(OUTBOX.c.id))
            return [
                Published(
                    row.attributes["type"].split(".")[3].removesuffix(".v1"),
                    json.loads(row.data),
                    row.attributes,
                    row.key,
                )
                for row in rows
            ]

    async def names(self) -> list[str]:
        return [event.name for event in await self.published()]


async def eventually(check: Callable[[], Awaitable[bool]], *, seconds: float = 15) -> None:
    async with asyncio.timeout(seconds):
        while True:
            if await check():
                return
            await asyncio.sleep(0.02)
