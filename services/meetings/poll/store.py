"""The SQL of date polls."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ARRAY, Text, bindparam, func, select
from sqlalchemy.dialects.postgresql import JSONB, insert

from services.meetings.poll.poll import Poll, PollAnswer, PollStatus
from services.meetings.poll.tables import DATE_POLL, DATE_POLL_ANSWER
from shared.errors import NotFound
from shared.messaging.transaction import Transaction

_POLLS = select(DATE_POLL).where(DATE_POLL.c.organisation == bindparam("organisation"))
_FIND = _POLLS.where(DATE_POLL.c.id == bindparam("id"))
_LOCK = _FIND.with_for_update()
_LOCK_AMONG = (
    select(DATE_POLL.c.id)
    .where(DATE_POLL.c.organisation == bindparam("organisation"))
    .where(DATE_POLL.c.id == func.any(bindparam("ids", type_=ARRAY(Text))))
    .order_by(DATE_POLL.c.id)
    .with_for_update()
)
_OF_MEETING = _POLLS.where(DATE_POLL.c.meeting_id == bindparam("meeting_id")).order_by(DATE_POLL.c.id.desc())
_LOCK_OPEN = _POLLS.where(
    DATE_POLL.c.meeting_id == bindparam("meeting_id"), DATE_POLL.c.status == PollStatus.OPEN.value
).with_for_update()
_ASKING = _POLLS.where(
    DATE_POLL.c.status == PollStatus.OPEN.value, DATE_POLL.c.people.contains(bindparam("people", type_=JSONB))
).order_by(DATE_POLL.c.id)
_SAVE = insert(DATE_POLL)
_SAVE = _SAVE.on_conflict_do_update(index_elements=["organisation", "id"], set_=dict(_SAVE.excluded)).inline()

_ANSWERS = (
    select(DATE_POLL_ANSWER)
    .where(
        DATE_POLL_ANSWER.c.organisation == bindparam("organisation"),
        DATE_POLL_ANSWER.c.poll_id == bindparam("poll_id"),
    )
    .order_by(DATE_POLL_ANSWER.c.person_id)
)
_SAVE_ANSWER = insert(DATE_POLL_ANSWER)
_SAVE_ANSWER = _SAVE_ANSWER.on_conflict_do_update(
    index_elements=["organisation", "poll_id", "person_id"], set_=dict(_SAVE_ANSWER.excluded)
).inline()
_ANSWERED = select(DATE_POLL_ANSWER.c.poll_id).where(
    DATE_POLL_ANSWER.c.organisation == bindparam("organisation"),
    DATE_POLL_ANSWER.c.person_id == bindparam("person_id"),
    DATE_POLL_ANSWER.c.poll_id == func.any(bindparam("ids", type_=ARRAY(Text))),
)
# What these people said of times not long ago, in whichever poll.
_RECENT = (
    select(DATE_POLL_ANSWER)
    .where(
        DATE_POLL_ANSWER.c.organisation == bindparam("organisation"),
        DATE_POLL_ANSWER.c.person_id == func.any(bindparam("people", type_=ARRAY(Text))),
        DATE_POLL_ANSWER.c.answered_at >= bindparam("since"),
    )
    .order_by(DATE_POLL_ANSWER.c.answered_at, DATE_POLL_ANSWER.c.poll_id, DATE_POLL_ANSWER.c.person_id)
)


class PollStore(Transaction):
    async def poll(self, organisation: str, poll_id: str, *, for_update: bool = False) -> Poll:
        """Raises NotFound."""
        key = {"organisation": organisation, "id": poll_id}
        row = (await self.connection.execute(_LOCK if for_update else _FIND, key)).one_or_none()
        if row is None:
            raise NotFound(f"there is no date poll {poll_id[:60]}")
        return _poll(row)

    async def lock_polls(self, organisation: str, poll_ids: Collection[str]) -> None:
        """In the order of their ids; those of nothing are left out."""
        await self.connection.execute(_LOCK_AMONG, {"organisation": organisation, "ids": sorted(poll_ids)})

    async def polls_of_meeting(self, organisation: str, meeting_id: str) -> list[Poll]:
        """The latest first."""
        key = {"organisation": organisation, "meeting_id": meeting_id}
        return [_poll(row) for row in await self.connection.execute(_OF_MEETING, key)]

    async def lock_open_poll(self, organisation: str, meeting_id: str) -> Poll | None:
        """The meeting's row is locked."""
        key = {"organisation": organisation, "meeting_id": meeting_id}
        row = (await self.connection.execute(_LOCK_OPEN, key)).one_or_none()
        return None if row is None else _poll(row)

    async def polls_asking(self, organisation: str, person_id: str) -> list[Poll]:
        """Those that are open and ask this person, the oldest first."""
        key = {"organisation": organisation, "people": [person_id]}
        return [_poll(row) for row in await self.connection.execute(_ASKING, key)]

    async def save_poll(self, organisation: str, poll: Poll) -> None:
        await self.connection.execute(_SAVE, {"organisation": organisation, **_row(poll)})

    async def poll_answers(self, organisation: str, poll_id: str) -> list[PollAnswer]:
        key = {"organisation": organisation, "poll_id": poll_id}
        return [_answer(row) for row in await self.connection.execute(_ANSWERS, key)]

    async def answers_since(self, organisation: str, people: Sequence[str], since: datetime) -> list[PollAnswer]:
        """What these people said in any poll, the oldest first."""
        key = {"organisation": organisation, "people": sorted(people), "since": since}
        return [_answer(row) for row in await self.connection.execute(_RECENT, key)]

    async def polls_answered(self, organisation: str, person_id: str, poll_ids: Sequence[str]) -> set[str]:
        """Which of these polls they have answered."""
        key = {"organisation": organisation, "person_id": person_id, "ids": list(poll_ids)}
        return set((await self.connection.execute(_ANSWERED, key)).scalars())

    async def save_poll_answer(self, organisation: str, poll_id: str, answer: PollAnswer) -> None:
        row = {"organisation": organisation, "poll_id": poll_id, **answer.model_dump()}
        row["times"] = {key: can.value for key, can in answer.times.items()}
        await self.connection.execute(_SAVE_ANSWER, row)


def _row(poll: Poll) -> dict[str, Any]:
    return {
        **poll.model_dump(),
        "status": poll.status.value,
        "times": [one.model_dump(mode="json") for one in poll.times],
        "people": list(poll.people),
    }


def _poll(row: Any) -> Poll:
    return Poll.model_validate({name: getattr(row, name) for name in Poll.model_fields}, extra="ignore")


def _answer(row: Any) -> PollAnswer:
    return PollAnswer.model_validate({name: getattr(row, name) for name in PollAnswer.model_fields})
