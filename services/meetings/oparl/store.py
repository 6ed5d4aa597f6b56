"""The SQL of the open data."""

from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime
from typing import Any, NamedTuple

from sqlalchemy import ARRAY, Text, and_, bindparam, delete, exists, func, select, text, tuple_
from sqlalchemy.dialects.postgresql import insert

from services.meetings.meeting.tables import MEETING
from services.meetings.minutes.tables import MINUTES
from services.meetings.notice.notice import Told
from services.meetings.notice.tables import NOTICE
from services.meetings.oparl.keeping import Kept
from services.meetings.oparl.oparl import Key, Kind, Published
from services.meetings.oparl.tables import OPEN_MEETING, OPEN_OBJECT, OPEN_STATE
from services.meetings.publication.publication import Posted, Status
from services.meetings.publication.tables import PUBLICATION
from shared.errors import NotFound
from shared.messaging.transaction import Transaction
from shared.rendering.public import Mask

# Whatever an object is made of has a version, which rises when it changes. A sum of hashes needs no order.
_MARK = text(
    """
    SELECT concat_ws(
        '/',
        (SELECT version FROM register WHERE register.organisation = :organisation),
        (
            SELECT sum(hashtextextended(concat_ws(
                ' ', meeting.id, meeting.version, meeting.body_id, meeting.status, notice.version, notice.issued_at
            ), 0)::numeric)
            FROM meeting LEFT JOIN notice
                ON notice.organisation = meeting.organisation AND notice.meeting_id = meeting.id
            WHERE meeting.organisation = :organisation
        ),
        (
            SELECT sum(hashtextextended(concat_ws(' ', meeting_id, version, signed_at, ended), 0)::numeric)
            FROM minutes WHERE minutes.organisation = :organisation AND signed_at IS NOT NULL
        ),
        (
            SELECT sum(hashtextextended(concat_ws(' ', id, version, status, edition), 0)::numeric)
            FROM publication WHERE publication.organisation = :organisation
        )
    )
    """
)

# Those whose objects were made of something else than what stands now, and those that are there no longer. `told`: what
# all of them are made of besides, such as which bodies are public.
_CHANGED = text(
    """
    WITH signed AS (
        SELECT meeting_id, string_agg(concat_ws(' ', version, signed_at, ended), ',' ORDER BY version) AS said
        FROM minutes WHERE minutes.organisation = :organisation AND signed_at IS NOT NULL GROUP BY meeting_id
    ), posted AS (
        SELECT meeting_id, string_agg(concat_ws(' ', id, version, status, edition), ',' ORDER BY id) AS said
        FROM publication WHERE publication.organisation = :organisation GROUP BY meeting_id
    ), there AS (
        SELECT meeting.id, md5(concat_ws(
            '/', CAST(:told AS text), meeting.version, meeting.body_id, meeting.status,
            notice.version, notice.issued_at, signed.said, posted.said
        )) AS mark
        FROM meeting
            LEFT JOIN notice ON notice.organisation = meeting.organisation AND notice.meeting_id = meeting.id
            LEFT JOIN signed ON signed.meeting_id = meeting.id
            LEFT JOIN posted ON posted.meeting_id = meeting.id
        WHERE meeting.organisation = :organisation
            AND (notice.issued_at IS NOT NULL OR signed.meeting_id IS NOT NULL OR posted.meeting_id IS NOT NULL)
    )
    SELECT coalesce(there.id, made.meeting_id) AS id, there.mark
    FROM there FULL JOIN (SELECT * FROM open_meeting WHERE open_meeting.organisation = :organisation) AS made
        ON made.meeting_id = there.id
    WHERE made.mark IS DISTINCT FROM there.mark
    """
)
_SAVE_MADE = insert(OPEN_MEETING)
_SAVE_MADE = _SAVE_MADE.on_conflict_do_update(
    index_elements=["organisation", "meeting_id"], set_={"mark": _SAVE_MADE.excluded.mark}
).inline()
_FORGET_MADE = delete(OPEN_MEETING).where(
    OPEN_MEETING.c.organisation == bindparam("of"),
    OPEN_MEETING.c.meeting_id == func.any(bindparam("ids", type_=ARRAY(Text))),
)

_STATE = select(OPEN_STATE.c.mark).where(OPEN_STATE.c.organisation == bindparam("organisation"))
_LOCK_STATE = _STATE.with_for_update()
_BEGIN_STATE = insert(OPEN_STATE).values(mark="").on_conflict_do_nothing().inline()
_SAVE_STATE = insert(OPEN_STATE)
_SAVE_STATE = _SAVE_STATE.on_conflict_do_update(
    index_elements=["organisation"], set_={"mark": _SAVE_STATE.excluded.mark}
).inline()

