"""The SQL of agendas."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from typing import Any

from sqlalchemy import ARRAY, Text, bindparam, delete, func, select, update
from sqlalchemy.dialects.postgresql import insert

from services.meetings.agenda.agenda import Item, ItemDetails, Stay
from services.meetings.agenda.tables import AGENDA, AGENDA_ITEM, AGENDA_STAY
from services.meetings.meeting.meeting import WhichBody, body_key
from shared.errors import NotFound
from shared.messaging.transaction import Transaction

_BEGUN = select(AGENDA.c.meeting_id).where(
    AGENDA.c.organisation == bindparam("organisation"), AGENDA.c.meeting_id == bindparam("meeting_id")
)
_BEGIN = insert(AGENDA).on_conflict_do_nothing().inline()

_ITEMS = select(AGENDA_ITEM).where(AGENDA_ITEM.c.organisation == bindparam("organisation"))
_ITEM = _ITEMS.where(AGENDA_ITEM.c.id == bindparam("id"))
_LOCK_ITEM = _ITEM.with_for_update()
_OF_MEETING = _ITEMS.where(AGENDA_ITEM.c.meeting_id == bindparam("meeting_id")).order_by(
    AGENDA_ITEM.c.place, AGENDA_ITEM.c.id
)
_WAITING = _ITEMS.where(AGENDA_ITEM.c.meeting_id.is_(None)).order_by(AGENDA_ITEM.c.id)
_WAITING_OF_NAME = _WAITING.where(AGENDA_ITEM.c.body_key == bindparam("body_key"))
_WAITING_OF_BODY = _WAITING.where(
    (AGENDA_ITEM.c.body_id == bindparam("body_id"))
    | (AGENDA_ITEM.c.body_id.is_(None) & (AGENDA_ITEM.c.body_key == bindparam("body_key")))
)
_CLAIM_ITEMS = (
    update(AGENDA_ITEM)
    .where(
        AGENDA_ITEM.c.organisation == bindparam("of"),
        AGENDA_ITEM.c.body_id.is_(None),
        AGENDA_ITEM.c.body_key == func.any(bindparam("keys", type_=ARRAY(Text))),
    )
    .values(body_id=bindparam("of_body"))
)
_AMONG = _ITEMS.where(AGENDA_ITEM.c.id.in_(bindparam("ids", expanding=True)))
_SAVE_ITEM = insert(AGENDA_ITEM)
_SAVE_ITEM = _SAVE_ITEM.on_conflict_do_update(
    index_elements=["organisation", "id"], set_=dict(_SAVE_ITEM.excluded)
).inline()
_REMOVE_ITEM = delete(AGENDA_ITEM).where(
    AGENDA_ITEM.c.organisation == bindparam("organisation"), AGENDA_ITEM.c.id == bindparam("id")
)
_PLACE = (
    update(AGENDA_ITEM)
    .where(AGENDA_ITEM.c.organisation == bindparam("of"), AGENDA_ITEM.c.id == bindparam("item_id"))
    .values(place=bindparam("placed"))
)

_STAYS = (
    select(AGENDA_STAY)
    .where(
        AGENDA_STAY.c.organisation == bindparam("organisation"),
        AGENDA_STAY.c.item_id.in_(bindparam("ids", expanding=True)),
    )
    .order_by(AGENDA_STAY.c.item_id, AGENDA_STAY.c.number)
)
_LEFT = (
    select(AGENDA_STAY.c.item_id)
    .where(AGENDA_STAY.c.organisation == bindparam("organisation"), AGENDA_STAY.c.meeting_id == bindparam("meeting_id"))
    .distinct()
)
_SAVE_STAY = insert(AGENDA_STAY)
_SAVE_STAY = _SAVE_STAY.on_conflict_do_update(
    index_elements=["organisation", "item_id", "number"], set_=dict(_SAVE_STAY.excluded)
).inline()


class AgendaStore(Transaction):
    async def agenda_is_begun(self, organisation: str, meeting_id: str) -> bool:
        key = {"organisation": organisation, "meeting_id": meeting_id}
        return (await self.connection.execute(_BEGUN, key)).first() is not None

    async def begin_agenda(self, organisation: str, meeting_id: str) -> None:
        await self.connection.execute(_BEGIN, {"organisation": organisation, "meeting_id": meeting_id})

    async def item(self, organisation: str, item_id: str, *, for_update: bool = False) -> Item:
        """Raises NotFound."""
        key = {"organisation": organisation, "id": item_id}
        row = (await self.connection.execute(_LOCK_ITEM if for_update else _ITEM, key)).one_or_none()
        if row is None:
            raise NotFound(f"there is no agenda item {item_id[:60]}")
        return (await self._items(organisation, [row]))[0]

    async def items_of_meeting(self, organisation: str, meeting_id: str) -> list[Item]:
        """In their order."""
        key = {"organisation": organisation, "meeting_id": meeting_id}
        return await self._items(organisation, (await self.connection.execute(_OF_MEETING, key)).all())

    async def items_that_left(self, organisation: str, meeting_id: str) -> list[Item]:
        """Those that stood on the meeting's agenda, and do no more."""
        key = {"organisation": organisation, "meeting_id": meeting_id}
        ids = [row.item_id for row in await self.connection.execute(_LEFT, key)]
        if not ids:
            return []
        rows = (await self.connection.execute(_AMONG, {"organisation": organisation, "ids": sorted(ids)})).all()
        return [one for one in await self._items(organisation, rows) if one.meeting_id != meeting_id]

    async def items_waiting(self, organisation: str, body: WhichBody | None = None) -> list[Item]:
        """Those on no agenda; of one body."""
        if body is None:
            found = await self.connection.execute(_WAITING, {"organisation": organisation})
        elif body.id is None:
            key = {"organisation": organisation, "body_key": body_key(body.name)}
            found = await self.connection.execute(_WAITING_OF_NAME, key)
        else:
            key = {"organisation": organisation, "body_key": body_key(body.name), "body_id": body.id}
            found = await self.connection.execute(_WAITING_OF_BODY, key)
        return await self._items(organisation, found.all())

    async def claim_items(self, organisation: str, body_id: str, keys: Collection[str]) -> None:
        """Those of no body that the register knew, whose body's name is one of `keys`, become that body's."""
        await self.connection.execute(_CLAIM_ITEMS, {"of": organisation, "keys": sorted(keys), "of_body": body_id})

    async def save_items(self, organisation: str, items: Iterable[tuple[Item, int]]) -> None:
        """Each with its place among those of its meeting."""
        items = list(items)
        if items:
            await self.connection.execute(_SAVE_ITEM, [_item_row(organisation, item, place) for item, place in items])
        stays = [
            {"organisation": organisation, "item_id": item.id, "number": number, **stay.model_dump()}
            for item, _ in items
            for number, stay in enumerate(item.stays, start=1)
        ]
        if stays:
            rows = [stay | {"starts": stay["starts"].isoformat(), "how": stay["how"].value} for stay in stays]
            await self.connection.execute(_SAVE_STAY, rows)

    async def save_order(self, organisation: str, item_ids: Sequence[str]) -> None:
        if item_ids:
            rows = [
                {"of": organisation, "item_id": item_id, "placed": place}
                for place, item_id in enumerate(item_ids, start=1)
            ]
            await self.connection.execute(_PLACE, rows)

    async def remove_item(self, organisation: str, item_id: str) -> None:
        """Of one that never left a meeting."""
        await self.connection.execute(_REMOVE_ITEM, {"organisation": organisation, "id": item_id})

    async def _items(self, organisation: str, rows: Sequence[Any]) -> list[Item]:
        if not rows:
            return []
        key = {"organisation": organisation, "ids": [row.id for row in rows]}
        stays: dict[str, list[Stay]] = defaultdict(list)
        for row in await self.connection.execute(_STAYS, key):
            stays[row.item_id].append(Stay.model_validate(row, from_attributes=True))
        return [
            Item(
                id=row.id,
                version=row.version,
                body=row.body,
                body_id=row.body_id,
                meeting_id=row.meeting_id,
                details=ItemDetails.model_validate(row.details, extra="ignore"),
                standing=row.standing,
                stays=tuple(stays[row.id]),
                back_on=row.back_on,
            )
            for row in rows
        ]


def _item_row(organisation: str, item: Item, place: int) -> dict[str, Any]:
    return {
        "organisation": organisation,
        "id": item.id,
        "version": item.version,
        "body": item.body,
        "body_key": body_key(item.body),
        "body_id": item.body_id,
        "meeting_id": item.meeting_id,
        "place": place,
        "standing": item.standing,
        "details": item.details.model_dump(mode="json"),
        "back_on": item.back_on,
    }
