"""Extracts (protokollsutdrag): one paragraph of archived minutes, certified by a person and sealed as copies are.

An extract is made of what was sealed, by the manifest that was stored with it: the render input and the history, which
says who signed and when. Setting and sealing take a second, and happen outside of any transaction.
"""

import asyncio
import json
from collections.abc import Callable
from typing import Any

from services.archive import extract_store
from services.archive.archiving import RENDER_INPUT_NAME
from services.archive.extract import MOST_EXTRACTS, Extract, ExtractWanted, clean_certifier
from services.archive.final_copy import document_of
from services.archive.pages import SealedCopy
from services.archive.queries import ArchiveQueries
from services.archive.seal import Sealer
from services.archive.transaction import ArchiveTransaction
from shared.blobs import BlobStore
from shared.clock import Clock
from shared.errors import NotFound, Refused
from shared.events import BlobRef
from shared.history import verify_chain
from shared.messaging.transaction import UnitOfWork
from shared.rendering.extract import Certificate, extract_job, extract_name
from shared.rendering.minutes import MinutesDocument, Stamp
from shared.rendering.press import Press
from shared.rendering.render import HISTORY_NAME
from shared.rendering.report import signatures


class Extracts:
    """`sealer`: what the archive seals its copies with, opened when the service starts."""

    def __init__(
        self,
        unit_of_work: UnitOfWork[ArchiveTransaction],
        queries: ArchiveQueries,
        blobs: BlobStore,
        press: Press,
        sealer: Callable[[], Sealer],
        clock: Clock,
    ) -> None:
        self._unit_of_work = unit_of_work
        self._queries = queries
        self._blobs = blobs
        self._press = press
        self._sealer = sealer
        self._clock = clock

    async def certify(self, organisation: str, agreement_id: str, wanted: ExtractWanted, *, asked_by: str) -> Extract:
        """Make and seal an extract. `asked_by`: the token's name.

        Raises NotFound for minutes that are not archived, or have no such paragraph; InvalidInput, Refused,
        Unavailable.
        """
        by = clean_certifier(wanted.certified_by)
        copy = await self._queries.copy(organisation, agreement_id)
        document, stamps = await self._sources(organisation, agreement_id)
        now = self._clock.now()
        certificate = Certificate(by, now, agreement_id, copy.sha256)
        job = extract_job(document, wanted.paragraph, stamps, certificate)
        sealer = self._sealer()
        pdf = await asyncio.to_thread(sealer.seal, await self._press.set(job))
        sealed = await self._blobs.put(organisation, pdf, "application/pdf")

        async def work(transaction: ArchiveTransaction) -> Extract:
            await extract_store.lock_archived(transaction.connection, organisation, agreement_id)
            there = await extract_store.extracts_of(transaction.connection, organisation, agreement_id)
            if len(there) >= MOST_EXTRACTS:
                raise Refused(f"{MOST_EXTRACTS} extracts of these minutes have been made, and no more can be")
            made = Extract(
                agreement_id=agreement_id,
                number=len(there) + 1,
                paragraph=wanted.paragraph,
                certified_by=by,
                certified_at=now,
                sealed=sealed,
                test_seal=sealer.is_test,
            )
            row = {"organisation": organisation, "asked_by": asked_by, **made.model_dump()}
            await extract_store.add_extract(transaction.connection, row)
            return made

        return await self._unit_of_work.run(work)

    async def made(self, organisation: str, agreement_id: str) -> list[Extract]:
        """In the order in which they were made. Raises NotFound for minutes that are not archived."""
        await self._queries.copy(organisation, agreement_id)
        async with self._unit_of_work.begin() as transaction:
            rows = await extract_store.extracts_of(transaction.connection, organisation, agreement_id)
        return [_extract(row) for row in rows]

    async def pdf(self, organisation: str, agreement_id: str, number: int) -> tuple[str, bytes]:
        """What the file is called, and the extract. Raises NotFound, Unavailable."""
        found = next((one for one in await self.made(organisation, agreement_id) if one.number == number), None)
        if found is None:
            raise NotFound(f"the minutes have no extract {number}")
        document = await self._document(organisation, await self._stored(organisation, agreement_id))
        content = await self._blobs.get(organisation, found.sealed)
        return extract_name(document, found.paragraph), content

    async def copy(self, organisation: str, agreement_id: str) -> SealedCopy:
        """What the extracts are of. Raises NotFound."""
        return await self._queries.copy(organisation, agreement_id)

    async def paragraphs(self, organisation: str, agreement_id: str) -> list[tuple[int, str]]:
        """The numbers and headings of the minutes' paragraphs. Raises NotFound, Unavailable."""
        document = await self._document(organisation, await self._stored(organisation, agreement_id))
        return [(one.number, one.heading) for one in document.paragraphs]

    async def _sources(self, organisation: str, agreement_id: str) -> tuple[MinutesDocument, list[Stamp]]:
        stored = await self._stored(organisation, agreement_id)
        document = await self._document(organisation, stored)
        history = await asyncio.to_thread(verify_chain, await self._blobs.get(organisation, stored[HISTORY_NAME]))
        return document, [Stamp(role=one.role, name=one.name, at=one.signed_at) for one in signatures(history.entries)]

    async def _document(self, organisation: str, stored: dict[str, BlobRef]) -> MinutesDocument:
        content = await self._blobs.get(organisation, stored[RENDER_INPUT_NAME])
        return await asyncio.to_thread(document_of, content)

    async def _stored(self, organisation: str, agreement_id: str) -> dict[str, BlobRef]:
        """What was stored with the sealed copy, by name. Raises NotFound, Unavailable."""
        manifest = json.loads(await self._queries.manifest(organisation, agreement_id))
        return {one["name"]: BlobRef.model_validate(one) for one in manifest["objects"]}


def _extract(row: Any) -> Extract:
    return Extract.model_validate(row, from_attributes=True)
