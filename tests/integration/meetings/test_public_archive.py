"""The public archive: what was posted may be read on where its body says so; by trying, nothing else is found."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from services.meetings.publication.store import _CHANGED_AT
from shared.clock import ManualClock
from shared.service import Service
from tests.integration.meetings.test_board import BOARD, HIDDEN, everything, words_of
from tests.integration.meetings.test_board import anyone as anyone
from tests.integration.meetings.test_bodies import BOARD as BODY
from tests.integration.meetings.test_bodies import person, put_in, seat
from tests.integration.meetings.test_decisions import BUDGET, HEAD, TRAVEL, fire
from tests.integration.meetings.test_meetings import MEETING, NOW, draft, schedule
from tests.integration.meetings.test_open_data import SYSTEM
from tests.integration.meetings.test_open_data import outside as outside
from tests.integration.meetings.test_open_data import stranger as stranger
from tests.integration.meetings.test_publications import OLOF, drafted, facts, post, sign
from tests.integration.meetings.test_publications import clock as clock
from tests.oparl.client import Stranger

ARCHIVE = f"{BOARD}/arkiv"
RULES: dict[str, Any] = {"adjust_days": 14, "post_days": 7, "posted_days": 21, "public_archive": True}
TITLE = "Protokoll styrelsen"


@pytest.fixture
async def board(api: httpx.AsyncClient) -> str:
    """An association's, whose statutes say how long minutes are posted."""
    body = await put_in(api, "/bodies", {"details": BODY["details"] | {"rules": RULES}})
    maja = await person(api, "Maja Lind", email="maja.lind@norrdalen.example")
    await seat(api, body, maja, "secretary")
    return body


async def change_rules(api: httpx.AsyncClient, body: str, **changed: object) -> None:
    answer = await api.put(f"/bodies/{body}", json=BODY["details"] | {"rules": RULES | changed})
    assert answer.status_code == 200, answer.text


async def archived(service: Service, api: httpx.AsyncClient, clock: ManualClock) -> tuple[str, str]:
    """A meeting and its posting, whose time is over."""
    meeting = await drafted(service, api)
    posted = (await post(api, meeting, OLOF)).json()
    assert posted["remove_on"] == "2022-10-17"
    clock.move_to(NOW + timedelta(days=22))
    await fire(service)
    assert (await api.get(f"/meetings/{meeting}/publication")).json()["status"] == "archived"
    return meeting, posted["id"]


async def test_what_was_posted_is_read_on_in_the_archive_and_what_is_masked_by_nobody(
    service: Service, api: httpx.AsyncClient, anyone: httpx.AsyncClient, board: str, clock: ManualClock
) -> None:
    _, posting = await archived(service, api, clock)
    found = await everything(anyone, posting)
    found |= {one: await anyone.get(one) for one in (ARCHIVE, "/notice-board/archive")}
    for address, answer in found.items():
        assert answer.status_code == 200, address
        said = words_of(answer)
        assert [word for word in HIDDEN if word in said] == [], address
        assert "set-cookie" not in answer.headers
        assert answer.headers["cache-control"] == "public, no-cache"
        is_of_board = address in (BOARD, "/notice-board") or address.endswith("atom.xml")
        assert (posting in said or TITLE in said) == (not is_of_board), address
    assert "Tiden på anslagstavlan är slut" in found[f"{BOARD}/{posting}"].text
    told = await facts(service)
    assert '"is_readable":true' in told[-1][1].replace(" ", "")


async def test_who_asks_by_the_time_is_told_that_it_is_in_the_archive_now(
    service: Service, api: httpx.AsyncClient, anyone: httpx.AsyncClient, board: str, clock: ManualClock
) -> None:
    meeting = await drafted(service, api)
    posting = (await post(api, meeting, OLOF)).json()["id"]
    addresses = [f"{BOARD}/{posting}", f"{BOARD}/{posting}/pdf"]
    known = [{"if-modified-since": (await anyone.get(one)).headers["last-modified"]} for one in addresses]
    clock.move_to(NOW + timedelta(days=22))
    await fire(service)
    found = [await anyone.get(one, headers=since) for one, since in zip(addresses, known, strict=True)]
    assert [one.status_code for one in found] == [200, 304], "the file is what it was"
    since = {"if-modified-since": found[0].headers["last-modified"]}
    assert (await anyone.get(addresses[0], headers=since)).status_code == 304


