"""What people ask of attachments. A file is stored by its content first; then one transaction speaks of it."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from os import SEEK_END, SEEK_SET
from typing import IO

from services.meetings.agenda import agenda as agendas
from services.meetings.agenda.agenda import Item
from services.meetings.agenda.commands import lock_item
from services.meetings.attachment import attachment as rules
from services.meetings.attachment.attachment import (
    Attachment,
    AttachmentDetails,
    AttachmentShown,
    FileVersion,
    HandedIn,
)
from services.meetings.attachment.file_type import (
    BINDABLE,
    HEAD,
    Content,
    Damaged,
    clean_file_name,
    media_type,
)
from services.meetings.meeting.meeting import Meeting
from services.meetings.transaction import MeetingsTransaction
from services.meetings.versions import require_version
from shared.blobs import BlobStore
from shared.clock import Clock
from shared.errors import NotFound, Refused, TooLarge
from shared.ids import new_id
from shared.messaging.transaction import UnitOfWork
from shared.rendering.bound import CannotBeBound, Trouble
from shared.rendering.press import Press


@dataclass(frozen=True, slots=True)
class Upload:
    """A file as it came: what it is called, and its bytes, which are read from the beginning."""

    name: str
    file: IO[bytes]


class AttachmentCommands:
    """`largest`: bytes of one file."""

    def __init__(
        self,
        unit_of_work: UnitOfWork[MeetingsTransaction],
        clock: Clock,
        blobs: BlobStore,
        press: Press,
        *,
        largest: int,
    ) -> None:
        self._unit_of_work = unit_of_work
        self._clock = clock
        self._blobs = blobs
        self._press = press
        self.largest = largest

    async def add(
        self, organisation: str, item_id: str, upload: Upload, *, title: str = "", confidential: bool = False
    ) -> AttachmentShown:
        """As the item's last one; the one that is there already when the same file is sent again.

        Raises NotFound, Refused, InvalidInput, TooLarge, Unavailable.
        """
        details = AttachmentDetails(
            title=title or rules.title_of(clean_file_name(upload.name)), confidential=confidential
        )
        rules.clean_details(details)
        await self._look_at(organisation, item_id)
        file = await self.stored(organisation, upload)

        async def work(transaction: MeetingsTransaction) -> AttachmentShown:
            item, meeting, _ = await lock_item(transaction, organisation, item_id)
            there = await transaction.attachments_of(organisation, item_id)
            made = rules.sent_again(there, file, confidential=confidential)
            if made is None:
                made = rules.add(new_id(), item.id, meeting, there, details, file, self._clock.now())
                await transaction.save_attachment(organisation, made, len(there) + 1)
            return rules.shown(made, await transaction.notice_closes(organisation, meeting))

        return await self._unit_of_work.run(work)

    async def replace(
        self, organisation: str, attachment_id: str, upload: Upload, *, version: int | None = None
    ) -> AttachmentShown:
        """A new version of the file. Raises NotFound, Refused, InvalidInput, TooLarge, Unavailable."""
        await self.attachment(organisation, attachment_id)
        file = await self.stored(organisation, upload)

        async def work(transaction: MeetingsTransaction) -> AttachmentShown:
            found, meeting, there = await _locked(transaction, organisation, attachment_id)
            require_version(found.details.title, found.version, version)
            changed = rules.replace(found, meeting, file, self._clock.now())
            if changed != found:
                await transaction.save_attachment(organisation, changed, _place(there, found))
            return rules.shown(changed, await transaction.notice_closes(organisation, meeting))

        return await self._unit_of_work.run(work)

    async def change(
        self, organisation: str, attachment_id: str, details: AttachmentDetails, *, version: int | None = None
    ) -> AttachmentShown:
        """Raises NotFound, Refused, InvalidInput."""

        async def work(transaction: MeetingsTransaction) -> AttachmentShown:
            found, meeting, there = await _locked(transaction, organisation, attachment_id)
            require_version(found.details.title, found.version, version)
            changed = rules.change(found, meeting, details, self._clock.now())
            if changed != found:
                await transaction.save_attachment(organisation, changed, _place(there, found))
            return rules.shown(changed, await transaction.notice_closes(organisation, meeting))

        return await self._unit_of_work.run(work)

    async def remove(self, organisation: str, attachment_id: str, *, version: int | None = None) -> None:
        """With all its versions. Raises NotFound, Refused."""

        async def work(transaction: MeetingsTransaction) -> None:
            found, meeting, _ = await _locked(transaction, organisation, attachment_id)
            require_version(found.details.title, found.version, version)
            if meeting is not None:
                agendas.require_open(meeting, self._clock.now())
            await transaction.remove_attachments(organisation, [attachment_id])

        await self._unit_of_work.run(work)

    async def order(
        self, organisation: str, item_id: str, wanted: Sequence[str], *, seen: Sequence[str] | None = None
    ) -> list[AttachmentShown]:
        """`wanted`: the ids of all of the item. `seen`: the order it was made from. Raises NotFound, Refused."""

        async def work(transaction: MeetingsTransaction) -> list[AttachmentShown]:
            _, meeting, _ = await lock_item(transaction, organisation, item_id)
            if meeting is not None:
                agendas.require_open(meeting, self._clock.now())
            there = [one.id for one in await transaction.attachments_of(organisation, item_id)]
            if (seen is not None and list(seen) != there) or sorted(wanted) != sorted(there):
                raise Refused("the attachments were changed by someone else meanwhile", hint="look at them again")
            await transaction.save_attachment_order(organisation, wanted)
            closes = await transaction.notice_closes(organisation, meeting)
            return [rules.shown(one, closes) for one in await transaction.attachments_of(organisation, item_id)]

        return await self._unit_of_work.run(work)

    async def step(self, organisation: str, attachment_id: str, steps: int) -> Attachment:
        """So many places later among those of its item, or earlier when negative. Raises NotFound, Refused."""

        async def work(transaction: MeetingsTransaction) -> Attachment:
            found, meeting, there = await _locked(transaction, organisation, attachment_id)
            if meeting is not None:
                agendas.require_open(meeting, self._clock.now())
            ids = agendas.stepped_aside([one.id for one in there], attachment_id, steps)
            await transaction.save_attachment_order(organisation, ids)
            return found

        return await self._unit_of_work.run(work)

    async def attachment(self, organisation: str, attachment_id: str) -> AttachmentShown:
        """Raises NotFound."""
        async with self._unit_of_work.begin() as transaction:
            found = await transaction.attachment(organisation, attachment_id)
            return rules.shown(found, await _closes(transaction, organisation, found.item_id))

    async def of_item(self, organisation: str, item_id: str) -> list[AttachmentShown]:
        """In their order. Raises NotFound."""
        async with self._unit_of_work.begin() as transaction:
            closes = await _closes(transaction, organisation, item_id)
            return [rules.shown(one, closes) for one in await transaction.attachments_of(organisation, item_id)]

    async def of_meeting(self, organisation: str, meeting_id: str) -> dict[str, list[AttachmentShown]]:
        """By the ids of the items on its agenda. Raises NotFound."""
        async with self._unit_of_work.begin() as transaction:
            meeting = await transaction.meeting(organisation, meeting_id)
            return await shown_attachments(transaction, organisation, meeting)

    async def content(
        self, organisation: str, attachment_id: str, number: int | None = None
    ) -> tuple[FileVersion, bytes]:
        """`number`: of the version; without, the last one. Raises NotFound, Unavailable."""
        found = (await self.attachment(organisation, attachment_id)).numbered(number)
        if found is None:
            raise NotFound(f"the attachment has no version {number}")
        return found, await self._blobs.get(organisation, found.content)

    async def _look_at(self, organisation: str, item_id: str) -> Item:
        """Before a file is stored for nothing. Raises NotFound."""
        async with self._unit_of_work.begin() as transaction:
            return await transaction.item(organisation, item_id)

    async def stored(self, organisation: str, upload: Upload) -> HandedIn:
        """By its content; nothing speaks of it yet. Raises TooLarge, InvalidInput, Unavailable."""
        name = clean_file_name(upload.name)
        content, size = await asyncio.to_thread(_ends, upload.file)
        if size > self.largest:
            raise TooLarge(f"{name}: a file is at most {self.largest} bytes, and this one has {size}")
        found = await asyncio.to_thread(media_type, name, content)
        pages, unbound = await self._tried(name, upload, found)
        content_ref = await self._blobs.put_file(organisation, upload.file, found)
        return HandedIn(name=name, content=content_ref, pages=pages, unbound=unbound)

    async def _tried(self, name: str, upload: Upload, media_type: str) -> tuple[int | None, Trouble | None]:
        """Its pages, or why it cannot be bound into papers. Raises Damaged, Unavailable."""
        if media_type not in BINDABLE:
            return None, None
        content = await asyncio.to_thread(_whole, upload.file)
        try:
            return await self._press.count_pages(content, media_type), None
        except CannotBeBound as error:
            if error.trouble == "damaged":
                raise Damaged(f"{name} is damaged: it cannot be read", hint="save or scan it again") from error
            return None, error.trouble


async def shown_attachments(
    transaction: MeetingsTransaction, organisation: str, meeting: Meeting
) -> dict[str, list[AttachmentShown]]:
    """Those of the items on the meeting's agenda, by the items' ids."""
    closes = await transaction.notice_closes(organisation, meeting)
    found = await transaction.attachments_of_meeting(organisation, meeting.id)
    return {item_id: [rules.shown(one, closes) for one in there] for item_id, there in found.items()}


async def _closes(transaction: MeetingsTransaction, organisation: str, item_id: str) -> datetime | None:
    """Of the meeting where the item stands. Raises NotFound."""
    item = await transaction.item(organisation, item_id)
    meeting = await transaction.meeting(organisation, item.meeting_id) if item.meeting_id else None
    return await transaction.notice_closes(organisation, meeting)


async def _locked(
    transaction: MeetingsTransaction, organisation: str, attachment_id: str
) -> tuple[Attachment, Meeting | None, list[Attachment]]:
    """With the meeting its item stands at, and all of that item; whose rows are locked. Raises NotFound, Refused."""
    seen = await transaction.attachment(organisation, attachment_id)
    _, meeting, _ = await lock_item(transaction, organisation, seen.item_id)
    there = await transaction.attachments_of(organisation, seen.item_id)
    return await transaction.attachment(organisation, attachment_id), meeting, there


def _place(there: Sequence[Attachment], found: Attachment) -> int:
    return [one.id for one in there].index(found.id) + 1


def _whole(file: IO[bytes]) -> bytes:
    file.seek(0)
    return file.read()


def _ends(file: IO[bytes]) -> tuple[Content, int]:
    """What tells its type, and its size."""
    file.seek(0, SEEK_END)
    size = file.tell()
    file.seek(max(0, size - HEAD), SEEK_SET)
    tail = file.read(HEAD)
    file.seek(0, SEEK_SET)
    head = file.read(HEAD)
    file.seek(0, SEEK_SET)
    return Content(head, tail), size
