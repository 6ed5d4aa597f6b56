"""The SQL of members: who may be mailed about a body's meetings, and who was told of which plan."""

from collections.abc import Iterable

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from services.notifications.member.tables import BODY_MEMBER, PLAN_TOLD

_ADD_MEMBER = insert(BODY_MEMBER).on_conflict_do_nothing().inline()
_ADD_TOLD = insert(PLAN_TOLD).on_conflict_do_nothing().inline()


async def add_member(connection: AsyncConnection, organisation: str, body_id: str, person_id: str) -> None:
    row = {"organisation": organisation, "body_id": body_id, "person_id": person_id}
    await connection.execute(_ADD_MEMBER, row)


async def members(connection: AsyncConnection, organisation: str, body_id: str) -> set[str]:
    """The ids of the people who have, or had, a place in it."""
    query = select(BODY_MEMBER.c.person_id).where(
        BODY_MEMBER.c.organisation == organisation, BODY_MEMBER.c.body_id == body_id
    )
    return set((await connection.execute(query)).scalars())


async def told(connection: AsyncConnection, organisation: str, body_id: str, plan: str) -> set[str]:
    """The ids of the people who were told of the body's plan."""
    query = select(PLAN_TOLD.c.person_id).where(
        PLAN_TOLD.c.organisation == organisation, PLAN_TOLD.c.body_id == body_id, PLAN_TOLD.c.plan == plan
    )
    return set((await connection.execute(query)).scalars())


async def add_told(
    connection: AsyncConnection, organisation: str, body_id: str, plan: str, people: Iterable[str]
) -> None:
    rows = [
        {"organisation": organisation, "body_id": body_id, "plan": plan, "person_id": person_id} for person_id in people
    ]
    if rows:
        await connection.execute(_ADD_TOLD, rows)
