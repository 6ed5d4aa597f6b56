"""What people ask of manuscripts; each change is one transaction, which holds the meeting's row."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from services.meetings.body.body import Body, Numbering
from services.meetings.manuscript import catching_up
from services.meetings.manuscript import manuscript as rules
from services.meetings.manuscript.catching_up import News
from services.meetings.manuscript.manuscript import Manuscript, Piece, Remark, Source
from services.meetings.meeting.meeting import Meeting, body_key
from services.meetings.minutes.at_once import Adjusted, held, of_row
from services.meetings.minutes.fields import in_a_form, of_a_form
from services.meetings.minutes.from_sitting import FromSitting, OfAgenda, OfMeeting, minutes_of
from services.meetings.minutes.front_matter import FrontMatter
from services.meetings.minutes.minutes import MinutesDraft, number_paragraphs, parse_minutes
from services.meetings.minutes.revision import Version
from services.meetings.minutes.setting import set_minutes
from services.meetings.minutes.store import version_of_row
from services.meetings.minutes.text import read_sections
from services.meetings.sitting.history import effective
from services.meetings.transaction import MeetingsTransaction
from services.meetings.versions import require_version
from shared.clock import Clock
from shared.errors import InvalidInput, NotFound, Refused, says
from shared.messaging.transaction import UnitOfWork
from shared.rendering.minutes import Language, Letterhead, MinutesDocument
from shared.rendering.press import Limits, Press
from shared.rendering.render import minutes_job

_MOST_PAGES = 4
_PIXELS = 110.0  # per inch: some 900 across a page

Change = Callable[[Manuscript], Manuscript]


def drawing_press() -> Press:
    """One picture at a time: a service's workers start and stop it."""
    return Press(Limits(seconds=5.0), at_once=1)


@dataclass(frozen=True, slots=True)
class Desk:
    """A meeting with what is written for its minutes. `first`: the number that its paragraphs begin at, as of now.
    `stands`: the version of the minutes that may be signed, or is; while it stands, nothing else is written.
    `adjusted`: the paragraphs that are approved at once, by agreements that stand."""

    meeting: Meeting
    manuscript: Manuscript | None
    language: Language
    first: int
    letterhead: Letterhead | None
    stands: Version | None = None
    adjusted: tuple[Adjusted, ...] = ()


