"""A page whose database is away is no bug of ours: the reader is asked to come back, and no traceback is logged."""

from datetime import date
from enum import StrEnum

import httpx
import pytest
from fastapi import APIRouter, Request
from starlette.types import Message

from shared.auth import Access, public
from shared.errors import Refused, says
from shared.http import create_app
from shared.settings import Settings
from shared.web import Look
from shared.web.page_route import page_route


class Fruit(StrEnum):
    """Has words of its own, which the page does not know."""

    PEAR = "pear"


@pytest.mark.parametrize(
    ("error", "status", "shown"),
    [
        (ConnectionRefusedError(), 503, "Tjänsten svarar inte just nu"),
        (ValueError(), 500, "Något gick fel hos oss"),
        (Refused("no"), 409, "Det du försökte göra går inte just nu."),
        (Refused("no", says=says("called_off", day=date(2022, 11, 25))), 409, "Mötet 25 november 2022 är inställt."),
        (Refused("no", says=says("sits_already", role=Fruit.PEAR)), 409, "Det du försökte göra går inte just nu."),
    ],
)
async def test_passing_trouble_and_a_bug(error: Exception, status: int, shown: str) -> None:
    app = create_app("Test", description="", access=Access((), None), max_body_bytes=1000, checks={})
    router = APIRouter(route_class=page_route(Look("services.meetings.pages", Settings())))

    @router.get("/page", dependencies=[public("a test")])
    async def page() -> None:
        raise error

    app.include_router(router)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test.example") as client:
        answer = await client.get("/page")
    assert answer.status_code == status
    assert shown in answer.text


async def test_who_leaves_before_the_form_has_arrived_is_no_bug(capsys: pytest.CaptureFixture[str]) -> None:
    app = create_app("Test", description="", access=Access((), None), max_body_bytes=1000, checks={})
    router = APIRouter(route_class=page_route(Look("services.meetings.pages", Settings())))

    @router.post("/page", dependencies=[public("a test")])
    async def page(request: Request) -> None:
        await request.form()

    app.include_router(router)
    parts = [{"type": "http.request", "body": b"a=", "more_body": True}, {"type": "http.disconnect"}]
    sent: list[Message] = []

    async def receive() -> Message:
        return parts.pop(0)

    async def send(message: Message) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "http_version": "1.1",
        "method": "POST",
        "path": "/page",
        "raw_path": b"/page",
        "query_string": b"",
        "root_path": "",
        "scheme": "http",
        "headers": [(b"content-type", b"application/x-www-form-urlencoded")],
        "client": ("192.0.2.1", 1),
        "server": ("test.example", 80),
    }
    await app(scope, receive, send)
    assert sent[0]["status"] == 400
    assert "page.bug" not in capsys.readouterr().out