async def test_what_its_body_shows_no_longer_is_gone_at_once(
    service: Service, api: httpx.AsyncClient, anyone: httpx.AsyncClient, board: str, clock: ManualClock
) -> None:
    _, posting = await archived(service, api, clock)
    await change_rules(api, board, public_archive=False)
    for address, answer in (await everything(anyone, posting)).items():
        assert answer.status_code == (410 if posting in address else 200), address
        assert TITLE not in answer.text, address
    for query in ("", f"?body={board}", "?year=2022", "?words=protokoll"):
        answer = await anyone.get(f"{ARCHIVE}{query}")
        assert answer.status_code == 200
        assert TITLE not in answer.text
        assert posting not in answer.text


async def test_what_its_body_keeps_for_some_years_is_gone_with_the_last_of_them(
    service: Service,
    api: httpx.AsyncClient,
    anyone: httpx.AsyncClient,
    outside: httpx.AsyncClient,
    stranger: Stranger,
    board: str,
    clock: ManualClock,
) -> None:
    await change_rules(api, board, public=True, archive_years=2)
    _, posting = await archived(service, api, clock)
    [file] = (await stranger.walk(SYSTEM)).of("File")
    addresses = [f"{BOARD}/{posting}", f"{BOARD}/{posting}/pdf", f"{BOARD}/{posting}/html"]
    lists = [ARCHIVE, f"{ARCHIVE}?body={board}", f"{ARCHIVE}?year=2022", f"{ARCHIVE}?words=protokoll"]

    async def read() -> tuple[set[int], set[bool], int, bool]:
        answers = [await anyone.get(one) for one in addresses]
        shown = {posting in (await anyone.get(one)).text for one in lists}
        walked = posting in (await stranger.walk(SYSTEM)).text
        return {one.status_code for one in answers}, shown, (await outside.get(file["accessUrl"])).status_code, walked

    clock.move_to(datetime(2024, 12, 31, 22, 59, tzinfo=UTC))
    assert await read() == ({200}, {True}, 200, True)
    clock.move_to(datetime(2024, 12, 31, 23, tzinfo=UTC))  # midnight in Stockholm
    assert await read() == ({410}, {False}, 410, False)
    assert "2022" not in (await anyone.get(ARCHIVE)).text, "nor does the year stand there"
    await change_rules(api, board, public=True, archive_years=3)
    assert await read() == ({200}, {True}, 200, True)
    await change_rules(api, board, public=True)
    clock.move_to(datetime(2090, 1, 1, tzinfo=UTC))
    assert await read() == ({200}, {True}, 200, True)


async def test_what_is_in_the_archive_of_a_body_that_was_closed_since_can_go(
    service: Service, api: httpx.AsyncClient, anyone: httpx.AsyncClient, board: str, clock: ManualClock
) -> None:
    _, posting = await archived(service, api, clock)
    assert (await api.post(f"/bodies/{board}/close", json={})).status_code == 200
    assert (await anyone.get(f"{BOARD}/{posting}")).status_code == 200
    await change_rules(api, board, public_archive=False)
    assert (await anyone.get(f"{BOARD}/{posting}")).status_code == 410
    assert TITLE not in (await anyone.get(ARCHIVE)).text
    answer = await api.put(f"/bodies/{board}", json=BODY["details"] | {"rules": RULES | {"quorum": 2}})
    assert answer.status_code == 409
    assert "public_archive" in answer.json()["hint"]


