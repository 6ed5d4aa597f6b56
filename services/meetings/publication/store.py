"""The SQL of the notice board."""

from collections.abc import Collection, Mapping
from datetime import date, datetime
from typing import Any, NamedTuple

from sqlalchemy import ARRAY, Integer, Text, bindparam, func, literal_column, select, text, tuple_, union
from sqlalchemy.dialects.postgresql import insert

from services.meetings.meeting.tables import MEETING
from services.meetings.publication.publication import Publication, Status
from services.meetings.publication.tables import MINUTES_SIGNATURE, PUBLICATION
from shared.errors import NotFound
from shared.messaging.transaction import Transaction
from shared.rendering.minutes import Stamp
from shared.timers import Timer, clear_timers, hold_timers, set_timers

DUE = "publication-due"

_ALL = select(PUBLICATION).where(PUBLICATION.c.organisation == bindparam("organisation"))
_FIND = _ALL.where(PUBLICATION.c.id == bindparam("id"))
_LOCK = _FIND.with_for_update()
_ALL_OF_MEETING = _ALL.where(PUBLICATION.c.meeting_id == bindparam("meeting_id"))
_OF_MEETING = _ALL_OF_MEETING.where(PUBLICATION.c.part == bindparam("part"))
_PARTS = _ALL_OF_MEETING.where(PUBLICATION.c.part < 0).order_by(PUBLICATION.c.paragraph, PUBLICATION.c.part.desc())
_OF_MEETINGS = _ALL.where(
    PUBLICATION.c.part == 0, PUBLICATION.c.meeting_id == func.any(bindparam("meeting_ids", type_=ARRAY(Text)))
)
_HOLD = (
    select(PUBLICATION.c.id)
    .where(
        PUBLICATION.c.organisation == bindparam("organisation"),
        PUBLICATION.c.id == func.any(bindparam("ids", type_=ARRAY(Text))),
    )
    .order_by(PUBLICATION.c.id)
    .with_for_update()
)
# Two questions, each of one index, and their conditions as these have them.
_AWAITED = union(
    select(MEETING.c.id).where(
        MEETING.c.organisation == bindparam("organisation"),
        MEETING.c.body_id == bindparam("body_id"),
        MEETING.c.ends >= bindparam("since"),
    ),
    select(PUBLICATION.c.meeting_id).where(
        PUBLICATION.c.organisation == bindparam("organisation"),
        PUBLICATION.c.body_id == bindparam("body_id"),
        PUBLICATION.c.status == literal_column("'draft'"),
        PUBLICATION.c.adjusted_on.is_(None),
        PUBLICATION.c.part == literal_column("0"),
    ),
)
_LOCK_OF_MEETING = _OF_MEETING.with_for_update()
_BEGIN = insert(PUBLICATION).on_conflict_do_nothing().inline()
_SAVE = insert(PUBLICATION)
_SAVE = _SAVE.on_conflict_do_update(index_elements=["organisation", "id"], set_=dict(_SAVE.excluded)).inline()
_NO_MASKS = [column for column in PUBLICATION.c if column.name != "masks"]
_BOARD = (
    select(*_NO_MASKS)
    .where(PUBLICATION.c.organisation == bindparam("organisation"))
    .where(PUBLICATION.c.status == Status.POSTED.value)
    .order_by(PUBLICATION.c.posted_at.desc(), PUBLICATION.c.id)
    .limit(bindparam("most", type_=Integer))
)
_IN_ARCHIVE = (
    PUBLICATION.c.organisation == bindparam("organisation"),
    PUBLICATION.c.status == Status.ARCHIVED.value,
    PUBLICATION.c.body_id == func.any(bindparam("bodies", type_=ARRAY(Text))),
    text(
        "publication.held_on >= (CAST(:since AS date[]))[array_position(CAST(:bodies AS text[]), publication.body_id)]"
    ),
)
_ARCHIVED = (
    select(*_NO_MASKS)
    .where(*_IN_ARCHIVE)
    .order_by(PUBLICATION.c.held_on.desc(), PUBLICATION.c.id.desc())
    .limit(bindparam("most", type_=Integer))
)
# From one year's last day of each body to the one before: as many looks into the index as there are years.
_YEARS = text(
    """
    WITH RECURSIVE found (body_id, since, held_on) AS (
        SELECT of.body_id, of.since, (
            SELECT max(publication.held_on) FROM publication
            WHERE publication.organisation = :organisation AND publication.status = 'archived'
                AND publication.body_id = of.body_id AND publication.held_on >= of.since
        )
        FROM unnest(CAST(:bodies AS text[]), CAST(:since AS date[])) AS of (body_id, since)
        UNION ALL
        SELECT found.body_id, found.since, (
            SELECT max(publication.held_on) FROM publication
            WHERE publication.organisation = :organisation AND publication.status = 'archived'
                AND publication.body_id = found.body_id AND publication.held_on >= found.since
                AND publication.held_on < CAST(date_trunc('year', found.held_on) AS date)
        )
        FROM found WHERE found.held_on IS NOT NULL
    )
    SELECT DISTINCT CAST(date_part('year', held_on) AS integer) AS year FROM found
    WHERE held_on IS NOT NULL ORDER BY year DESC
    """
)
# The index's own expression: one look at its end, however much was ever posted.
_CHANGED_AT = select(func.max(func.greatest(PUBLICATION.c.edited_at, PUBLICATION.c.removed_at))).where(
    PUBLICATION.c.organisation == bindparam("organisation")
)
_ADD_SIGNATURE = insert(MINUTES_SIGNATURE).on_conflict_do_nothing().inline()
_SIGNATURES = (
    select(MINUTES_SIGNATURE)
    .where(
        MINUTES_SIGNATURE.c.organisation == bindparam("organisation"),
        MINUTES_SIGNATURE.c.agreement_id == bindparam("agreement_id"),
    )
    .order_by(MINUTES_SIGNATURE.c.at, MINUTES_SIGNATURE.c.place)
)


