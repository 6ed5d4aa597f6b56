"""The worker that archives: makes the final copy of a completed agreement, stores it, and says so exactly once.

A job is leased, not locked: making the copy takes longer than a transaction should. A process that dies at any point
leaves a job that becomes due again, and at worst blobs that nothing speaks of. Should two work on one job (a lease that
ended too early), the first to commit wins: row, event and end of the job are one transaction.

Before it seals, it compares the history with the journal (`comparison.py`). What differs is refused at once, what the
journal does not have is waited for, about an hour; then a person decides.
"""

import asyncio
import json
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from functools import cached_property
from http import HTTPStatus
from typing import Any, ClassVar

from services.archive import store, witnesses
from services.archive.comparison import Comparison, compare
from services.archive.final_copy import Sources, checked_history, document_of, make_final_copy
from services.archive.seal import Sealer
from services.archive.store import FAILED, REFUSED, WAITING, Archived, Job
from services.archive.transaction import ArchiveTransaction
from shared.blobs import BlobStore
from shared.clock import Clock, timestamp
from shared.database import is_transient
from shared.errors import InvalidInput, JusteraError
from shared.events import AgreementCompleted, BlobRef
from shared.history import VerifiedHistory
from shared.logging import get_logger
from shared.messaging.transaction import UnitOfWork
from shared.panics import ends
from shared.rendering.annexes import bound_name
from shared.rendering.minutes import MinutesDocument
from shared.rendering.press import Press
from shared.rendering.render import HISTORY_NAME, ORIGINAL_NAME
from shared.row_security import acting_for, for_all
from shared.turns import Turns
from shared.wakeup import Wakeup
from shared.workers import Worker

log = get_logger(__name__)

MANIFEST_FORMAT = "justera-archive-manifest/1"
FINAL_NAME = "protocol.pdf"
RENDER_INPUT_NAME = "render-input.json"

LEASE = 30.0  # seconds; a job takes one, or ten when the time-stamp authority is slow
MOST_ATTEMPTS = 8  # with doubling delays: about four minutes
_LONGEST_DELAY = 3600.0
# For the journal, whose consumer is another than the one that brought the completion: first a moment, then an hour.
_MOMENT = 2.0  # seconds
_LOOK_AGAIN = 0.1  # seconds
MOST_WAITS = 19
_LONGEST_WAIT = 300.0


class _Disagreement(JusteraError):
    status: ClassVar[HTTPStatus] = HTTPStatus.CONFLICT

    def __init__(self, message: str, differences: Sequence[str]) -> None:
        super().__init__(f"{message}: {'; '.join(differences)}")
        self.differences = tuple(differences)


class HistoryDiffers(_Disagreement):
    """The history is not what the journal has of the agreement: someone must look. Nothing was sealed."""

    slug: ClassVar[str] = "history-differs"


class NotInJournal(_Disagreement):
    """The journal does not have what the history tells; it may come yet."""

    slug: ClassVar[str] = "not-in-journal"


