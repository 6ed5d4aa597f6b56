"""The SQL of meetings."""

from collections.abc import Collection
from datetime import date
from typing import Any

from sqlalchemy import ARRAY, Text, bindparam, func, select, update
from sqlalchemy.dialects.postgresql import JSONB, insert

from services.meetings.meeting.meeting import Meeting, MeetingDetails, MeetingStatus, PlanSlot, body_key
from services.meetings.meeting.tables import MEETING
from shared.errors import NotFound
from shared.messaging.transaction import Transaction

_OF_MEETING = (MEETING.c.organisation == bindparam("organisation"), MEETING.c.id == bindparam("id"))
_FIND = select(MEETING).where(*_OF_MEETING)
_LOCK = _FIND.with_for_update()
_LOCK_AMONG = (
    select(MEETING.c.id)
    .where(
        MEETING.c.organisation == bindparam("organisation"),
        MEETING.c.id == func.any(bindparam("ids", type_=ARRAY(Text))),
    )
    .order_by(MEETING.c.id)
    .with_for_update()
)
_LOCK_PLANNED = (
    select(MEETING)
    .where(MEETING.c.organisation == bindparam("organisation"), MEETING.c.plan == bindparam("plan"))
    .order_by(MEETING.c.id)
    .with_for_update()
)
_PLANNED_IDS = (
    select(MEETING.c.id)
    .where(MEETING.c.organisation == bindparam("organisation"), MEETING.c.plan == bindparam("plan"))
    .order_by(MEETING.c.id)
)
_BETWEEN = select(MEETING).where(
    MEETING.c.organisation == bindparam("organisation"),
    MEETING.c.starts >= bindparam("first"),
    MEETING.c.starts < bindparam("last"),
)
_AMONG = select(MEETING).where(
    MEETING.c.organisation == bindparam("organisation"), MEETING.c.id == func.any(bindparam("ids", type_=ARRAY(Text)))
)
# Those that can be someone's: of these bodies, of these ids, or with this participant.
_OF_SOMEONE = _BETWEEN.where(
    (MEETING.c.body_id == func.any(bindparam("bodies", type_=ARRAY(Text))))
    | (MEETING.c.id == func.any(bindparam("ids", type_=ARRAY(Text))))
    | MEETING.c.participants.contains(bindparam("invited", type_=JSONB))
)
_TAKEN_OVER = (
    select(MEETING)
    .where(MEETING.c.organisation == bindparam("organisation"), MEETING.c.taken_over_by == bindparam("id"))
    .order_by(MEETING.c.starts, MEETING.c.id)
)
_OF_NO_BODY = (MEETING.c.organisation == bindparam("of"), MEETING.c.body_id.is_(None))
_NAMES_OF_NO_BODY = select(MEETING.c.body).where(*_OF_NO_BODY).distinct()
_CLAIM = (
    update(MEETING)
    .where(*_OF_NO_BODY, MEETING.c.body == func.any(bindparam("names", type_=ARRAY(Text))))
    .values(body_id=bindparam("of_body"))
)
_SAVE = insert(MEETING)
_SAVE = _SAVE.on_conflict_do_update(index_elements=["organisation", "id"], set_=dict(_SAVE.excluded)).inline()