_SIGNED = exists().where(
    MINUTES.c.organisation == MEETING.c.organisation,
    MINUTES.c.meeting_id == MEETING.c.id,
    MINUTES.c.version > 0,  # not a paragraph alone that was approved at once
    MINUTES.c.signed_at.is_not(None),
    MINUTES.c.ended.is_(None),
)
_PART = PUBLICATION.alias("part")
_HAS_PART = exists().where(
    _PART.c.organisation == MEETING.c.organisation, _PART.c.meeting_id == MEETING.c.id, _PART.c.part < 0
)
_CALLED = (
    select(MEETING.c.id, NOTICE.c.issued_at, NOTICE.c.told, _SIGNED.label("is_held"))
    .add_columns(
        PUBLICATION.c.id.label("publication_id"),
        PUBLICATION.c.body_id.label("publication_body"),
        *(PUBLICATION.c[name] for name in ("status", "held_on", "posted", "masks")),
    )
    .select_from(
        MEETING.outerjoin(
            NOTICE, and_(NOTICE.c.organisation == MEETING.c.organisation, NOTICE.c.meeting_id == MEETING.c.id)
        ).outerjoin(
            PUBLICATION,
            and_(
                PUBLICATION.c.organisation == MEETING.c.organisation,
                PUBLICATION.c.meeting_id == MEETING.c.id,
                PUBLICATION.c.part == 0,
            ),
        )
    )
    .where(
        MEETING.c.organisation == bindparam("organisation"),
        MEETING.c.body_id == func.any(bindparam("bodies", type_=ARRAY(Text))),
        MEETING.c.id == func.any(bindparam("meetings", type_=ARRAY(Text))),
        NOTICE.c.issued_at.is_not(None) | _SIGNED | _HAS_PART,
    )
)

_PARTS = select(PUBLICATION).where(
    PUBLICATION.c.organisation == bindparam("organisation"),
    PUBLICATION.c.meeting_id == func.any(bindparam("meetings", type_=ARRAY(Text))),
    PUBLICATION.c.part < 0,
)

_OBJECTS = select(OPEN_OBJECT).where(OPEN_OBJECT.c.organisation == bindparam("organisation"))
_OF_SOURCES = _OBJECTS.where(
    OPEN_OBJECT.c.source.is_(None) | (OPEN_OBJECT.c.source == func.any(bindparam("meetings", type_=ARRAY(Text))))
)
_OBJECT = _OBJECTS.where(OPEN_OBJECT.c.kind == bindparam("kind"), OPEN_OBJECT.c.id == bindparam("id"))
_SAVE_OBJECT = insert(OPEN_OBJECT)
_SAVE_OBJECT = _SAVE_OBJECT.on_conflict_do_update(
    index_elements=["organisation", "kind", "id"], set_=dict(_SAVE_OBJECT.excluded)
).inline()


class Between(NamedTuple):
    """What a client asks of a list: the times between which objects were made and last changed, both included."""

    created_since: datetime | None = None
    created_until: datetime | None = None
    modified_since: datetime | None = None
    modified_until: datetime | None = None


class Known(NamedTuple):
    """What may be known of a meeting, as `Called` has it."""

    told: Told | None
    is_held: bool
    minutes: Published | None
    masks: tuple[Mask, ...]
    parts: tuple[Published, ...] = ()


