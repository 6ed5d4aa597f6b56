"""What people, a replay and the demo do with the archive."""

from datetime import UTC, datetime

from services.archive import store
from services.archive.extracts import Extracts
from services.archive.journal_reader import JournalFilter, JournalPage, JournalReader
from services.archive.queries import ArchiveQueries, ProtocolView
from services.archive.store import Job
from services.archive.transaction import ArchiveTransaction
from shared.clock import timestamp
from shared.errors import NotFound
from shared.logging import get_logger
from shared.messaging.transaction import UnitOfWork
from shared.text import clean_reason
from shared.wakeup import Wakeup

log = get_logger(__name__)


class ArchiveCommands:
    """`queries` and `journal`: the reading sides, for those who run the service in their own process."""

    def __init__(
        self,
        unit_of_work: UnitOfWork[ArchiveTransaction],
        queries: ArchiveQueries,
        journal: JournalReader,
        jobs_waiting: Wakeup,
        extracts: Extracts,
    ) -> None:
        self.queries = queries
        self.extracts = extracts
        self.journal = journal
        self._unit_of_work = unit_of_work
        self._jobs_waiting = jobs_waiting

    async def sealed_copy(self, organisation: str, agreement_id: str) -> bytes:
        """The final copy, PDF. Raises NotFound, Unavailable."""
        return await self.queries.pdf(organisation, agreement_id)

    async def events(self, organisation: str, *, after: str | None = None, limit: int = 100) -> JournalPage:
        """The journal from `after` (None: from the beginning) on. Raises InvalidInput."""
        return await self.journal.page(organisation, JournalFilter(), after=after or "0", most=limit)

    async def failed_jobs(self, organisation: str | None = None) -> list[Job]:
        """Agreements that could not be archived and wait for `retry_job`."""
        return await self.queries.failed(organisation)

    async def accept_history(self, organisation: str, agreement_id: str, *, by: str, reason: str) -> ProtocolView:
        """Have a refused agreement archived in spite of the differences noted; the manifest says so.

        Raises NotFound when nothing of it was refused, InvalidInput for a reason that cannot be kept.
        """
        reason = clean_reason(reason)

        async def work(transaction: ArchiveTransaction) -> ProtocolView:
            at = timestamp(datetime.now(UTC))
            if not await store.accept_job(
                transaction.connection, organisation, agreement_id, by=by, reason=reason, at=at
            ):
                raise NotFound("no history of such an agreement is refused")
            transaction.nudge(self._jobs_waiting)
            return await self.queries.protocol_on(transaction.connection, organisation, agreement_id)

        view = await self._unit_of_work.run(work)
        log.warning("archiving.differences_accepted", agreement_id=agreement_id, by=by)
        return view

    async def retry_job(self, organisation: str, agreement_id: str) -> ProtocolView:
        """Have an agreement archived at once that failed or waits. Raises NotFound, also for one that is archived."""

        async def work(transaction: ArchiveTransaction) -> ProtocolView:
            if not await store.retry_job(transaction.connection, organisation, agreement_id):
                raise NotFound("no such agreement waits to be archived")
            transaction.nudge(self._jobs_waiting)
            return await self.queries.protocol_on(transaction.connection, organisation, agreement_id)

        view = await self._unit_of_work.run(work)
        log.info("archiving.retried", agreement_id=agreement_id)
        return view
