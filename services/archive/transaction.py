"""One transaction of the archive: jobs that begin, a document that enters the archive, and the event that says so."""

from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from services.archive import extract_sending_store, store
from services.archive.store import Archived, EndedLink, Job
from shared.events import Envelope, ExtractLinkEnded, ExtractSent, ExtractUnreached, ProtocolArchived
from shared.messaging.transaction import Transaction
from shared.wakeup import Wakeup

_ARCHIVED = 1  # the agreement's first event of the archive


class ArchiveTransaction(Transaction):
    """`jobs_waiting` is nudged when a job was added."""

    source = "archive"

    def __init__(self, connection: AsyncConnection, jobs_waiting: Wakeup) -> None:
        super().__init__(connection)
        self._jobs_waiting = jobs_waiting
        self._completed: list[Envelope] = []
        self._ended_links: dict[tuple[str, str, str], EndedLink] = {}

    def enqueue(self, completed: Envelope) -> None:
        """Have the agreement of an AgreementCompleted archived after the commit."""
        self._completed.append(completed)
        self.nudge(self._jobs_waiting)

    def end_link(self, ended: EndedLink) -> None:
        """Each is told of in order, so the last of a holder in one transaction has the highest version."""
        self._ended_links[ended.organisation, ended.agreement_id, ended.holder] = ended

    async def enter(self, job: Job, archived: Archived) -> bool:
        """The document is in the archive and the job is done. False, and nothing, when another worker was first."""
        mine = await store.lock_job(self.connection, job.organisation, job.agreement_id)
        entered = mine and await store.insert_archived(self.connection, archived)
        await store.delete_job(self.connection, job.organisation, job.agreement_id)
        if entered:
            self._publish_archived(job, archived)
        return entered

    async def tell_of_extract(
        self, archived: Archived, fact: ExtractSent | ExtractLinkEnded | ExtractUnreached, *, at: datetime, **due: Any
    ) -> None:
        """Publish what became of an extract of these minutes. What it tells is kept before, the agreement locked."""
        told = await extract_sending_store.told(self.connection, archived.organisation, archived.agreement_id)
        self.publish(
            fact,
            organisation=archived.organisation,
            subject=archived.agreement_id,
            key=archived.agreement_id,
            sequence=_ARCHIVED + told,
            time=at,
            correlation_id=archived.correlation_id,
            **due,
        )

    async def flush(self) -> None:
        if self._completed:
            await store.insert_jobs(self.connection, self._completed)
            self._completed.clear()
        await store.end_links(self.connection, [ended for _, ended in sorted(self._ended_links.items())])
        self._ended_links.clear()
        await super().flush()

    def _publish_archived(self, job: Job, archived: Archived) -> None:
        event = ProtocolArchived(
            agreement_id=archived.agreement_id,
            meeting_id=archived.meeting_id,
            document_name=archived.document_name,
            sealed=archived.sealed,
            manifest=archived.manifest,
            test_seal=archived.test_seal,
            recipients=job.agreement.recipients,
            language=archived.language,
        )
        self.publish(
            event,
            organisation=archived.organisation,
            subject=archived.agreement_id,
            key=archived.agreement_id,
            sequence=_ARCHIVED,
            time=archived.archived_at,
            correlation_id=archived.correlation_id,
            cause=job.cause,
        )