class OpenStore(Transaction):
    async def open_mark(self, organisation: str) -> str:
        """Another one when anything changed that open data are made of."""
        mark: str = (await self.connection.execute(_MARK, {"organisation": organisation})).scalar_one()
        return mark

    async def open_state(self, organisation: str, *, for_update: bool = False) -> str:
        """The mark of what the objects were made of; empty for none."""
        key = {"organisation": organisation}
        if for_update:
            await self.connection.execute(_BEGIN_STATE, key)
        found = await self.connection.execute(_LOCK_STATE if for_update else _STATE, key)
        return found.scalar_one_or_none() or ""

    async def save_open_state(self, organisation: str, mark: str) -> None:
        await self.connection.execute(_SAVE_STATE, {"organisation": organisation, "mark": mark})

    async def called_meetings(
        self, organisation: str, meeting_ids: Collection[str], body_ids: Collection[str], since: Mapping[str, date]
    ) -> dict[str, Known]:
        """Among these, by id those of these bodies whose notice was issued, or whose minutes everyone signed.
        `since`: of bodies that keep a public archive, of meetings since which day."""
        key = {"organisation": organisation, "bodies": sorted(body_ids), "meetings": sorted(meeting_ids)}
        found = {row.id: _known(row, since) for row in await self.connection.execute(_CALLED, key)}
        key = {"organisation": organisation, "meetings": sorted(found)}
        for row in await self.connection.execute(_PARTS, key):
            found[row.meeting_id] = _with_part(found[row.meeting_id], row, since)
        return found

    async def changed_meetings(self, organisation: str, told: str) -> dict[str, str | None]:
        """Of which the objects are to be made anew, each with its mark; None of one that nobody may know of now."""
        rows = await self.connection.execute(_CHANGED, {"organisation": organisation, "told": told})
        return {row.id: row.mark for row in rows}

    async def save_made_of(self, organisation: str, marks: Mapping[str, str | None]) -> None:
        """What the objects of these meetings are made of."""
        made = [
            {"organisation": organisation, "meeting_id": meeting_id, "mark": mark}
            for meeting_id, mark in marks.items()
            if mark is not None
        ]
        if made:
            await self.connection.execute(_SAVE_MADE, made)
        gone = sorted(meeting_id for meeting_id, mark in marks.items() if mark is None)
        await self.connection.execute(_FORGET_MADE, {"of": organisation, "ids": gone})

    async def open_objects(self, organisation: str, meeting_ids: Collection[str]) -> dict[Key, Kept]:
        """Those of these meetings, and those that no meeting is a source of."""
        key = {"organisation": organisation, "meetings": sorted(meeting_ids)}
        return {kept.key: kept for kept in map(_kept, await self.connection.execute(_OF_SOURCES, key))}

    async def save_open_objects(self, organisation: str, objects: Sequence[Kept]) -> None:
        if objects:
            rows = [
                {"organisation": organisation, "kind": one.kind.value, "id": one.id, "owner": one.owner}
                | {"created": one.created, "modified": one.modified, "fields": one.fields, "source": one.source}
                for one in objects
            ]
            await self.connection.execute(_SAVE_OBJECT, rows)

    async def open_object(self, organisation: str, kind: Kind, thing_id: str) -> Kept:
        """Raises NotFound for what never was public."""
        key = {"organisation": organisation, "kind": kind.value, "id": thing_id}
        row = (await self.connection.execute(_OBJECT, key)).one_or_none()
        if row is None:
            raise NotFound("there is no such object")
        return _kept(row)

    async def open_page(
        self,
        organisation: str,
        kind: Kind,
        between: Between,
        *,
        owner: str | None,
        after: tuple[datetime, str] | None,
        most: int,
    ) -> list[Kept]:
        """In the order in which they were made. Those that are gone stand only among what changed since."""
        table = OPEN_OBJECT.c
        wanted = _OBJECTS.where(table.kind == kind.value)
        if owner is not None:
            wanted = wanted.where(table.owner == owner)
        if between.modified_since is None:
            wanted = wanted.where(table.fields.is_not(None))
        for column, since, until in (
            (table.created, between.created_since, between.created_until),
            (table.modified, between.modified_since, between.modified_until),
        ):
            if since is not None:
                wanted = wanted.where(column >= since)
            if until is not None:
                wanted = wanted.where(column <= until)
        if after is not None:
            wanted = wanted.where(tuple_(table.created, table.id) > tuple_(*after))
        wanted = wanted.order_by(table.created, table.id).limit(most)
        return [_kept(row) for row in await self.connection.execute(wanted, {"organisation": organisation})]


def _with_part(known: Known, row: Any, since: Mapping[str, date]) -> Known:
    masks = tuple(dict.fromkeys((*known.masks, *_masks(row))))
    if not _is_read(row, row.body_id, since):
        return known._replace(masks=masks)
    posted = Posted.model_validate(row.posted)
    part = Published(row.id, posted.title, posted.language, posted.pdf, row.paragraph)
    return known._replace(masks=masks, parts=(*known.parts, part))


def _masks(row: Any) -> tuple[Mask, ...]:
    return tuple(Mask.model_validate(one, extra="ignore") for one in row.masks or ())


def _is_read(row: Any, body_id: str | None, since: Mapping[str, date]) -> bool:
    if row.status == Status.ARCHIVED.value:
        return (first := since.get(body_id or "")) is not None and row.held_on >= first
    return bool(row.status == Status.POSTED.value)


def _known(row: Any, since: Mapping[str, date]) -> Known:
    minutes = None
    if _is_read(row, row.publication_body, since):
        posted = Posted.model_validate(row.posted)
        minutes = Published(row.publication_id, posted.title, posted.language, posted.pdf)
    told = Told.model_validate(row.told) if row.issued_at and row.told else None
    return Known(told, row.is_held, minutes, _masks(row))


def _kept(row: Any) -> Kept:
    return Kept(Kind(row.kind), row.id, row.owner, row.created, row.modified, row.fields, row.source)
