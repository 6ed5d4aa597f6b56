"""Requests that no client of good will sends, to every route of every service: refused, and nothing is changed."""

import json
import re
from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from shared.auth import Role
from shared.blobs import BlobStore
from shared.clock import ManualClock
from shared.names import SERVICES
from shared.service import Service
from tests.integration.fuzz.conftest import STRANGER
from tests.integration.fuzz.services import Stocked, client_of, stocked
from tests.integration.meetings.test_meetings import MEETING

pytestmark = pytest.mark.slow

MADE_BY_READING = {
    "papers": "kept by whoever reads them first",
    "open_object": "made by whoever asks first after a change",
    "open_state": "what they were made of",
}
PROBLEM = "application/problem+json"
JSON = {"content-type": "application/json"}
_TEXTS = ("\0", "\ud800", "\u202e", "x" * 50_000, "../../etc/passwd", "{{7*7}}", "' OR 1=1 --", "9" * 400)
_BODIES: tuple[tuple[bytes, dict[str, str]], ...] = (
    (b"", JSON),
    (b"{", JSON),
    (b"null", JSON),
    (b"[" * 100_000, JSON),
    (b'{"a":' * 50_000 + b"1" + b"}" * 50_000, JSON),
    (b'{"reason": "\\ud800", "since": "9999-12-31T23:59:59-14:00"}', JSON),
    (b'{"reason": "\\u0000", "since": "0001-01-01T00:00:00+14:00"}', JSON),
    (b'{"since": "9999-12-31T23:59:59-14:00"}', JSON),
    (b'{"since": "0001-01-01T00:00:00+14:00"}', JSON),
    (b'{"reason": ' + b"9" * 5000 + b"}", JSON),
    (b'{"reason": NaN, "\\ud800": 1}', JSON),
    (b"\xff\xfe\x00", JSON),
    (b"\x1f\x8b\x08\x00" + b"\0" * 100, JSON | {"content-encoding": "gzip"}),
    (b"reason=x", {"content-type": "application/x-www-form-urlencoded"}),
    (b"--x\r\n", {"content-type": "multipart/form-data; boundary=x"}),
    (b"<a/>", {"content-type": "application/xml"}),
)


@pytest.fixture(params=SERVICES)
async def there(
    request: pytest.FixtureRequest, build: Callable[..., Any], clock: ManualClock, blobs: BlobStore
) -> Stocked:
    return await stocked(request.param, build, clock, blobs)


async def state_of(service: Service) -> dict[str, str]:
    """Every table's content, as one hash each."""
    async with service.database.transaction() as connection:
        names = (
            await connection.execute(text("SELECT tablename FROM pg_tables WHERE schemaname = 'public'"))
        ).scalars()
        query = "SELECT md5(coalesce(string_agg(t::text, '' ORDER BY t::text), '')) FROM {} t"
        return {name: (await connection.execute(text(query.format(name)))).scalar_one() for name in names}


def operations(there: Stocked) -> list[tuple[str, str]]:
    """Method and path of each documented operation, its ids filled in."""
    document = there.service.app.openapi()
    return [
        (method.upper(), re.sub(r"{(\w+)}", lambda match: there.ids.get(match[1], "1"), path))
        for path, methods in document["paths"].items()
        for method in methods
    ]


def taking_a_body(there: Stocked) -> list[tuple[str, str]]:
    documented = [one for methods in there.service.app.openapi()["paths"].values() for one in methods.values()]
    return [one for one, described in zip(operations(there), documented, strict=True) if "requestBody" in described]


def check_refused(answer: httpx.Response) -> None:
    assert 400 <= answer.status_code < 500, (answer.request.method, answer.request.url, answer.status_code)
    assert answer.headers["content-type"] == PROBLEM
    assert answer.json()["detail"]
    assert "Traceback" not in answer.text


async def test_bad_bodies_change_nothing(there: Stocked) -> None:
    before = await state_of(there.service)
    for role in (Role.SECRETARY, Role.OPERATOR):
        async with client_of(there.service, role) as api:
            for method, path in taking_a_body(there):
                for body, headers in _BODIES:
                    if path.endswith("/republish") and b'{"since"' in body and role is Role.OPERATOR:
                        answer = await api.request(method, path, content=body, headers=headers)
                        assert answer.status_code < 500
                        continue
                    check_refused(await api.request(method, path, content=body, headers=headers))
    assert await state_of(there.service) == before