async def test_what_is_taken_out_of_the_archive_or_corrected_there_is_so_at_once(
    service: Service, api: httpx.AsyncClient, anyone: httpx.AsyncClient, board: str, clock: ManualClock
) -> None:
    meeting, posting = await archived(service, api, clock)
    assert "Maja Lind" in (await anyone.get(f"{BOARD}/{posting}/html")).text
    answer = await post(api, meeting, [*OLOF, {"kind": "name", "text": "Maja Lind"}])
    assert (answer.json()["status"], answer.json()["edition"]) == ("archived", 2)
    for address, one in (await everything(anyone, posting)).items():
        assert one.status_code == 200, address
        assert "Maja" not in words_of(one), address
    assert "Rättat" in (await anyone.get(ARCHIVE)).text
    assert (await api.post(f"/meetings/{meeting}/publication/remove", json={})).status_code == 422
    removed = await api.post(f"/meetings/{meeting}/publication/remove", json={"reason": "Ett barns namn."})
    assert removed.json()["status"] == "removed"
    for address, one in (await everything(anyone, posting)).items():
        assert one.status_code == (410 if posting in address else 200), address
        assert TITLE not in one.text, address
    assert posting not in (await anyone.get(ARCHIVE)).text


async def test_neither_drafts_nor_postings_nor_others_stand_in_the_archive(
    service: Service, api: httpx.AsyncClient, anyone: httpx.AsyncClient, board: str, clock: ManualClock
) -> None:
    meeting = await drafted(service, api)
    assert TITLE not in (await anyone.get(ARCHIVE)).text, "a draft"
    await post(api, meeting, [])
    assert TITLE not in (await anyone.get(ARCHIVE)).text, "it is on the board"
    clock.move_to(NOW + timedelta(days=22))
    await fire(service)
    assert TITLE in (await anyone.get(ARCHIVE)).text
    async with service.database.transaction() as connection:
        for table in ("publication", "body"):
            await connection.exec_driver_sql(f"UPDATE {table} SET organisation = 'other'")
    for address in (ARCHIVE, f"{ARCHIVE}?body={board}", f"{ARCHIVE}?year=2022", f"{ARCHIVE}?words=protokoll"):
        answer = await anyone.get(address)
        assert answer.status_code == 200
        assert TITLE not in answer.text, address
        assert BODY["details"]["name"] not in answer.text.partition("</form>")[0].partition("<form")[2]


