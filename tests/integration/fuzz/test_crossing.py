"""Who is of another organisation finds nothing of ours, changes nothing, and cannot tell it from what does not exist.

Every route of every service and of its pages is asked, in each role, with the ids of what is there and with ids of
nothing; then links, files and events that bear the other organisation's name.
"""

from collections.abc import Callable, Mapping
from typing import Any

import httpx
import pytest
from fastapi.routing import iter_route_contexts
from sqlalchemy import text

from shared.auth import Role
from shared.blobs import BlobStore
from shared.clock import ManualClock
from shared.errors import NotFound
from shared.events import BounceDetected, EndedLinks, Event, InvitationAnswered, LinksEnded
from shared.events.signing import AgreementCancelled, AgreementExpired, SigningDeclined
from shared.keys import parse_keys
from shared.links import Link, calendar_link, copy_link, issue, member_link, room_link
from shared.names import SERVICES
from shared.service import Service
from shared.settings import Settings
from tests.integration.archive.completed import AGREEMENT as ARCHIVED
from tests.integration.fuzz.conftest import STRANGER
from tests.integration.fuzz.services import Stocked, client_of, stocked
from tests.integration.fuzz.test_events import notification_events, signing_events
from tests.integration.fuzz.test_organisations import BODIES, body_of, filled
from tests.integration.notifications import post as mails
from tests.integration.signing import flow as signing
from tests.integration.signing.flow import ORGANISATION
from tests.unit.signing.story import AGREEMENT_ID, SECRETARY

pytestmark = pytest.mark.slow

ELSEWHERE = "elsewhere"
_LINKS = ("token", "calendar_token", "room_token")  # tried by themselves, below
_NOTHING = "019a0000-0000-7000-8000-000000000000"
_OF_NOBODY = ("/operations", "/health", "/metrics", "/openapi.json")  # the installation's: see shared.operations


@pytest.mark.parametrize("name", SERVICES)
async def test_no_route_shows_or_changes_anything_of_another_organisation(
    name: str, build: Callable[..., Any], clock: ManualClock, blobs: BlobStore
) -> None:
    there = await stocked(name, build, clock, blobs)
    there.ids |= dict.fromkeys(_LINKS, "1")
    async with client_of(there.service) as ours:
        found = [route for method, route in _routes(there.service) if method == "GET" and "{" in route]
        shown = [route for route in found if (await ours.get(filled(route, there.ids))).status_code == 200]
    assert shown, "what is asked for is there for whose it is"
    before = await _rows(there.service)  # papers and open data are made when they are first looked at
    for role in Role:
        async with _stranger(there.service, role) as api:
            for method, route in _routes(there.service):
                await _tells_nothing(api, method, route, there.ids)
    assert await _rows(there.service) == before


async def _tells_nothing(api: httpx.AsyncClient, method: str, route: str, ids: Mapping[str, str]) -> None:
    """The same is answered about what is there as about what is not, and nothing that is there is in a list."""
    kept = ("paragraph", *_LINKS)
    nothing = {name: value if name in kept else _like(value) for name, value in ids.items()}
    answers = []
    for asked in (dict(ids), nothing) if "{" in route else (dict(ids),):
        answer = await api.request(method, filled(route, asked), **_given(route, asked))
        said = f"{answer.status_code} {answer.headers.get('location', '')} {answer.text}"
        if "{" not in route:
            assert [name for name, value in ids.items() if len(value) > 10 and value in said] == [], (method, route)
        for value in sorted(asked.values(), key=len, reverse=True):
            said = said.replace(value, "…") if len(value) > 10 else said
        answers.append(said)
    assert answers[0] == answers[-1], (method, route)
    assert not answers[0].startswith("5"), (method, route, answers[0])


@pytest.mark.parametrize("name", ["meetings", "signing", "archive"])
async def test_no_link_of_another_organisation_opens_anything_of_ours(
    name: str, build: Callable[..., Any], clock: ManualClock, blobs: BlobStore, settings: Settings
) -> None:
    there = await stocked(name, build, clock, blobs)
    links = await _links(there)
    before = await _rows(there.service)
    async with client_of(there.service, None) as api:
        for path, key, link in links:
            ring = parse_keys(settings.secret(key), key)
            token = issue(ring, Link(link.purpose, ELSEWHERE, link.subject, link.version))
            assert (await api.get(path + token)).status_code == 404, path
            assert await _rows(there.service) == before, path
        for path, key, link in links:
            token = issue(parse_keys(settings.secret(key), key), link)
            assert (await api.get(path + token)).status_code in (200, 303), "whose it is, it opens"


async def test_no_file_is_read_under_another_organisations_name(blobs: BlobStore) -> None:
    kept = await blobs.put(ORGANISATION, b"Protokoll", "text/plain")
    assert await blobs.get(ORGANISATION, kept) == b"Protokoll"
    with pytest.raises(NotFound):
        await blobs.get(ELSEWHERE, kept)