async def test_odd_paths_and_queries(there: Stocked) -> None:
    before = await state_of(there.service) | MADE_BY_READING
    async with client_of(there.service, Role.OPERATOR) as api:
        for method, path in operations(there):
            if method != "GET":
                continue
            names = ("after", "cursor", "limit", "status", "subject", "type", "since", "until", "agreement_id", "wait")
            for odd in (*_TEXTS, "9999-12-31T23:59:59-14:00", "0001-01-01T00:00:00+14:00", "NaN", "-1", "1e400"):
                quoted = httpx.QueryParams({"x": odd.encode("utf-8", "surrogatepass").decode("latin-1")})["x"]
                for name in names if len(odd) < 1000 else names[:2]:
                    answer = await api.get(path, params={name: quoted})
                    assert answer.status_code < 500, (path, name, odd[:20], answer.text)
            for odd in ("%00", "%ED%A0%80", "..%2F..%2Fetc%2Fpasswd", "%FF", "a" * 5000, "9" * 40, "%E2%80%AE"):
                answer = await api.get(f"{path.rsplit('/', 1)[0]}/{odd}")
                assert answer.status_code < 500, (path, odd, answer.text)
    assert await state_of(there.service) | MADE_BY_READING == before


async def test_methods_that_no_route_has(there: Stocked) -> None:
    known = operations(there)
    async with client_of(there.service) as api:
        for _, path in known:
            for method in ("DELETE", "PATCH", "TRACE", "OPTIONS", "PROPFIND"):
                if (method, path) in known:
                    continue
                answer = await api.request(method, path)
                if method == "OPTIONS" and path.startswith("/oparl"):
                    # Open data says to a browser of any site that it may ask, and nothing else.
                    assert (answer.status_code, answer.content) == (204, b""), path
                    assert answer.headers["access-control-allow-methods"] == "GET"
                    continue
                refused = (answer.status_code, answer.headers.get("content-type"))
                assert refused == (405, PROBLEM), (method, path)
                assert answer.headers["allow"]


async def test_too_large_whatever_is_said_of_its_length(there: Stocked) -> None:
    async def endless() -> AsyncIterator[bytes]:
        for _ in range(80):
            yield b" " * 65_536

    before = await state_of(there.service)
    async with client_of(there.service, Role.OPERATOR) as api:
        for headers in (JSON, JSON | {"content-length": "5"}, JSON | {"content-length": "9" * 18}):
            answer = await api.post("/operations/republish", content=endless(), headers=headers)
            check_refused(answer)
            assert answer.status_code == 413
    assert await state_of(there.service) == before


async def test_other_roles_strangers_and_nobody_change_nothing(there: Stocked) -> None:
    """Each operation as nobody, as each role of another organisation: never another's data, never a change."""
    before = await state_of(there.service) | MADE_BY_READING
    for token in (None, "x", "", *(f"{STRANGER}-{role}" for role in Role)):
        async with client_of(there.service, None) as api:
            headers = {"authorization": f"Bearer {token}"} if token is not None else {}
            for method, path in operations(there):
                if token and token.startswith(STRANGER) and "/operations/" in path:
                    continue  # the installation's, not an organisation's: told in the report
                content = json.dumps({"reason": "fel", "original": "a@b.example", "email": "c@d.example"})
                answer = await api.request(method, path, headers={**JSON, **headers}, content=content)
                if path == "/operations/name" or path.startswith("/oparl"):
                    continue  # for everyone
                if token is None or not token.startswith(STRANGER):
                    assert answer.status_code == 401, (method, path)
                    assert answer.headers["www-authenticate"] == "Bearer"
                    continue
                assert answer.status_code in (200, 204, 403, 404, 422), (method, path, answer.text)
                for name, known in there.ids.items():  # a paragraph's number is not one that nobody else has
                    assert answer.status_code != 200 or name == "paragraph" or known not in answer.text
    assert await state_of(there.service) | MADE_BY_READING == before


async def test_details_too_large_for_an_event_are_refused(
    build: Callable[..., Any], clock: ManualClock, blobs: BlobStore
) -> None:
    there = await stocked("meetings", build, clock, blobs)
    before = await state_of(there.service)
    person = {"name": "Maja Lind", "email": "maja.lind@norrdalen.example"}
    async with client_of(there.service) as api:
        for participants in ([person] * 12_000, [person | {"language": "x" * 900_000}]):
            check_refused(await api.post("/meetings", json={**MEETING, "participants": participants}))
    assert await state_of(there.service) == before
