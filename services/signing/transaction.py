"""One transaction of signing: agreements loaded and locked, what happened to them appended, chained and published."""

import asyncio
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from services.signing import ended_links, mail_news, sealed_copies, store
from services.signing.agreement import Agreement
from services.signing.arrivals import NoSuchAgreement
from services.signing.asking import Decision
from services.signing.ended_links import EndedLink, has_ended
from services.signing.evolving import evolve
from services.signing.growth import within_limit
from services.signing.mail_news import MailNews
from services.signing.sealed_copies import SealedCopy
from services.signing.store import AgreementKey, StoredAgreement
from shared import history, tracing
from shared.blobs import BlobStore
from shared.errors import NotFound
from shared.events import (
    AgreementCompleted,
    AgreementCreated,
    BlobRef,
    EmailSent,
    Envelope,
    Event,
    HistoryAnchored,
    LinksEnded,
)
from shared.history import Entry
from shared.messaging.shared_transactions import SharedTransaction
from shared.messaging.transaction import Received
from shared.timers import Timer, clear_timers, set_timers

_PUTS_AT_ONCE = 8


@dataclass(frozen=True, slots=True)
class OfAgreement:
    """A command's target: this agreement."""

    organisation: str
    agreement_id: str


@dataclass(frozen=True, slots=True)
class OfRequest:
    """A command's target: the agreement that this request to sign belongs to."""

    organisation: str
    request_id: str


Target = OfAgreement | OfRequest


@dataclass(slots=True)
class OpenAgreement:
    """An agreement that this transaction has locked (or makes), and what was appended to it so far."""

    organisation: str
    correlation_id: str
    state: Agreement
    head: str
    stored_version: int = 0  # 0: not in the table yet
    entries: list[Entry] = field(default_factory=list)
    known_requests: int = 0  # how many of the state's requests are in the table

    @property
    def key(self) -> AgreementKey:
        return self.organisation, self.state.agreement_id

    def stored(self) -> StoredAgreement:
        return StoredAgreement(self.organisation, self.correlation_id, self.head, self.state)

    def new_requests(self) -> list[tuple[AgreementKey, str]]:
        return [(self.key, request.id) for request in self.state.requests[self.known_requests :]]

    def written(self) -> None:
        """What was appended so far is in the tables."""
        self.stored_version = self.state.length
        self.known_requests = len(self.state.requests)
        self.entries = []


def _opened(stored: StoredAgreement) -> OpenAgreement:
    agreement = OpenAgreement(stored.organisation, stored.correlation_id, stored.state, stored.head)
    agreement.written()
    return agreement


@dataclass(frozen=True, slots=True)
class _News:
    """An event that is no entry of the history, with the head and the length of the history when it was told."""

    agreement: OpenAgreement
    event: Event
    at: datetime
    head: str
    length: int
    cause: Envelope | None
    traceparent: str | None


@dataclass(frozen=True, slots=True)
class _Happened:
    agreement: OpenAgreement
    entry: Entry
    event: Event
    cause: Envelope | None
    traceparent: str | None  # what goes on when it is noted: all are published at the flush