@pytest.mark.parametrize("name", SERVICES)
async def test_no_event_of_another_organisation_touches_anything_of_ours(
    name: str, build: Callable[..., Any], clock: ManualClock, blobs: BlobStore
) -> None:
    there = await stocked(name, build, clock, blobs)
    before = await _rows(there.service)
    [gate] = there.service.gates

    async def come(of: str) -> None:
        for event in _events(name, there.ids):
            key = event.model_dump()["agreement_id"]
            await gate.behind.handle([signing.message(event, clock.now(), key=key, organisation=of)])

    await come(ELSEWHERE)
    assert await _rows(there.service) == before
    async with there.service.database.transaction() as connection:
        letters = await connection.execute(text("SELECT reason FROM dead_letter"))
        assert letters.scalars().all() == [], "they were handled, and are about nothing of ours"
    await come(ORGANISATION)
    assert await _rows(there.service) != before, "in our own name, they are"


def _events(name: str, ids: Mapping[str, str]) -> list[Event]:
    if name == "meetings":
        return _about_meetings(ids)
    if name == "signing":
        return [event for event, _ in signing_events().values()]
    if name == "notifications":
        return [*notification_events().values()]
    ended = (EndedLinks(email=SECRETARY, name=None, version=9, mailed=False),)
    return [LinksEnded(agreement_id=ARCHIVED, by=mails.SENDER, ip=signing.IP, people=ended, document_name=mails.TITLE)]


def _about_meetings(ids: Mapping[str, str]) -> list[Event]:
    """What comes back of the mails about ours, and how the agreement about our minutes goes on."""
    mail: dict[str, Any] = {"email_id": "m", "agreement_id": ids["to_meeting_id"], "request_id": ids["person_id"]}
    mail |= {"recipient": "maja@norrdalen.example"}
    trouble = {"status": "5.1.1", "diagnostic": "550 no such user", "permanent": True}
    purposes = ("notice", "date-poll", "review")
    agreed = {"agreement_id": "a"}  # see `signed_decision`
    ended: dict[str, Any] = {"document_name": mails.TITLE, "sender": mails.SENDER, "signed": (mails.SENDER,)}
    signer = {**agreed, "request_id": "r", "place": 1, "email": mails.OLOF, "name": "Olof Berg", "ip": "192.0.2.9"}
    return [
        *(BounceDetected(**mail, **trouble, purpose=purpose, request_version=1) for purpose in purposes),
        InvitationAnswered(**mail, purpose="notice", request_version=1, answer="coming", sequence=1),
        mails.requested(agreement_id="a"),
        mails.signed().model_copy(update=agreed),
        SigningDeclined(**signer, role="chair", reason="fel", **ended),
        AgreementCancelled(**agreed, by=mails.SENDER, reason="fel", ip="192.0.2.1", **ended),
        AgreementExpired(**agreed, **ended),
    ]


async def _links(there: Stocked) -> list[tuple[str, str, Link]]:
    if there.service.name == "meetings":
        person = there.ids["person_id"]
        own, feed = member_link(ORGANISATION, person, 1), calendar_link(ORGANISATION, person, 1)
        room = room_link(ORGANISATION, there.ids["to_meeting_id"])
        return [
            (f"/{path}/", "member_link_keys", one) for path, one in (("my", own), ("calendar", feed), ("room", room))
        ]
    if there.service.name == "signing":
        await there.service.commands.send_off(ORGANISATION, AGREEMENT_ID)
        request = await there.service.commands.queries.request_id(ORGANISATION, AGREEMENT_ID, SECRETARY)
        return [("/s/", "link_keys", Link("sign", ORGANISATION, request, 1))]
    copies = Link("copy", ORGANISATION, ARCHIVED, 1), copy_link(ORGANISATION, ARCHIVED, SECRETARY, 1)
    return [("/copies/", "copy_link_keys", one) for one in copies]


def _routes(service: Service) -> list[tuple[str, str]]:
    return sorted(
        (method, str(route.path))
        for route in iter_route_contexts(service.app.routes)
        for method in getattr(route, "methods", None) or ()
        if method != "HEAD" and not str(route.path).startswith(_OF_NOBODY)
    )


def _stranger(service: Service, role: Role) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(app=service.app, raise_app_exceptions=False)
    headers = {"authorization": f"Bearer {STRANGER}-{role}"}
    return httpx.AsyncClient(transport=transport, base_url="http://fuzz", headers=headers)


def _given(route: str, ids: dict[str, str]) -> dict[str, Any]:
    path = filled(route, ids)
    if "/sign/" in path or "/ui/" in path or path.startswith(("/office/", "/member/", "/extracts/")):
        return {"data": BODIES}
    if path.endswith(("/attachments", "/annexes", "/versions")):
        return {"params": {"name": "a.txt"}, "content": b"Hej igen"}
    return {"json": body_of(path, ids)}


def _like(value: str) -> str:
    return _NOTHING if len(value) == len(_NOTHING) else "Z" * len(value)


async def _rows(service: Service) -> dict[str, tuple[int, str]]:
    """By table: how many rows are ours, and what is in them."""
    found = {}
    async with service.database.transaction() as connection:
        guarded = "SELECT relname FROM pg_class WHERE relrowsecurity ORDER BY relname"
        for table in (await connection.execute(text(guarded))).scalars().all():
            of_ours = f"FROM {table} AS t WHERE organisation = :ours"
            whole = f"SELECT count(*), md5(string_agg(t::text, ',' ORDER BY t::text)) {of_ours}"
            found[table] = tuple((await connection.execute(text(whole), {"ours": ORGANISATION})).one())
    assert any(count for count, _ in found.values())
    return found
