"""The SQL of bodies and their memberships, and of the register that holds them."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import bindparam, delete, select
from sqlalchemy.dialects.postgresql import insert

from services.meetings.body.body import Body, BodyDetails, BodyKind, BodyRules
from services.meetings.body.membership import Basis, Membership, Seat
from services.meetings.body.tables import BODY, MEMBERSHIP, REGISTER
from services.meetings.meeting.meeting import body_key
from shared.errors import NotFound
from shared.messaging.transaction import Transaction

_LOCK_REGISTER = (
    insert(REGISTER)
    .values(version=1)
    .on_conflict_do_update(index_elements=["organisation"], set_={"version": REGISTER.c.version + 1})
    .returning(REGISTER.c.version)
)

_REGISTER_VERSION = select(REGISTER.c.version).where(REGISTER.c.organisation == bindparam("organisation"))
_HOLD_REGISTER = _REGISTER_VERSION.with_for_update(read=True)

_ALL_BODIES = select(BODY).where(BODY.c.organisation == bindparam("organisation")).order_by(BODY.c.name_key)
_FIND_BODY = select(BODY).where(BODY.c.organisation == bindparam("organisation"), BODY.c.id == bindparam("id"))
_FIND_NAMED = select(BODY).where(
    BODY.c.organisation == bindparam("organisation"), BODY.c.name_key == bindparam("name_key")
)
_SAVE_BODY = insert(BODY)
_SAVE_BODY = _SAVE_BODY.on_conflict_do_update(
    index_elements=["organisation", "id"], set_=dict(_SAVE_BODY.excluded)
).inline()

_ALL_MEMBERSHIPS = select(MEMBERSHIP).where(MEMBERSHIP.c.organisation == bindparam("organisation"))
_OF_BODY = _ALL_MEMBERSHIPS.where(MEMBERSHIP.c.body_id == bindparam("body_id"))
_OF_PERSON = _ALL_MEMBERSHIPS.where(MEMBERSHIP.c.person_id == bindparam("person_id"))
_SAVE_MEMBERSHIP = insert(MEMBERSHIP)
_SAVE_MEMBERSHIP = _SAVE_MEMBERSHIP.on_conflict_do_update(
    index_elements=["organisation", "id"], set_=dict(_SAVE_MEMBERSHIP.excluded)
).inline()
_REMOVE_MEMBERSHIP = delete(MEMBERSHIP).where(
    MEMBERSHIP.c.organisation == bindparam("organisation"), MEMBERSHIP.c.id == bindparam("id")
)

# By rule that may be left unsaid: what it then is.
_UNSAID = {
    name: rule.default for name, rule in BodyRules.model_fields.items() if rule.default is None or rule.default is False
}


class BodyStore(Transaction):
    async def lock_register(self, organisation: str) -> int:
        """Before anything of bodies and people is changed. Its new version; held until the transaction ends."""
        version: int = (await self.connection.execute(_LOCK_REGISTER, {"organisation": organisation})).scalar_one()
        return version

    async def hold_register(self, organisation: str) -> None:
        """Nobody changes bodies or people until the transaction ends; others may hold it as well."""
        await self.connection.execute(_HOLD_REGISTER, {"organisation": organisation})

    async def register_version(self, organisation: str) -> int:
        """0 while nothing was ever asked of it."""
        found = (await self.connection.execute(_REGISTER_VERSION, {"organisation": organisation})).scalar_one_or_none()
        return found or 0

    async def bodies(self, organisation: str) -> list[Body]:
        """All of them, by name."""
        rows = await self.connection.execute(_ALL_BODIES, {"organisation": organisation})
        return [_body(row) for row in rows]

    async def body(self, organisation: str, body_id: str) -> Body:
        """Raises NotFound."""
        row = (await self.connection.execute(_FIND_BODY, {"organisation": organisation, "id": body_id})).one_or_none()
        if row is None:
            raise NotFound(f"there is no body {body_id[:60]}")
        return _body(row)

    async def body_named(self, organisation: str, name: str) -> Body | None:
        """The one that a meeting names."""
        key = {"organisation": organisation, "name_key": body_key(name)}
        row = (await self.connection.execute(_FIND_NAMED, key)).one_or_none()
        return _body(row) if row else None

    async def save_bodies(self, organisation: str, bodies: Sequence[Body]) -> None:
        if bodies:
            await self.connection.execute(_SAVE_BODY, [_body_row(organisation, body) for body in bodies])

    async def memberships(self, organisation: str) -> list[Membership]:
        """All of the organisation."""
        rows = await self.connection.execute(_ALL_MEMBERSHIPS, {"organisation": organisation})
        return [_membership(row) for row in rows]

    async def memberships_of_body(self, organisation: str, body_id: str) -> list[Membership]:
        rows = await self.connection.execute(_OF_BODY, {"organisation": organisation, "body_id": body_id})
        return [_membership(row) for row in rows]

    async def memberships_of_person(self, organisation: str, person_id: str) -> list[Membership]:
        rows = await self.connection.execute(_OF_PERSON, {"organisation": organisation, "person_id": person_id})
        return [_membership(row) for row in rows]

    async def save_memberships(self, organisation: str, memberships: Sequence[Membership]) -> None:
        if memberships:
            rows = [_membership_row(organisation, one) for one in memberships]
            await self.connection.execute(_SAVE_MEMBERSHIP, rows)

    async def remove_memberships(self, organisation: str, membership_ids: Sequence[str]) -> None:
        """Of those that never stood."""
        if membership_ids:
            rows = [{"organisation": organisation, "id": membership_id} for membership_id in membership_ids]
            await self.connection.execute(_REMOVE_MEMBERSHIP, rows)


def _body_row(organisation: str, body: Body) -> dict[str, Any]:
    return {
        "organisation": organisation,
        "id": body.id,
        "version": body.version,
        "key": body.key,
        "name": body.details.name,
        "name_key": body_key(body.details.name),
        "kind": body.details.kind.value,
        "rules": _rules_row(body.details.rules),
        "closed": body.closed,
    }


def _rules_row(rules: BodyRules) -> dict[str, Any]:
    """Without the rules of which nothing is said: the version before may not know them, and reads the row as well
    while pods roll."""
    said = rules.model_dump(mode="json")
    return {name: value for name, value in said.items() if name not in _UNSAID or value is not _UNSAID[name]}


def _body(row: Any) -> Body:
    rules = BodyRules.model_validate(row.rules, extra="ignore")  # the version after may have more
    details = BodyDetails(name=row.name, kind=BodyKind(row.kind), rules=rules)
    return Body(id=row.id, key=row.key, version=row.version, details=details, closed=row.closed)


def _membership_row(organisation: str, membership: Membership) -> dict[str, Any]:
    seat = membership.seat
    return {
        "organisation": organisation,
        "id": membership.id,
        "body_id": membership.body_id,
        "person_id": seat.person_id,
        "role": seat.role.value,
        "place": seat.order,
        "begins": seat.begins,
        "ends": seat.ends,
        "basis": seat.basis.model_dump(mode="json") if seat.basis else None,
    }


def _membership(row: Any) -> Membership:
    basis = None if row.basis is None else Basis.model_validate(row.basis, extra="ignore")
    seat = Seat(person_id=row.person_id, role=row.role, order=row.place, begins=row.begins, ends=row.ends, basis=basis)
    return Membership(id=row.id, body_id=row.body_id, seat=seat)
