"""What a newcomer finds: a board called to its meeting, with papers and answers; also after a kill in the middle."""

import asyncio
import random
import re
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import pytest

from services.embedded.greeting import ASSOCIATION
from services.embedded.home import Home
from shared.rendering.minutes import Language
from tests.integration.up.running import Up, inbox, log_in
from tests.support.forms import done
from tests.support.processes import until

pytestmark = pytest.mark.slow

_NOTICE_BOARD = {"sv": "/meetings/anslagstavla", "en": "/meetings/notice-board"}
_LONGEST_LIFE = 2.0  # seconds from the login link to a kill at random


@pytest.mark.parametrize(
    ("language", "board", "killed", "ends"),
    [
        ("sv", "Styrelsen", False, ["Övriga frågor", "Mötets avslutande"]),
        ("en", "The board", True, ["Other matters", "Close of the meeting"]),
    ],
)
async def test_the_association_is_whole(
    up: Up, language: Language, board: str, *, killed: bool, ends: list[str]
) -> None:
    up.environment = {"JUSTERA_LANGUAGE": language}
    async with asyncio.timeout(170):
        await up.start()
        if killed:
            life = random.uniform(0, _LONGEST_LIFE)
            print(f"killed after {life:.2f} s")
            await asyncio.sleep(life)
            up.kill()
            await up.start()
        await until(up.greeted, what="the greeting", seconds=90)
        async with up.client() as api:
            coming = [one for one in await _coming(api) if one["details"]["body"] == board]
            await _called(api, coming[0]["id"], ends)
            assert [one["status"] for one in await _got(api, coming[1]["id"], "proposals", "proposals")] == ["proposed"]
            polls = [poll for one in await _coming(api) for poll in await _got(api, one["id"], "date-polls", "polls")]
            (poll,) = polls
            view = done(await api.get(f"/meetings/date-polls/{poll['id']}")).json()
            assert (poll["status"], len(poll["times"])) == ("open", 4)
            assert {len(one["unsaid"]) for one in view["times"]} == {2}
            await _signed(api, {"sv": "Protokoll", "en": "Minutes"}[language])
            await _posted(up, language)
        async with up.visitor() as person:
            start = await log_in(person, await up.login_link())
            assert f"/meetings/{coming[1]['id']}/proposals" in start.text
            assert ASSOCIATION[language] in start.text
            assert f'href="{_NOTICE_BOARD[language]}"' in start.text
            letters = await inbox(person)
        # Each once: the notice, the substitute's call, the date poll, and what the office is told; to three signers a
        # request, a receipt and the copy, and to who sent it the copy.
        assert len(letters) == len({(one.recipient, one.subject) for one in letters}) > 9 + 1 + 4 + 3 * 3 + 1, letters
    assert Home(up.data).greeting.exists()


async def _signed(api: httpx.AsyncClient, named: str) -> None:
    """The board's last meeting but one has signed minutes, whose copy is sealed and archived."""
    agreements = done(await api.get("/signing/agreements")).json()["agreements"]
    (agreement,) = agreements
    assert agreement["status"] == "completed", agreement
    assert agreement["document_name"].startswith(named)
    done(await api.get(f"/archive/protocols/{agreement['agreement_id']}"))


async def _posted(up: Up, language: Language) -> None:
    """Anyone reads them on the notice board, whatever was killed: once."""
    async with up.visitor() as anyone:
        board = done(await anyone.get(_NOTICE_BOARD[language])).text
        (posting,) = set(re.findall(rf'href="({_NOTICE_BOARD[language]}/[A-Za-z0-9_-]{{16,}})"', board))
        assert "Sven Dahl" in done(await anyone.get(f"{posting}/html")).text


async def _called(api: httpx.AsyncClient, meeting: str, ends: list[str]) -> None:
    agenda = done(await api.get(f"/meetings/meetings/{meeting}/agenda")).json()["items"]
    assert [one["details"]["title"] for one in agenda][-2:] == ends
    assert len(agenda) == 8
    notice = done(await api.get(f"/meetings/meetings/{meeting}/notice")).json()
    assert notice["stage"] == "issued", notice
    assert notice["changes"] == []
    replies = await _got(api, meeting, "replies", "people")
    answers = [one["answer"] for one in replies]
    assert (answers.count("coming"), answers.count("absent"), answers.count(None)) == (6, 1, 2)
    papers = done(await api.get(f"/meetings/meetings/{meeting}/papers")).json()
    assert (len(papers["publications"]), papers["changed"]) == (1, False)


async def _coming(api: httpx.AsyncClient) -> list[dict[str, Any]]:
    """The earliest first; none but those of whom the notice can go out."""
    there = done(await api.get("/meetings/meetings", params={"limit": 200})).json()["meetings"]
    now = datetime.now(ZoneInfo("Europe/Stockholm")).replace(tzinfo=None).isoformat()
    mine = [one for one in there if one["details"]["ends"] > now and one["details"]["occasion"] != "training"]
    return sorted(mine, key=lambda one: str(one["details"]["starts"]))


async def _got(api: httpx.AsyncClient, meeting: str, of: str, name: str) -> list[dict[str, Any]]:
    answer = done(await api.get(f"/meetings/meetings/{meeting}/{of}")).json()
    return list(answer[name] if isinstance(answer, dict) else answer)
