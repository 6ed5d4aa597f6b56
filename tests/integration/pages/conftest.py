import asyncio
import base64
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from pydantic import SecretStr

from services.meetings.body.membership import MemberRole
from services.meetings.main import build as build_meetings
from services.signing.main import build
from shared.auth import Access
from shared.blobs import open_blobs
from shared.clock import ManualClock
from shared.keys import new_keys
from shared.messaging.signatures import new_event_keys
from shared.rendering.render import render_minutes
from shared.settings import load_settings
from tests.integration.pages.members import member
from tests.integration.pages.site import SESSION_KEY, TOKENS, Site, make_site, served
from tests.integration.pages.visitor import Visitor
from tests.integration.rendering.sample import CREATED, sample_minutes
from tests.integration.signing.flow import ORGANISATION, Flow
from tests.support.postgres import Postgres


@pytest.fixture(scope="session")
def minutes_pdf() -> bytes:
    """Minutes of several pages, as the signers read them."""
    return render_minutes(sample_minutes(), at=CREATED)


@pytest.fixture
async def site(postgres: Postgres, tmp_path: Path) -> AsyncIterator[Site]:
    """Every page, served; the clock stands in September 2022."""
    url = await postgres.create_database("signing")
    settings = load_settings(
        database_url=url,
        organisation=ORGANISATION,
        organisation_name="Kommunalförbundet Norrdalen",
        start_page="/",
        inbox_page="/notifications/inbox",
        link_keys=SecretStr(new_keys()),
        member_link_keys=SecretStr(new_keys()),
        event_keys=SecretStr(new_event_keys()),
    )
    access = Access(TOKENS, base64.b64decode(SESSION_KEY))
    clock = ManualClock(datetime(2022, 9, 26, 8, 40, tzinfo=UTC))
    blobs = open_blobs(f"file:{tmp_path / 'blobs'}")
    service = build(settings, clock=clock, access=access, blobs=blobs)
    own = settings.model_copy(update={"database_url": await postgres.create_database("meetings")})
    meetings = build_meetings(own, clock=clock, access=access, blobs=blobs)
    site, app = make_site(settings, Flow(service, clock, blobs), access, meetings)
    async with served(app) as base:
        site.base = base
        yield site
        await asyncio.sleep(0)
    await service.database.close()
    await meetings.database.close()


@pytest.fixture
async def client(site: Site) -> AsyncIterator[httpx.AsyncClient]:
    """A browser without script: keeps cookies, follows no redirect by itself."""
    async with httpx.AsyncClient(base_url=site.base, timeout=60) as client:
        yield client


@pytest.fixture
async def visitor(site: Site, client: httpx.AsyncClient) -> Visitor:
    return Visitor(site, client)


@pytest.fixture
async def sender(site: Site, client: httpx.AsyncClient) -> Visitor:
    """A secretary who is logged in; the agreement is drafted, its minutes are the fewest bytes that say PDF."""
    await site.draft(b"%PDF-1.7")
    sender = Visitor(site, client)
    await sender.log_in()
    return sender


@pytest.fixture
async def maja(site: Site) -> str:
    return await member(site, "Maja Lind", MemberRole.CHAIR)
