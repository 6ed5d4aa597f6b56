"""The SQL of letterheads."""

import json

from sqlalchemy import bindparam, delete, select, text
from sqlalchemy.dialects.postgresql import insert

from services.meetings.letterhead.tables import LETTERHEAD
from shared.messaging.transaction import Transaction
from shared.rendering.minutes import Letterhead

_FIND = select(LETTERHEAD.c.letterhead).where(LETTERHEAD.c.organisation == bindparam("of"))
_SAVE = insert(LETTERHEAD)
_SAVE = _SAVE.on_conflict_do_update(
    index_elements=["organisation"], set_={"letterhead": _SAVE.excluded.letterhead}
).inline()
_LOCK = text("SELECT pg_advisory_xact_lock(hashtext('letterhead'), hashtext(:of))")
_REMOVE = delete(LETTERHEAD).where(LETTERHEAD.c.organisation == bindparam("of"))


class LetterheadStore(Transaction):
    async def letterhead(self, organisation: str) -> Letterhead | None:
        """None: documents look as Justera's do."""
        found = (await self.connection.execute(_FIND, {"of": organisation})).scalar_one_or_none()
        return None if found is None else Letterhead.model_validate_json(json.dumps(found))

    async def lock_letterhead(self, organisation: str) -> Letterhead | None:
        """As `letterhead`; nobody else changes it until the transaction ends, also where there is none."""
        await self.connection.execute(_LOCK, {"of": organisation})
        return await self.letterhead(organisation)

    async def save_letterhead(self, organisation: str, letterhead: Letterhead) -> None:
        row = {"organisation": organisation, "letterhead": letterhead.model_dump(mode="json")}
        await self.connection.execute(_SAVE, row)

    async def remove_letterhead(self, organisation: str) -> None:
        await self.connection.execute(_REMOVE, {"of": organisation})
