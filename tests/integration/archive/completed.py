"""A completed agreement with real documents, and an archive to bring it to as Kafka would."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from services.archive.archiving import Archiving
from services.archive.commands import ArchiveCommands
from services.archive.journal import Journal
from shared import history
from shared.blobs import BlobStore
from shared.clock import ManualClock
from shared.events import (
    AgreementCompleted,
    AgreementCreated,
    BlobRef,
    DocumentSigned,
    Envelope,
    Event,
    Person,
    SignerInvitation,
    event_type,
)
from shared.events.envelope import kafka_headers
from shared.ids import new_id
from shared.messaging.message import RawMessage
from shared.rendering.render import render_minutes
from shared.service import Service
from tests.integration.rendering.sample import sample_minutes
from tests.support.signed import signed_for

ORGANISATION = "norrdalen"
MEETING = "meeting-1"
AGREEMENT = "Xk29fQpLr8sTuVwYz1A3bC5dE7gH9jKmNoPqRsTuVwXy"
NAME = "Protokoll styrelsen Kommunalförbundet Norrdalen 2022-09-23"
SENDER = Person(email="karin.ek@norrdalen.example", name="Karin Ek")
SIGNERS = (
    ("secretary", "Maja Lind", "maja.lind@norrdalen.example"),
    ("chair", "Olof Berg", "olof.berg@bjorka.example"),
    ("adjuster", "Sven Dahl", "sven.dahl@norrdalen.example"),
)
CREATED = datetime(2022, 9, 26, 8, 41, 44, tzinfo=UTC)
COMPLETED = datetime(2022, 9, 26, 22, 4, 49, tzinfo=UTC)


def message(
    event: Event,
    *,
    subject: str = AGREEMENT,
    at: datetime = COMPLETED,
    organisation: str = ORGANISATION,
    correlation: str = MEETING,
    sequence: int = 5,
    key: str | None = None,
    head: str | None = None,
) -> RawMessage:
    envelope = Envelope(
        id=new_id(),
        source=f"/services/{event.service}",
        type=event_type(event),
        subject=subject,
        time=at,
        organisation=organisation,
        sequence=sequence,
        correlation_id=correlation,
        key=key or subject,
        data=event.to_json(),
        history_head=head,
    )
    headers = tuple(kafka_headers(envelope.attributes()))
    return RawMessage(event.topic, 0, 0, envelope.key, headers, envelope.data.encode())


def chain(
    events: Sequence[tuple[Event, datetime]],
    document_sha256: str,
    agreement: str = AGREEMENT,
    *,
    salt: bytes = bytes(32),
) -> bytes:
    entries: list[history.Entry] = []
    head = history.start(agreement, document_sha256)
    for n, (event, at) in enumerate(events):
        entries.append(history.append(head, n, event, time=at, recorded=at, salt=salt))
        head = entries[-1].hash
    return history.export(entries, agreement_id=agreement, document_sha256=document_sha256)


def witnessed(
    events: Sequence[tuple[Event, datetime]], entries: Sequence[history.Entry], *, heads: bool = True
) -> list[RawMessage]:
    """What signing publishes of a history's first events, as Kafka brings it."""
    return [
        message(event, at=at, subject=event.agreement_id, sequence=n + 1, head=entries[n].hash if heads else None)
        for n, (event, at) in enumerate(events)
    ]


@dataclass(frozen=True)
class Documents:
    original: bytes
    render_input: bytes

    @classmethod
    def make(cls) -> "Documents":
        minutes = sample_minutes()
        return cls(render_minutes(minutes, at=CREATED), minutes.model_dump_json().encode())


def signed(place: int, at: datetime, document_sha256: str, agreement: str) -> DocumentSigned:
    role, name, email = SIGNERS[place]
    return DocumentSigned(
        agreement_id=agreement,
        request_id=f"request-{place}",
        place=place,
        email=email,
        name=name,
        ip="192.0.2.7",
        role=role,
        document_sha256=document_sha256,
        language="sv",
        document_name=NAME,
    )


@dataclass
class Archive:
    """The service, its worker, and what it is brought."""

    service: Service
    worker: Archiving
    blobs: BlobStore
    clock: ManualClock
    documents: Documents

    @property
    def commands(self) -> ArchiveCommands:
        commands: ArchiveCommands = self.service.commands
        return commands

    async def bring(self, *messages: RawMessage, journalled: bool = True) -> None:
        if journalled:
            await self.journal(*messages)
        await self.service.gates[0].behind.handle(messages)

    async def journal(self, *messages: RawMessage) -> None:
        journal: Journal = self.service.subscriptions[1].handle.__self__  # type: ignore[attr-defined]
        await journal.handle([signed_for(journal._verifier, message) for message in messages])

    async def completed(
        self, agreement: str = AGREEMENT, *, heads: bool = True, **changed: object
    ) -> AgreementCompleted:
        """The event, with the documents that it refers to in the blob store, and what led to it in the journal."""
        original = await self.blobs.put(ORGANISATION, self.documents.original, "application/pdf")
        render_input = await self.blobs.put(ORGANISATION, self.documents.render_input, "application/json")
        event = AgreementCompleted(
            agreement_id=agreement,
            meeting_id=MEETING,
            document_name=NAME,
            document=original,
            render_input=render_input,
            template_version="1",
            recipients=(SENDER, *(Person(email=email, name=name) for _, name, email in SIGNERS)),
            language="sv",
            timezone="Europe/Stockholm",
        )
        events = self._events(event)
        data = chain(events, original.sha256, agreement)
        await self.journal(*witnessed(events[:-1], history.read(data).entries, heads=heads))
        refs = {"history": await self.blobs.put(ORGANISATION, data, "application/json")}
        return event.model_copy(update={**refs, **changed})

    def _events(self, completed: AgreementCompleted) -> list[tuple[Event, datetime]]:
        created = AgreementCreated(
            agreement_id=completed.agreement_id,
            meeting_id=MEETING,
            document_name=NAME,
            document=completed.document,
            render_input=completed.render_input,
            template_version="1",
            sender=SENDER,
            ip="192.0.2.1",
            signers=tuple(SignerInvitation(role=role, email=email, name=name) for role, name, email in SIGNERS),
            language="sv",
            timezone="Europe/Stockholm",
        )
        signatures = [
            (signed(place, COMPLETED, completed.document.sha256, completed.agreement_id), COMPLETED)
            for place in range(len(SIGNERS))
        ]
        return [(created, CREATED), *signatures, (completed, COMPLETED)]

    async def put(self, data: bytes) -> BlobRef:
        return await self.blobs.put(ORGANISATION, data, "application/octet-stream")
