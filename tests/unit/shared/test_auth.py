"""Who is let in: tokens, sessions, forms; and every route says who."""

import secrets
import time
from typing import Annotated

import httpx
import pytest
from fastapi import APIRouter, FastAPI
from hypothesis import given
from hypothesis import strategies as st

from shared.auth import (
    SESSION_COOKIE,
    Access,
    Principal,
    Role,
    TokenRecord,
    new_token,
    public,
    requires,
    token_hash,
    undeclared_routes,
)
from shared.errors import NotAllowed, NotAuthenticated
from shared.http import create_app

TOKEN = new_token()
RECORD = TokenRecord(name="maja", role=Role.SECRETARY, organisation="norrdalen", sha256=token_hash(TOKEN))
ACCESS = Access((RECORD,), secrets.token_bytes(32))
MAJA = Principal("norrdalen", Role.SECRETARY, "maja")


def test_tokens() -> None:
    assert ACCESS.by_token(TOKEN) == MAJA
    for wrong in ("", TOKEN[:-1], TOKEN + "a", RECORD.sha256, "å\0"):
        with pytest.raises(NotAuthenticated):
            ACCESS.by_token(wrong)
    expired = Access((RECORD.model_copy(update={"expires": time.time() - 1}),), None)
    with pytest.raises(NotAuthenticated):
        expired.by_token(TOKEN)


def test_sessions() -> None:
    cookie = ACCESS.open_session(MAJA)
    assert ACCESS.by_session(cookie) == MAJA
    with pytest.raises(NotAuthenticated):
        Access((), secrets.token_bytes(32)).by_session(cookie)
    with pytest.raises(NotAuthenticated):
        Access((), None).by_session(cookie)
    with pytest.raises(NotAuthenticated):
        ACCESS.by_session(ACCESS.sign("another", {"o": "x", "r": "operator", "n": "x"}, 60))
    with pytest.raises(NotAuthenticated):
        ACCESS.by_session(ACCESS.sign("session", {"o": "x", "r": "operator", "n": "x"}, -1))
    with pytest.raises(NotAuthenticated):
        ACCESS.by_session(ACCESS.sign("session", {"o": "x", "r": "king", "n": "x"}, 60))


@given(st.text())
def test_no_cookie_raises_anything_else(cookie: str) -> None:
    with pytest.raises(NotAuthenticated):
        ACCESS.by_session(cookie)


def test_a_forms_token_is_bound_to_its_session() -> None:
    cookie, other = ACCESS.open_session(MAJA), ACCESS.open_session(Principal("norrdalen", Role.AUDITOR, "sven"))
    ACCESS.check_csrf(cookie, ACCESS.csrf_token(cookie))
    for wrong in ("", ACCESS.csrf_token(other), "å\ud800".encode("utf-8", "replace").decode()):
        with pytest.raises(NotAllowed):
            ACCESS.check_csrf(cookie, wrong)


def _app() -> FastAPI:
    app = create_app("Test", description="", access=ACCESS, max_body_bytes=1000, checks={})

    @app.post("/act")
    async def act(who: Annotated[Principal, requires(Role.SECRETARY)]) -> str:
        return who.name

    @app.get("/audit", dependencies=[requires(Role.AUDITOR)])
    async def audit() -> str:
        return "ok"

    return app


def _client(**headers: str) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(_app()), base_url="http://test.example", headers=headers)


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 401),
        ({"authorization": "Bearer"}, 401),
        ({"authorization": "Bearer wrong"}, 401),
        ({"authorization": f"Basic {TOKEN}"}, 401),
        ({"authorization": f"bearer  {TOKEN}"}, 200),
        ({"cookie": f"{SESSION_COOKIE}=x"}, 401),
        ({"cookie": f"{SESSION_COOKIE}={ACCESS.open_session(MAJA)}"}, 403),
        ({"cookie": f"{SESSION_COOKIE}={ACCESS.open_session(MAJA)}", "authorization": "Basic eDp5"}, 403),
    ],
)
async def test_who_may_post(headers: dict[str, str], status: int) -> None:
    async with _client(**headers) as client:
        answer = await client.post("/act")
    assert answer.status_code == status
    if status != 200:
        assert answer.headers["content-type"] == "application/problem+json"
    if status == 401:
        assert answer.headers["www-authenticate"] == "Bearer"


async def test_a_session_posts_with_its_forms_token() -> None:
    cookie = ACCESS.open_session(MAJA)
    async with _client(cookie=f"{SESSION_COOKIE}={cookie}") as client:
        by_header = await client.post("/act", headers={"x-csrf-token": ACCESS.csrf_token(cookie)})
        by_form = await client.post("/act", data={"csrf": ACCESS.csrf_token(cookie)})
    assert (by_header.status_code, by_form.status_code) == (200, 200)


async def test_another_role_is_told_which_it_needs() -> None:
    async with _client(authorization=f"Bearer {TOKEN}") as client:
        answer = await client.get("/audit")
    assert answer.status_code == 403
    assert "auditor" in answer.json()["detail"]


def test_a_route_without_declared_access_is_found_wherever_it_is() -> None:
    inner = APIRouter(prefix="/inner")

    @inner.get("/open")
    async def forgotten() -> None: ...

    @inner.get("/declared", dependencies=[public("a test")])
    async def declared() -> None: ...

    outer = APIRouter(prefix="/outer")
    outer.include_router(inner)
    app = _app()
    app.include_router(outer)
    app.add_route("/plain", lambda request: None)  # type: ignore[arg-type, return-value]
    assert sorted(undeclared_routes(app.routes)) == ["/outer/inner/open", "/plain"]
    guarded = _app()
    guarded.include_router(inner, dependencies=[requires(Role.OPERATOR)])
    assert undeclared_routes(guarded.routes) == []


async def test_what_concerns_the_whole_service_is_for_its_own_organisation() -> None:
    def app_of(organisation: str) -> FastAPI:
        tokens = (TokenRecord(name="op", role=Role.OPERATOR, organisation=organisation, sha256=token_hash("t")),)
        app = create_app("test", description="", access=Access(tokens, bytes(32)), max_body_bytes=1000, checks={})
        app.get("/state", dependencies=[requires(Role.OPERATOR, organisation="norrdalen")])(lambda: "well")
        return app

    async def status(organisation: str) -> int:
        transport = httpx.ASGITransport(app=app_of(organisation))
        async with httpx.AsyncClient(transport=transport, base_url="http://x") as client:
            return (await client.get("/state", headers={"authorization": "Bearer t"})).status_code

    assert (await status("norrdalen"), await status("other")) == (200, 403)
