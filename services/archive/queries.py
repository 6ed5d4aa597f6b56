"""What can be read of the archive: by the HTTP API, the page behind a mailed link, the command line and a replay.

Every query names the organisation, and finds only what is its own.
"""

import base64
import binascii
import json
from collections.abc import Mapping
from contextlib import nullcontext
from datetime import datetime
from typing import Literal, cast

from pydantic import BaseModel, Field
from sqlalchemy.ext.asyncio import AsyncConnection

from services.archive import store
from services.archive.pages import SealedCopy
from services.archive.store import FAILED, REFUSED, WAITING, Archived, Job, Position
from shared.blobs import BlobStore
from shared.clock import parse_timestamp, timestamp
from shared.database import Database
from shared.errors import InvalidInput, NotFound
from shared.events import BlobRef
from shared.links import LINKS_OPEN
from shared.rendering.minutes import Language
from shared.row_security import for_all

MOST = 200

State = Literal["archived", "waiting", "failed", "refused"]


class ProtocolView(BaseModel):
    """A completed agreement's document. What follows `attempts` is null until it is archived."""

    agreement_id: str
    document_name: str
    meeting_id: str
    state: State
    completed_at: datetime
    reason: str | None = Field(None, description="why it has not been archived so far, when something went wrong")
    differences: list[str] | None = Field(
        None, description="between the history and the journal, an entry a line, when that is why"
    )
    attempts: int | None = Field(None, description="how often that was; null once archived")
    archived_at: datetime | None = None
    sealed: BlobRef | None = Field(None, description="the final copy, PDF")
    manifest: BlobRef | None = None
    test_seal: bool | None = Field(None, description="sealed with a test certificate: proves nothing to others")


class ProtocolPage(BaseModel):
    protocols: list[ProtocolView]
    next: str | None = Field(description="give it as `cursor` for the next page; null on the last")


class ArchiveQueries:
    def __init__(self, database: Database, blobs: BlobStore) -> None:
        self._database = database
        self._blobs = blobs

    async def protocols(
        self, organisation: str, state: State = "archived", *, cursor: str | None = None, most: int = 50
    ) -> ProtocolPage:
        """Archived ones the newest first, others by id. Raises InvalidInput for a malformed cursor."""
        most = max(1, min(most, MOST))
        if state == "archived":
            return await self._archived_page(organisation, cursor, most)
        async with self._database.single() as connection:
            found = await store.jobs(connection, organisation, state, after=cursor or "", most=most + 1)
        views = [_waiting_view(job) for job in found[:most]]
        return ProtocolPage(protocols=views, next=views[-1].agreement_id if len(found) > most else None)

    async def protocol(self, organisation: str, agreement_id: str) -> ProtocolView:
        """Also one that waits or has failed. Raises NotFound for an agreement that is not completed."""
        async with self._database.single() as connection:
            return await self.protocol_on(connection, organisation, agreement_id)

    async def protocol_on(self, connection: AsyncConnection, organisation: str, agreement_id: str) -> ProtocolView:
        """The same within a transaction."""
        archived = await store.find_archived(connection, organisation, agreement_id)
        job = None if archived else await store.find_job(connection, organisation, agreement_id)
        if archived is not None:
            return _archived_view(archived)
        if job is not None:
            return _waiting_view(job)
        raise NotFound("the archive has no such agreement", hint="only completed agreements are archived")

    async def copy(self, organisation: str, agreement_id: str) -> SealedCopy:
        """What the page behind a mailed link shows. Raises NotFound."""
        archived = await self._archived(organisation, agreement_id)
        return SealedCopy(
            document_name=archived.document_name,
            language=cast(Language, archived.language),
            timezone=archived.timezone,
            archived_at=archived.archived_at,
            opens_until=archived.archived_at + LINKS_OPEN,
            sha256=archived.sealed.sha256,
            size=archived.sealed.size,
        )

    async def links_from(self, organisation: str, agreement_id: str) -> Mapping[str, int]:
        """By holder: the version from which on their links open the copy, of those whose links were ended."""
        async with self._database.single() as connection:
            return await store.ended_links(connection, organisation, agreement_id)

    async def pdf(self, organisation: str, agreement_id: str) -> bytes:
        """The sealed copy, checked against its hash. Raises NotFound, Unavailable."""
        archived = await self._archived(organisation, agreement_id)
        return await self._blobs.get(organisation, archived.sealed)

    async def manifest(self, organisation: str, agreement_id: str) -> bytes:
        """JSON: the checksums of all that was stored. Raises NotFound, Unavailable."""
        archived = await self._archived(organisation, agreement_id)
        return await self._blobs.get(organisation, archived.manifest)

    async def failed(self, organisation: str | None = None, *, most: int = MOST) -> list[Job]:
        """Those that are given up until someone has them retried; of every organisation when none is named."""
        with for_all("an operator's list of all") if organisation is None else nullcontext():
            async with self._database.single() as connection:
                return await store.jobs(connection, organisation, FAILED, most=most)

    async def count_waiting(self) -> int:
        with for_all("counted for the installation as a whole"):
            async with self._database.single() as connection:
                return await store.count_jobs(connection, WAITING)

    async def count_failed(self) -> int:
        """What waits for a person: given up, or refused."""
        with for_all("counted for the installation as a whole"):
            async with self._database.single() as connection:
                return await store.count_jobs(connection, FAILED, REFUSED)

    async def _archived(self, organisation: str, agreement_id: str) -> Archived:
        async with self._database.single() as connection:
            archived = await store.find_archived(connection, organisation, agreement_id)
        if archived is None:
            raise NotFound("the agreement is not in the archive")
        return archived

    async def _archived_page(self, organisation: str, cursor: str | None, most: int) -> ProtocolPage:
        before = _position(cursor) if cursor else None
        async with self._database.single() as connection:
            found = await store.archived_page(connection, organisation, before=before, most=most + 1)
        views = [_archived_view(archived) for archived in found[:most]]
        return ProtocolPage(protocols=views, next=_cursor(found[most - 1]) if len(found) > most else None)


def _archived_view(archived: Archived) -> ProtocolView:
    return ProtocolView(
        agreement_id=archived.agreement_id,
        document_name=archived.document_name,
        meeting_id=archived.meeting_id,
        state="archived",
        completed_at=archived.completed_at,
        archived_at=archived.archived_at,
        sealed=archived.sealed,
        manifest=archived.manifest,
        test_seal=archived.test_seal,
    )


def _waiting_view(job: Job) -> ProtocolView:
    agreement = job.agreement
    return ProtocolView(
        agreement_id=job.agreement_id,
        document_name=agreement.document_name,
        meeting_id=agreement.meeting_id,
        state=cast(State, job.state),
        completed_at=job.cause.time,
        reason=job.reason,
        differences=job.differences,
        attempts=job.attempts,
    )


def _cursor(archived: Archived) -> str:
    content = json.dumps([timestamp(archived.archived_at), archived.agreement_id])
    return base64.urlsafe_b64encode(content.encode()).decode()


def _position(cursor: str) -> Position:
    try:
        moment, agreement_id = json.loads(base64.urlsafe_b64decode(cursor))
        return parse_timestamp(moment), str(agreement_id).replace("\0", "")
    except (binascii.Error, ValueError, TypeError, OverflowError) as error:
        raise InvalidInput("the cursor is malformed", hint="take `next` of the page before, unchanged") from error
