"""The SQL of the open data."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import ARRAY, Text, and_, bindparam, exists, func, select, text, tuple_
from sqlalchemy.dialects.postgresql import insert

from services.meetings.meeting.tables import MEETING
from services.meetings.minutes.tables import MINUTES
from services.meetings.notice.notice import Told
from services.meetings.notice.tables import NOTICE
from services.meetings.oparl.keeping import Kept
from services.meetings.oparl.oparl import Key, Kind, Published
from services.meetings.oparl.tables import OPEN_OBJECT, OPEN_STATE
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
_CALLED = (
    select(MEETING.c.id, NOTICE.c.issued_at, NOTICE.c.told, _SIGNED.label("is_held"))
    .add_columns(
        PUBLICATION.c.id.label("publication_id"),
        PUBLICATION.c.body_id.label("publication_body"),
        *(PUBLICATION.c[name] for name in ("status", "posted", "masks")),
    )
    .select_from(
        MEETING.outerjoin(
            NOTICE, and_(NOTICE.c.organisation == MEETING.c.organisation, NOTICE.c.meeting_id == MEETING.c.id)
        ).outerjoin(
            PUBLICATION,
            and_(PUBLICATION.c.organisation == MEETING.c.organisation, PUBLICATION.c.meeting_id == MEETING.c.id),
        )
    )
    .where(
        MEETING.c.organisation == bindparam("organisation"),
        MEETING.c.body_id == func.any(bindparam("bodies", type_=ARRAY(Text))),
        NOTICE.c.issued_at.is_not(None) | _SIGNED,
    )
)

_OBJECTS = select(OPEN_OBJECT).where(OPEN_OBJECT.c.organisation == bindparam("organisation"))
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
        self, organisation: str, body_ids: Collection[str], archives: Collection[str]
    ) -> dict[str, Known]:
        """Of these bodies, by id those whose notice was issued, or whose minutes everyone signed. `archives`: the
        bodies whose minutes may be read after their time on the notice board."""
        key = {"organisation": organisation, "bodies": sorted(body_ids)}
        return {row.id: _known(row, archives) for row in await self.connection.execute(_CALLED, key)}

    async def open_objects(self, organisation: str) -> dict[Key, Kept]:
        rows = await self.connection.execute(_OBJECTS, {"organisation": organisation})
        return {kept.key: kept for kept in map(_kept, rows)}

    async def save_open_objects(self, organisation: str, objects: Sequence[Kept]) -> None:
        if objects:
            rows = [
                {"organisation": organisation, "kind": one.kind.value, "id": one.id, "owner": one.owner}
                | {"created": one.created, "modified": one.modified, "fields": one.fields}
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


def _known(row: Any, archives: Collection[str]) -> Known:
    minutes = None
    in_archive = row.status == Status.ARCHIVED.value and row.publication_body in archives
    if row.status == Status.POSTED.value or in_archive:
        posted = Posted.model_validate(row.posted)
        minutes = Published(row.publication_id, posted.title, posted.language, posted.pdf)
    told = Told.model_validate(row.told) if row.issued_at and row.told else None
    return Known(told, row.is_held, minutes, tuple(Mask.model_validate(one) for one in row.masks or ()))


def _kept(row: Any) -> Kept:
    return Kept(Kind(row.kind), row.id, row.owner, row.created, row.modified, row.fields)
