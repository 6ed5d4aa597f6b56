"""Those who ask for open data: what they are answered, how often they may ask, and what they make wait."""

import asyncio
import base64
import json
from types import SimpleNamespace
from typing import Any, cast

import httpx
import pytest

from services.meetings.body.body import Body
from services.meetings.oparl import api
from services.meetings.oparl.keeping import Kept
from services.meetings.oparl.oparl import Key, Kind
from services.meetings.oparl.queries import Gone, OpenQueries
from services.meetings.publication.publication import Status
from shared.auth import Access
from shared.clock import ManualClock
from shared.errors import NotFound, Unavailable
from shared.forwarding import Proxies
from shared.http import create_app
from shared.web import RateLimit
from tests.unit.meetings.open_scene import AT, NOW, PDF, kept, scene


class _Nothing:
    """Of which nothing was ever public."""

    organisation = "default"

    async def object(self, kind: Kind, thing_id: str) -> Kept:
        raise NotFound("there is no such object")


class _Once:
    """Of which each address has the same object."""

    addresses = AT
    organisation = "default"

    def __init__(self, found: Kept) -> None:
        self._found = found

    async def object(self, kind: Kind, thing_id: str) -> Kept:
        return self._found


class _Broken:
    """Which does not answer."""

    organisation = "default"

    async def object(self, kind: Kind, thing_id: str) -> Kept:
        raise Unavailable("the database does not answer")


def asking(queries: object, limit: RateLimit | None = None) -> httpx.AsyncClient:
    app = create_app("test", description="", access=Access((), None), max_body_bytes=1, checks={})
    app.include_router(api.router(cast(OpenQueries, queries), Proxies(), limit=limit))
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    return httpx.AsyncClient(transport=transport, base_url="http://meetings")


@pytest.mark.parametrize(
    ("since", "status"),
    [
        ("Mon, 26 Sep 2022 08:00:00 GMT", 304),
        ("Mon, 26 Sep 2022 08:00:01 GMT", 200),
        ("Thu, 01 Jan 2099 00:00:00 GMT", 200),
        ("Mon, 01 Jan 99999999999 00:00:00 GMT", 200),
    ],
)
async def test_only_the_time_that_a_client_was_told_is_known(since: str, status: int) -> None:
    async with asking(_Once(kept(scene())[Kind.MEETING, "m"])) as client:
        answer = await client.get("/oparl/meeting/m", headers={"if-modified-since": since})
    assert answer.status_code == status


@pytest.mark.parametrize("thing_id", [["a"], None, 7, {}, "", "a/b"])
async def test_a_place_in_a_list_that_is_none_is_refused(thing_id: object) -> None:
    place = json.dumps(["2026-01-01T00:00:00+00:00", thing_id]).encode()
    async with asking(_Nothing()) as client:
        answer = await client.get("/oparl/meeting", params={"after": base64.urlsafe_b64encode(place).decode()})
    assert answer.status_code == 422
    assert "links.next" in answer.json()["hint"]


async def test_a_script_may_ask_whether_it_has_the_same_still_and_reads_when_to_come_again() -> None:
    asked = {"origin": "https://other.example", "access-control-request-method": "GET"}
    async with asking(_Broken()) as client:
        for address in ("/oparl", "/oparl/meeting", "/oparl/meeting/m", "/oparl/file/p/content"):
            answer = await client.options(address, headers=asked)
            assert answer.status_code == 204
            assert answer.headers["access-control-allow-origin"] == "*"
            assert answer.headers["access-control-allow-headers"] == "if-none-match, if-modified-since"
        answer = await client.get("/oparl/meeting/m")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
    assert {"etag", "last-modified"} <= set(answer.headers["access-control-expose-headers"].split(", "))


async def test_who_asks_too_often_waits_and_scripts_may_read_that() -> None:
    async with asking(_Nothing(), RateLimit(burst=2, per_second=0)) as client:
        answers = [await client.get("/oparl/meeting/none") for _ in range(3)]
    assert [one.status_code for one in answers] == [404, 404, 429]
    assert {one.headers["access-control-allow-origin"] for one in answers} == {"*"}


class _OneRow:
    """A transaction in which one meeting was posted, and has been taken down since its objects were made."""

    def __init__(self, state: list[str], let: asyncio.Event) -> None:
        self._state, self._let = state, let

    async def open_mark(self, organisation: str) -> str:
        return "of now"

    async def open_state(self, organisation: str, *, for_update: bool = False) -> str:
        return self._state[0]

    async def save_open_state(self, organisation: str, mark: str) -> None:
        self._state[0] = mark

    async def changed_meetings(self, organisation: str, told: str) -> dict[str, str | None]:
        return {}

    async def save_made_of(self, organisation: str, marks: object) -> None:
        pass

    async def open_objects(self, organisation: str, meeting_ids: object) -> dict[Key, Kept]:
        await self._let.wait()
        return {}

    async def save_open_objects(self, organisation: str, changed: object) -> None:
        pass

    async def open_object(self, organisation: str, kind: Kind, thing_id: str) -> Kept:
        return kept(scene())[Kind.FILE, "p"]

    async def posting(self, organisation: str, publication_id: str) -> Any:
        posted = SimpleNamespace(pdf=PDF)
        return SimpleNamespace(status=Status.REMOVED, posted=posted, body_id="b")

    async def body(self, organisation: str, body_id: str) -> Body | None:
        return None

    async def bodies(self, organisation: str) -> list[Body]:
        return []

    memberships = bodies

    async def people_among(self, organisation: str, ids: object) -> dict[str, Any]:
        return {}

    async def called_meetings(self, organisation: str, *ids: object) -> dict[str, Any]:
        return {}

    meetings_among = people_among


class _Counting:
    """A unit of work that counts the connections that are held."""

    def __init__(self) -> None:
        self.held = 0
        self.let = asyncio.Event()
        self._state = [""]

    async def run(self, work: Any) -> Any:
        self.held += 1
        try:
            return await work(_OneRow(self._state, self.let))
        finally:
            self.held -= 1


def open_queries(unit_of_work: _Counting) -> OpenQueries:
    of = {"organisation": "norrdalen", "name": "Norrdalens förbund", "addresses": AT}
    return OpenQueries(cast(Any, unit_of_work), ManualClock(NOW), blobs=cast(Any, None), **cast(Any, of))


async def test_while_one_makes_the_objects_anew_the_others_hold_no_connection() -> None:
    unit_of_work = _Counting()
    queries = open_queries(unit_of_work)
    asking_now = [asyncio.create_task(queries.system()) for _ in range(5)]
    for _ in range(20):  # each comes as far as it can
        await asyncio.sleep(0)
    assert unit_of_work.held == 1
    unit_of_work.let.set()
    assert len(await asyncio.gather(*asking_now)) == 5


async def test_a_file_that_was_taken_down_is_gone_though_its_object_is_not_made_anew_yet() -> None:
    unit_of_work = _Counting()
    unit_of_work.let.set()
    with pytest.raises(Gone):
        await open_queries(unit_of_work).content("p")