class SigningTransaction(SharedTransaction):
    """The history is appended in order of recording; events of this service are published as well.

    Facts of other services are recorded only: their own service has published them. Each published event bears the hash
    of its entry, and what follows a mail's trouble that nothing of ours follows does so too: the archive's journal then
    knows how the history went on, whatever is done to the tables here.
    """

    source = "signing"

    def __init__(self, connection: AsyncConnection, blobs: BlobStore) -> None:
        super().__init__(connection)
        self._blobs = blobs
        self._agreements: dict[AgreementKey, OpenAgreement] = {}
        self._happened: list[_Happened] = []
        self._news: list[_News] = []
        self._copies: list[tuple[AgreementKey, SealedCopy]] = []
        self._mail_news: list[tuple[AgreementKey, MailNews]] = []
        self._cleared: set[AgreementKey] = set()
        self._timers: dict[tuple[str, str, str], Timer] = {}  # by organisation, subject and kind
        self._ended_links: list[tuple[AgreementKey, EndedLink]] = []

    async def prepare(self, batch: Sequence[Received[Any]]) -> None:
        keys = {
            (received.envelope.organisation, received.event.agreement_id)
            for received in batch
            if hasattr(received.event, "agreement_id")
        }
        self._keep(await store.lock(self.connection, keys))

    async def reach(self, targets: Sequence[Target]) -> dict[Target, OpenAgreement]:
        requests = [one for one in targets if isinstance(one, OfRequest)]
        found = await store.lock_free(
            self.connection,
            {(one.organisation, one.agreement_id) for one in targets if isinstance(one, OfAgreement)},
            {(one.organisation, one.request_id) for one in requests},
        )
        self._keep(found)
        reached: dict[Target, OpenAgreement] = {}
        for agreement in self._agreements.values():
            organisation, state = agreement.organisation, agreement.state
            reached[OfAgreement(organisation, state.agreement_id)] = agreement
            for request in state.requests:
                reached[OfRequest(organisation, request.id)] = agreement
        return reached

    async def hold(self, target: Target) -> OpenAgreement:
        if isinstance(target, OfAgreement):
            return await self.agreement(target.organisation, target.agreement_id)
        return await self.agreement_of_request(target.organisation, target.request_id)

    def find(self, organisation: str, agreement_id: str) -> OpenAgreement | None:
        """One of those that are loaded."""
        return self._agreements.get((organisation, agreement_id))

    async def agreement(self, organisation: str, agreement_id: str) -> OpenAgreement:
        """Load and lock one. Raises NoSuchAgreement."""
        self._keep(await store.lock(self.connection, {(organisation, agreement_id)}))
        found = self.find(organisation, agreement_id)
        if found is None:
            raise NoSuchAgreement
        return found

    async def agreement_of_request(self, organisation: str, request_id: str) -> OpenAgreement:
        """Load and lock the agreement that a request belongs to. Raises NotFound."""
        stored = await store.lock_by_request(self.connection, organisation, request_id)
        if stored is None:
            raise NotFound("this request to sign does not exist")
        self._keep([stored])
        return self._agreements[stored.key]

    def create(self, organisation: str, correlation_id: str, decision: Decision, cause: Envelope) -> None:
        """Begin a history with its AgreementCreated."""
        ((event, at),) = decision
        if not isinstance(event, AgreementCreated):
            raise TypeError(f"a history begins with its creation, not with {type(event).__name__}")
        entry = _chained(history.start(event.agreement_id, event.document.sha256), 0, event, at)
        agreement = OpenAgreement(organisation, correlation_id, evolve(None, event, at), entry.hash)
        self._agreements[agreement.key] = agreement
        self._note(agreement, entry, event, cause)

    def append(self, agreement: OpenAgreement, decision: Decision, cause: Envelope | None = None) -> None:
        """Let a decision happen. `cause`: the event of another service that led to it. Raises Refused when it is not
        needed and the history is full."""
        for event, at in within_limit(agreement.state, decision):
            entry = _chained(agreement.head, agreement.state.length, event, at)
            agreement.state = evolve(agreement.state, event, at)
            agreement.head = entry.hash
            self._note(agreement, entry, event, cause)

    def tell(self, agreement: OpenAgreement, event: Event, at: datetime, cause: Envelope | None = None) -> None:
        """Publish what is news to the sender and no entry of the history."""
        self._news.append(_News(agreement, event, at, agreement.head, agreement.state.length, cause, tracing.current()))

    def archived(self, agreement: OpenAgreement, copy: SealedCopy) -> None:
        """Keep where the sealed copy is, beside the history."""
        self._copies.append((agreement.key, copy))

    def heard(self, agreement: OpenAgreement, news: MailNews) -> None:
        """Keep what became of a mail, beside the history."""
        self._mail_news.append((agreement.key, news))

    def set_timer(self, timer: Timer) -> None:
        """Set it, or move the one of its kind."""
        self._timers[timer.organisation, timer.subject, timer.kind] = timer

    def clear_timers(self, agreement: OpenAgreement) -> None:
        """End all timers of an agreement, also those set in this transaction."""
        self._cleared.add(agreement.key)
        self._timers = {key: timer for key, timer in self._timers.items() if key[:2] != agreement.key}

    def pending(self) -> int:
        beside = len(self._news) + len(self._copies) + len(self._mail_news) + len(self._cleared) + len(self._timers)
        return super().pending() + len(self._happened) + len(self._ended_links) + beside

    async def links_ended_before(self, agreement: OpenAgreement) -> Sequence[EndedLink]:
        """Whose links were ended after the end of this agreement."""
        return (await ended_links.find(self.connection, [agreement.key])).get(agreement.key, ())

    async def copy_opened(self, agreement: OpenAgreement) -> datetime | None:
        """When its sealed copy was archived, as far as the archive has told."""
        copies = await sealed_copies.find(self.connection, [agreement.key])
        return copies[agreement.key].archived_at if agreement.key in copies else None

    def end_links(
        self, agreement: OpenAgreement, before: Sequence[EndedLink], event: LinksEnded, at: datetime
    ) -> Sequence[EndedLink]:
        """Keep whose links ended, beside the history, and publish it. All of the agreement, now and before."""
        now = [EndedLink(email=one.email, version=one.version, mailed=one.mailed, at=at) for one in event.people]
        self._ended_links += [(agreement.key, one) for one in now]
        self.tell(agreement, event, at)
        return [*(one for one in before if not has_ended(now, one.email)), *now]

    async def flush(self) -> None:
        """A handful of statements, however many agreements changed."""
        changed = [agreement for agreement in self._agreements.values() if agreement.entries]
        if changed:
            histories = await self._put_histories(changed)
            await self._write(changed)
            for happened in self._happened:
                self._publish(happened, histories)
            for last in {happened.agreement.key: happened for happened in self._happened}.values():
                self._anchor(last)
            for agreement in changed:
                agreement.written()
            self._happened.clear()
        for news in self._news:
            self._publish_news(news)
        self._news.clear()
        await sealed_copies.keep(self.connection, self._copies)
        self._copies.clear()
        await mail_news.keep(self.connection, self._mail_news)
        self._mail_news.clear()
        await clear_timers(self.connection, sorted(self._cleared))
        self._cleared.clear()
        await set_timers(self.connection, self._timers.values())
        self._timers.clear()
        await ended_links.keep(self.connection, self._ended_links)
        self._ended_links.clear()
        await super().flush()

    def _keep(self, found: Iterable[StoredAgreement]) -> None:
        for stored in found:
            self._agreements.setdefault(stored.key, _opened(stored))

    def _note(self, agreement: OpenAgreement, entry: Entry, event: Event, cause: Envelope | None) -> None:
        agreement.entries.append(entry)
        self._happened.append(_Happened(agreement, entry, event, cause, tracing.current()))

    async def _write(self, changed: Sequence[OpenAgreement]) -> None:
        new = [agreement.stored() for agreement in changed if not agreement.stored_version]
        known = [(agreement.stored_version, agreement.stored()) for agreement in changed if agreement.stored_version]
        await store.insert_agreements(self.connection, new)
        await store.update_agreements(self.connection, known)
        await store.insert_requests(self.connection, [one for agreement in changed for one in agreement.new_requests()])
        await store.insert_entries(
            self.connection, [(agreement.key, entry) for agreement in changed for entry in agreement.entries]
        )

    def _publish(self, happened: _Happened, histories: dict[AgreementKey, BlobRef]) -> None:
        agreement, event = happened.agreement, happened.event
        if event.service != self.source:
            return
        if isinstance(event, AgreementCompleted):
            event = event.model_copy(update={"history": histories[agreement.key]})
        self._tell(event, happened)

    def _anchor(self, last: _Happened) -> None:
        """News of a mail's sending need none: completion waits for it, and it is a fact that nobody wants away."""
        if last.event.service != self.source and not isinstance(last.event, EmailSent):
            self._tell(HistoryAnchored(agreement_id=last.agreement.state.agreement_id), last)

    def _tell(self, event: Event, happened: _Happened) -> None:
        agreement = happened.agreement
        self.publish(
            event,
            organisation=agreement.organisation,
            subject=agreement.state.agreement_id,
            key=agreement.state.agreement_id,
            sequence=happened.entry.n + 1,
            time=happened.entry.time,
            correlation_id=agreement.correlation_id,
            cause=happened.cause,
            history_head=happened.entry.hash,
            traceparent=happened.traceparent,
        )

    def _publish_news(self, news: _News) -> None:
        agreement = news.agreement
        self.publish(
            news.event,
            organisation=agreement.organisation,
            subject=agreement.state.agreement_id,
            key=agreement.state.agreement_id,
            sequence=news.length,
            time=news.at,
            correlation_id=agreement.correlation_id,
            cause=news.cause,
            history_head=news.head,
            traceparent=news.traceparent,
        )

    async def _put_histories(self, changed: Sequence[OpenAgreement]) -> dict[AgreementKey, BlobRef]:
        """`history.json` of each agreement that completes now, kept before the commit that speaks of it.

        Content-addressed: should the transaction roll back, the blob is one that nothing speaks of.
        """
        completed = {
            happened.agreement.key: happened
            for happened in self._happened
            if isinstance(happened.event, AgreementCompleted)
        }
        if not completed:
            return {}
        earlier = await store.entries(self.connection, completed)
        turn = asyncio.Semaphore(_PUTS_AT_ONCE)

        async def put(happened: _Happened) -> BlobRef:
            agreement = happened.agreement
            entries = [*earlier.get(agreement.key, ()), *agreement.entries]
            data = history.export(
                entries[: happened.entry.n + 1],
                agreement_id=agreement.state.agreement_id,
                document_sha256=agreement.state.document.sha256,
            )
            async with turn:
                return await self._blobs.put(agreement.organisation, data, "application/json")

        refs = await asyncio.gather(*(put(happened) for happened in completed.values()))
        return dict(zip(completed, refs, strict=True))


def _chained(previous: str, n: int, event: Event, at: datetime) -> Entry:
    """`recorded` is the machine's clock: when this entry was made, whatever the time of business."""
    salt = secrets.token_bytes(history.SALT_BYTES)
    return history.append(previous, n, event, time=at, recorded=datetime.now(UTC), salt=salt)
