"""Each service with something in it: the ids that its paths name lead somewhere."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import httpx
from sqlalchemy import text

from services.archive.archiving import Archiving
from services.meetings.proposal.proposal import ProposalDetails
from services.meetings.task.task import TaskDetails
from shared.auth import Role
from shared.blobs import BlobStore
from shared.clock import ManualClock
from shared.service import Service
from tests.integration.archive.completed import AGREEMENT as ARCHIVED
from tests.integration.archive.completed import Archive, Documents
from tests.integration.archive.completed import message as archive_message
from tests.integration.fuzz.conftest import TOKENS
from tests.integration.meetings.test_bodies import BOARD
from tests.integration.meetings.test_meetings import MEETING
from tests.integration.notifications import post as mails
from tests.integration.notifications.post import Post
from tests.integration.signing.flow import ORGANISATION, Flow
from tests.unit.signing.story import AGREEMENT_ID

Build = Callable[..., Any]

TO_COME = MEETING | {"starts": "2022-11-25T13:00", "ends": "2022-11-25T15:00"}
DAY_ASKED = "20221118T1300-20221118T1500"
NEW_POLL = {"times": [{"starts": "2022-11-18T13:00", "ends": "2022-11-18T15:00"}], "answer_by": "2022-10-14"}


@dataclass
class Stocked:
    service: Service
    ids: dict[str, str] = field(default_factory=dict)


async def stocked(name: str, build: Build, clock: ManualClock, blobs: BlobStore) -> Stocked:
    if name == "notifications":
        return await _notifications(await build(name, deliver_automatically=False), clock)
    service = await build(name)
    if name == "meetings":
        return await _meetings(service)
    if name == "signing":
        flow = Flow(service, clock, blobs)
        await flow.draft()
        return Stocked(service, {"agreement_id": AGREEMENT_ID})
    return await _archive(service, clock, blobs)


def client_of(service: Service, role: Role | None = Role.SECRETARY) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(app=service.app, raise_app_exceptions=False)
    headers = {"authorization": f"Bearer {TOKENS[role]}"} if role else {}
    return httpx.AsyncClient(transport=transport, base_url="http://fuzz", headers=headers)


async def _meetings(service: Service) -> Stocked:
    async with client_of(service) as api:
        body = (await api.post("/bodies", json=BOARD)).json()
        meeting = (await api.post("/meetings", json=TO_COME)).json()
        person = (
            await api.post("/people", json={"details": {"name": "Maja Lind", "email": "maja@norrdalen.example"}})
        ).json()
        seat = {"person_id": person["id"], "role": "member"}
        item = (await api.post(f"/meetings/{meeting['id']}/agenda/items", json={"title": "Ekonomi"})).json()
        attachments = f"/agenda-items/{item['id']}/attachments"
        attachment = (await api.post(attachments, params={"name": "a.txt"}, content=b"Hej")).json()
        annexes = f"/meetings/{meeting['id']}/annexes"
        annex = (await api.post(annexes, params={"name": "b.txt"}, content=b"Hej")).json()
        membership = (await api.post(f"/bodies/{body['id']}/memberships", json=seat)).json()
        poll = (await api.post(f"/meetings/{meeting['id']}/date-polls", json=NEW_POLL)).json()["poll"]
        later = {"starts": "2022-12-16T13:00", "ends": "2022-12-16T15:00"}
        other = (await api.post("/meetings", json=TO_COME | later)).json()
        held = (await api.post("/meetings", json=MEETING)).json()
    wished = ProposalDetails(title="Resor")
    proposal = await service.commands.proposals.propose(ORGANISATION, meeting["id"], person["id"], wished)
    await signed_decision(service, meeting["id"], body["id"])
    wanted = TaskDetails(what="Ta fram", owner_id=person["id"], due=date(2022, 11, 20), back_on=other["id"])
    task = await service.commands.tasks.give(ORGANISATION, meeting["id"], 28, wanted)
    ids = {"meeting": meeting, "body": body, "person": person, "membership": membership, "item": item}
    ids |= {
        "attachment": attachment,
        "annex": annex,
        "poll": poll,
        "proposal": {"id": proposal.id},
        "to_meeting": other,
        "held": held,
    }
    known = {f"{name}_id": found["id"] for name, found in ids.items()}
    return Stocked(service, known | {"task_id": task.id, "paragraph": "28"})


async def signed_decision(service: Service, meeting_id: str, body_id: str) -> None:
    """§ 28 of a meeting, as if everyone had signed its minutes."""
    row = """
        INSERT INTO decision VALUES (
            :organisation, :meeting, 28, 1, 'a', 'Protokoll', :body, 'Styrelsen', 'styrelsen', '2022-09-23', 'sv',
            'Resor', 'Styrelsen beslutar att ge uppdraget att ta fram ett förslag', '', '["Maja Lind"]',
            to_tsvector('swedish', 'uppdraget'), to_tsvector('simple', 'Maja Lind')
        )
    """
    async with service.database.transaction() as connection:
        given = {"organisation": ORGANISATION, "meeting": meeting_id, "body": body_id}
        await connection.execute(text(row), given)


async def _notifications(service: Service, clock: ManualClock) -> Stocked:
    post = Post(service, clock)
    await post.bring(mails.message(mails.created()), mails.message(mails.requested()))
    [delivery] = await post.deliveries()
    return Stocked(service, {"delivery_id": delivery.id, "agreement_id": mails.AGREEMENT})


async def _archive(service: Service, clock: ManualClock, blobs: BlobStore) -> Stocked:
    [worker] = [one for one in service.workers if isinstance(one, Archiving)]
    archive = Archive(service, worker, blobs, clock, Documents.make())
    message = archive_message(await archive.completed())
    await archive.bring(message)
    await archive.journal(message)
    await worker.archive_one()
    return Stocked(service, {"agreement_id": ARCHIVED})
