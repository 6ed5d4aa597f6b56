"""The SQL of sittings."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, exists, select
from sqlalchemy.dialects.postgresql import insert

from services.meetings.meeting.meeting import Meeting
from services.meetings.meeting.tables import MEETING
from services.meetings.sitting.history import Entry
from services.meetings.sitting.sitting import Sitting
from services.meetings.sitting.tables import SITTING, SITTING_STEP
from shared.messaging.transaction import Transaction

_FIND = select(SITTING.c.version, SITTING.c.state).where(
    SITTING.c.organisation == bindparam("organisation"), SITTING.c.meeting_id == bindparam("meeting_id")
)
_IS_OPENED = select(
    exists().where(SITTING.c.organisation == bindparam("organisation"), SITTING.c.meeting_id == bindparam("meeting_id"))
)
# How far back whose turn it is to approve minutes is looked for: two years of monthly meetings.
_MOST_BEFORE = 24
_CHOSEN = SITTING.c.state["adjusters"]
_BEFORE = (
    select(MEETING.c.starts, _CHOSEN.label("adjusters"))
    .join(SITTING, (SITTING.c.organisation == MEETING.c.organisation) & (SITTING.c.meeting_id == MEETING.c.id))
    .where(
        MEETING.c.organisation == bindparam("organisation"),
        MEETING.c.body_id == bindparam("body_id"),
        MEETING.c.starts < bindparam("starts"),
        SITTING.c.state.has_key("adjusters"),
    )
    .order_by(MEETING.c.starts.desc())
    .limit(_MOST_BEFORE)
)
_SAVE = insert(SITTING)
_SAVE = _SAVE.on_conflict_do_update(index_elements=["organisation", "meeting_id"], set_=dict(_SAVE.excluded)).inline()
_STEPS = (
    select(SITTING_STEP)
    .where(
        SITTING_STEP.c.organisation == bindparam("organisation"), SITTING_STEP.c.meeting_id == bindparam("meeting_id")
    )
    .order_by(SITTING_STEP.c.number)
)
_KEYED = _STEPS.where(SITTING_STEP.c.key.in_(bindparam("keys", expanding=True)))
_ADD = insert(SITTING_STEP).inline()


class SittingStore(Transaction):
    async def sitting(self, organisation: str, meeting_id: str) -> tuple[int, Sitting | None]:
        """With its version; 0 and None before it is opened. Who changes it holds the meeting's row."""
        key = {"organisation": organisation, "meeting_id": meeting_id}
        row = (await self.connection.execute(_FIND, key)).one_or_none()
        return (row.version, Sitting.model_validate(row.state)) if row else (0, None)

    async def sitting_is_opened(self, organisation: str, meeting_id: str) -> bool:
        key = {"organisation": organisation, "meeting_id": meeting_id}
        return bool((await self.connection.execute(_IS_OPENED, key)).scalar_one())

    async def adjusters_before(self, organisation: str, meeting: Meeting) -> list[tuple[datetime, list[str]]]:
        """Of the body's last sittings before this one: when, and the ids of whom they chose to approve the minutes."""
        of = {
            "organisation": organisation,
            "body_id": meeting.body_id,
            "starts": meeting.details.model_dump(mode="json")["starts"],
        }
        return [
            (datetime.fromisoformat(row.starts), row.adjusters) for row in await self.connection.execute(_BEFORE, of)
        ]

    async def sitting_steps(self, organisation: str, meeting_id: str) -> list[Entry]:
        """All that were recorded, in that order."""
        key = {"organisation": organisation, "meeting_id": meeting_id}
        return [_entry(row) for row in await self.connection.execute(_STEPS, key)]

    async def sitting_steps_keyed(self, organisation: str, meeting_id: str, keys: Iterable[str]) -> dict[str, Entry]:
        """Those of these keys, by key."""
        key = {"organisation": organisation, "meeting_id": meeting_id, "keys": sorted(keys)}
        return {row.key: _entry(row) for row in await self.connection.execute(_KEYED, key)}

    async def save_sitting(
        self, organisation: str, meeting_id: str, state: Sitting, fresh: list[Entry], *, by: str, at: datetime
    ) -> None:
        """`fresh`: what was recorded now, some; by whom and when."""
        of = {"organisation": organisation, "meeting_id": meeting_id}
        row = {**of, "version": fresh[-1].number, "state": state.model_dump(mode="json", exclude_defaults=True)}
        await self.connection.execute(_SAVE, row)
        await self.connection.execute(
            _ADD, [{**of, **_row(entry), "recorded_by": by, "recorded_at": at} for entry in fresh]
        )


def _row(entry: Entry) -> dict[str, Any]:
    fields = entry.model_dump(include={"number", "key", "corrects", "after", "reason"})
    return {**fields, "step": entry.step.model_dump(mode="json")}


def _entry(row: Any) -> Entry:
    return Entry.model_validate({name: getattr(row, name) for name in Entry.model_fields})