class Sought(NamedTuple):
    """What somebody looks for in the archive: all words stand in the title."""

    year: int | None = None
    body_id: str | None = None
    words: tuple[str, ...] = ()


class PublicationStore(Transaction):
    async def posting(self, organisation: str, publication_id: str) -> Publication:
        """Raises NotFound."""
        return await self._posting(_FIND, organisation, publication_id)

    async def lock_posting(self, organisation: str, publication_id: str) -> Publication:
        """Raises NotFound."""
        return await self._posting(_LOCK, organisation, publication_id)

    async def posting_of(self, organisation: str, meeting_id: str, part: int = 0) -> Publication | None:
        """Of a meeting's minutes, or a part of them; None while nothing waits for them."""
        key = {"organisation": organisation, "meeting_id": meeting_id, "part": part}
        row = (await self.connection.execute(_OF_MEETING, key)).one_or_none()
        return None if row is None else _publication(row)

    async def parts_of(self, organisation: str, meeting_id: str) -> list[Publication]:
        """Of paragraphs that were approved at once, by their numbers."""
        key = {"organisation": organisation, "meeting_id": meeting_id}
        return [_publication(row) for row in await self.connection.execute(_PARTS, key)]

    async def postings_of(self, organisation: str, meeting_ids: Collection[str]) -> dict[str, Publication]:
        """By meeting, of those whose minutes are waited for."""
        key = {"organisation": organisation, "meeting_ids": sorted(meeting_ids)}
        found = [_publication(row) for row in await self.connection.execute(_OF_MEETINGS, key)]
        return {one.meeting_id: one for one in found}

    async def awaited_meetings(self, organisation: str, body_id: str, since: date) -> list[str]:
        """The ids of a body's meetings that end on that day or later, or whose minutes are watched and not signed."""
        key = {"organisation": organisation, "body_id": body_id, "since": since.isoformat()}
        return list((await self.connection.execute(_AWAITED, key)).scalars())

    async def hold_postings(self, organisation: str, ids: Collection[str]) -> None:
        """Lock them, and their timers first, as a timer that fires does; several in order."""
        if ids:
            await hold_timers(self.connection, organisation, *ids)
            await self.connection.execute(_HOLD, {"organisation": organisation, "ids": sorted(ids)})

    async def begin_posting(self, organisation: str, publication: Publication) -> Publication:
        """The meeting's own of this part, locked: this one, unless it has one."""
        await self.connection.execute(_BEGIN, _row(organisation, publication))
        key = {"organisation": organisation, "meeting_id": publication.meeting_id, "part": publication.part}
        return _publication((await self.connection.execute(_LOCK_OF_MEETING, key)).one())

    async def set_posting_timer(self, organisation: str, publication: Publication) -> None:
        """At the next moment at which it is looked at; none when nothing is waited for."""
        moment = publication.next_moment()
        if moment is None:
            await clear_timers(self.connection, [(organisation, publication.id)])
        else:
            await set_timers(self.connection, [Timer(organisation, DUE, publication.id, moment)])

    async def save_posting(self, organisation: str, publication: Publication) -> None:
        await self.connection.execute(_SAVE, _row(organisation, publication))

    async def posted(self, organisation: str, *, most: int | None) -> list[Publication]:
        """What is on the notice board now, the latest first, without `masks`. `most`: None for all."""
        key = {"organisation": organisation, "most": most}
        return [_publication(row) for row in await self.connection.execute(_BOARD, key)]

    async def archived(
        self,
        organisation: str,
        since: Mapping[str, date],
        sought: Sought,
        *,
        after: tuple[date, str] | None,
        most: int,
    ) -> list[Publication]:
        """What is in the archive of these bodies, each of meetings since a day, the latest first, without `masks`."""
        wanted = _ARCHIVED
        if sought.year is not None:
            first, last = date(sought.year, 1, 1), date(sought.year, 12, 31)
            wanted = wanted.where(PUBLICATION.c.held_on.between(first, last))
        if sought.body_id is not None:
            wanted = wanted.where(PUBLICATION.c.body_id == sought.body_id)
        for word in sought.words:
            wanted = wanted.where(PUBLICATION.c.title_key.contains(word.casefold(), autoescape=True))
        if after is not None:
            wanted = wanted.where(tuple_(PUBLICATION.c.held_on, PUBLICATION.c.id) < tuple_(*after))
        key = {"organisation": organisation, "bodies": list(since), "since": list(since.values()), "most": most}
        return [_publication(row) for row in await self.connection.execute(wanted, key)]

    async def archived_years(self, organisation: str, since: Mapping[str, date]) -> list[int]:
        """Of which the archive of these bodies has something, the latest first."""
        key = {"organisation": organisation, "bodies": list(since), "since": list(since.values())}
        return list((await self.connection.execute(_YEARS, key)).scalars())

    async def board_changed_at(self, organisation: str) -> datetime | None:
        """When something was last posted, corrected or taken down; None when nothing ever was."""
        found: datetime | None = (
            await self.connection.execute(_CHANGED_AT, {"organisation": organisation})
        ).scalar_one()
        return found

    async def add_signature(self, organisation: str, agreement_id: str, place: int, stamp: Stamp) -> None:
        row = {"organisation": organisation, "agreement_id": agreement_id, "place": place}
        await self.connection.execute(_ADD_SIGNATURE, row | stamp.model_dump())

    async def signatures(self, organisation: str, agreement_id: str) -> list[Stamp]:
        """In signing order."""
        key = {"organisation": organisation, "agreement_id": agreement_id}
        rows = await self.connection.execute(_SIGNATURES, key)
        return [Stamp(role=row.role, name=row.name, at=row.at) for row in rows]

    async def _posting(self, query: Any, organisation: str, publication_id: str) -> Publication:
        row = (await self.connection.execute(query, {"organisation": organisation, "id": publication_id})).one_or_none()
        if row is None:
            raise NotFound(f"there is no publication {publication_id[:60]}")
        return _publication(row)


def _publication(row: Any) -> Publication:
    return Publication.model_validate(dict(row._mapping), extra="ignore")


def _row(organisation: str, publication: Publication) -> dict[str, Any]:
    as_json = publication.model_dump(mode="json", include={"masks", "posted", "told", "status"})
    title = publication.posted.title.casefold() if publication.posted else None
    return publication.model_dump() | as_json | {"organisation": organisation, "title_key": title}
