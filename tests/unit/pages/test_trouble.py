"""A page whose database is away is no bug of ours: the reader is asked to come back, and no traceback is logged."""

import httpx
import pytest
from fastapi import APIRouter

from shared.auth import Access, public
from shared.http import create_app
from shared.settings import Settings
from shared.web import Look
from shared.web.page_route import page_route


@pytest.mark.parametrize(
    ("error", "status", "says"),
    [
        (ConnectionRefusedError(), 503, "Tjänsten svarar inte just nu"),
        (ValueError(), 500, "Något gick fel hos oss"),
    ],
)
async def test_passing_trouble_and_a_bug(error: Exception, status: int, says: str) -> None:
    app = create_app("Test", description="", access=Access((), None), max_body_bytes=1000, checks={})
    router = APIRouter(route_class=page_route(Look("services.notifications.pages", Settings())))

    @router.get("/page", dependencies=[public("a test")])
    async def page() -> None:
        raise error

    app.include_router(router)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test.example") as client:
        answer = await client.get("/page")
    assert answer.status_code == status
    assert says in answer.text
