"""Each service with something in it: the ids that its paths name lead somewhere."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import httpx

from services.archive.archiving import Archiving
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
from tests.integration.signing.flow import Flow
from tests.unit.signing.story import AGREEMENT_ID

Build = Callable[..., Any]

DAY_ASKED = "20991001T1300-20991001T1500"
NEW_POLL = {"times": [{"starts": "2099-10-01T13:00", "ends": "2099-10-01T15:00"}], "answer_by": "2099-09-20"}


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
        to_come = {"starts": "2099-09-25T13:00", "ends": "2099-09-25T15:00"}
        meeting = (await api.post("/meetings", json=MEETING | to_come)).json()
        body = (await api.post("/bodies", json=BOARD)).json()
        person = (await api.post("/people", json={"details": {"name": "Maja Lind"}})).json()
        seat = {"person_id": person["id"], "role": "member"}
        item = (await api.post(f"/meetings/{meeting['id']}/agenda/items", json={"title": "Ekonomi"})).json()
        attachments = f"/agenda-items/{item['id']}/attachments"
        attachment = (await api.post(attachments, params={"name": "a.txt"}, content=b"Hej")).json()
        membership = (await api.post(f"/bodies/{body['id']}/memberships", json=seat)).json()
        poll = (await api.post(f"/meetings/{meeting['id']}/date-polls", json=NEW_POLL)).json()["poll"]
    ids = {"meeting": meeting, "body": body, "person": person, "membership": membership, "item": item}
    ids |= {"attachment": attachment, "poll": poll}
    return Stocked(service, {f"{name}_id": found["id"] for name, found in ids.items()})


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
