"""The HTTP API: roles, organisation, paging, long polls, problems; and the link to a copy."""

import asyncio
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
from httpx import ASGITransport, AsyncClient

from services.archive.local_authority import TEST_ORGANISATION
from shared import links
from shared.auth import undeclared_routes
from shared.events import EndedLinks, LinksEnded, Person
from shared.keys import parse_keys
from shared.links import Link
from shared.settings import Settings
from tests.integration.archive.completed import AGREEMENT, ORGANISATION, Archive, message
from tests.integration.archive.test_journal import expired
from tests.support.api import as_, is_problem

HERE = f"/protocols/{AGREEMENT}"
MAJA, OLOF = "maja.lind@norrdalen.example", "olof.berg@bjorka.example"


@pytest.fixture
async def http(archive: Archive) -> AsyncIterator[AsyncClient]:
    transport = ASGITransport(archive.service.app, client=("203.0.113.9", 1234))
    async with AsyncClient(transport=transport, base_url="http://archive.example") as client:
        yield client


async def test_every_route_declares_who_may_call_it(archive: Archive) -> None:
    assert undeclared_routes(archive.service.app.routes) == []


async def test_a_protocol_before_and_after_archiving(archive: Archive, http: AsyncClient) -> None:
    assert is_problem(await http.get(HERE, headers=as_("auditor")), 404, "not-found")
    await archive.bring(message(await archive.completed()))
    waiting = (await http.get(HERE, headers=as_("secretary"))).json()
    assert (waiting["state"], waiting["archived_at"], waiting["attempts"]) == ("waiting", None, 0)
    assert is_problem(await http.get(f"{HERE}/copy", headers=as_("auditor")), 404, "not-found")
    assert is_problem(await http.post(f"{HERE}/retry", headers=as_("auditor")), 403, "not-allowed")
    keyed = as_("operator") | {"idempotency-key": "again"}
    retried = await http.post(f"{HERE}/retry", headers=keyed)
    assert retried.json()["state"] == "waiting"
    assert await archive.worker.archive_one()

    archived = (await http.get(HERE, headers=as_("auditor"))).json()
    assert (archived["state"], archived["test_seal"], archived["reason"]) == ("archived", True, None)
    copy = await http.get(f"{HERE}/copy", headers=as_("secretary"))
    assert (copy.headers["content-type"], len(copy.content)) == ("application/pdf", archived["sealed"]["size"])
    manifest = await http.get(f"{HERE}/manifest", headers=as_("operator"))
    assert TEST_ORGANISATION in manifest.json()["seal"]["issuer"]
    assert is_problem(await http.post(f"{HERE}/retry", headers=as_("operator")), 404, "not-found")
    assert (await http.post(f"{HERE}/retry", headers=keyed)).content == retried.content


async def test_the_seal_s_certificate_and_its_end(http: AsyncClient) -> None:
    seal = (await http.get("/seal", headers=as_("auditor"))).json()
    assert (seal["test"], len(bytes.fromhex(seal["sha256"]))) == (True, 32)
    ends = datetime.fromisoformat(seal["ends"])
    assert ends > datetime.now(UTC) + timedelta(days=3600)
    metrics = (await http.get("/metrics")).text.splitlines()
    (told,) = [line for line in metrics if line.startswith("justera_seal_ends_timestamp_seconds{")]
    assert float(told.rpartition(" ")[2]) == ends.timestamp()
    assert is_problem(await http.get("/seal"), 401, "not-authenticated")


@pytest.mark.parametrize("path", [HERE, f"{HERE}/copy", f"{HERE}/manifest"])
async def test_another_organisation_finds_nothing(archive: Archive, http: AsyncClient, path: str) -> None:
    await archive.bring(message(await archive.completed()))
    await archive.worker.archive_one()
    assert is_problem(await http.get(path, headers=as_("stranger")), 404, "not-found")
    assert is_problem(await http.get(path), 401, "not-authenticated")
    listed = await http.get("/protocols", headers=as_("stranger"))
    assert listed.json() == {"protocols": [], "next": None}


