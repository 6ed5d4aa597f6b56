"""The SQL of the register of organisations: meetings' own copy of the table that every service has."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, func, select, text

from services.meetings.organisation.organisation import Organisation, OrganisationDetails
from shared import organisations
from shared.errors import NotFound
from shared.messaging.tables import ORGANISATION
from shared.messaging.transaction import Transaction

# Whoever adds one counts them first.
_LOCK = text("SELECT pg_advisory_xact_lock(hashtext('organisations'))")
_COUNT = select(func.count()).select_from(ORGANISATION)
_ALL = select(ORGANISATION).order_by(ORGANISATION.c.id)
_FIND = select(ORGANISATION).where(ORGANISATION.c.id == bindparam("id"))
_LOCK_ONE = _FIND.with_for_update()


class OrganisationStore(Transaction):
    async def lock_organisations(self) -> int:
        """Before one is added: how many there are. Held until the transaction ends."""
        await self.connection.execute(_LOCK)
        count: int = (await self.connection.execute(_COUNT)).scalar_one()
        return count

    async def organisations(self) -> Sequence[Organisation]:
        """By their short names."""
        return [_organisation(row) for row in await self.connection.execute(_ALL)]

    async def find_organisation(self, organisation_id: str) -> Organisation | None:
        row = (await self.connection.execute(_FIND, {"id": organisation_id})).one_or_none()
        return None if row is None else _organisation(row)

    async def lock_organisation(self, organisation_id: str) -> Organisation:
        """Nobody else changes it until the transaction ends. Raises NotFound."""
        row = (await self.connection.execute(_LOCK_ONE, {"id": organisation_id})).one_or_none()
        if row is None:
            raise NotFound(
                f"there is no organisation {organisation_id[:80]!r} in the register",
                hint="`justera organisation list` names those that are; add it first",
            )
        return _organisation(row)

    async def save_organisation(self, organisation: Organisation, at: datetime) -> None:
        details = organisation.details
        changed = {
            "standing": organisation.standing,
            "reason": organisation.reason,
            "name": details.name,
            "language": details.language,
            "erased_at": organisation.erased_at,
            "mail_from": details.mail_from,
            "bounce_domain": details.bounce_domain,
        }
        await organisations.save(self.connection, organisation.id, organisation.version, at, changed)


def _organisation(row: Any) -> Organisation:
    return Organisation(
        id=row.id,
        version=row.version,
        standing=row.standing,
        reason=row.reason,
        details=OrganisationDetails(
            name=row.name, language=row.language, mail_from=row.mail_from, bounce_domain=row.bounce_domain
        ),
        erased_at=row.erased_at,
    )
