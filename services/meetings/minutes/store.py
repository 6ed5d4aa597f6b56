"""The SQL of minutes and of their numbering."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Text, bindparam, delete, func, select, update
from sqlalchemy.dialects.postgresql import insert

from services.meetings.minutes.elections import Elected
from services.meetings.minutes.revision import Version
from services.meetings.minutes.tables import ELECTION, MINUTES, NUMBERING
from shared.messaging.transaction import Transaction

_OF_BODY = (
    NUMBERING.c.organisation == bindparam("of_organisation"),
    NUMBERING.c.body_key == bindparam("of_body"),
    NUMBERING.c.year == bindparam("of_year"),
)
_BEGIN_NUMBERING = insert(NUMBERING).on_conflict_do_nothing().inline()
_NEXT_NUMBER = select(NUMBERING.c.next_paragraph).where(*_OF_BODY)
_LOCK_NUMBERING = select(NUMBERING.c.next_paragraph).where(*_OF_BODY).with_for_update()
_SET_NUMBERING = update(NUMBERING).where(*_OF_BODY).values(next_paragraph=bindparam("following"))

_OF_NAME = (NUMBERING.c.organisation == bindparam("of"), NUMBERING.c.body_key == bindparam("before"))
_GO_ON = insert(NUMBERING).from_select(
    ["organisation", "body_key", "year", "next_paragraph"],
    select(
        NUMBERING.c.organisation, bindparam("after", type_=Text), NUMBERING.c.year, NUMBERING.c.next_paragraph
    ).where(*_OF_NAME),
)
_GO_ON = _GO_ON.on_conflict_do_update(
    index_elements=["organisation", "body_key", "year"],
    set_={"next_paragraph": func.greatest(NUMBERING.c.next_paragraph, _GO_ON.excluded.next_paragraph)},
).inline()
_FORGET_NAME = delete(NUMBERING).where(*_OF_NAME)

_VERSIONS_OF_MEETING = (
    select(MINUTES)
    .where(
        MINUTES.c.organisation == bindparam("organisation"),
        MINUTES.c.meeting_id == bindparam("meeting_id"),
        MINUTES.c.version > 0,
    )
    .order_by(MINUTES.c.version.desc())
)
_AT_ONCE = (
    select(MINUTES)
    .where(
        MINUTES.c.organisation == bindparam("organisation"),
        MINUTES.c.meeting_id == bindparam("meeting_id"),
        MINUTES.c.version < 0,
    )
    .order_by(MINUTES.c.version)
)
_MINUTES_OF_MEETING = _VERSIONS_OF_MEETING.limit(1)
_WITH_MINUTES = (
    select(MINUTES.c.meeting_id)
    .where(
        MINUTES.c.organisation == bindparam("organisation"),
        MINUTES.c.meeting_id.in_(bindparam("ids", expanding=True)),
        MINUTES.c.version > 0,
    )
    .distinct()
)
_MINUTES_OF_AGREEMENT = select(MINUTES.c.meeting_id).where(
    MINUTES.c.organisation == bindparam("organisation"), MINUTES.c.agreement_id == bindparam("agreement_id")
)
_ADD_MINUTES = insert(MINUTES).inline()
_END_MINUTES = (
    update(MINUTES)
    .where(
        MINUTES.c.organisation == bindparam("of_organisation"),
        MINUTES.c.agreement_id == bindparam("of_agreement"),
        MINUTES.c.ended.is_(None),
    )
    .values(ended=bindparam("how"))
)

_OF_MINUTES = (
    MINUTES.c.organisation == bindparam("of_organisation"),
    MINUTES.c.meeting_id == bindparam("of_meeting"),
    MINUTES.c.version == bindparam("of_version"),
)
_ADD_ELECTIONS = insert(ELECTION).inline()
_OF_VERSION = (ELECTION.c.organisation == bindparam("of"), ELECTION.c.meeting_id == bindparam("of_meeting"))
_ELECTIONS = (
    select(ELECTION).where(*_OF_VERSION, ELECTION.c.version == bindparam("of_version")).order_by(ELECTION.c.number)
)
_LOCK_ELECTIONS = _ELECTIONS.with_for_update()
_ELECTION_DONE = (
    update(ELECTION)
    .where(*_OF_VERSION, ELECTION.c.version == bindparam("of_version"), ELECTION.c.number == bindparam("of_number"))
    .values(outcome=bindparam("how"), membership_id=bindparam("of_membership"))
)
_VERSION_OF_AGREEMENT = select(MINUTES.c.meeting_id, MINUTES.c.version).where(
    MINUTES.c.organisation == bindparam("organisation"),
    MINUTES.c.agreement_id == bindparam("agreement_id"),
    MINUTES.c.ended.is_(None),
)

_UNLOCKED = update(MINUTES).where(*_OF_MINUTES).values(unlocked_at=bindparam("at"))
_OUT = (
    update(MINUTES)
    .where(
        MINUTES.c.organisation == bindparam("of_organisation"),
        MINUTES.c.agreement_id == bindparam("of_agreement"),
        MINUTES.c.released_at.is_(None),
    )
    .values(released_at=bindparam("at"))
)
_RELEASED = update(MINUTES).where(*_OF_MINUTES).values(released_at=bindparam("at"))


class MinutesStore(Transaction):
    async def next_number(self, organisation: str, body_key: str, year: int) -> int | None:
        """The body's next number of the year, None when the year has none yet. Another may take it at any moment."""
        found: int | None = (
            await self.connection.execute(_NEXT_NUMBER, _of_body(organisation, body_key, year))
        ).scalar_one_or_none()
        return found

    async def lock_numbering(self, organisation: str, body_key: str, year: int) -> int | None:
        """The body's next number of the year, None when the year has none yet; held until the transaction ends."""
        key = {"organisation": organisation, "body_key": body_key, "year": year}
        await self.connection.execute(_BEGIN_NUMBERING, {**key, "next_paragraph": None})
        found: int | None = (
            await self.connection.execute(_LOCK_NUMBERING, _of_body(organisation, body_key, year))
        ).scalar_one()
        return found

    async def set_numbering(self, organisation: str, body_key: str, year: int, next_paragraph: int) -> None:
        await self.connection.execute(
            _SET_NUMBERING, {**_of_body(organisation, body_key, year), "following": next_paragraph}
        )

    async def rename_numbering(self, organisation: str, before: str, after: str) -> None:
        """The numbers of a body go on under its new name's key; where something counted by that, from the higher."""
        key = {"of": organisation, "before": before, "after": after}
        await self.connection.execute(_GO_ON, key)
        await self.connection.execute(_FORGET_NAME, key)

    async def minutes_of(self, organisation: str, meeting_id: str) -> Any | None:
        """The last version's row of `MINUTES`, or None."""
        key = {"organisation": organisation, "meeting_id": meeting_id}
        return (await self.connection.execute(_MINUTES_OF_MEETING, key)).one_or_none()

    async def versions_of_minutes(self, organisation: str, meeting_id: str) -> list[Any]:
        """Rows of `MINUTES`, the last version first."""
        key = {"organisation": organisation, "meeting_id": meeting_id}
        return list(await self.connection.execute(_VERSIONS_OF_MEETING, key))

    async def adjusted_at_once(self, organisation: str, meeting_id: str) -> list[Any]:
        """Rows of `MINUTES` of paragraphs that were put forward on their own, the latest first."""
        key = {"organisation": organisation, "meeting_id": meeting_id}
        return list(await self.connection.execute(_AT_ONCE, key))

    async def meetings_with_minutes(self, organisation: str, meeting_ids: Sequence[str]) -> set[str]:
        """Among these."""
        key = {"organisation": organisation, "ids": list(meeting_ids)}
        return set((await self.connection.execute(_WITH_MINUTES, key)).scalars())

    async def minutes_exist_for(self, organisation: str, agreement_id: str) -> bool:
        key = {"organisation": organisation, "agreement_id": agreement_id}
        return (await self.connection.execute(_MINUTES_OF_AGREEMENT, key)).first() is not None

    async def minutes_ended(self, organisation: str, agreement_id: str, how: str) -> None:
        """Keep how the agreement about a version ended; other agreements are not ours."""
        ended = {"of_organisation": organisation, "of_agreement": agreement_id, "how": how}
        await self.connection.execute(_END_MINUTES, ended)

    async def unlock_minutes(self, organisation: str, meeting_id: str, version: int, at: datetime) -> None:
        key = {"of_organisation": organisation, "of_meeting": meeting_id, "of_version": version}
        await self.connection.execute(_UNLOCKED, {**key, "at": at})

    async def release_minutes(self, organisation: str, meeting_id: str, version: int, at: datetime) -> None:
        key = {"of_organisation": organisation, "of_meeting": meeting_id, "of_version": version}
        await self.connection.execute(_RELEASED, {**key, "at": at})

    async def minutes_are_out(self, organisation: str, agreement_id: str, at: datetime) -> None:
        """They were sent to be signed from elsewhere, or before that was kept; other agreements are not ours."""
        await self.connection.execute(_OUT, {"of_organisation": organisation, "of_agreement": agreement_id, "at": at})

    async def add_minutes(self, row: dict[str, Any]) -> None:
        await self.connection.execute(_ADD_MINUTES, row)

    async def version_of_agreement(self, organisation: str, agreement_id: str) -> tuple[str, int] | None:
        """The meeting, and the version of its minutes, of an agreement; None when that ended, or is not ours."""
        key = {"organisation": organisation, "agreement_id": agreement_id}
        row = (await self.connection.execute(_VERSION_OF_AGREEMENT, key)).one_or_none()
        return None if row is None else (row.meeting_id, row.version)

    async def add_elections(
        self, organisation: str, meeting_id: str, version: int, elections: Sequence[Elected]
    ) -> None:
        rows = [
            {
                "organisation": organisation,
                "meeting_id": meeting_id,
                "version": version,
                "number": number,
                "body_id": one.body_id,
                "person_id": one.person_id,
                "elected": one.model_dump(mode="json"),
            }
            for number, one in enumerate(elections, start=1)
        ]
        if rows:
            await self.connection.execute(_ADD_ELECTIONS, rows)

    async def elections(
        self, organisation: str, meeting_id: str, version: int, *, for_update: bool = False
    ) -> list[Any]:
        """Rows of `ELECTION`, in their order."""
        key = {"of": organisation, "of_meeting": meeting_id, "of_version": version}
        return list(await self.connection.execute(_LOCK_ELECTIONS if for_update else _ELECTIONS, key))

    async def election_done(self, organisation: str, row: Any, how: str, membership_id: str | None) -> None:
        key = {"of": organisation, "of_meeting": row.meeting_id, "of_version": row.version, "of_number": row.number}
        await self.connection.execute(_ELECTION_DONE, {**key, "how": how, "of_membership": membership_id})


def version_of_row(row: Any) -> Version:
    """A row of `MINUTES`."""
    return Version(
        row.version,
        row.agreement_id,
        row.year,
        row.first_paragraph,
        row.last_paragraph,
        row.ended,
        signed=row.signed_at is not None,
        unlocked=row.unlocked_at is not None,
        drafted_at=row.drafted_at,
    )


def _of_body(organisation: str, body_key: str, year: int) -> dict[str, Any]:
    return {"of_organisation": organisation, "of_body": body_key, "of_year": year}
