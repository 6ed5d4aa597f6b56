"""Who is let in: tokens, sessions, forms; and every route says who."""

import json
import secrets
import time
from pathlib import Path
from typing import Annotated

import httpx
import pytest
from fastapi import APIRouter, FastAPI, Request, Response
from hypothesis import given
from hypothesis import strategies as st

from shared.auth import (
    SESSION_COOKIE,
    Access,
    Principal,
    Role,
    TokenFile,
    TokenRecord,
    new_token,
    public,
    requires,
    token_hash,
    undeclared_routes,
)
from shared.errors import NotAllowed, NotAuthenticated
from shared.http import create_app
from shared.settings import BadConfiguration
from tests.support.sessions import with_sessions

TOKEN = new_token()
RECORD = TokenRecord(name="maja", role=Role.SECRETARY, organisation="norrdalen", sha256=token_hash(TOKEN))
KEY = secrets.token_bytes(32)
ACCESS = with_sessions(Access((RECORD,), KEY))
MAJA = Principal("norrdalen", Role.SECRETARY, "maja", token=RECORD.sha256)


def test_tokens() -> None:
    assert ACCESS.by_token(TOKEN) == MAJA
    for wrong in ("", TOKEN[:-1], TOKEN + "a", RECORD.sha256, "å\0"):
        with pytest.raises(NotAuthenticated):
            ACCESS.by_token(wrong)
    expired = Access((RECORD.model_copy(update={"expires": time.time() - 1}),), None)
    with pytest.raises(NotAuthenticated):
        expired.by_token(TOKEN)


async def test_sessions() -> None:
    cookie = await ACCESS.open_session(MAJA)
    assert await ACCESS.by_session(cookie) == MAJA
    without, other = Access((RECORD,), KEY), with_sessions(Access((RECORD,), secrets.token_bytes(32)))
    genuine = {"o": "norrdalen", "t": RECORD.sha256, "s": "x"}
    for access, value in (
        (without, cookie),
        (other, cookie),
        (Access((RECORD,), None), cookie),
        (ACCESS, ACCESS.sign("another", genuine, 60)),
        (ACCESS, ACCESS.sign("session", genuine, 60)),
        (ACCESS, ACCESS.sign("session", genuine, -1)),
        (ACCESS, ACCESS.sign("session", {**genuine, "o": "elsewhere"}, 60)),
        (ACCESS, ACCESS.sign("session", {}, 60)),
    ):
        with pytest.raises(NotAuthenticated):
            await access.by_session(value)
    with pytest.raises(NotAuthenticated):
        await without.open_session(MAJA)


async def test_a_session_ends_with_its_logout_and_with_its_token(tmp_path: Path) -> None:
    """Without a restart: the file is read again when it changes, and the session has the role that it says now."""
    file = tmp_path / "tokens.json"
    file.write_text(f"[{RECORD.model_dump_json()}]")
    access = with_sessions(Access(TokenFile(file), KEY))
    cookie, other = await access.open_session(MAJA), await access.open_session(MAJA)
    await access.log_out(await access.by_session(cookie), Response())
    with pytest.raises(NotAuthenticated):
        await access.by_session(cookie)

    def exchange(*records: TokenRecord) -> None:
        replacement = tmp_path / "new.json"
        replacement.write_text(json.dumps([record.model_dump() for record in records]))
        replacement.replace(file)

    exchange(RECORD.model_copy(update={"role": Role.AUDITOR}))
    assert (await access.by_session(other)).role is Role.AUDITOR
    file.write_text("[{")  # half written: what was read before holds
    assert access.by_token(TOKEN).role is Role.AUDITOR
    for records in ((), (RECORD.model_copy(update={"expires": time.time() - 1}),)):
        exchange(*records)
        with pytest.raises(NotAuthenticated):
            await access.by_session(other)
        with pytest.raises(NotAuthenticated):
            access.by_token(TOKEN)


@pytest.mark.parametrize(("secure", "beginning"), [(True, "__Host-justera_session="), (False, "justera_session=")])
async def test_by_https_a_sessions_cookie_is_this_hosts_own(secure: bool, beginning: str) -> None:
    access = with_sessions(Access((RECORD,), KEY, secure=secure))
    response = Response()
    await access.log_in(MAJA, Request({"type": "http", "headers": []}), response)
    cookie = response.headers["set-cookie"]
    assert cookie.startswith(beginning)
    assert ("Secure" in cookie, "Path=/;" in cookie, "Domain" in cookie, "HttpOnly" in cookie) == (
        secure,
        True,
        False,
        True,
    )


@given(st.text())
async def test_no_cookie_raises_anything_else(cookie: str) -> None:
    with pytest.raises(NotAuthenticated):
        await ACCESS.by_session(cookie)


async def test_a_forms_token_is_bound_to_its_session() -> None:
    cookie, other = await ACCESS.open_session(MAJA), await ACCESS.open_session(MAJA)
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
        ({"cookie": f"{SESSION_COOKIE}=SESSION"}, 403),
        ({"cookie": f"{SESSION_COOKIE}=SESSION", "authorization": "Basic eDp5"}, 403),
    ],
)
async def test_who_may_post(headers: dict[str, str], status: int) -> None:
    session = await ACCESS.open_session(MAJA)
    async with _client(**{name: value.replace("SESSION", session) for name, value in headers.items()}) as client:
        answer = await client.post("/act")
    assert answer.status_code == status
    if status != 200:
        assert answer.headers["content-type"] == "application/problem+json"
    if status == 401:
        assert answer.headers["www-authenticate"] == "Bearer"


async def test_a_session_posts_with_its_forms_token() -> None:
    cookie = await ACCESS.open_session(MAJA)
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


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[{", "tokens.json, line 1 cannot be read as JSON"),
        ("{}", "tokens.json must be a list"),
        ('[{"name": "a"}]', "tokens.json, number 1, role: is missing"),
        (
            '[{"name": "a", "role": "king", "organisation": "o", "sha256": "x"}]',
            "number 1, role: must be one of secretary",
        ),
        ("\ufeff[{}, 3]".replace("{}", RECORD.model_dump_json()), "number 2: must be fields"),
        ("\x00", "is no text"),
    ],
)
def test_what_is_wrong_with_a_file_of_tokens_is_told_with_its_place(text: str, said: str, tmp_path: Path) -> None:
    file = tmp_path / "tokens.json"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(BadConfiguration, match=said) as refused:
        TokenFile(file)
    assert "JUSTERA_TOKENS_FILE: " in refused.value.message
    with pytest.raises(BadConfiguration, match="cannot be read: No such file"):
        TokenFile(tmp_path / "gone.json")
