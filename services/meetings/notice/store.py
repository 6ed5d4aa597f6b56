"""The SQL of notices."""

from collections.abc import Collection
from datetime import date, datetime
from typing import Any

from sqlalchemy import ARRAY, Text, bindparam, func, select
from sqlalchemy.dialects.postgresql import insert

from services.meetings.body.tables import BODY
from services.meetings.meeting.meeting import WhichBody
from services.meetings.meeting.tables import MEETING
from services.meetings.notice.notice import Notice, Unnoticed, latest_day
from services.meetings.notice.tables import NOTICE
from shared.messaging.transaction import Transaction

_FIND = select(NOTICE).where(
    NOTICE.c.organisation == bindparam("organisation"), NOTICE.c.meeting_id == bindparam("meeting_id")
)
_AMONG = select(NOTICE).where(
    NOTICE.c.organisation == bindparam("organisation"),
    NOTICE.c.meeting_id == func.any(bindparam("ids", type_=ARRAY(Text))),
)
_WITHOUT = (
    select(MEETING.c.id, MEETING.c.title, MEETING.c.starts, BODY.c.id.label("body_id"), BODY.c.name, BODY.c.rules)
    .join(BODY, (BODY.c.organisation == bindparam("organisation")) & (BODY.c.id == MEETING.c.body_id))
    .outerjoin(NOTICE, (NOTICE.c.organisation == bindparam("organisation")) & (NOTICE.c.meeting_id == MEETING.c.id))
    .where(
        MEETING.c.organisation == bindparam("organisation"),
        MEETING.c.status == "scheduled",
        MEETING.c.starts > bindparam("after"),
        MEETING.c.starts < bindparam("before"),
        NOTICE.c.approved_at.is_(None),
        NOTICE.c.stage.is_(None) | NOTICE.c.stage.in_(["none", "preliminary"]),
    )
    .order_by(MEETING.c.starts, MEETING.c.id)
)
_WAITING = (
    select(MEETING.c.id, MEETING.c.body_id, MEETING.c.body)
    .join(NOTICE, (NOTICE.c.organisation == bindparam("organisation")) & (NOTICE.c.meeting_id == MEETING.c.id))
    .where(
        MEETING.c.organisation == bindparam("organisation"),
        (MEETING.c.body_id == func.any(bindparam("bodies", type_=ARRAY(Text)))) | MEETING.c.body_id.is_(None),
        MEETING.c.status == "scheduled",
        NOTICE.c.approved_at.is_not(None),
        NOTICE.c.stage.in_(["none", "preliminary"]),
    )
)
_SAVE = insert(NOTICE)
_SAVE = _SAVE.on_conflict_do_update(
    index_elements=["organisation", "meeting_id"],
    set_={name: _SAVE.excluded[name] for name in Notice.model_fields},
).inline()
_STEP = (
    insert(NOTICE)
    .values(version=1)
    .on_conflict_do_update(index_elements=["organisation", "meeting_id"], set_={"version": NOTICE.c.version + 1})
    .returning(NOTICE.c.version)
)


class NoticeStore(Transaction):
    async def notice(self, organisation: str, meeting_id: str) -> Notice:
        """One that nobody was told of, where there is none. Changed only while the meeting's row is locked."""
        key = {"organisation": organisation, "meeting_id": meeting_id}
        row = (await self.connection.execute(_FIND, key)).one_or_none()
        return Notice() if row is None else Notice.model_validate(row, from_attributes=True)

    async def notices(self, organisation: str, meeting_ids: Collection[str]) -> dict[str, Notice]:
        """By the meeting's id; those of whom nobody was told anything may be left out."""
        if not meeting_ids:
            return {}
        rows = await self.connection.execute(_AMONG, {"organisation": organisation, "ids": sorted(meeting_ids)})
        return {row.meeting_id: Notice.model_validate(row, from_attributes=True) for row in rows}

    async def meetings_without_notice(self, organisation: str, after: datetime, before: datetime) -> list[Unnoticed]:
        """Those that start between (local wall time), in order, of a body that the register knows, and whose notice
        nobody has approved or sent."""
        key = {"organisation": organisation, "after": after.isoformat(), "before": before.isoformat()}
        return [
            Unnoticed(
                meeting_id=row.id,
                body_id=row.body_id,
                body=row.name,
                title=row.title,
                starts=datetime.fromisoformat(row.starts),
                notice_by=latest_day(date.fromisoformat(row.starts[:10]), row.rules["notice_days"]),
            )
            for row in await self.connection.execute(_WITHOUT, key)
        ]

    async def meetings_with_waiting_notice(self, organisation: str, bodies: Collection[WhichBody]) -> list[str]:
        """Ids of those of these bodies whose notice is approved and goes out by itself; one that is known by its body's
        name only is of the body of that name."""
        key = {"organisation": organisation, "bodies": sorted(one.id for one in bodies if one.id is not None)}
        rows = await self.connection.execute(_WAITING, key)
        return [row.id for row in rows if any(WhichBody(row.body_id, row.body).is_same(one) for one in bodies)]

    async def save_notice(self, organisation: str, meeting_id: str, notice: Notice) -> None:
        await self.connection.execute(_SAVE, _row(organisation, meeting_id, notice))

    async def step_notice(self, organisation: str, meeting_id: str) -> int:
        """One more fact is told about the meeting's notice or replies: its number. The meeting's row is locked."""
        key = {"organisation": organisation, "meeting_id": meeting_id}
        version: int = (await self.connection.execute(_STEP, key)).scalar_one()
        return version


def _row(organisation: str, meeting_id: str, notice: Notice) -> dict[str, Any]:
    return {
        **notice.model_dump(exclude={"told", "stage"}),
        "organisation": organisation,
        "meeting_id": meeting_id,
        "stage": notice.stage.value,
        "told": notice.told.model_dump(mode="json") if notice.told else None,
    }
