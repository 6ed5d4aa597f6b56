"""Read your writes: what was drafted a moment ago is there for who asks by its id."""

import asyncio
import time

import httpx
import pytest

from shared.errors import NotFound
from shared.settings import Settings
from tests.integration.signing.flow import ORGANISATION, Flow
from tests.integration.signing.test_api import HERE, http
from tests.support.api import as_, is_problem
from tests.unit.signing.story import AGREEMENT_ID

__all__ = ["http"]


@pytest.fixture
async def settings(settings: Settings, request: pytest.FixtureRequest) -> Settings:
    """On a busy machine half a second may pass before the event comes."""
    seconds = getattr(request, "param", 20.0)
    return settings.model_copy(update={"arrival_seconds": seconds})


async def _later(flow: Flow) -> None:
    await asyncio.sleep(0.15)
    await flow.draft()


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", ""), ("GET", "/history"), ("GET", "/report"), ("POST", "/send"), ("POST", "/remind")],
)
async def test_an_agreement_whose_event_is_on_its_way_is_waited_for(
    flow: Flow, http: httpx.AsyncClient, method: str, path: str
) -> None:
    answer, _ = await asyncio.gather(http.request(method, HERE + path, headers=as_("secretary")), _later(flow))
    assert answer.status_code == (409 if path == "/remind" else 200), answer.text


@pytest.mark.parametrize("settings", [0.5], indirect=True)
async def test_what_never_comes_is_told_after_a_while(flow: Flow, http: httpx.AsyncClient) -> None:
    began = time.monotonic()
    answer = await http.get(HERE, headers=as_("secretary"))
    assert is_problem(answer, 404, "not-found")
    assert "ask again" in answer.json()["hint"]
    assert time.monotonic() - began > 0.4


@pytest.mark.parametrize("unknown", ["nothing", AGREEMENT_ID + "A", AGREEMENT_ID[:-1]])
async def test_an_id_that_drafting_never_gives_is_not_waited_for(flow: Flow, unknown: str) -> None:
    with pytest.raises(NotFound):
        async with asyncio.timeout(10):
            await flow.commands.send_off(ORGANISATION, unknown)
