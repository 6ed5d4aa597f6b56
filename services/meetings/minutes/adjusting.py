"""A paragraph is put forward on its own, to be approved at once (omedelbar justering); see `at_once`.

As the whole minutes are, it is set between two transactions, and takes its number if it still is the one.
"""

import asyncio
from contextlib import suppress
from dataclasses import dataclass

from services.meetings.meeting.meeting import require_minutes_fit
from services.meetings.minutes import at_once as rules
from services.meetings.minutes.at_once import Adjusted
from services.meetings.minutes.commands import NumbersTaken
from services.meetings.minutes.counting import annexes_of, begins_anew, counted_by, first_in_year, first_of
from services.meetings.minutes.declared import elected_by
from services.meetings.minutes.drafting import (
    DraftedMinutes,
    Drafting,
    clean_drafting,
    drafted_fact,
    minutes_row,
    released,
    signature_places,
)
from services.meetings.minutes.minutes import MinutesDraft, number_paragraphs, parse_minutes
from services.meetings.minutes.revision import Version, next_after
from services.meetings.minutes.setting import set_minutes
from services.meetings.minutes.store import version_of_row
from services.meetings.transaction import MeetingsTransaction
from services.meetings.versions import require_version
from shared.blobs import BlobStore
from shared.clock import Clock
from shared.errors import NotFound, Unavailable
from shared.events import BlobRef, ProtocolDrafted
from shared.ids import new_transaction_id
from shared.messaging.transaction import UnitOfWork
from shared.rendering.minutes import Annex, Letterhead, MinutesDocument
from shared.rendering.press import Press
from shared.text import clean_ip

_MOST_TRIES = 10


@dataclass(frozen=True, slots=True)
class _Wish:
    """Which paragraph of which draft. `place`: counted from 0; `written`: the draft's version; `source`: its text."""

    organisation: str
    meeting_id: str
    piece_id: str
    written: int
    draft: MinutesDraft
    place: int
    source: BlobRef

    @property
    def heading(self) -> str:
        return self.draft.sections[self.place].heading


@dataclass(frozen=True, slots=True)
class _Made:
    document: MinutesDocument
    drafted: DraftedMinutes
    fact: ProtocolDrafted


@dataclass(frozen=True, slots=True)
class _Found:
    """What stands meanwhile. `first`: where the meeting's numbers begin; `version`: below 0; `told_as`: see
    `at_once.before_it`; `holds`: what they follow;
    `standing`: the agreements about paragraphs alone."""

    first: int
    version: int
    told_as: tuple[int, str | None]
    holds: Version | None
    standing: frozenset[str]
    letterhead: Letterhead | None
    annexes: tuple[Annex, ...]


