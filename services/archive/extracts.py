"""Extracts (protokollsutdrag): one paragraph of archived minutes, certified by a person and sealed as copies are.

An extract is made of what was sealed, by the manifest that was stored with it: the render input and the history, which
says who signed and when. Setting and sealing take a second, and happen outside of any transaction.
"""

import asyncio
import json
from collections.abc import Callable
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from services.archive import extract_sending as sending_rules
from services.archive import extract_sending_store as sending_store
from services.archive import extract_store, store
from services.archive.archiving import RENDER_INPUT_NAME
from services.archive.extract import MOST_EXTRACTS, Extract, ExtractWanted, clean_certifier
from services.archive.extract_sending import MOST_SENDINGS, Sending, SendingWanted, people_of
from services.archive.final_copy import document_of
from services.archive.pages import SealedCopy, SentExtract
from services.archive.queries import ArchiveQueries
from services.archive.seal import Sealer
from services.archive.store import Archived
from services.archive.transaction import ArchiveTransaction
from shared.blobs import BlobStore
from shared.clock import Clock
from shared.errors import NotFound, Refused
from shared.events import BlobRef, Person
from shared.history import verify_chain
from shared.links import holder_of
from shared.messaging.transaction import UnitOfWork
from shared.rendering.extract import Certificate, extract_job, extract_name
from shared.rendering.minutes import MinutesDocument, Stamp
from shared.rendering.press import Press
from shared.rendering.render import HISTORY_NAME
from shared.rendering.report import signatures

MOST_OFFERED = 50
"""Of names and addresses that were used before."""


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
        found = await self.extract(organisation, agreement_id, number)
        document = await self._document(organisation, await self._stored(organisation, agreement_id))
        content = await self._blobs.get(organisation, found.sealed)
        return extract_name(document, found.paragraph), content

    async def send(
        self,
        organisation: str,
        agreement_id: str,
        number: int,
        wanted: SendingWanted,
        *,
        asked_by: str,
        form_key: str | None = None,
    ) -> Sending:
        """Have an extract mailed to a person, for the first time or again. `asked_by`: the token's name; `form_key`:
        made with the form that says so, which sends once however often it is pressed as it was filled in.

        Raises NotFound for an extract that was not made, InvalidInput, Refused, Unavailable.
        """
        recipient, sender = people_of(wanted)
        body = (await self._document(organisation, await self._stored(organisation, agreement_id))).body
        now = self._clock.now()

        async def work(transaction: ArchiveTransaction) -> Sending:
            connection = transaction.connection
            archived, extract = await _locked(connection, organisation, agreement_id, number)
            there = await sending_store.sendings(connection, organisation, agreement_id, number)
            holder = holder_of(agreement_id, recipient.email)
            before = next((one for one in there if one.holder == holder), None)
            if before is not None and form_key is not None:
                last = await sending_store.form_key(connection, organisation, before)
                # Filled in otherwise, or its link ended meanwhile: that is another sending.
                if last == form_key and before.ended_at is None and before.is_of(recipient, sender):
                    return before
            if before is None and len(there) >= MOST_SENDINGS:
                raise Refused(f"the extract was sent to {MOST_SENDINGS} people, and cannot be to more")
            sent, fact = sending_rules.send(
                before, extract, archived.document_name, recipient, sender, timezone=archived.timezone, now=now
            )
            await sending_store.put(connection, organisation, sent, body=body, by=asked_by, form_key=form_key)
            await transaction.tell_of_extract(archived, fact, at=now)
            return sent

        return await self._unit_of_work.run(work)

    async def end_link(self, organisation: str, agreement_id: str, number: int, holder: str) -> Sending:
        """The links that a person was mailed open nothing any more, if they did. Raises NotFound."""
        now = self._clock.now()

        async def work(transaction: ArchiveTransaction) -> Sending:
            connection = transaction.connection
            archived, extract = await _locked(connection, organisation, agreement_id, number)
            sent = await sending_store.sending(connection, organisation, agreement_id, number, holder)
            if sent is None:
                raise NotFound("the extract was not sent to them")
            became = sending_rules.end(sent, extract, archived.document_name, now=now)
            if became is None:
                return sent
            ended, fact = became
            await sending_store.change(connection, organisation, ended)
            await transaction.tell_of_extract(archived, fact, at=now)
            return ended

        return await self._unit_of_work.run(work)

    async def sent(self, organisation: str, agreement_id: str, number: int) -> list[Sending]:
        """To whom an extract was sent. Raises NotFound for one that was not made."""
        await self.extract(organisation, agreement_id, number)
        async with self._unit_of_work.begin() as transaction:
            return await sending_store.sendings(transaction.connection, organisation, agreement_id, number)

    async def sent_to(self, organisation: str, agreement_id: str, number: int, holder: str) -> Sending:
        """Raises NotFound."""
        async with self._unit_of_work.begin() as transaction:
            found = await sending_store.sending(transaction.connection, organisation, agreement_id, number, holder)
        if found is None:
            raise NotFound("the extract was not sent to them")
        return found

    async def sent_extract(self, organisation: str, agreement_id: str, number: int, holder: str) -> SentExtract:
        """What the page behind a mailed link shows. Raises NotFound."""
        sent = await self.sent_to(organisation, agreement_id, number, holder)
        extract = await self.extract(organisation, agreement_id, number)
        copy = await self._queries.copy(organisation, agreement_id)
        return SentExtract(
            document_name=copy.document_name,
            paragraph=extract.paragraph,
            certified_by=extract.certified_by,
            certified_at=extract.certified_at,
            sender=sent.sender.name or sent.sender.email,
            language="en" if sent.recipient.language == "en" else "sv",
            timezone=copy.timezone,
            version=sent.version,
            opens_until=sent.opens_until,
            ended=sent.ended_at is not None,
            sent_at=sent.sent_at,
            test_seal=extract.test_seal,
            sha256=extract.sealed.sha256,
            size=extract.sealed.size,
        )

    async def people_before(self, organisation: str, agreement_id: str) -> list[tuple[Person, Person]]:
        """Whom extracts of minutes of the same body went to and who sent them, the last first, at most
        `MOST_OFFERED`. Raises NotFound, Unavailable."""
        document = await self._document(organisation, await self._stored(organisation, agreement_id))
        async with self._unit_of_work.begin() as transaction:
            return await sending_store.last_people(
                transaction.connection, organisation, document.body, most=MOST_OFFERED
            )

    async def certifiers_before(self, organisation: str) -> list[str]:
        """Who certified extracts, the last first, at most `MOST_OFFERED`."""
        async with self._unit_of_work.begin() as transaction:
            return await sending_store.certifiers(transaction.connection, organisation, most=MOST_OFFERED)

    async def extract(self, organisation: str, agreement_id: str, number: int) -> Extract:
        """Raises NotFound."""
        found = next((one for one in await self.made(organisation, agreement_id) if one.number == number), None)
        if found is None:
            raise NotFound(f"the minutes have no extract {number}")
        return found

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


async def _locked(
    connection: AsyncConnection, organisation: str, agreement_id: str, number: int
) -> tuple[Archived, Extract]:
    """Raises NotFound."""
    await extract_store.lock_archived(connection, organisation, agreement_id)
    archived = await store.find_archived(connection, organisation, agreement_id)
    made = await extract_store.extracts_of(connection, organisation, agreement_id)
    found = next((row for row in made if row.number == number), None)
    if archived is None or found is None:
        raise NotFound(f"the minutes have no extract {number}")
    return archived, _extract(found)
