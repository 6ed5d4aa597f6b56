"""The SQL of members' calendars."""

from datetime import datetime

from sqlalchemy import bindparam, select
from sqlalchemy.dialects.postgresql import insert

from services.meetings.member.tables import CALENDAR_SAID
from shared.messaging.transaction import Transaction

_FIND = select(CALENDAR_SAID.c.since).where(
    CALENDAR_SAID.c.organisation == bindparam("organisation"),
    CALENDAR_SAID.c.person_id == bindparam("person_id"),
    CALENDAR_SAID.c.tag == bindparam("tag"),
)
_SAY = insert(CALENDAR_SAID)
_SAY = _SAY.on_conflict_do_update(
    index_elements=["organisation", "person_id"],
    set_={"tag": _SAY.excluded.tag, "since": _SAY.excluded.since},
    where=(CALENDAR_SAID.c.tag != _SAY.excluded.tag) & (CALENDAR_SAID.c.since < _SAY.excluded.since),
).inline()


class MemberStore(Transaction):
    async def calendar_since(self, organisation: str, person_id: str, tag: str) -> datetime | None:
        """From when on a member's calendar says what this tag is of; None when it last said something else."""
        key = {"organisation": organisation, "person_id": person_id, "tag": tag}
        return (await self.connection.execute(_FIND, key)).scalar_one_or_none()

    async def say_calendar(self, organisation: str, person_id: str, tag: str, since: datetime) -> None:
        """Nothing is changed in the second of the change before: no two are of one."""
        row = {"organisation": organisation, "person_id": person_id, "tag": tag, "since": since}
        await self.connection.execute(_SAY, row)
