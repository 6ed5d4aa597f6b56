"""All SQL of the meetings service, and its transaction."""

from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, select, update
from sqlalchemy.dialects.postgresql import insert

from services.meetings.meeting import Meeting, MeetingDetails, MeetingStatus, body_key
from services.meetings.tables import MEETING, MINUTES, NUMBERING
from shared.errors import NotFound
from shared.events.base import Event
from shared.messaging.transaction import Transaction

_OF_MEETING = (MEETING.c.organisation == bindparam("organisation"), MEETING.c.id == bindparam("id"))
_FIND = select(MEETING).where(*_OF_MEETING)
_LOCK = _FIND.with_for_update()
_SAVE = insert(MEETING)
_SAVE = _SAVE.on_conflict_do_update(index_elements=["organisation", "id"], set_=dict(_SAVE.excluded)).inline()

_OF_BODY = (
    NUMBERING.c.organisation == bindparam("of_organisation"),
    NUMBERING.c.body_key == bindparam("of_body"),
    NUMBERING.c.year == bindparam("of_year"),
)
_BEGIN_NUMBERING = insert(NUMBERING).on_conflict_do_nothing().inline()
_LOCK_NUMBERING = select(NUMBERING.c.next_paragraph).where(*_OF_BODY).with_for_update()
_SET_NUMBERING = update(NUMBERING).where(*_OF_BODY).values(next_paragraph=bindparam("following"))

_MINUTES_OF_MEETING = select(MINUTES).where(
    MINUTES.c.organisation == bindparam("organisation"), MINUTES.c.meeting_id == bindparam("meeting_id")
)
_MINUTES_OF_AGREEMENT = select(MINUTES.c.meeting_id).where(
    MINUTES.c.organisation == bindparam("organisation"), MINUTES.c.agreement_id == bindparam("agreement_id")
)
_ADD_MINUTES = insert(MINUTES).inline()


class MeetingsTransaction(Transaction):
    source = "meetings"

    async def lock_meeting(self, organisation: str, meeting_id: str) -> Meeting:
        """Raises NotFound."""
        return await self._meeting(organisation, meeting_id, for_update=True)

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

    async def save_meeting(self, organisation: str, meeting: Meeting) -> None:
        await self.connection.execute(_SAVE, _row(organisation, meeting))

    async def lock_numbering(self, organisation: str, body: str, year: int) -> int | None:
        """The body's next number of the year, None when the year has none yet; held until the transaction ends."""
        key = {"organisation": organisation, "body_key": body_key(body), "year": year}
        await self.connection.execute(_BEGIN_NUMBERING, {**key, "next_paragraph": None})
        found: int | None = (
            await self.connection.execute(_LOCK_NUMBERING, _of_body(organisation, body, year))
        ).scalar_one()
        return found

    async def set_numbering(self, organisation: str, body: str, year: int, next_paragraph: int) -> None:
        await self.connection.execute(
            _SET_NUMBERING, {**_of_body(organisation, body, year), "following": next_paragraph}
        )

    async def minutes_of(self, organisation: str, meeting_id: str) -> Any | None:
        """The row of `MINUTES`, or None."""
        key = {"organisation": organisation, "meeting_id": meeting_id}
        return (await self.connection.execute(_MINUTES_OF_MEETING, key)).one_or_none()

    async def minutes_exist_for(self, organisation: str, agreement_id: str) -> bool:
        key = {"organisation": organisation, "agreement_id": agreement_id}
        return (await self.connection.execute(_MINUTES_OF_AGREEMENT, key)).first() is not None

    async def add_minutes(self, row: dict[str, Any]) -> None:
        await self.connection.execute(_ADD_MINUTES, row)

    def tell(self, organisation: str, meeting: Meeting, event: Event, at: datetime) -> None:
        """Publish a fact of the meeting at its present version."""
        self.publish(
            event,
            organisation=organisation,
            subject=meeting.id,
            key=meeting.id,
            sequence=meeting.version,
            time=at,
            correlation_id=meeting.id,
        )

    async def _meeting(self, organisation: str, meeting_id: str, *, for_update: bool) -> Meeting:
        key = {"organisation": organisation, "id": meeting_id}
        row = (await self.connection.execute(_LOCK if for_update else _FIND, key)).one_or_none()
        if row is None:
            raise NotFound(f"there is no meeting {meeting_id[:60]}")
        return _meeting(row)


def _of_body(organisation: str, body: str, year: int) -> dict[str, Any]:
    return {"of_organisation": organisation, "of_body": body_key(body), "of_year": year}


def _row(organisation: str, meeting: Meeting) -> dict[str, Any]:
    details = meeting.details.model_dump(mode="json")
    return {
        "organisation": organisation,
        "id": meeting.id,
        "version": meeting.version,
        "status": meeting.status.value,
        **details,
    }


def _meeting(row: Any) -> Meeting:
    details = MeetingDetails.model_validate({name: getattr(row, name) for name in MeetingDetails.model_fields})
    return Meeting(id=row.id, version=row.version, status=MeetingStatus(row.status), details=details)
