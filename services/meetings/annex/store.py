"""The SQL of files that were handed in for minutes."""

from sqlalchemy import bindparam, delete, select
from sqlalchemy.dialects.postgresql import insert

from services.meetings.annex.annex import AnnexFile
from services.meetings.annex.tables import ANNEX_FILE
from shared.messaging.transaction import Transaction

_OF_MEETING = (
    ANNEX_FILE.c.organisation == bindparam("of_organisation"),
    ANNEX_FILE.c.meeting_id == bindparam("of_meeting"),
)
_ALL = select(ANNEX_FILE).where(*_OF_MEETING).order_by(ANNEX_FILE.c.name, ANNEX_FILE.c.id)
_SAVE = insert(ANNEX_FILE)
_SAVE = _SAVE.on_conflict_do_update(index_elements=["organisation", "id"], set_=dict(_SAVE.excluded)).inline()
_REMOVE = delete(ANNEX_FILE).where(*_OF_MEETING, ANNEX_FILE.c.id == bindparam("of_id")).returning(ANNEX_FILE.c.id)


class AnnexStore(Transaction):
    async def annex_files(self, organisation: str, meeting_id: str) -> list[AnnexFile]:
        """By name."""
        key = {"of_organisation": organisation, "of_meeting": meeting_id}
        rows = await self.connection.execute(_ALL, key)
        return [AnnexFile.model_validate(row, from_attributes=True) for row in rows]

    async def save_annex_file(self, organisation: str, file: AnnexFile) -> None:
        """The meeting's row is locked."""
        await self.connection.execute(_SAVE, {"organisation": organisation, **file.model_dump()})

    async def remove_annex_file(self, organisation: str, meeting_id: str, file_id: str) -> bool:
        """False when there is none."""
        key = {"of_organisation": organisation, "of_meeting": meeting_id, "of_id": file_id}
        return (await self.connection.execute(_REMOVE, key)).first() is not None
