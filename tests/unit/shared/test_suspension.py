"""Nobody of a suspended organisation comes in: by token, session, visit or link."""

from contextlib import ExitStack
from unittest.mock import AsyncMock

import httpx
import pytest
from starlette.types import Receive, Scope, Send

from shared.auth import Access, Role, TokenRecord, public, token_hash
from shared.errors import Unavailable
from shared.http import create_app
from shared.keys import new_keys, parse_keys
from shared.links import BadLink, issue, member_link, read
from shared.organisations import KnownOrganisations, Standings
from shared.suspension import Known, OrganisationErased, OrganisationSuspended, knowing, name_here, require_active

KEYS = parse_keys(new_keys(), "KEYS")
ACCESS = Access(
    [
        TokenRecord(name="maja", role=Role.SECRETARY, organisation=of, sha256=token_hash(of))
        for of in ("closed", "open", "own")
    ],
    bytes(32),
)
KNOWN = Known("own", frozenset({"closed"}))
DOORS = {
    "token": lambda of: ACCESS.by_token(of),
    "named": lambda of: ACCESS.named(of, "maja"),
    "visit": lambda of: ACCESS.verify("member", ACCESS.sign("member", {"o": of}, 60)),
    "link": lambda of: read(KEYS, "member", issue(KEYS, member_link(of, "p1", 1))),
}


@pytest.mark.parametrize("door", DOORS)
def test_a_door_is_closed_to_the_suspended_alone(door: str) -> None:
    DOORS[door]("closed")  # outside of a request nobody is kept out
    with knowing(KNOWN):
        DOORS[door]("open")
        DOORS[door]("own")
        with pytest.raises(OrganisationSuspended):
            DOORS[door]("closed")


@pytest.mark.parametrize("door", DOORS)
def test_who_comes_to_one_that_was_erased_is_told_so(door: str) -> None:
    with knowing(Known("own", frozenset({"closed"}), erased=frozenset({"closed"}))), pytest.raises(OrganisationErased):
        DOORS[door]("closed")


@pytest.mark.parametrize("door", DOORS)
def test_while_nobody_knows_only_the_installations_own_comes_in(door: str) -> None:
    with knowing(Known("own", None)):
        DOORS[door]("own")
        with pytest.raises(Unavailable):
            DOORS[door]("open")


def test_whoever_makes_up_a_link_is_not_told_who_is_suspended() -> None:
    token = issue(KEYS, member_link("closed", "p1", 1))
    with knowing(KNOWN), pytest.raises(BadLink):
        read(KEYS, "member", token[:-3] + "AAA")


def test_the_own_organisation_is_never_kept_out() -> None:
    with ExitStack() as stack:
        stack.enter_context(knowing(Known("own", frozenset({"own"}))))
        require_active("own")


@pytest.mark.parametrize("door", DOORS)
def test_who_comes_in_gives_the_request_its_name(door: str) -> None:
    with knowing(Known("own", frozenset(), {"open": "Norrdalen"})):
        assert name_here() == ""
        DOORS[door]("open")
        assert name_here() == "Norrdalen"
        DOORS[door]("own")
        assert name_here() == ""
    assert name_here() == ""


async def test_a_request_knows_nothing_of_what_its_connections_last_one_left() -> None:
    """uvicorn may read a connection's next request from within the last one, and its task inherits what was set."""
    app = create_app("Test", description="", access=Access((), None), max_body_bytes=1000, checks={})

    @app.get("/of", dependencies=[public("a test")])
    async def of() -> str:
        require_active("norrby")
        return "open"

    transport = httpx.ASGITransport(app)
    with knowing(Known("", None)):  # of a static file, say
        async with httpx.AsyncClient(transport=transport, base_url="http://test.example") as client:
            assert (await client.get("/of")).json() == "open"


@pytest.mark.parametrize(
    ("root", "path", "known"),
    [
        ("", "/health/ready", False),
        ("/signing", "/signing/static/justera.css", False),
        ("/signing", "/signing/overview", True),
        ("/meetings", "/meetings/organisations/health/suspend", True),
        ("/static/meetings", "/static/meetings/bodies", True),
    ],
)
async def test_probes_and_static_files_alone_ask_nobody_whatever_else_is_called_so(
    root: str, path: str, known: bool
) -> None:
    knows = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        try:
            require_active("open")
            knows.append(True)
        except Unavailable:
            knows.append(False)

    organisations = AsyncMock(KnownOrganisations)
    organisations.known.return_value = KNOWN
    scope = {"type": "http", "root_path": root, "path": path}
    await Standings(app, organisations)(scope, AsyncMock(), AsyncMock())
    assert knows == [known]