async def test_it_is_searched_by_title_body_and_year_page_by_page(
    service: Service,
    api: httpx.AsyncClient,
    anyone: httpx.AsyncClient,
    board: str,
    clock: ManualClock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("services.meetings.pages.board._MOST_IN_ARCHIVE", 2)
    postings = []
    for number in range(3):  # on one day
        meeting = await schedule(api)
        head = HEAD.replace("first_paragraph: 28", f"first_paragraph: {28 + 2 * number}")
        answer = await draft(api, meeting, head.replace(TITLE, f"{TITLE} Å{number}") + BUDGET + TRAVEL)
        assert answer.status_code == 201, answer.text
        await sign(service, answer.json()["agreement_id"])
        await fire(service)
        postings.append((await post(api, meeting, [])).json()["id"])
    clock.move_to(NOW + timedelta(days=30))
    await fire(service)

    async def found(query: str) -> list[str]:
        answer = await anyone.get(f"{ARCHIVE}{query}")
        assert answer.status_code == 200, answer.text
        return [one for one in postings if one in answer.text]

    first = (await anyone.get(ARCHIVE)).text
    assert len([one for one in postings if one in first]) == 2
    following = first.partition(f"{ARCHIVE.removeprefix(BOARD)}?after=")[2].partition('"')[0]
    assert sorted([*(one for one in postings if one in first), *(await found(f"?after={following}"))]) == sorted(
        postings
    )
    async with service.database.transaction() as connection:
        for posting, day in zip(postings, ("2019-12-31", "2021-01-01", "2022-09-23"), strict=True):
            await connection.exec_driver_sql(f"UPDATE publication SET held_on = '{day}' WHERE id = '{posting}'")
    years = re.findall(r"<option[^>]*>(\d{4})</option>", (await anyone.get(ARCHIVE)).text)
    assert years == ["2022", "2021", "2019"]
    async with service.database.transaction() as connection:
        await connection.exec_driver_sql("UPDATE publication SET held_on = '2022-09-23'")
    assert await found("?words=%C3%A51+PROTOKOLL") == [postings[1]]
    assert await found("?words=%25") == [], "a sign of LIKE is one of the title"
    assert len(await found(f"?year=2022&body={board}")) == 2
    for nothing in (
        "?year=2021",
        "?year=0000",
        "?year=x",
        "?body=another",
        "?body=%27",
        "?words=%0A",
        "?words=budget",
        "?after=x",
        "?after=2022-09-23.",
        f"?after=2022-01-01.{postings[0]}",
        f"?words={'x' * 300}",
    ):
        assert await found(nothing) == [], nothing


async def test_deadlines_of_statutes_are_watched_from_when_they_are_said(
    service: Service, api: httpx.AsyncClient, board: str, clock: ManualClock
) -> None:
    """Also of meetings that stood in the calendar before; and no longer, when they say so no longer."""
    await change_rules(api, board, adjust_days=None)
    meeting = await schedule(api)
    gone = await schedule(api)
    assert (await api.post(f"/meetings/{gone}/cancel", json={"reason": "Ställs in."})).status_code == 200
    assert (await api.get(f"/meetings/{meeting}/publication")).status_code == 404
    await change_rules(api, board, adjust_days=10)
    assert (await api.get(f"/meetings/{meeting}/publication")).json()["adjust_by"] == "2022-10-03"
    assert (await api.get(f"/meetings/{gone}/publication")).status_code == 404
    await change_rules(api, board, adjust_days=30)
    assert (await api.get(f"/meetings/{meeting}/publication")).json()["adjust_by"] == "2022-10-23"
    await change_rules(api, board, adjust_days=None)
    assert (await api.get(f"/meetings/{meeting}/publication")).json()["adjust_by"] is None
    for day in range(40):
        clock.move_to(NOW + timedelta(days=day))
        await fire(service)
    assert await facts(service) == []
    assert MEETING["starts"].startswith("2022-09-23")


async def test_a_municipalitys_body_has_no_deadlines_of_its_own(api: httpx.AsyncClient, board: str) -> None:
    rules = {"deadline_profile": "municipality", "post_days": 30}
    answer = await api.put(f"/bodies/{board}", json=BODY["details"] | {"rules": rules})
    assert answer.status_code == 422
    assert "post_days" in answer.text


async def test_open_data_have_what_may_be_read_and_lead_to_its_page(
    service: Service,
    api: httpx.AsyncClient,
    outside: httpx.AsyncClient,
    stranger: Stranger,
    board: str,
    clock: ManualClock,
) -> None:
    await change_rules(api, board, public=True)
    _, posting = await archived(service, api, clock)
    walk = await stranger.walk(SYSTEM)
    [paper], [file] = walk.of("Paper"), walk.of("File")
    assert posting in paper["web"]
    pages = {one["web"] for kind in ("Body", "Organization", "Paper", "File") for one in walk.of(kind)}
    assert len(pages) == 3
    for page in pages:
        answer = await outside.get(page)
        assert answer.status_code == 200, page
        assert answer.headers["content-type"].startswith("text/html")
    assert (await outside.get(file["accessUrl"])).status_code == 200
    await change_rules(api, board, public=True, public_archive=False)
    assert (await outside.get(file["accessUrl"])).status_code == 410
    assert (await outside.get(paper["id"])).json().keys() == {"id", "type", "created", "modified", "deleted"}
    assert posting not in (await stranger.walk(SYSTEM)).text


async def test_when_the_board_changed_last_is_found_at_the_end_of_an_index(service: Service) -> None:
    rows = """
        INSERT INTO publication (organisation, id, version, meeting_id, body_id, held_on, timezone, status, edition,
            masks, told, edited_at, removed_at)
        SELECT 'default', 'p' || n, 1, 'm' || n, 'b', '2022-01-01', 'Europe/Stockholm', 'removed', 1, '[]', '[]',
            timestamptz '2022-01-01' + n * interval '1 minute', timestamptz '2022-02-01' + n * interval '1 minute'
        FROM generate_series(1, 5000) AS n
    """
    async with service.database.transaction() as connection:
        await connection.execute(text(rows))
        await connection.execute(text("ANALYZE publication"))
        query = _CHANGED_AT.compile(dialect=connection.dialect)
        asked = str(query).replace("$1", "'default'").split("::")[0]
        plan = "\n".join((await connection.execute(text(f"EXPLAIN {asked}"))).scalars())
    assert "using publication_changed" in plan, plan
    assert "Limit" in plan, "one row of it, however many there are"
