"""What people ask of minutes: drafting, and their original.

Drafting renders between two transactions: the first looks up the next number, the second takes it if it still is the
next. So no lock is held while a document is set, which may take seconds.
"""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from weakref import WeakValueDictionary

from pydantic import BaseModel

from services.meetings.body.body import Body
from services.meetings.meeting.meeting import Meeting, body_key, require_minutes_fit
from services.meetings.minutes.at_once import Adjusted, Approved, held, of_row, with_adjusted
from services.meetings.minutes.counting import annexes_of, begins_anew, counted_by, first_in_year, first_of
from services.meetings.minutes.declared import DeclaredElection, declared, declaring, elected_by
from services.meetings.minutes.drafting import (
    DraftedMinutes,
    Drafting,
    clean_drafting,
    drafted_fact,
    drafted_of,
    minutes_row,
    released,
    signature_places,
)
from services.meetings.minutes.minutes import MinutesDraft, number_paragraphs, parse_minutes
from services.meetings.minutes.revision import Version, next_after, next_version
from services.meetings.minutes.seating import SEATED, take_effect
from services.meetings.minutes.setting import set_minutes
from services.meetings.minutes.store import version_of_row
from services.meetings.minutes.word import FromWord, Known
from services.meetings.minutes.word_reading import read_apart
from services.meetings.review.following import follow_version
from services.meetings.transaction import MeetingsTransaction
from services.meetings.versions import require_version
from shared.blobs import BlobStore
from shared.clock import Clock
from shared.errors import NotFound, Refused, Unavailable
from shared.events import BlobRef, Event, ProtocolDrafted
from shared.ids import new_transaction_id
from shared.messaging.transaction import UnitOfWork
from shared.rendering.html import minutes_html
from shared.rendering.minutes import Annex, Letterhead, MinutesDocument
from shared.rendering.press import Press
from shared.text import clean_ip

_MOST_TRIES = 10


class DraftedVersion(BaseModel):
    """A version as it is shown. `ended`: how its agreement ended before everyone had signed."""

    version: int
    agreement_id: str
    document_name: str
    first_paragraph: int
    last_paragraph: int
    drafted_at: datetime
    ended: str | None
    has_html: bool = False
    signed_at: datetime | None = None
    unlocked_at: datetime | None = None
    released_at: datetime | None = None

    @property
    def may_unlock(self) -> bool:
        """Of the last version."""
        return self.ended is None and self.signed_at is None and self.unlocked_at is None


@dataclass(frozen=True, slots=True)
class _Found:
    """What stands while minutes are drafted. `first`: the number of the first paragraph; `approved`: at once."""

    before: Version | None
    first: int
    letterhead: Letterhead | None
    annexes: tuple[Annex, ...]
    approved: tuple[Adjusted, ...]


class NumbersTaken(Exception):
    """Others drafted while the document was set: its numbers are not the next any more."""