async def test_the_list_page_by_page(archive: Archive, http: AsyncClient) -> None:
    names = [f"agreement-{n}" for n in range(5)]
    for name in names:
        archive.clock.move_to(archive.clock.now() + timedelta(minutes=1))
        await archive.bring(message(await archive.completed(name), subject=name))
        await archive.worker.archive_one()
    await archive.bring(message(await archive.completed("waits"), subject="waits"))
    seen, cursor = [], None
    for _ in range(3):
        query = {"limit": 2, **({"cursor": cursor} if cursor else {})}
        page = (await http.get("/protocols", params=query, headers=as_("auditor"))).json()
        seen += [one["agreement_id"] for one in page["protocols"]]
        cursor = page["next"]
    assert (seen, cursor) == (names[::-1], None)
    waiting = (await http.get("/protocols", params={"state": "waiting"}, headers=as_("auditor"))).json()
    assert [one["agreement_id"] for one in waiting["protocols"]] == ["waits"]


@pytest.mark.parametrize("cursor", ["x", "e30=", "WzEsMl0=", "bnVsbA=="])
async def test_a_cursor_that_is_none(http: AsyncClient, cursor: str) -> None:
    answer = await http.get("/protocols", params={"cursor": cursor}, headers=as_("auditor"))
    assert is_problem(answer, 422, "invalid-input")


async def test_the_journal_is_for_operators_and_auditors_of_the_organisation(
    archive: Archive, http: AsyncClient
) -> None:
    await archive.journal(expired(), expired("foreign", organisation="elsewhere"))
    for who, found in (("operator", [AGREEMENT]), ("auditor", [AGREEMENT]), ("stranger", ["foreign"])):
        page = (await http.get("/events", headers=as_(who))).json()
        assert [event["subject"] for event in page["events"]] == found
    assert is_problem(await http.get("/events", headers=as_("secretary")), 403, "not-allowed")


MALFORMED: list[dict[str, str]] = [
    {"after": "x"},
    {"before": "x"},
    {"type": "Bounced"},
    {"since": "yesterday"},
    {"limit": "0"},
    {"limit": "501"},
    {"wait": "26"},
    {"wait": "nan"},
    {"correlation": "x" * 251},
]


async def test_malformed_questions(http: AsyncClient) -> None:
    for query in MALFORMED:
        answer = await http.get("/events", params=query, headers=as_("operator"))
        assert is_problem(answer, 422, "invalid-input"), query


async def test_filters_over_http(archive: Archive, http: AsyncClient) -> None:
    await archive.journal(expired(), expired("other"))
    query = {"type": "AgreementExpired", "since": "2022-09-26", "until": "2022-09-27T08:00Z"}
    for what in ("subject", "about"):
        asked = {**query, what: "other"}
        page = (await http.get("/events", params=asked, headers=as_("operator"))).json()
        assert [event["subject"] for event in page["events"]] == ["other"]


async def test_a_long_poll_returns_what_comes_meanwhile(archive: Archive, http: AsyncClient) -> None:
    waiting = asyncio.create_task(http.get("/events", params={"wait": 20}, headers=as_("operator")))
    await asyncio.sleep(0.2)
    assert not waiting.done()
    await archive.journal(expired())
    page = (await asyncio.wait_for(waiting, 5)).json()
    assert [event["subject"] for event in page["events"]] == [AGREEMENT]


async def test_a_long_poll_ends_in_time(http: AsyncClient) -> None:
    began = time.monotonic()
    page = (await http.get("/events", params={"wait": 0.3, "after": "7"}, headers=as_("operator"))).json()
    assert 0.3 <= time.monotonic() - began < 5
    assert page == {"events": [], "next": "7", "more": False, "previous": None}


