"""What people ask of papers. They are made outside of any transaction, when somebody wants them anew."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from weakref import WeakValueDictionary

from services.meetings.agenda.agenda import Item, standing_items
from services.meetings.attachment.attachment import AttachmentShown
from services.meetings.attachment.commands import shown_attachments
from services.meetings.meeting.meeting import Meeting
from services.meetings.notice.notice import Stage, as_known
from services.meetings.notice.scene import known_scene
from services.meetings.papers import papers as rules
from services.meetings.papers.papers import Publication, PublishedFile
from services.meetings.transaction import MeetingsTransaction
from shared.blobs import BlobStore
from shared.clock import Clock
from shared.errors import NotFound, Unavailable
from shared.events import PapersPublished
from shared.events.base import BlobRef
from shared.logging import get_logger
from shared.messaging.transaction import UnitOfWork
from shared.rendering.bound import CannotBeBound
from shared.rendering.minutes import Language
from shared.rendering.papers import PapersDocument, PapersFile, bound_files, papers_job
from shared.rendering.press import CannotBeSet, Press

log = get_logger(__name__)

_MOST_TRIES = 3
_PDF = "application/pdf"


@dataclass(frozen=True, slots=True)
class Sources:
    """What papers are made of."""

    meeting: Meeting
    items: Sequence[Item]
    attachments: Mapping[str, Sequence[AttachmentShown]]
    language: Language

    def document(self, organisation: str, *, for_members: bool) -> PapersDocument:
        return rules.document_of(
            self.meeting,
            self.items,
            self.attachments,
            organisation=organisation,
            language=self.language,
            for_members=for_members and self.has_confidential,
        )

    @property
    def has_confidential(self) -> bool:
        return any(one.details.confidential for there in self.attachments.values() for one in there)


@dataclass(frozen=True, slots=True)
class PapersState:
    """`publications`: the first one first. `changed`: something is otherwise than it was published last, or was not."""

    meeting: Meeting
    publications: list[Publication]
    changed: bool
    has_confidential: bool
    notice_is_out: bool


class PapersCommands:
    """`organisation_name`: as it stands on the papers, where `name_of` the organisation gives no other."""

    def __init__(
        self,
        unit_of_work: UnitOfWork[MeetingsTransaction],
        clock: Clock,
        blobs: BlobStore,
        press: Press,
        *,
        organisation_name: str,
        name_of: Callable[[str], str] = lambda _organisation: "",
    ) -> None:
        self._unit_of_work = unit_of_work
        self._clock = clock
        self._blobs = blobs
        self._press = press
        self._organisation_name = organisation_name
        self._name_of = name_of
        self._making: WeakValueDictionary[tuple[str, str], asyncio.Lock] = WeakValueDictionary()

    def _name(self, organisation: str) -> str:
        return self._name_of(organisation) or self._organisation_name

    async def state(self, organisation: str, meeting_id: str) -> PapersState:
        """Raises NotFound."""
        async with self._unit_of_work.begin() as transaction:
            sources = await _sources(transaction, organisation, meeting_id)
            published = await transaction.publications(organisation, meeting_id)
            notice = await transaction.notice(organisation, meeting_id)
        key = rules.key_of(sources.document(self._name(organisation), for_members=True))
        changed = not published or published[-1].key != key
        is_out = notice.stage is Stage.ISSUED
        return PapersState(sources.meeting, published, changed, sources.has_confidential, is_out)

    async def current(self, organisation: str, meeting_id: str, *, for_members: bool) -> tuple[str, bytes]:
        """As they would be published now: name and PDF. Raises NotFound, Unavailable."""
        async with self._unit_of_work.begin() as transaction:
            sources = await _sources(transaction, organisation, meeting_id)
        document = sources.document(self._name(organisation), for_members=for_members)
        pdf = await self._made(organisation, meeting_id, document)
        return _file_name(document), await self._blobs.get(organisation, pdf)

    async def publish(self, organisation: str, meeting_id: str, *, tell: bool = True) -> Publication:
        """For everyone who is asked to read; the last publication when nothing changed since.

        `tell`: by mail, once the notice is out; until then they go out with it. Raises NotFound, Refused, Unavailable.
        """
        for _ in range(_MOST_TRIES):
            sources = await self._unit_of_work.look(lambda transaction: _sources(transaction, organisation, meeting_id))
            members = sources.document(self._name(organisation), for_members=True)
            everyones = sources.document(self._name(organisation), for_members=False)
            made = (
                await self._made(organisation, meeting_id, everyones),
                await self._made(organisation, meeting_id, members),
            )
            published = await self._published(organisation, meeting_id, rules.key_of(members), made, tell=tell)
            if published is not None:
                return published
        raise Unavailable("others write on the agenda at this moment", hint="try again in a moment")

    async def published(self, organisation: str, meeting_id: str) -> Publication | None:
        """The last one. Raises NotFound for a meeting that is none."""
        async with self._unit_of_work.begin() as transaction:
            await transaction.meeting(organisation, meeting_id)
            found = await transaction.publications(organisation, meeting_id)
        return found[-1] if found else None

    async def read(
        self, organisation: str, meeting_id: str, *, a_member: bool, number: int | None = None
    ) -> tuple[str, bytes]:
        """Published papers, the last ones without `number`: name and PDF. Raises NotFound, Unavailable."""
        async with self._unit_of_work.begin() as transaction:
            meeting = await transaction.meeting(organisation, meeting_id)
            found = await transaction.publications(organisation, meeting_id)
        wanted = [one for one in found if number is None or one.number == number]
        if not wanted:
            raise NotFound("no papers of the meeting were published")
        details = meeting.details
        name = f"{details.title} {details.starts:%Y-%m-%d}.pdf"
        return name, await self._blobs.get(organisation, wanted[-1].read_by(a_member=a_member))

    async def read_file(
        self, organisation: str, meeting_id: str, attachment_id: str, *, a_member: bool
    ) -> tuple[PublishedFile, bytes]:
        """A file as it was published last. Raises NotFound, also for one that the reader may not read; Unavailable."""
        published = await self.published(organisation, meeting_id)
        files = published.files_for(a_member=a_member) if published else []
        found = next((file for file in files if file.attachment_id == attachment_id), None)
        if found is None:
            raise NotFound(f"there is no file {attachment_id[:60]} among the papers")
        return found, await self._blobs.get(organisation, found.content)

    async def _published(
        self, organisation: str, meeting_id: str, key: str, made: tuple[BlobRef, BlobRef], *, tell: bool
    ) -> Publication | None:
        """None when the agenda changed while the papers were made."""

        async def work(transaction: MeetingsTransaction) -> Publication | None:
            meeting = await transaction.lock_meeting(organisation, meeting_id)
            sources = await _sources(transaction, organisation, meeting_id)
            if rules.key_of(sources.document(self._name(organisation), for_members=True)) != key:
                return None
            scene, now = await known_scene(transaction, organisation, meeting), self._clock.now()
            told = tell and scene.notice.stage is Stage.ISSUED
            before = await transaction.publications(organisation, meeting_id)
            files = rules.published_files(sources.items, sources.attachments)
            publication = rules.publish(meeting, before, key, made, files, told=told, now=now)
            if publication is None:
                return before[-1]
            await transaction.save_publication(organisation, meeting_id, publication)
            notice, draft = scene.notice, scene.draft()
            if told:
                saying = notice.told and notice.told.model_copy(update={"papers": publication.papers.sha256})
                notice = notice.model_copy(update={"sequence": notice.sequence + 1, "told": saying})
                await transaction.save_notice(organisation, meeting_id, notice)
            # Titles of what is for members only are not told to others.
            open_titles = {file.title for file in publication.files_for(a_member=False)}
            fact = PapersPublished(
                **as_known(notice, draft, draft.recipients),
                papers=publication.papers,
                late=tuple(title for title in publication.late if title in open_titles),
                told=told,
            )
            await transaction.tell_notice(organisation, meeting, fact, now)
            return publication

        return await self._unit_of_work.run(work)

    async def _made(self, organisation: str, meeting_id: str, document: PapersDocument) -> BlobRef:
        """Once, however many ask for it. Raises Unavailable."""
        key = rules.key_of(document)
        async with self._making.setdefault((organisation, key), asyncio.Lock()):
            async with self._unit_of_work.begin() as transaction:
                there = await transaction.made_papers(organisation, meeting_id, key, for_members=document.for_members)
            if there is not None:
                return there
            pdf = await self._blobs.put(organisation, await self._pdf(organisation, document), _PDF)
            async with self._unit_of_work.begin() as transaction:
                await transaction.save_made_papers(organisation, meeting_id, key, pdf, for_members=document.for_members)
            return pdf

    async def _pdf(self, organisation: str, document: PapersDocument) -> bytes:
        """With the files bound in; where that fails, though each could be, with all of them listed."""
        at = self._clock.now()
        own = await self._press.set(papers_job(document, at=at))
        files = bound_files(document)
        contents = [await self._blobs.get(organisation, _ref(file)) for _, file in files]
        try:
            return await self._press.bind(own, [bound for bound, _ in files], contents) if files else own
        except (CannotBeBound, CannotBeSet) as error:
            log.warning("papers.unbound", error=type(error).__name__)
            return await self._press.set(papers_job(_listed(document), at=at))


async def _sources(transaction: MeetingsTransaction, organisation: str, meeting_id: str) -> Sources:
    """Raises NotFound."""
    meeting = await transaction.meeting(organisation, meeting_id)
    body = await transaction.body_of(organisation, meeting)
    items = await transaction.items_of_meeting(organisation, meeting_id)
    if not items and body is not None and not await transaction.agenda_is_begun(organisation, meeting_id):
        items = [
            Item(id="", version=1, body=meeting.details.body, meeting_id=meeting_id, details=details, standing=True)
            for details in standing_items(body.details.rules)
        ]
    attachments = await shown_attachments(transaction, organisation, meeting)
    return Sources(meeting, items, attachments, body.details.rules.language if body else "sv")


def _listed(document: PapersDocument) -> PapersDocument:
    items = [
        item.model_copy(
            update={
                "files": tuple(
                    file.model_copy(update={"pages": None, "why": file.why or "heavy"}) for file in item.files
                )
            }
        )
        for item in document.items
    ]
    return document.model_copy(update={"items": tuple(items)})


def _ref(file: PapersFile) -> BlobRef:
    return BlobRef(sha256=file.sha256, size=file.bytes, media_type=file.media_type)


def _file_name(document: PapersDocument) -> str:
    return f"{document.name}.pdf"