class MeetingStore(Transaction):
    async def lock_meeting(self, organisation: str, meeting_id: str) -> Meeting:
        """Raises NotFound."""
        return await self._meeting(organisation, meeting_id, for_update=True)

    async def lock_meetings(self, organisation: str, meeting_ids: Collection[str]) -> None:
        """In the order of their ids; those of nothing are left out."""
        await self.connection.execute(_LOCK_AMONG, {"organisation": organisation, "ids": sorted(meeting_ids)})

    async def meeting(self, organisation: str, meeting_id: str) -> Meeting:
        """Raises NotFound."""
        return await self._meeting(organisation, meeting_id, for_update=False)

    async def meetings(self, organisation: str, *, after: tuple[str, str] | None, most: int) -> list[Meeting]:
        """By start, latest first; `after` is the (starts, id) of the last one seen."""
        query = select(MEETING).where(MEETING.c.organisation == organisation)
        if after is not None:
            starts, meeting_id = after
            query = query.where(
                (MEETING.c.starts < starts) | ((MEETING.c.starts == starts) & (MEETING.c.id < meeting_id))
            )
        rows = await self.connection.execute(query.order_by(MEETING.c.starts.desc(), MEETING.c.id.desc()).limit(most))
        return [_meeting(row) for row in rows]

    async def planned_ids(self, organisation: str, plan: str) -> list[str]:
        """As `lock_planned`."""
        key = {"organisation": organisation, "plan": plan}
        return list((await self.connection.execute(_PLANNED_IDS, key)).scalars())

    async def lock_planned(self, organisation: str, plan: str) -> list[Meeting]:
        """The meetings that a plan made, cancelled ones among them."""
        rows = await self.connection.execute(_LOCK_PLANNED, {"organisation": organisation, "plan": plan})
        return [_meeting(row) for row in rows]

    async def meetings_of_year(self, organisation: str, year: int) -> list[Meeting]:
        """Those that start in it, cancelled ones among them."""
        key = {"organisation": organisation, "first": f"{year:04}-", "last": f"{year:04}-9"}
        return [_meeting(row) for row in await self.connection.execute(_BETWEEN, key)]

    async def meetings_between(self, organisation: str, first: date, last: date) -> list[Meeting]:
        """Those that start on `first` or later and before `last`, cancelled ones among them."""
        key = {"organisation": organisation, "first": first.isoformat(), "last": last.isoformat()}
        return [_meeting(row) for row in await self.connection.execute(_BETWEEN, key)]

    async def meetings_of_someone(
        self,
        organisation: str,
        first: date,
        last: date,
        *,
        bodies: Collection[str],
        meeting_ids: Collection[str],
        email: str | None,
    ) -> list[Meeting]:
        """As `meetings_between`, but those alone that are of these bodies, or of these ids, or ask this address."""
        key = {
            "organisation": organisation,
            "first": first.isoformat(),
            "last": last.isoformat(),
            "bodies": sorted(set(bodies)),
            "ids": sorted(set(meeting_ids)),
            "invited": [{"email": email or ""}],  # nobody has an empty one
        }
        return [_meeting(row) for row in await self.connection.execute(_OF_SOMEONE, key)]

    async def meetings_among(self, organisation: str, meeting_ids: Collection[str]) -> dict[str, Meeting]:
        """By id; ids of none are left out."""
        key = {"organisation": organisation, "ids": sorted(set(meeting_ids))}
        return {row.id: _meeting(row) for row in await self.connection.execute(_AMONG, key)}

    async def meetings_taken_over(self, organisation: str, meeting_id: str) -> list[Meeting]:
        """Those that were struck, and whose items this one took; by their start."""
        rows = await self.connection.execute(_TAKEN_OVER, {"organisation": organisation, "id": meeting_id})
        return [_meeting(row) for row in rows]

    async def save_meeting(self, organisation: str, meeting: Meeting) -> None:
        await self.connection.execute(_SAVE, _row(organisation, meeting))

    async def claim_meetings(self, organisation: str, body_id: str, keys: Collection[str]) -> None:
        """Those of no body that the register knew, whose body's name is one of `keys`, become that body's."""
        found = (await self.connection.execute(_NAMES_OF_NO_BODY, {"of": organisation})).scalars().all()
        if names := [name for name in found if body_key(name) in keys]:
            await self.connection.execute(_CLAIM, {"of": organisation, "names": names, "of_body": body_id})

    async def _meeting(self, organisation: str, meeting_id: str, *, for_update: bool) -> Meeting:
        key = {"organisation": organisation, "id": meeting_id}
        row = (await self.connection.execute(_LOCK if for_update else _FIND, key)).one_or_none()
        if row is None:
            raise NotFound(f"there is no meeting {meeting_id[:60]}")
        return _meeting(row)


def _row(organisation: str, meeting: Meeting) -> dict[str, Any]:
    details = meeting.details.model_dump(mode="json")
    return {
        "organisation": organisation,
        "id": meeting.id,
        "body_id": meeting.body_id,
        "version": meeting.version,
        "status": meeting.status.value,
        "plan": meeting.plan.plan if meeting.plan else None,
        "slot": meeting.plan.slot if meeting.plan else None,
        "plan_year": meeting.plan.year if meeting.plan else None,
        "reason": meeting.reason,
        "taken_over_by": meeting.taken_over_by,
        **details,
    }


def _meeting(row: Any) -> Meeting:
    details = MeetingDetails.model_validate({name: getattr(row, name) for name in MeetingDetails.model_fields})
    plan = PlanSlot(plan=row.plan, slot=row.slot, year=row.plan_year) if row.plan else None
    return Meeting(
        id=row.id,
        body_id=row.body_id,
        version=row.version,
        status=MeetingStatus(row.status),
        details=details,
        plan=plan,
        reason=row.reason,
        taken_over_by=row.taken_over_by,
    )