async def test_the_journal_is_read_back_over_http(archive: Archive, http: AsyncClient) -> None:
    await archive.journal(expired("1"), expired("2"), expired("3"))
    last = (await http.get("/events", params={"before": "end", "limit": 2}, headers=as_("auditor"))).json()
    assert [event["subject"] for event in last["events"]] == ["2", "3"]
    query = {"before": last["previous"], "limit": 2}
    first = (await http.get("/events", params=query, headers=as_("auditor"))).json()
    assert ([event["subject"] for event in first["events"]], first["previous"]) == (["1"], None)


async def test_the_mailed_link_opens_for_ninety_days(archive: Archive, http: AsyncClient, settings: Settings) -> None:
    ring = parse_keys(settings.secret("copy_link_keys"), "JUSTERA_COPY_LINK_KEYS")
    token = links.issue(ring, Link("copy", ORGANISATION, AGREEMENT, 1))
    assert (await http.get(f"/copies/{token}")).status_code == 404
    await archive.bring(message(await archive.completed()))
    await archive.worker.archive_one()
    assert (await http.get(f"/copies/{token}")).status_code == 200
    copy = await http.get(f"/copies/{token}/copy.pdf")
    assert copy.content == await archive.commands.sealed_copy(ORGANISATION, AGREEMENT)
    assert (await http.get(f"/copies/{token[:-2]}")).status_code == 404
    archive.clock.move_to(archive.clock.now() + timedelta(days=90))
    assert (await http.get(f"/copies/{token}")).status_code == 410


async def test_one_persons_link_is_ended_and_others_stay(
    archive: Archive, http: AsyncClient, settings: Settings
) -> None:
    ring = parse_keys(settings.secret("copy_link_keys"), "JUSTERA_COPY_LINK_KEYS")

    async def status(email: str, version: int) -> int:
        token = links.issue(ring, links.copy_link(ORGANISATION, AGREEMENT, email, version))
        page, copy = await http.get(f"/copies/{token}"), await http.get(f"/copies/{token}/copy.pdf")
        assert copy.status_code == (200 if page.status_code == 200 else 303)
        assert ("Norrdalen" in page.text) == (page.status_code == 200)
        return page.status_code

    async def shared() -> int:
        token = links.issue(ring, Link("copy", ORGANISATION, AGREEMENT, 1))
        return (await http.get(f"/copies/{token}")).status_code

    await archive.bring(message(await archive.completed()))
    await archive.worker.archive_one()
    assert [await status(MAJA, 1), await status(OLOF, 1), await shared()] == [200, 200, 200]
    await archive.bring(message(links_ended(OLOF, 2)))
    # A link that everybody has, as an earlier version mailed them, cannot be one person's alone.
    assert [await status(MAJA, 1), await status(OLOF, 1), await shared()] == [200, 410, 410]
    assert await status(OLOF, 2) == 200
    await archive.bring(message(links_ended(OLOF, 4)), message(links_ended(MAJA, 2)))
    await archive.bring(message(links_ended(OLOF, 3)))  # late
    assert [await status(MAJA, 1), await status(OLOF, 3), await status(OLOF, 4)] == [410, 410, 200]


async def test_a_link_that_was_ended_before_the_archiving_opens_nothing_after_it(
    archive: Archive, http: AsyncClient, settings: Settings
) -> None:
    ring = parse_keys(settings.secret("copy_link_keys"), "JUSTERA_COPY_LINK_KEYS")
    completed = message(await archive.completed())
    await archive.bring(message(links_ended(OLOF, 2)), completed)
    assert await archive.worker.archive_one()
    token = links.issue(ring, links.copy_link(ORGANISATION, AGREEMENT, OLOF, 1))
    assert (await http.get(f"/copies/{token}")).status_code == 410


def links_ended(email: str, version: int) -> LinksEnded:
    people = (EndedLinks(email=email, name=None, version=version, mailed=False),)
    sender = Person(email="karin.ek@norrdalen.example")
    return LinksEnded(agreement_id=AGREEMENT, by=sender, ip="192.0.2.1", people=people, document_name="Protokoll")
