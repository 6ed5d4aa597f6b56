"""The SQL of replies."""

from collections import defaultdict
from collections.abc import Collection, Iterable
from typing import Any

from sqlalchemy import Text, bindparam, func, select
from sqlalchemy.dialects.postgresql import ARRAY, insert

from services.meetings.reply.reply import Reply
from services.meetings.reply.tables import REPLY
from shared.messaging.transaction import Transaction

_OF_MEETING = (
    select(REPLY)
    .where(REPLY.c.organisation == bindparam("organisation"), REPLY.c.meeting_id == bindparam("meeting_id"))
    .order_by(REPLY.c.person_id)
)
_AMONG = (
    select(REPLY)
    .where(
        REPLY.c.organisation == bindparam("organisation"),
        REPLY.c.meeting_id == func.any(bindparam("ids", type_=ARRAY(Text))),
    )
    .order_by(REPLY.c.meeting_id, REPLY.c.person_id)
)
_OF_PERSON = select(REPLY).where(
    REPLY.c.organisation == bindparam("organisation"), REPLY.c.person_id == bindparam("person_id")
)
_SAVE = insert(REPLY)
_SAVE = _SAVE.on_conflict_do_update(
    index_elements=["organisation", "meeting_id", "person_id"], set_=dict(_SAVE.excluded)
).inline()


class ReplyStore(Transaction):
    async def replies(self, organisation: str, meeting_id: str) -> list[Reply]:
        """Of whom was asked to the meeting, or answered; whom it is for by the register is `reply.asked_of`."""
        key = {"organisation": organisation, "meeting_id": meeting_id}
        return [_reply(row) for row in await self.connection.execute(_OF_MEETING, key)]

    async def replies_among(self, organisation: str, meeting_ids: Collection[str]) -> dict[str, dict[str, Reply]]:
        """By the meeting's id, then by person; meetings that nobody answered are left out."""
        found: dict[str, dict[str, Reply]] = defaultdict(dict)
        if meeting_ids:
            key = {"organisation": organisation, "ids": sorted(meeting_ids)}
            for row in await self.connection.execute(_AMONG, key):
                found[row.meeting_id][row.person_id] = _reply(row)
        return found

    async def replies_of_person(self, organisation: str, person_id: str) -> dict[str, Reply]:
        """By the meeting's id."""
        key = {"organisation": organisation, "person_id": person_id}
        return {row.meeting_id: _reply(row) for row in await self.connection.execute(_OF_PERSON, key)}

    async def save_replies(self, organisation: str, meeting_id: str, replies: Iterable[Reply]) -> None:
        rows = [{"organisation": organisation, "meeting_id": meeting_id, **_row(reply)} for reply in replies]
        if rows:
            await self.connection.execute(_SAVE, rows)


def _row(reply: Reply) -> dict[str, Any]:
    return {
        **reply.model_dump(),
        "role": reply.role.value,
        "answer": reply.answer.value if reply.answer else None,
        "via": reply.via.value if reply.via else None,
    }


def _reply(row: Any) -> Reply:
    return Reply.model_validate({name: getattr(row, name) for name in Reply.model_fields})
