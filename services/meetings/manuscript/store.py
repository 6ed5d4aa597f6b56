"""The SQL of manuscripts."""

from sqlalchemy import bindparam, delete, select
from sqlalchemy.dialects.postgresql import insert

from services.meetings.manuscript.manuscript import Manuscript
from services.meetings.manuscript.tables import MANUSCRIPT
from shared.messaging.transaction import Transaction

_OF = (MANUSCRIPT.c.organisation == bindparam("of"), MANUSCRIPT.c.meeting_id == bindparam("of_meeting"))
_FIND = select(MANUSCRIPT.c.state).where(*_OF)
_SAVE = insert(MANUSCRIPT)
_SAVE = _SAVE.on_conflict_do_update(
    index_elements=["organisation", "meeting_id"], set_={"state": _SAVE.excluded.state}
).inline()
_REMOVE = delete(MANUSCRIPT).where(*_OF)


class ManuscriptStore(Transaction):
    async def manuscript(self, organisation: str, meeting_id: str) -> Manuscript | None:
        """Who changes it holds the meeting's row."""
        key = {"of": organisation, "of_meeting": meeting_id}
        found = (await self.connection.execute(_FIND, key)).scalar_one_or_none()
        return None if found is None else Manuscript.model_validate(found)

    async def save_manuscript(self, organisation: str, meeting_id: str, manuscript: Manuscript) -> None:
        state = manuscript.model_dump(mode="json")
        await self.connection.execute(_SAVE, {"organisation": organisation, "meeting_id": meeting_id, "state": state})

    async def remove_manuscript(self, organisation: str, meeting_id: str) -> None:
        await self.connection.execute(_REMOVE, {"of": organisation, "of_meeting": meeting_id})
