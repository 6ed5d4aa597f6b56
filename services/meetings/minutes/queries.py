"""What is read of minutes that were drafted: a version's words, and what differs between two."""

import asyncio
from typing import Any

from services.meetings.minutes.difference import Difference, difference
from services.meetings.transaction import MeetingsTransaction
from shared.blobs import BlobStore
from shared.errors import NotFound
from shared.events import BlobRef
from shared.messaging.transaction import UnitOfWork
from shared.rendering.minutes import MinutesDocument


class MinutesQueries:
    def __init__(self, unit_of_work: UnitOfWork[MeetingsTransaction], blobs: BlobStore) -> None:
        self._unit_of_work = unit_of_work
        self._blobs = blobs

    async def document(self, organisation: str, meeting_id: str, version: int) -> MinutesDocument:
        """Raises NotFound, Unavailable."""
        return await self._read(organisation, await self._row(organisation, meeting_id, version))

    async def difference(self, organisation: str, meeting_id: str, before: int, after: int) -> Difference:
        """What the version `after` took away from the version `before` and added. Raises NotFound, Unavailable."""
        rows = [await self._row(organisation, meeting_id, version) for version in (before, after)]
        documents = [await self._read(organisation, row) for row in rows]
        return await asyncio.to_thread(difference, documents[0], documents[1], (before, after))

    async def _row(self, organisation: str, meeting_id: str, version: int) -> Any:
        async with self._unit_of_work.begin() as transaction:
            await transaction.meeting(organisation, meeting_id)
            rows = await transaction.versions_of_minutes(organisation, meeting_id)
        row = next((one for one in rows if one.version == version), None)
        if row is None:
            raise NotFound(f"the meeting's minutes have no version {version}")
        return row

    async def _read(self, organisation: str, row: Any) -> MinutesDocument:
        if row.render_input is None:
            raise NotFound(
                f"version {row.version} was drafted before versions could be compared", hint="read it as PDF"
            )
        content = await self._blobs.get(organisation, BlobRef.model_validate(row.render_input))
        return MinutesDocument.model_validate_json(content)