class ManuscriptCommands:
    """`drawing`: a press of its own for pictures, so that who types does not keep a document waiting."""

    def __init__(
        self, unit_of_work: UnitOfWork[MeetingsTransaction], clock: Clock, press: Press, drawing: Press
    ) -> None:
        self._unit_of_work = unit_of_work
        self._clock = clock
        self._press = press
        self._drawing = drawing

    async def desk(self, organisation: str, meeting_id: str) -> Desk:
        """Raises NotFound."""
        async with self._unit_of_work.begin() as transaction:
            meeting = await transaction.meeting(organisation, meeting_id)
            body = await transaction.body_of(organisation, meeting)
            return Desk(
                meeting,
                await transaction.manuscript(organisation, meeting_id),
                body.details.rules.language if body else "sv",
                await _first(transaction, organisation, meeting, body),
                await transaction.letterhead(organisation),
                await _standing(transaction, organisation, meeting_id),
                tuple(one for one in await _adjusted(transaction, organisation, meeting_id) if one.stands),
            )

    async def manuscript(self, organisation: str, meeting_id: str) -> Manuscript:
        """Raises NotFound."""
        return _there((await self.desk(organisation, meeting_id)).manuscript)

    async def write_from_sitting(self, organisation: str, meeting_id: str, *, by: str) -> Manuscript:
        """Written of what was recorded. Who asks is the secretary, where the sitting knows none.

        Raises NotFound, Refused (nothing was taken up, or there is a draft already).
        """

        async def work(transaction: MeetingsTransaction) -> Manuscript:
            meeting = await transaction.lock_meeting(organisation, meeting_id)
            meeting.require_scheduled()
            await _require_none(transaction, organisation, meeting_id)
            entries = await transaction.sitting_steps(organisation, meeting_id)
            if not entries:
                raise Refused("the sitting has not been opened", hint="record it first, or hand in a Word document")
            known = await _known(transaction, organisation, meeting, by)
            made = minutes_of([step for _, step in effective(entries)], known)
            remarks = [Remark(what=one.what, about=one.about) for one in made.open]
            begun = rules.begun(made.markdown, Source.SITTING, remarks)
            manuscript = rules.of_sitting(begun, made.items, len(entries))
            await transaction.save_manuscript(organisation, meeting_id, manuscript)
            return manuscript

        return await self._unit_of_work.run(work)

    async def news(self, organisation: str, meeting_id: str) -> list[News]:
        """How the sitting differs by now from what was written of it. Raises NotFound."""
        async with self._unit_of_work.begin() as transaction:
            meeting = await transaction.meeting(organisation, meeting_id)
            there = await transaction.manuscript(organisation, meeting_id)
            if there is None or there.fields_written is None:
                return []
            written = await _written_now(transaction, organisation, meeting, there)
            return [] if written is None else catching_up.news(there, written)

    async def catch_up(self, organisation: str, meeting_id: str, key: str, *, seen: int) -> bool:
        """One of the news is taken over; False when something that was edited stays instead.

        Raises NotFound, Refused (changed since), InvalidInput, TooLarge.
        """

        async def work(transaction: MeetingsTransaction) -> bool:
            meeting = await transaction.lock_meeting(organisation, meeting_id)
            there = await _open(transaction, organisation, meeting_id)
            written = await _written_now(transaction, organisation, meeting, there)
            if written is None:
                raise NotFound("the draft says what the sitting says", hint="look at the draft again")
            for piece in there.pieces:
                if piece.item_id == key:
                    await _require_open_piece(transaction, organisation, meeting_id, piece)
            made, whole = catching_up.caught_up(there, written, key, meeting.details.body, seen=seen)
            if made is not there:
                await transaction.save_manuscript(organisation, meeting_id, made)
            return whole

        return await self._unit_of_work.run(work)

    async def put(
        self,
        organisation: str,
        meeting_id: str,
        markdown: str,
        source: Source,
        remarks: Sequence[Remark] = (),
        *,
        seen: int,
    ) -> Manuscript:
        """A whole text in the place of what is there. `seen`: the version of that, 0 for none.

        Raises NotFound, Refused (changed since), InvalidInput, TooLarge.
        """

        async def work(transaction: MeetingsTransaction) -> Manuscript:
            meeting = await transaction.lock_meeting(organisation, meeting_id)
            meeting.require_scheduled()
            before = await transaction.manuscript(organisation, meeting_id)
            await _require_unnumbered(transaction, organisation, meeting_id, before)
            await _require_none_at_once(transaction, organisation, meeting_id, before)
            require_version("the draft", before.version if before else 0, seen)
            manuscript = rules.begun(markdown, source, remarks, before)
            await transaction.save_manuscript(organisation, meeting_id, manuscript)
            return manuscript

        return await self._unit_of_work.run(work)

    async def write(
        self, organisation: str, meeting_id: str, piece_id: str, heading: str, below: str, *, seen: int
    ) -> Manuscript:
        """A paragraph. Raises NotFound, Refused (changed since), InvalidInput with its line, TooLarge."""
        return await self._changed(
            organisation,
            meeting_id,
            lambda there: rules.with_text(there, piece_id, heading, below, seen=seen),
            piece_id=piece_id,
        )

    async def write_fields(self, organisation: str, meeting_id: str, form: dict[str, str], *, seen: int) -> Manuscript:
        """`form`: see `minutes.fields`. Raises NotFound, Refused (changed since), InvalidInput that names the field."""

        async def work(transaction: MeetingsTransaction) -> Manuscript:
            meeting = await transaction.lock_meeting(organisation, meeting_id)
            there = await _open(transaction, organisation, meeting_id)
            made = rules.with_fields(there, of_a_form(form, meeting.details.body), seen=seen)
            await transaction.save_manuscript(organisation, meeting_id, made)
            return made

        return await self._unit_of_work.run(work)

    async def add(self, organisation: str, meeting_id: str, heading: str) -> Manuscript:
        """A paragraph, at the end. Raises NotFound, Refused, InvalidInput."""
        return await self._changed(organisation, meeting_id, lambda there: rules.with_more(there, heading))

    async def remove(self, organisation: str, meeting_id: str, piece_id: str, *, seen: int) -> Manuscript:
        """Raises NotFound, Refused."""
        return await self._changed(
            organisation, meeting_id, lambda there: rules.without(there, piece_id, seen=seen), piece_id=piece_id
        )

    async def step(self, organisation: str, meeting_id: str, piece_id: str, steps: int) -> Manuscript:
        """A paragraph further down, or up. Raises NotFound."""
        return await self._changed(organisation, meeting_id, lambda there: rules.stepped(there, piece_id, steps))

    async def discard(self, organisation: str, meeting_id: str, *, seen: int) -> None:
        """Raises NotFound, Refused (changed since)."""

        async def work(transaction: MeetingsTransaction) -> None:
            await transaction.lock_meeting(organisation, meeting_id)
            there = await _open(transaction, organisation, meeting_id)
            await _require_none_at_once(transaction, organisation, meeting_id, there)
            require_version("the draft", there.version, seen)
            await transaction.remove_manuscript(organisation, meeting_id)

        await self._unit_of_work.run(work)

    async def preview(self, organisation: str, meeting_id: str) -> bytes:
        """The PDF as it would be, numbers and all; nothing is kept. Raises NotFound, InvalidInput with a line."""
        desk = await self.desk(organisation, meeting_id)
        draft = await asyncio.to_thread(parse_minutes, _there(desk.manuscript).markdown)
        return await set_minutes(self._press, draft, document_of(draft, desk), at=self._clock.now(), annexes={})

    async def picture(self, desk: Desk, piece_id: str, heading: str, below: str) -> list[str]:
        """The pages of a paragraph as they would be, PNG in Base64; nothing is kept.

        Raises NotFound, InvalidInput with its line as `write` does, Unavailable.
        """
        there = _there(desk.manuscript)
        number = desk.first + there.place(piece_id)
        text = rules.paragraph(heading, below)
        draft = await asyncio.to_thread(_alone, text, desk)
        document = number_paragraphs(
            draft, number, language=desk.language, timezone=desk.meeting.details.timezone, letterhead=desk.letterhead
        )
        return await self._drawn(document, first=1, most=_MOST_PAGES)

    async def first_page(self, desk: Desk, form: Mapping[str, str]) -> list[str]:
        """The first page as it would be with these fields. Raises NotFound, InvalidInput, TooLarge, Unavailable."""
        there = _there(desk.manuscript)
        made = rules.with_fields(there, of_a_form(form, desk.meeting.details.body), seen=None)
        draft = await asyncio.to_thread(parse_minutes, made.markdown)
        return await self._drawn(document_of(draft, desk), first=0, most=1)

    async def _drawn(self, document: MinutesDocument, *, first: int, most: int) -> list[str]:
        return await self._drawing.picture(
            minutes_job(document, at=self._clock.now()), first=first, most=most, ppi=_PIXELS
        )

    async def _changed(
        self, organisation: str, meeting_id: str, change: Change, *, piece_id: str | None = None
    ) -> Manuscript:
        """`piece_id`: the paragraph that is changed."""

        async def work(transaction: MeetingsTransaction) -> Manuscript:
            await transaction.lock_meeting(organisation, meeting_id)
            there = await _open(transaction, organisation, meeting_id)
            if piece_id is not None:
                await _require_open_piece(transaction, organisation, meeting_id, there.piece(piece_id))
            made = change(there)
            if made is not there:
                await transaction.save_manuscript(organisation, meeting_id, made)
            return made

        return await self._unit_of_work.run(work)


