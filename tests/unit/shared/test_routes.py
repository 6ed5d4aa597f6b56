"""No route of any service is open by oversight, and none is analysed before somebody asks for it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import APIRouter, FastAPI
from fastapi.exceptions import FastAPIError
from fastapi.routing import APIRoute
from pydantic import SecretStr
from starlette.routing import Mount, Route

from services.archive import main as archive
from services.meetings import main as meetings
from services.notifications import main as notifications
from services.signing import main as signing
from shared.auth import Access, undeclared_routes
from shared.blobs import open_blobs
from shared.clock import SystemClock
from shared.keys import new_keys
from shared.messaging.signatures import new_event_keys
from shared.routes import LazyRoute, include
from shared.service import Service
from shared.settings import load_settings

each_service = pytest.mark.parametrize(
    "build", [meetings.build, signing.build, notifications.build, archive.build], ids=lambda build: build.__module__
)


def built(build: Callable[..., Service], tmp_path: Path) -> Service:
    settings = load_settings(
        link_keys=SecretStr(new_keys()),
        copy_link_keys=SecretStr(new_keys()),
        member_link_keys=SecretStr(new_keys()),
        event_keys=SecretStr(new_event_keys()),
        bounce_keys=SecretStr(new_keys()),
        seal_test_authority=tmp_path / "seal",
    )
    return build(
        settings, clock=SystemClock(), access=Access((), bytes(32)), blobs=open_blobs(f"file:{tmp_path / 'blobs'}")
    )


@each_service
def test_every_route_declares_who_may_call_it(build: Callable[..., Service], tmp_path: Path) -> None:
    service = built(build, tmp_path)
    assert undeclared_routes(service.app.routes) == []
    assert len(service.app.routes) > 5


@each_service
def test_no_route_of_a_service_is_analysed_before_it_is_asked_for(
    build: Callable[..., Service], tmp_path: Path
) -> None:
    routes = built(build, tmp_path).app.routes
    assert {type(route) for route in routes if not isinstance(route, LazyRoute)} <= {Route, Mount}
    assert not any(is_analysed(route) for route in routes)


def is_analysed(route: Any) -> bool:
    return isinstance(route, APIRoute) and "dependant" in vars(route)


class _Colour:
    """Nothing that FastAPI could read from a query."""


def _app() -> FastAPI:
    router = APIRouter(prefix="/shop", tags=["shop"], route_class=LazyRoute)

    @router.get("/items/{number}")
    async def show(number: int) -> dict[str, int]:
        return {"number": number}

    @router.post("/items", responses={201: {"description": "Made"}})
    async def make(name: str) -> None: ...

    async def broken(colour: _Colour) -> None: ...

    router.add_api_route("/broken", broken, include_in_schema=False)
    app = FastAPI(responses={"4XX": {"description": "Refused"}})
    include(app, router)
    return app


def _client(app: FastAPI) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://shop")


async def test_a_route_is_analysed_by_its_first_request_alone() -> None:
    app = _app()
    show, make, broken = (route for route in app.routes if isinstance(route, LazyRoute))
    async with _client(app) as client:
        assert (await client.get("/shop/items/4")).json() == {"number": 4}
        assert (await client.get("/shop/items/four")).status_code == 422
        refused = await client.put("/shop/items")
    assert app.url_path_for("make") == "/shop/items"
    assert [is_analysed(route) for route in (show, make, broken)] == [True, False, False]
    assert (refused.status_code, refused.headers["allow"]) == (405, "POST")


def test_its_documentation_is_that_of_a_route_that_fastapi_includes() -> None:
    app, theirs = _app(), FastAPI(responses={"4XX": {"description": "Refused"}})
    router = APIRouter(prefix="/shop", tags=["shop"])
    for route in app.routes:
        if isinstance(route, LazyRoute) and route.name != "broken":
            responses = {201: {"description": "Made"}} if route.name == "make" else None
            router.add_api_route(
                route.path.removeprefix("/shop"), route.endpoint, methods=route.methods, responses=responses
            )
    theirs.include_router(router)
    app.routes[:] = [route for route in app.routes if getattr(route, "name", "") != "broken"]
    assert app.openapi() == theirs.openapi()


async def test_a_mistake_in_what_a_route_declares_is_told_each_time_and_of_that_route_alone() -> None:
    app = _app()
    async with _client(app) as client:
        for _ in range(2):
            with pytest.raises(FastAPIError, match="_Colour"):
                await client.get("/shop/broken")
        with pytest.raises(FastAPIError, match="_Colour"):
            undeclared_routes(app.routes)
        assert (await client.get("/shop/items/1")).status_code == 200
