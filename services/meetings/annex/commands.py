"""What people ask of the files for minutes. A file is stored by its content first; then a transaction speaks of it."""

from services.meetings.annex import annex as rules
from services.meetings.annex.annex import AnnexFile, MeetingFile
from services.meetings.attachment.commands import AttachmentCommands, Upload
from services.meetings.transaction import MeetingsTransaction
from shared.blobs import BlobStore
from shared.clock import Clock
from shared.errors import NotFound
from shared.ids import new_id
from shared.messaging.transaction import UnitOfWork


class AnnexCommands:
    """`largest`: bytes of one file."""

    def __init__(
        self,
        unit_of_work: UnitOfWork[MeetingsTransaction],
        clock: Clock,
        blobs: BlobStore,
        attachments: AttachmentCommands,
    ) -> None:
        self._unit_of_work = unit_of_work
        self._clock = clock
        self._blobs = blobs
        self._attachments = attachments
        self.largest = attachments.largest

    async def hand_in(self, organisation: str, meeting_id: str, upload: Upload) -> AnnexFile:
        """Instead of one of the same name. Raises NotFound, Refused, InvalidInput, TooLarge, Unavailable."""
        async with self._unit_of_work.begin() as transaction:
            await transaction.meeting(organisation, meeting_id)
        file = await self._attachments.stored(organisation, upload)

        async def work(transaction: MeetingsTransaction) -> AnnexFile:
            meeting = await transaction.lock_meeting(organisation, meeting_id)
            there = await transaction.annex_files(organisation, meeting_id)
            made = rules.hand_in(new_id(), meeting, there, file.name, file.content, now=self._clock.now())
            if made not in there:
                await transaction.save_annex_file(organisation, made)
            return made

        return await self._unit_of_work.run(work)

    async def remove(self, organisation: str, meeting_id: str, file_id: str) -> None:
        """Minutes that name it keep it. Raises NotFound."""

        async def work(transaction: MeetingsTransaction) -> None:
            await transaction.lock_meeting(organisation, meeting_id)
            if not await transaction.remove_annex_file(organisation, meeting_id, file_id):
                raise NotFound(f"the meeting has no file {file_id[:60]} for its minutes")

        await self._unit_of_work.run(work)

    async def files(self, organisation: str, meeting_id: str) -> list[MeetingFile]:
        """What the minutes may name: the newest version of each. Raises NotFound."""
        async with self._unit_of_work.begin() as transaction:
            await transaction.meeting(organisation, meeting_id)
            found = await transaction.files_of_meeting(organisation, meeting_id)
        return [one for one in found if one.last]

    async def content(self, organisation: str, meeting_id: str, file_id: str) -> tuple[AnnexFile, bytes]:
        """Of a file that was handed in for the minutes. Raises NotFound, Unavailable."""
        async with self._unit_of_work.begin() as transaction:
            there = await transaction.annex_files(organisation, meeting_id)
        found = next((one for one in there if one.id == file_id), None)
        if found is None:
            raise NotFound(f"the meeting has no file {file_id[:60]} for its minutes")
        return found, await self._blobs.get(organisation, found.content)