class MinutesCommands:
    def __init__(
        self,
        unit_of_work: UnitOfWork[MeetingsTransaction],
        clock: Clock,
        blobs: BlobStore,
        press: Press,
        word_reader: Press,
    ) -> None:
        self._unit_of_work = unit_of_work
        self._clock = clock
        self._blobs = blobs
        self._press = press
        self._word_reader = word_reader
        self._turns: WeakValueDictionary[tuple[str, str, int], asyncio.Lock] = WeakValueDictionary()

    async def draft_minutes(
        self,
        organisation: str,
        meeting_id: str,
        text: str,
        drafting: Drafting,
        *,
        ip: str,
        written: int | None = None,
        release: bool = False,
    ) -> DraftedMinutes:
        """Number, render and store the minutes; signing then prepares an agreement under the returned id.

        A draft after one whose agreement ended is the next version of the same minutes, with the same numbers.
        `written`: the version of the manuscript that the text is; refused when it was changed since. `release`: signing
        sends it to its first signer at once. Raises NotFound, Refused (a draft that may still be signed, another body,
        a number taken), InvalidInput, Unavailable.
        """
        draft = await asyncio.to_thread(parse_minutes, text)
        drafting = clean_drafting(drafting)
        sender_ip = clean_ip(ip)
        agreement_id = drafting.transaction_id or new_transaction_id()
        # Those who draft for one body at once take turns in this process; between processes the numbers decide.
        numbered = (organisation, body_key(draft.front.body), draft.front.starts.year)
        async with self._turns.setdefault(numbered, asyncio.Lock()):
            for _ in range(_MOST_TRIES):
                document, found = await self._numbered(organisation, meeting_id, draft, drafting, agreement_id)
                pdf, render_input = await self._render(organisation, draft, document)
                source = await self._blobs.put(organisation, text.encode(), "text/markdown")
                drafted = drafted_of(meeting_id, agreement_id, document, pdf, found.before)
                fact = drafted_fact(drafted, document, drafting, render_input, sender_ip)
                with suppress(NumbersTaken):
                    return await self._kept(
                        organisation, draft, drafted, document, fact, source, written, release, found.approved
                    )
        raise Unavailable("others draft minutes of the same body at this moment", hint="try again in a moment")

    async def _numbered(
        self, organisation: str, meeting_id: str, draft: MinutesDraft, drafting: Drafting, agreement_id: str
    ) -> tuple[MinutesDocument, _Found]:
        """The document with the numbers that it would get now, and what it was made with. Nothing stays locked."""
        front = draft.front

        async def look(transaction: MeetingsTransaction) -> _Found:
            meeting = await transaction.meeting(organisation, meeting_id)
            body = await transaction.body_of(organisation, meeting)
            before = await self._version_before(transaction, organisation, meeting, body, draft, agreement_id)
            next_version(before)
            await elected_by(transaction, organisation, draft, 1)
            letterhead = await transaction.letterhead(organisation)
            annexes = await annexes_of(transaction, organisation, meeting_id, body, draft)
            adjusted = [of_row(row) for row in await transaction.adjusted_at_once(organisation, meeting_id)]
            holds, approved = held(before, adjusted), tuple(one for one in adjusted if one.stands)
            if begins_anew(body):
                return _Found(before, first_of(draft, holds), letterhead, annexes, approved)
            next_in_year = await transaction.next_number(organisation, counted_by(body, draft), front.starts.year)
            return _Found(before, first_in_year(draft, holds, next_in_year), letterhead, annexes, approved)

        found = await self._unit_of_work.look(look)
        document = number_paragraphs(
            draft,
            found.first,
            language=drafting.language,
            timezone=drafting.timezone,
            places=signature_places(draft, drafting),
            letterhead=found.letterhead,
            annexes=found.annexes,
        )
        return await self._with_approved(organisation, document, found.approved), found

    async def _with_approved(
        self, organisation: str, document: MinutesDocument, approved: Sequence[Adjusted]
    ) -> MinutesDocument:
        """Where paragraphs that were approved at once say so. Raises Refused, Unavailable."""
        own = []
        for one in approved:
            async with self._unit_of_work.begin() as transaction:
                row = await transaction.minutes_of_agreement(organisation, one.agreement_id)
                stamps = await transaction.signatures(organisation, one.agreement_id)
            content = await self._blobs.get(organisation, BlobRef.model_validate(row.render_input)) if row else b""
            document_of_it = MinutesDocument.model_validate_json(content)
            own.append(Approved(one, document_of_it, tuple(stamp.name for stamp in stamps)))
        return with_adjusted(document, own)

    async def _kept(
        self,
        organisation: str,
        draft: MinutesDraft,
        drafted: DraftedMinutes,
        document: MinutesDocument,
        fact: ProtocolDrafted,
        source: BlobRef,
        written: int | None,
        release: bool,
        told: Sequence[Adjusted],
    ) -> DraftedMinutes:
        """Take the numbers that stand in the PDF, and write the draft down. `told`: the paragraphs that it says were
        approved at once. Raises NumbersTaken."""

        async def work(transaction: MeetingsTransaction) -> DraftedMinutes:
            front = draft.front
            await transaction.hold_register(organisation)
            meeting = await transaction.lock_meeting(organisation, drafted.meeting_id)
            body = await transaction.body_of(organisation, meeting)
            counted = counted_by(body, draft)
            before = await self._version_before(transaction, organisation, meeting, body, draft, drafted.agreement_id)
            anew = begins_anew(body)
            next_in_year = None
            if not anew:
                next_in_year = await transaction.lock_numbering(organisation, counted, front.starts.year)
            adjusted = [of_row(row) for row in await transaction.adjusted_at_once(organisation, drafted.meeting_id)]
            holds, standing = held(before, adjusted), [one for one in adjusted if one.stands]
            first = first_of(draft, holds) if anew else first_in_year(draft, holds, next_in_year)
            if (next_version(before), first) != (drafted.version, drafted.first_paragraph) or standing != list(told):
                raise NumbersTaken
            if not anew:
                following = next_after(holds, drafted.last_paragraph, next_in_year)
                await transaction.set_numbering(organisation, counted, front.starts.year, following)
            now = self._clock.now()
            row = minutes_row(organisation, drafted, document, fact.render_input, source, now)
            await transaction.add_minutes({**row, "released_at": now if release else None})
            declared_now = await elected_by(transaction, organisation, draft, first)
            # What was approved at once took effect then.
            approved = {one.paragraph for one in standing}
            elected = [one for one in declared_now if one.basis.paragraph not in approved]
            await transaction.add_elections(organisation, drafted.meeting_id, drafted.version, elected)
            if written is not None:
                manuscript = await transaction.manuscript(organisation, meeting.id)
                require_version("the draft", manuscript.version if manuscript else 0, written)
                if manuscript is not None:
                    as_numbered = manuscript.model_copy(update={"numbered": drafted.version})
                    await transaction.save_manuscript(organisation, meeting.id, as_numbered)
            facts: list[Event] = [fact]
            if release:
                facts.append(released(drafted))
            for one in facts:
                meeting = meeting.model_copy(update={"version": meeting.version + 1})
                transaction.tell(organisation, meeting, one, now)
            await transaction.save_meeting(organisation, meeting)
            now_drafted = version_of_row(await transaction.minutes_of(organisation, drafted.meeting_id))
            await follow_version(transaction, organisation, drafted.meeting_id, now_drafted, drafted.document_name, now)
            return drafted

        return await self._unit_of_work.run(work)

    async def original_pdf(self, organisation: str, meeting_id: str) -> bytes:
        """Raises NotFound, Unavailable."""
        async with self._unit_of_work.begin() as transaction:
            row = await transaction.minutes_of(organisation, meeting_id)
        if row is None:
            raise NotFound("no minutes have been drafted for this meeting")
        return await self._blobs.get(organisation, BlobRef.model_validate(row.pdf))

    async def written(self, organisation: str, meeting_ids: Sequence[str]) -> set[str]:
        """Those of these meetings that have minutes."""
        async with self._unit_of_work.begin() as transaction:
            return await transaction.meetings_with_minutes(organisation, meeting_ids)

    async def from_word(self, organisation: str, meeting_id: str, content: bytes) -> FromWord:
        """The Markdown of a Word document, with what is known of the meeting. Nothing is kept.

        Raises NotFound, InvalidInput, TooLarge, Unavailable.
        """
        async with self._unit_of_work.begin() as transaction:
            meeting = await transaction.meeting(organisation, meeting_id)
        details = meeting.details
        known = Known(details.title, details.body, details.place, details.starts, details.ends)
        return await read_apart(self._word_reader, content, known)

    async def as_html(self, organisation: str, meeting_id: str) -> str:
        """The last version's words as an HTML file. Raises NotFound, Unavailable."""
        async with self._unit_of_work.begin() as transaction:
            row = await transaction.minutes_of(organisation, meeting_id)
        if row is None:
            raise NotFound("no minutes have been drafted for this meeting")
        if row.render_input is None:
            raise NotFound("these minutes were drafted before they could be read as HTML", hint="read them as PDF")
        content = await self._blobs.get(organisation, BlobRef.model_validate(row.render_input))
        return minutes_html(MinutesDocument.model_validate_json(content))

    async def versions(self, organisation: str, meeting_id: str) -> list[DraftedVersion]:
        """The last one first."""
        async with self._unit_of_work.begin() as transaction:
            rows = await transaction.versions_of_minutes(organisation, meeting_id)
        return [
            DraftedVersion.model_validate(row, from_attributes=True).model_copy(
                update={"has_html": row.render_input is not None}
            )
            for row in rows
        ]

    async def elections(self, organisation: str, meeting_id: str) -> list[DeclaredElection]:
        """Of the last version of the meeting's minutes. Raises NotFound."""
        async with self._unit_of_work.begin() as transaction:
            await transaction.meeting(organisation, meeting_id)
            return await declared(transaction, organisation, meeting_id)

    async def seat_again(self, organisation: str, meeting_id: str) -> list[DeclaredElection]:
        """What was refused when everyone had signed is tried again; it begins today, unless the minutes say when.
        Raises NotFound."""

        async def work(transaction: MeetingsTransaction) -> list[DeclaredElection]:
            await transaction.lock_register(organisation)
            await transaction.meeting(organisation, meeting_id)
            for version in await declaring(transaction, organisation, meeting_id):
                rows = await transaction.elections(organisation, meeting_id, version, for_update=True)
                refused = [row for row in rows if row.outcome not in (None, SEATED)]
                await take_effect(transaction, organisation, refused, at=self._clock.now())
            return await declared(transaction, organisation, meeting_id)

        return await self._unit_of_work.run(work)

    async def _version_before(
        self,
        transaction: MeetingsTransaction,
        organisation: str,
        meeting: Meeting,
        body: Body | None,
        draft: MinutesDraft,
        agreement_id: str,
    ) -> Version | None:
        require_minutes_fit(meeting, draft.front.body, body.details.name if body else None)
        if await transaction.minutes_exist_for(organisation, agreement_id):
            raise Refused(f"transaction_id: {agreement_id} is taken already", hint="leave it out to be given one")
        row = await transaction.minutes_of(organisation, meeting.id)
        if row is None:
            return None
        return version_of_row(row)

    async def _render(
        self, organisation: str, draft: MinutesDraft, document: MinutesDocument
    ) -> tuple[BlobRef, BlobRef]:
        annexes = {
            one.number: await self._blobs.get(organisation, one.content) for one in document.annexes if one.bound
        }
        pdf = await set_minutes(self._press, draft, document, at=self._clock.now(), annexes=annexes)
        render_input = document.model_dump_json().encode()
        return (
            await self._blobs.put(organisation, pdf, "application/pdf"),
            await self._blobs.put(organisation, render_input, "application/json"),
        )