def document_of(draft: MinutesDraft, desk: Desk) -> MinutesDocument:
    first = draft.front.first_paragraph or desk.first
    return number_paragraphs(
        draft, first, language=desk.language, timezone=desk.meeting.details.timezone, letterhead=desk.letterhead
    )


def _alone(text: str, desk: Desk) -> MinutesDraft:
    """Minutes of one paragraph, under what is known of the meeting: that does not show on its page."""
    details = desk.meeting.details
    front = FrontMatter(
        title=details.title,
        body=details.body,
        place=details.place,
        starts=details.starts,
        ends=details.ends,
        present=(),
        secretary="",
        chair="",
        adjusters=(),
        first_paragraph=None,
    )
    return MinutesDraft(front=front, sections=read_sections(text, first_line=-1))


def is_whole(manuscript: Manuscript) -> InvalidInput | None:
    """What keeps it from being minutes: the first thing, with its line; None when they can be drafted as they are."""
    try:
        parse_minutes(manuscript.markdown)
    except InvalidInput as error:
        return error
    return None


async def _first(transaction: MeetingsTransaction, organisation: str, meeting: Meeting, body: Body | None) -> int:
    """Where its numbers would begin if it were drafted now; a version after another keeps its own."""
    before = await transaction.minutes_of(organisation, meeting.id)
    holds = held(version_of_row(before) if before else None, await _adjusted(transaction, organisation, meeting.id))
    if holds is not None:
        return holds.first
    if body is not None and body.details.rules.numbering is Numbering.MEETING:
        return 1
    name = body_key(body.details.name if body else meeting.details.body)
    return await transaction.next_number(organisation, name, meeting.details.starts.year) or 1


