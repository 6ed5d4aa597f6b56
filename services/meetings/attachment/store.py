"""The SQL of attachments."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from sqlalchemy import bindparam, delete, select, update
from sqlalchemy.dialects.postgresql import insert

from services.meetings.agenda.tables import AGENDA_ITEM
from services.meetings.attachment.attachment import Attachment, AttachmentDetails, FileVersion
from services.meetings.attachment.tables import ATTACHMENT, ATTACHMENT_FILE
from shared.errors import NotFound
from shared.messaging.transaction import Transaction

_ALL = select(ATTACHMENT).where(ATTACHMENT.c.organisation == bindparam("organisation"))
_FIND = _ALL.where(ATTACHMENT.c.id == bindparam("id"))
_OF_ITEM = _ALL.where(ATTACHMENT.c.item_id == bindparam("item_id")).order_by(ATTACHMENT.c.place, ATTACHMENT.c.id)
_ON_AGENDA = select(AGENDA_ITEM.c.id).where(
    AGENDA_ITEM.c.organisation == bindparam("organisation"), AGENDA_ITEM.c.meeting_id == bindparam("meeting_id")
)
_OF_MEETING = _ALL.where(ATTACHMENT.c.item_id.in_(_ON_AGENDA)).order_by(
    ATTACHMENT.c.item_id, ATTACHMENT.c.place, ATTACHMENT.c.id
)
_FILES = (
    select(ATTACHMENT_FILE)
    .where(
        ATTACHMENT_FILE.c.organisation == bindparam("organisation"),
        ATTACHMENT_FILE.c.attachment_id.in_(bindparam("ids", expanding=True)),
    )
    .order_by(ATTACHMENT_FILE.c.attachment_id, ATTACHMENT_FILE.c.number)
)
_SAVE = insert(ATTACHMENT)
_SAVE = _SAVE.on_conflict_do_update(index_elements=["organisation", "id"], set_=dict(_SAVE.excluded)).inline()
_SAVE_FILE = insert(ATTACHMENT_FILE).on_conflict_do_nothing().inline()
_PLACE = (
    update(ATTACHMENT)
    .where(ATTACHMENT.c.organisation == bindparam("of"), ATTACHMENT.c.id == bindparam("attachment_id"))
    .values(place=bindparam("placed"))
)
_REMOVE = delete(ATTACHMENT).where(
    ATTACHMENT.c.organisation == bindparam("organisation"), ATTACHMENT.c.id.in_(bindparam("ids", expanding=True))
)
_REMOVE_FILES = delete(ATTACHMENT_FILE).where(
    ATTACHMENT_FILE.c.organisation == bindparam("organisation"),
    ATTACHMENT_FILE.c.attachment_id.in_(bindparam("ids", expanding=True)),
)


class AttachmentStore(Transaction):
    async def attachment(self, organisation: str, attachment_id: str) -> Attachment:
        """Who changes it has its item's row locked. Raises NotFound."""
        key = {"organisation": organisation, "id": attachment_id}
        found = await self._attachments(organisation, (await self.connection.execute(_FIND, key)).all())
        if not found:
            raise NotFound(f"there is no attachment {attachment_id[:60]}")
        return found[0]

    async def attachments_of(self, organisation: str, item_id: str) -> list[Attachment]:
        """Of an item, in their order."""
        key = {"organisation": organisation, "item_id": item_id}
        return await self._attachments(organisation, (await self.connection.execute(_OF_ITEM, key)).all())

    async def attachments_of_meeting(self, organisation: str, meeting_id: str) -> dict[str, list[Attachment]]:
        """Those of the items on its agenda, by the items' ids, in their order."""
        key = {"organisation": organisation, "meeting_id": meeting_id}
        found: dict[str, list[Attachment]] = defaultdict(list)
        for one in await self._attachments(organisation, (await self.connection.execute(_OF_MEETING, key)).all()):
            found[one.item_id].append(one)
        return dict(found)

    async def save_attachment(self, organisation: str, attachment: Attachment, place: int) -> None:
        """`place`: among those of its item. Versions of a file are written once."""
        row = {
            "organisation": organisation,
            "id": attachment.id,
            "version": attachment.version,
            "item_id": attachment.item_id,
            "place": place,
            **attachment.details.model_dump(),
        }
        await self.connection.execute(_SAVE, row)
        key = {"organisation": organisation, "attachment_id": attachment.id}
        await self.connection.execute(_SAVE_FILE, [key | file.model_dump() for file in attachment.files])

    async def save_attachment_order(self, organisation: str, attachment_ids: Sequence[str]) -> None:
        if attachment_ids:
            rows = [
                {"of": organisation, "attachment_id": attachment_id, "placed": place}
                for place, attachment_id in enumerate(attachment_ids, start=1)
            ]
            await self.connection.execute(_PLACE, rows)

    async def remove_attachments(self, organisation: str, attachment_ids: Sequence[str]) -> None:
        """With all versions. What is stored by its content stays stored: others may speak of it."""
        if attachment_ids:
            key = {"organisation": organisation, "ids": sorted(attachment_ids)}
            await self.connection.execute(_REMOVE_FILES, key)
            await self.connection.execute(_REMOVE, key)

    async def remove_attachments_of(self, organisation: str, item_id: str) -> None:
        found = await self.attachments_of(organisation, item_id)
        await self.remove_attachments(organisation, [one.id for one in found])

    async def _attachments(self, organisation: str, rows: Sequence[Any]) -> list[Attachment]:
        if not rows:
            return []
        key = {"organisation": organisation, "ids": sorted(row.id for row in rows)}
        files: dict[str, list[FileVersion]] = defaultdict(list)
        for row in await self.connection.execute(_FILES, key):
            files[row.attachment_id].append(FileVersion.model_validate(row, from_attributes=True))
        return [
            Attachment(
                id=row.id,
                version=row.version,
                item_id=row.item_id,
                details=AttachmentDetails(title=row.title, confidential=row.confidential),
                files=tuple(files[row.id]),
            )
            for row in rows
        ]
