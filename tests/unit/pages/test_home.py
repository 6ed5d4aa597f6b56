"""What the start page promises of the mails, and where it says that a newcomer begins."""

from dataclasses import replace

import httpx
import pytest

from services.embedded.ahead import Ahead
from services.embedded.pages import include_pages
from shared.auth import Access, Principal, Role
from shared.http import create_app
from shared.settings import Settings
from tests.support.sessions import principal_of, record_of, with_sessions

LOCAL = record_of(Role.SECRETARY, "norrdalen")


async def _redeem(token: str) -> Principal:
    return principal_of(LOCAL)


async def _prepare_example(language: str) -> str:
    return ""


PLANNED = Ahead(bodies=True, planned=True, coming=(), unwritten=(), waiting=0)


async def _start_page(language: str, inbox_page: str, ahead: Ahead = PLANNED) -> str:
    async def look_ahead(organisation: str) -> Ahead:
        return ahead

    access = with_sessions(Access((LOCAL,), b"s" * 32))
    app = create_app("Test", description="", access=access, max_body_bytes=1000, checks={})
    settings = Settings(inbox_page=inbox_page)
    include_pages(
        app,
        settings=settings,
        access=access,
        redeem=_redeem,
        prepare_example=_prepare_example,
        look_ahead=look_ahead,
        invented=True,
    )
    browser = {"transport": httpx.ASGITransport(app), "headers": {"accept-language": language}}
    async with httpx.AsyncClient(**browser, base_url="http://test.example") as client:  # type: ignore[arg-type]
        return (await client.post("/login", data={"token": "once"}, follow_redirects=True)).text


@pytest.mark.parametrize(
    ("language", "inbox"), [("sv", "öppna mejlen i inkorgen"), ("en", "open the e-mails in the inbox")]
)
async def test_the_example_speaks_of_the_inbox_only_where_there_is_one(language: str, inbox: str) -> None:
    shown, sent = await _start_page(language, "/notifications/inbox"), await _start_page(language, "")
    assert inbox in shown
    assert "JUSTERA_SMTP_HOST" not in shown
    assert inbox not in sent
    assert "JUSTERA_SMTP_HOST" in sent


async def test_the_way_begins_with_the_board_until_there_is_one() -> None:
    first = await _start_page("sv", "", replace(PLANNED, bodies=False, planned=False))
    then = await _start_page("sv", "", replace(PLANNED, planned=False))
    assert ("Lägg till styrelsen" in first, "Lägg in det första mötet" in first) == (True, True)
    assert ("Lägg till styrelsen" in then, "Lägg in det första mötet" in then) == (False, True)
    assert "Se efter att alla som sitter i organen är med" in then