async def _known(transaction: MeetingsTransaction, organisation: str, meeting: Meeting, by: str) -> OfMeeting:
    body = await transaction.body_of(organisation, meeting)
    attachments = await transaction.attachments_of_meeting(organisation, meeting.id)
    items = await transaction.items_of_meeting(organisation, meeting.id)
    agenda = tuple(
        OfAgenda(
            item.id,
            item.details.title,
            item.details.background,
            tuple(one.details.title for one in attachments.get(item.id, ()) if not one.details.confidential),
        )
        for item in items
    )
    return OfMeeting(
        body=body.details.name if body else meeting.details.body,
        place=meeting.details.place,
        secretary=by,
        language=body.details.rules.language if body else "sv",
        agenda=agenda,
    )


async def _written_now(
    transaction: MeetingsTransaction, organisation: str, meeting: Meeting, there: Manuscript
) -> FromSitting | None:
    """What would be written of the sitting now; None when nothing was recorded since, or nothing is left of it."""
    entries = await transaction.sitting_steps(organisation, meeting.id)
    if there.fields_written is None or len(entries) == there.steps:
        return None
    known = await _known(transaction, organisation, meeting, in_a_form(there.fields_written)["secretary"])
    try:
        return minutes_of([step for _, step in effective(entries)], known)
    except Refused:
        return None


async def _require_none(transaction: MeetingsTransaction, organisation: str, meeting_id: str) -> None:
    if await transaction.manuscript(organisation, meeting_id) is not None:
        raise Refused("there is a draft of the minutes already", hint="go on with it, or discard it first")


async def _adjusted(transaction: MeetingsTransaction, organisation: str, meeting_id: str) -> list[Adjusted]:
    return [of_row(row) for row in await transaction.adjusted_at_once(organisation, meeting_id)]


async def _standing(transaction: MeetingsTransaction, organisation: str, meeting_id: str) -> Version | None:
    row = await transaction.minutes_of(organisation, meeting_id)
    version = version_of_row(row) if row is not None else None
    return version if version and version.ended is None and not version.unlocked else None


async def _open(transaction: MeetingsTransaction, organisation: str, meeting_id: str) -> Manuscript:
    """The draft, to be changed. Raises NotFound, Refused."""
    there = _there(await transaction.manuscript(organisation, meeting_id))
    await _require_unnumbered(transaction, organisation, meeting_id, there)
    return there


async def _require_open_piece(
    transaction: MeetingsTransaction, organisation: str, meeting_id: str, piece: Piece
) -> None:
    """Raises Refused for a paragraph that is approved on its own, as it is written here."""
    if piece.at_once is None:
        return
    there = await _adjusted(transaction, organisation, meeting_id)
    if any(one.stands and one.agreement_id == piece.at_once for one in there):
        raise Refused(
            "the paragraph is approved at once, as it is written here",
            hint="unlock it, unless everyone has signed it",
            says=says("piece_at_once"),
        )


async def _require_none_at_once(
    transaction: MeetingsTransaction, organisation: str, meeting_id: str, there: Manuscript | None
) -> None:
    """Raises Refused for a draft with a paragraph that is approved on its own: the minutes have to say it as it is."""
    standing = {one.agreement_id for one in await _adjusted(transaction, organisation, meeting_id) if one.stands}
    if there is not None and any(piece.at_once in standing for piece in there.pieces):
        raise Refused(
            "a paragraph of the draft is approved at once, as it is written here",
            hint="change the other paragraphs one by one",
            says=says("draft_at_once"),
        )


async def _require_unnumbered(
    transaction: MeetingsTransaction, organisation: str, meeting_id: str, there: Manuscript | None
) -> None:
    """Raises Refused for a draft that the minutes were made of, while they stand: it would say something else."""
    stands = await _standing(transaction, organisation, meeting_id)
    if there is not None and stands is not None and there.numbered == stands.number:
        raise Refused(
            "the minutes are numbered and put forward as they are written here",
            hint="unlock them, and the draft can be changed again",
            says=says("numbered"),
        )


def _there(manuscript: Manuscript | None) -> Manuscript:
    if manuscript is None:
        raise NotFound("no minutes are being written for this meeting", hint="write them of the sitting first")
    return manuscript