class AdjustCommands:
    def __init__(
        self, unit_of_work: UnitOfWork[MeetingsTransaction], clock: Clock, blobs: BlobStore, press: Press
    ) -> None:
        self._unit_of_work = unit_of_work
        self._clock = clock
        self._blobs = blobs
        self._press = press

    async def of_meeting(self, organisation: str, meeting_id: str) -> list[Adjusted]:
        """The latest first. Raises NotFound."""
        async with self._unit_of_work.begin() as transaction:
            await transaction.meeting(organisation, meeting_id)
            return [rules.of_row(row) for row in await transaction.adjusted_at_once(organisation, meeting_id)]

    async def adjust(
        self, organisation: str, meeting_id: str, piece_id: str, drafting: Drafting, *, written: int, ip: str
    ) -> DraftedMinutes:
        """A paragraph of the meeting's draft becomes an agreement of its own, which signing sends off at once.

        `written`: the version of the draft that was looked at. Raises NotFound, Refused (approved at once before, the
        whole minutes are put forward, changed since), InvalidInput with a line, Unavailable.
        """
        drafting, sender_ip = clean_drafting(drafting), clean_ip(ip)
        agreement_id = drafting.transaction_id or new_transaction_id()
        text, place = await self._text(organisation, meeting_id, piece_id, written)
        draft = await asyncio.to_thread(parse_minutes, text)
        source = await self._blobs.put(organisation, text.encode(), "text/markdown")
        wish = _Wish(organisation, meeting_id, piece_id, written, draft, place, source)
        for _ in range(_MOST_TRIES):
            found = await self._unit_of_work.look(lambda transaction: _look(transaction, wish))
            made = await self._set(wish, found, drafting, agreement_id, sender_ip)
            with suppress(NumbersTaken):
                return await self._kept(wish, found, made)
        raise Unavailable("others draft minutes of the same body at this moment", hint="try again in a moment")

    async def _set(self, wish: _Wish, found: _Found, drafting: Drafting, agreement_id: str, ip: str) -> _Made:
        number = found.first + wish.place
        whole = number_paragraphs(
            wish.draft,
            found.first,
            language=drafting.language,
            timezone=drafting.timezone,
            places=signature_places(wish.draft, drafting),
            letterhead=found.letterhead,
            annexes=found.annexes,
        )
        document = rules.alone(whole, number)
        of = wish.organisation
        bound = {one.number: await self._blobs.get(of, one.content) for one in document.annexes if one.bound}
        pdf = await set_minutes(self._press, wish.draft, document, at=self._clock.now(), annexes=bound)
        stored = await self._blobs.put(of, pdf, "application/pdf")
        render_input = await self._blobs.put(of, document.model_dump_json().encode(), "application/json")
        version, replaces = found.told_as
        name = document.name if version == 1 else f"{document.name} (version {version})"
        drafted = DraftedMinutes(wish.meeting_id, agreement_id, name, number, number, stored, version, replaces)
        fact = drafted_fact(drafted, document, drafting, render_input, ip, at_once=True)
        return _Made(document, drafted, fact)

    async def _kept(self, wish: _Wish, found: _Found, made: _Made) -> DraftedMinutes:
        """Take the number that stands in the PDF, and hold those of the meeting. Raises NumbersTaken."""

        async def work(transaction: MeetingsTransaction) -> DraftedMinutes:
            of, drafted = wish.organisation, made.drafted
            await transaction.hold_register(of)
            meeting = await transaction.lock_meeting(of, wish.meeting_id)
            manuscript = await transaction.manuscript(of, wish.meeting_id)
            require_version("the draft", manuscript.version if manuscript else 0, wish.written)
            body = await transaction.body_of(of, meeting)
            year, last = wish.draft.front.starts.year, found.first + len(wish.draft.sections) - 1
            counted = counted_by(body, wish.draft)
            next_in_year = None if begins_anew(body) else await transaction.lock_numbering(of, counted, year)
            now = await _look(transaction, wish)
            if (now.first, now.version) != (found.first, found.version):
                raise NumbersTaken
            if manuscript is not None and manuscript.piece(wish.piece_id).at_once in now.standing:
                raise rules.approved_before(drafted.first_paragraph)  # it was moved since, and has another number
            if not begins_anew(body):
                await transaction.set_numbering(of, counted, year, next_after(now.holds, last, next_in_year))
            at = self._clock.now()
            row = minutes_row(of, drafted, made.document, made.fact.render_input, wish.source, at)
            held = {"version": found.version, "reserved_first": found.first, "reserved_last": last}
            about = {"piece": wish.piece_id, "heading": wish.heading}
            await transaction.add_minutes({**row, **held, **about, "released_at": at})
            declared = await elected_by(transaction, of, wish.draft, found.first)
            own = [one for one in declared if one.basis.paragraph == drafted.first_paragraph]
            await transaction.add_elections(of, wish.meeting_id, found.version, own)
            if manuscript is not None:
                marked = manuscript.adjusted(wish.piece_id, drafted.agreement_id)
                await transaction.save_manuscript(of, wish.meeting_id, marked)
            for one in (made.fact, released(drafted)):
                meeting = meeting.model_copy(update={"version": meeting.version + 1})
                transaction.tell(of, meeting, one, at)
            await transaction.save_meeting(of, meeting)
            return drafted

        return await self._unit_of_work.run(work)

    async def _text(self, organisation: str, meeting_id: str, piece_id: str, written: int) -> tuple[str, int]:
        """The draft as a file, and where in it the paragraph stands, from 0."""
        async with self._unit_of_work.begin() as transaction:
            meeting = await transaction.meeting(organisation, meeting_id)
            meeting.require_scheduled()
            manuscript = await transaction.manuscript(organisation, meeting_id)
        if manuscript is None:
            raise NotFound("no minutes are being written for this meeting", hint="write them of the sitting first")
        require_version("the draft", manuscript.version, written)
        return manuscript.markdown, manuscript.place(piece_id)


async def _look(transaction: MeetingsTransaction, wish: _Wish) -> _Found:
    """What holds now. Raises NotFound, Refused, InvalidInput."""
    of, draft = wish.organisation, wish.draft
    meeting = await transaction.meeting(of, wish.meeting_id)
    body = await transaction.body_of(of, meeting)
    require_minutes_fit(meeting, draft.front.body, body.details.name if body else None)
    row = await transaction.minutes_of(of, wish.meeting_id)
    before = version_of_row(row) if row is not None else None
    there = [rules.of_row(one) for one in await transaction.adjusted_at_once(of, wish.meeting_id)]
    holds = rules.held(before, there)
    if begins_anew(body):
        first = first_of(draft, holds)
    else:
        next_in_year = await transaction.next_number(of, counted_by(body, draft), draft.front.starts.year)
        first = first_in_year(draft, holds, next_in_year)
    version = rules.next_version(there, first + wish.place, before)
    await elected_by(transaction, of, draft, first)
    annexes = await annexes_of(transaction, of, wish.meeting_id, body, draft)
    standing = frozenset(one.agreement_id for one in there if one.stands)
    told_as = rules.before_it(there, first + wish.place, wish.piece_id, wish.heading)
    return _Found(first, version, told_as, holds, standing, await transaction.letterhead(of), annexes)