class Archiving:
    """One job at a time in this process; several processes share the work. `poll` is seconds.

    The seal is opened at the start, not before: the service is also built to describe its API, without any seal.
    """

    def __init__(
        self,
        unit_of_work: UnitOfWork[ArchiveTransaction],
        blobs: BlobStore,
        make_sealer: Callable[[], Sealer],
        clock: Clock,
        jobs_waiting: Wakeup,
        press: Press,
        *,
        poll: float = 1.0,
    ) -> None:
        self._unit_of_work = unit_of_work
        self._blobs = blobs
        self._make_sealer = make_sealer
        self._clock = clock
        self._jobs_waiting = jobs_waiting
        self._press = press
        self._poll = poll
        self._turns = Turns()
        self._worker = Worker("archiving", self._step)

    @cached_property
    def _sealer(self) -> Sealer:
        return self._make_sealer()

    @property
    def sealer(self) -> Sealer:
        """What it seals with. Raises BadConfiguration."""
        return self._sealer

    def start(self) -> None:
        """Raises BadConfiguration for a seal that cannot be used: before a document waits for it."""
        log.info("archiving.started", test_seal=self._sealer.is_test)
        self._worker.start()

    async def stop(self) -> None:
        """Waits for the document in hand."""
        self._jobs_waiting.set()
        await self._worker.stop()

    async def _step(self) -> None:
        if not await self.archive_one():
            await self._jobs_waiting.wait(self._poll)

    async def archive_one(self) -> bool:
        """Take the job whose turn it is, and archive its agreement or note why not. False when none is due."""
        with for_all("the job whose turn it is is taken, whose ever"):
            async with self._unit_of_work.database.single() as connection:
                job = await store.claim_job(connection, lease=LEASE, turns=self._turns)
        if job is None:
            return False
        with acting_for(job.organisation):
            try:
                await self._archive(job)
            except BaseException as error:
                if ends(error):
                    raise
                await self._after_failure(job, error)
        return True

    async def _archive(self, job: Job) -> None:
        agreement = job.agreement
        sources = await self._fetch(job.organisation, agreement)
        history = await asyncio.to_thread(checked_history, agreement, sources)
        compared = await self._compare(job, history)
        document = await asyncio.to_thread(document_of, sources.render_input)
        sources = replace(sources, annexes=await self._bound(job.organisation, document))
        pdf = await make_final_copy(
            agreement, sources, history, completed_at=job.cause.time, press=self._press, sealer=self._sealer
        )
        sealed = await self._blobs.put(job.organisation, pdf, "application/pdf")
        archived_at = self._clock.now()
        manifest = {**self._manifest(job, sealed, document, archived_at), "journal": compared}
        archived = Archived(
            organisation=job.organisation,
            agreement_id=job.agreement_id,
            meeting_id=agreement.meeting_id,
            document_name=agreement.document_name,
            language=agreement.language,
            timezone=agreement.timezone,
            correlation_id=job.cause.correlation_id,
            completed_at=job.cause.time,
            archived_at=archived_at,
            sealed=sealed,
            manifest=await self._blobs.put(job.organisation, _as_json(manifest), "application/json"),
            test_seal=self._sealer.is_test,
        )
        entered = await self._unit_of_work.run(lambda transaction: transaction.enter(job, archived))
        log.info("protocol.archived" if entered else "protocol.was_archived", agreement_id=job.agreement_id)

    async def _fetch(self, organisation: str, agreement: AgreementCompleted) -> Sources:
        """The blob store checks each document against its SHA-256."""
        if agreement.history is None:
            raise InvalidInput("the event refers to no history")
        return Sources(
            original=await self._blobs.get(organisation, agreement.document),
            history=await self._blobs.get(organisation, agreement.history),
            render_input=await self._blobs.get(organisation, agreement.render_input),
        )

    async def _bound(self, organisation: str, document: MinutesDocument) -> dict[int, bytes]:
        """The annexes that lie in the PDF, by number. The history vouches for the document, and that for them."""
        return {one.number: await self._blobs.get(organisation, one.content) for one in document.annexes if one.bound}

    async def _compare(self, job: Job, history: VerifiedHistory) -> dict[str, Any]:
        """What the manifest says of it. Raises HistoryDiffers, NotInJournal."""
        deadline = time.monotonic() + _MOMENT
        found = await self._compared(job, history)
        while found.unrecorded and not found.differing and time.monotonic() < deadline:
            await asyncio.sleep(_LOOK_AGAIN)
            found = await self._compared(job, history)
        accepted = job.accepted is not None and job.accepted["differences"] == list(found.all)
        if found.differing and not accepted:
            raise HistoryDiffers("the history is not what the journal has", found.all)
        if found.unrecorded and not accepted:
            raise NotInJournal("the journal does not have what the history tells", found.all)
        return {"agrees": True} if not found.all else {"agrees": False, "accepted": job.accepted}

    async def _compared(self, job: Job, history: VerifiedHistory) -> Comparison:
        async with self._unit_of_work.database.single() as connection:
            events = await witnesses.of_agreement(connection, job.cause)
        return await asyncio.to_thread(compare, history, events, completed_id=job.cause.id)

    def _manifest(self, job: Job, sealed: BlobRef, document: MinutesDocument, archived_at: datetime) -> dict[str, Any]:
        """What was stored, by checksum. Names are those of the attachments; the documents lie in the blob store.

        Of the annexes also those that only are listed.
        """
        agreement = job.agreement
        certificate = self._sealer.certificate
        documents = {
            FINAL_NAME: sealed,
            ORIGINAL_NAME: agreement.document,
            HISTORY_NAME: agreement.history,
            RENDER_INPUT_NAME: agreement.render_input,
            **{bound_name(one, document.language): one.content for one in document.annexes},
        }
        return {
            "format": MANIFEST_FORMAT,
            "organisation": job.organisation,
            "agreement": job.agreement_id,
            "meeting": agreement.meeting_id,
            "document_name": agreement.document_name,
            "language": agreement.language,
            "template_version": agreement.template_version,
            "completed_at": timestamp(job.cause.time),
            "archived_at": timestamp(archived_at),
            "test_seal": self._sealer.is_test,
            "seal": {
                "subject": certificate.subject.human_friendly,
                "issuer": certificate.issuer.human_friendly,
                "certificate_sha256": certificate.sha256.hex(),
            },
            "objects": [{"name": name, **ref.model_dump()} for name, ref in documents.items() if ref is not None],
        }

    async def _after_failure(self, job: Job, error: BaseException) -> None:
        """Infrastructure trouble is waited out without limit; for all else attempts are numbered."""
        transient = is_transient(error)
        state = WAITING if transient else _state_after(job, error)
        report = log.warning if transient or isinstance(error, JusteraError) else log.exception
        if state == REFUSED:
            report = log.error
        report(
            {FAILED: "archiving.given_up", REFUSED: "archiving.refused"}.get(state, "archiving.failed"),
            agreement_id=job.agreement_id,
            error=type(error).__name__,
            attempts=job.attempts,
        )
        longest = _LONGEST_WAIT if isinstance(error, NotInJournal) else _LONGEST_DELAY
        delay = 3.0 if transient else min(longest, 2.0 ** min(job.attempts, 12))
        async with self._unit_of_work.database.single() as connection:
            await store.postpone_job(
                connection,
                job,
                reason=error.message if isinstance(error, JusteraError) else f"{type(error).__name__}: {error}",
                delay=delay * random.uniform(0.7, 1.3),  # noqa: S311  (jitter, not a secret)
                state=state,
                counts=not transient,
                differences=error.differences if isinstance(error, _Disagreement) else None,
            )


def _state_after(job: Job, error: BaseException) -> str:
    if isinstance(error, HistoryDiffers) or (isinstance(error, NotInJournal) and job.attempts >= MOST_WAITS):
        return REFUSED
    return FAILED if job.attempts >= MOST_ATTEMPTS and not isinstance(error, NotInJournal) else WAITING


def _as_json(content: dict[str, Any]) -> bytes:
    return (json.dumps(content, ensure_ascii=False, indent=1) + "\n").encode()
