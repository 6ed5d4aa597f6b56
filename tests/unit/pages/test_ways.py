"""The ways between the sender's pages: only where the settings name them, and never on other people's pages."""

import httpx
import pytest
from fastapi import Request, Response

from services.embedded.up import _ways
from shared.auth import Access, Role, public
from shared.http import create_app
from shared.settings import Settings
from shared.web import Look

WAYS = {"start_page": "/start/", "inbox_page": "/start/inbox"}


async def _page(template: str, **ways: str) -> str:
    look = Look("services.notifications.pages", Settings(organisation_name="Kommunalförbundet Norrdalen", **ways))  # type: ignore[arg-type]
    app = create_app("Test", description="", access=Access((), None), max_body_bytes=1000, checks={})

    @app.get("/page", dependencies=[public("a test")])
    async def page(request: Request) -> Response:
        request.state.role = Role.SECRETARY
        return look.page(request, template, "en", mails=[], kind="refused")

    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test.example") as client:
        return (await client.get("/page")).text


async def test_the_senders_pages_lead_to_the_start_page_and_the_inbox() -> None:
    page = await _page("inbox/list.html", **WAYS)
    assert '<p class="organisation"><a href="/start/">Kommunalförbundet Norrdalen<span' in page
    assert '<a href="/start/inbox" aria-current="page">Inbox</a>' in page


async def test_every_page_has_the_one_menu() -> None:
    page = await _page("inbox/list.html", **WAYS, public_url="https://norrdalen.example/justera/")
    for text in ("Meetings", "Bodies", "People", "Decisions"):
        assert f'<a href="/justera/meetings/office/{text.lower()}">{text}</a>' in page
    assert '<a href="/meetings/office/people">' in await _page("inbox/list.html"), "also without a start page"


async def test_they_lead_nowhere_when_nothing_is_set() -> None:
    page = await _page("inbox/list.html")
    assert '<p class="organisation">Kommunalförbundet Norrdalen</p>' in page
    assert "Inbox</a>" not in page


async def test_the_inbox_leads_back_to_the_documents_below_where_people_reach_us() -> None:
    page = await _page("inbox/list.html", public_url="https://norrdalen.example/justera/")
    assert '<a href="/justera/signing/overview">Documents</a>' in page


async def test_pages_for_everyone_lead_nowhere() -> None:
    page = await _page("web/problem.html", **WAYS)
    assert "/start/" not in page


@pytest.mark.parametrize(
    ("public_url", "sends_mail", "ways"),
    [
        ("http://127.0.0.1:8350", False, ("/", "/notifications/inbox")),
        ("http://127.0.0.1:8350", True, ("/", "")),
        ("https://norrdalen.example/justera/", False, ("/justera/", "/justera/notifications/inbox")),
    ],
)
def test_the_all_in_one_process_names_its_own(public_url: str, sends_mail: bool, ways: tuple[str, str]) -> None:
    found = _ways(public_url, sends_mail)
    assert (found["start_page"], found["inbox_page"]) == ways
