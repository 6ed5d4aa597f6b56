"""What people ask of the notice board. What is posted is set between two transactions, and nothing of it is posted when
anything that it rests on has changed between them."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from services.meetings.body.body import Body
from services.meetings.meeting.meeting import Meeting
from services.meetings.publication import publication as rules
from services.meetings.publication.publication import Posted, Publication
from services.meetings.publication.waiting import begin_part, begin_publication
from services.meetings.transaction import MeetingsTransaction
from services.meetings.versions import require_version
from shared.blobs import BlobStore
from shared.clock import Clock
from shared.errors import InvalidInput, Refused, says
from shared.events import BlobRef
from shared.messaging.transaction import UnitOfWork
from shared.rendering.html import minutes_html
from shared.rendering.minutes import MinutesDocument, Stamp
from shared.rendering.press import CannotBeSet, Press
from shared.rendering.public import Mask, Masking, masked, masking, public_job

PDF, HTML, DATA = "application/pdf", "text/html", "application/json"


@dataclass(frozen=True, slots=True)
class _Sources:
    """What a public rendition is made of."""

    publication: Publication
    agreement_id: str
    minutes_version: int
    first_paragraph: int
    last_paragraph: int
    render_input: BlobRef
    stamps: tuple[Stamp, ...]


class PublicationCommands:
    def __init__(self, unit_of_work: UnitOfWork[MeetingsTransaction], clock: Clock, blobs: BlobStore, press: Press):
        self._unit_of_work = unit_of_work
        self._clock = clock
        self._blobs = blobs
        self._press = press

    async def of_meeting(
        self, organisation: str, meeting_id: str, *, paragraph: int | None = None
    ) -> Publication | None:
        """None while nothing waits for its minutes, or for a `paragraph` of theirs that was approved at once. Raises
        NotFound for an unknown meeting."""
        async with self._unit_of_work.begin() as transaction:
            await transaction.meeting(organisation, meeting_id)
            return await _seen(transaction, organisation, meeting_id, paragraph)

    async def parts(self, organisation: str, meeting_id: str) -> list[Publication]:
        """Of the paragraphs that were approved at once, by their numbers."""
        async with self._unit_of_work.begin() as transaction:
            return await transaction.parts_of(organisation, meeting_id)

    async def preview(
        self, organisation: str, meeting_id: str, masks: Sequence[Mask], *, paragraph: int | None = None
    ) -> Masking:
        """Where the masks stand, and the pin that confirms them. Raises as `post`."""
        document = await self._document(organisation, await self._sources(organisation, meeting_id, paragraph))
        return await asyncio.to_thread(masking, document, masks)

    async def post(
        self,
        organisation: str,
        meeting_id: str,
        masks: Sequence[Mask],
        *,
        confirmed: str,
        version: int | None = None,
        paragraph: int | None = None,
    ) -> Publication:
        """Put the minutes on the notice board, or an edition with other masks in place of the one that is there.

        `paragraph`: one that was approved at once, alone.
        `confirmed`: the pin of what was looked at. `version`: of the publication that the person saw; 0 of none.
        Raises NotFound, Refused, InvalidInput, Unavailable.
        """
        sources = await self._sources(organisation, meeting_id, paragraph)
        require_version("the publication", sources.publication.version, version)
        document = await self._document(organisation, sources)
        made = await self._made(organisation, document, sources, masks, confirmed)

        async def work(transaction: MeetingsTransaction) -> Publication:
            await transaction.hold_postings(organisation, [sources.publication.id])
            publication, body, now = await self._locked(transaction, organisation, meeting_id, sources, paragraph)
            posted, fact = rules.post(publication, body, made, tuple(masks), now)
            await transaction.save_posting(organisation, posted)
            transaction.tell_publication(organisation, posted, fact, now)
            await transaction.set_posting_timer(organisation, posted)
            return posted

        return await self._unit_of_work.run(work)

    async def remove(
        self,
        organisation: str,
        meeting_id: str,
        reason: str | None,
        *,
        version: int | None = None,
        paragraph: int | None = None,
    ) -> Publication:
        """Take the minutes down from the board, or out of the archive. Raises NotFound, Refused, InvalidInput."""

        async def work(transaction: MeetingsTransaction) -> Publication:
            await transaction.meeting(organisation, meeting_id)
            seen = await _seen(transaction, organisation, meeting_id, paragraph)
            if seen is None:
                raise rules.not_posted()
            await transaction.hold_postings(organisation, [seen.id])
            publication = await transaction.lock_posting(organisation, seen.id)
            require_version("the publication", publication.version, version)
            now = self._clock.now()
            body = await transaction.body(organisation, publication.body_id)
            removed, fact = rules.remove(publication, body, reason, now)
            await transaction.save_posting(organisation, removed)
            transaction.tell_publication(organisation, removed, fact, now)
            await transaction.set_posting_timer(organisation, removed)
            return removed

        return await self._unit_of_work.run(work)

    async def _sources(self, organisation: str, meeting_id: str, paragraph: int | None) -> _Sources:
        """Raises NotFound; Refused when not everyone has signed, or the register does not know the body."""

        async def work(transaction: MeetingsTransaction) -> _Sources:
            meeting, body = await _meeting(transaction, organisation, meeting_id)
            row = await _signed(transaction, organisation, meeting_id, paragraph)
            if row.render_input is None:
                raise Refused(
                    "what these minutes were set from is not kept",
                    hint="they were drafted before it was: put up their sealed copy by other means",
                    says=says("publication_too_old"),
                )
            # The register may know the body only since they were signed.
            now = self._clock.now()
            if paragraph is None:
                publication = await begin_publication(transaction, organisation, meeting, body, now)
            else:
                publication = await begin_part(transaction, organisation, meeting, body, row, now)
            return _Sources(
                publication=publication,
                agreement_id=row.agreement_id,
                minutes_version=row.version,
                first_paragraph=row.first_paragraph,
                last_paragraph=row.last_paragraph,
                render_input=BlobRef.model_validate(row.render_input),
                stamps=tuple(await transaction.signatures(organisation, row.agreement_id)),
            )

        return await self._unit_of_work.look(work)

    async def _locked(
        self,
        transaction: MeetingsTransaction,
        organisation: str,
        meeting_id: str,
        sources: _Sources,
        paragraph: int | None,
    ) -> tuple[Publication, Body, datetime]:
        """As it was when its pages were set. Raises Refused."""
        _, body = await _meeting(transaction, organisation, meeting_id)
        publication = await transaction.lock_posting(organisation, sources.publication.id)
        require_version("the publication", publication.version, sources.publication.version)
        row = await _signed(transaction, organisation, meeting_id, paragraph)
        if row.agreement_id != sources.agreement_id:
            raise rules.not_signed()
        return publication, body, self._clock.now()

    async def _document(self, organisation: str, sources: _Sources) -> MinutesDocument:
        content = await self._blobs.get(organisation, sources.render_input)
        return await asyncio.to_thread(MinutesDocument.model_validate_json, content)

    async def _made(
        self,
        organisation: str,
        document: MinutesDocument,
        sources: _Sources,
        masks: Sequence[Mask],
        confirmed: str,
    ) -> Posted:
        """Raises Refused when it is not what was looked at, InvalidInput, Unavailable."""
        public = await asyncio.to_thread(masked, document, masks, confirmed=confirmed)
        job = await asyncio.to_thread(
            public_job, document, sources.stamps, masks, confirmed=confirmed, at=self._clock.now()
        )
        try:
            pdf = await self._press.set_as_it_is(job)
        except CannotBeSet as error:
            raise InvalidInput(
                f"the public pages cannot be set: {error.message}", hint="mask whole passages instead of single words"
            ) from error
        html = await asyncio.to_thread(minutes_html, public)
        return Posted(
            title=public.name,
            language=public.language,
            minutes_version=sources.minutes_version,
            first_paragraph=sources.first_paragraph,
            last_paragraph=sources.last_paragraph,
            pdf=await self._blobs.put(organisation, pdf, PDF),
            html=await self._blobs.put(organisation, html.encode("utf-8", "replace"), HTML),
            says_when=len(sources.stamps) >= len(document.places),
            document=await self._blobs.put(organisation, public.model_dump_json().encode("utf-8", "replace"), DATA),
        )


async def _seen(
    transaction: MeetingsTransaction, organisation: str, meeting_id: str, paragraph: int | None
) -> Publication | None:
    """Of the minutes, or of the paragraph as it was approved last."""
    if paragraph is None:
        return await transaction.posting_of(organisation, meeting_id)
    of_it = [one for one in await transaction.parts_of(organisation, meeting_id) if one.paragraph == paragraph]
    return min(of_it, key=lambda one: one.part, default=None)


async def _signed(transaction: MeetingsTransaction, organisation: str, meeting_id: str, paragraph: int | None) -> Any:
    """The row of `MINUTES` that everyone has signed, of all of them or of a paragraph alone. Raises Refused."""
    if paragraph is None:
        rows = [await transaction.minutes_of(organisation, meeting_id)]
    else:
        there = await transaction.adjusted_at_once(organisation, meeting_id)
        rows = [row for row in there if row.first_paragraph == paragraph]
    for row in rows:
        if row is not None and row.signed_at is not None and row.ended is None:
            return row
    raise rules.not_signed()


async def _meeting(transaction: MeetingsTransaction, organisation: str, meeting_id: str) -> tuple[Meeting, Body]:
    """Raises NotFound, Refused."""
    meeting = await transaction.meeting(organisation, meeting_id)
    body = await transaction.body_of(organisation, meeting)
    if body is None:
        raise Refused(
            "the register does not know the body",
            hint="add it there first",
            says=says("publication_no_body"),
        )
    return meeting, body
