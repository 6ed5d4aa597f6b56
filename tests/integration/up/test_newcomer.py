"""What a newcomer does with `justera up`: log in, click a whole signing through the inbox, look around, stop it."""

import asyncio
import re
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import httpx
import psutil
import pytest

from shared.names import Role
from tests.integration.up.running import Letter, Up, inbox, letter, log_in
from tests.support.forms import done, press, sign_by_forms
from tests.support.processes import free_ports, until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

SECRETARY, CHAIR, ADJUSTER = "maja.lind@norrdalen.example", "olof.berg@bjorka.example", "sven.dahl@studsar.example"
ALTERNATE, SENDER = "sven.dahl@granvik.example", "karin.ek@norrdalen.example"
_STOP_SECONDS = 15.0  # a few on an idle machine


async def test_a_whole_signing_by_clicks_and_the_commands_beside_it(up: Up, tmp_path: Path) -> None:
    async with asyncio.timeout(290):
        link = await up.start()
        await until(up.greeted, what="the greeting", seconds=90)
        async with up.visitor() as person:
            home = await log_in(person, link)
            greeted = await inbox(person)
            agreement = await _signing(up, person, home, link, greeted)
            letters = Counter(one.recipient for one in (await inbox(person))[: -len(greeted)])
            assert letters == {SECRETARY: 3, CHAIR: 3, ADJUSTER: 1, ALTERNATE: 3, SENDER: 2}
            copy = (await letter(person, SENDER, greeted)).link
            page = done(await person.get(copy))
            (address,) = set(re.findall(r'href="([^"]+/copy\.pdf)"', page.text))
            (tmp_path / "final.pdf").write_bytes(done(await person.get(address)).content)
        await _commands(up, agreement, tmp_path / "final.pdf")
        await _others_are_refused(up)
        children = up.children()
        assert len(children) >= 2
        began = time.monotonic()
        assert await up.stop() == 0
        assert time.monotonic() - began < _STOP_SECONDS
        assert psutil.wait_procs(children, timeout=5)[1] == []


async def _signing(
    up: Up, person: httpx.AsyncClient, home: httpx.Response, link: str, greeted: Sequence[Letter]
) -> str:
    async with up.visitor() as other:
        used = await other.get(link)
        spent = await other.post("/login", data={"token": link.partition("token=")[2]})
        assert used.status_code == 200
        assert spent.status_code == 401
    overview = await press(person, home, "/example")
    agreement = overview.url.path.rpartition("/")[2]
    await press(person, overview, "/send")
    for address, name in ((SECRETARY, None), (CHAIR, "Olof Berg")):
        async with up.visitor() as signer:
            await sign_by_forms(signer, (await letter(person, address, greeted)).link, name)
    alternate = await until(lambda: _alternate_offer(person, agreement), what="the bounce on the overview")
    await press(person, done(await person.get(alternate)), '/alternate/[^"]+', email=ALTERNATE)
    async with up.visitor() as signer:
        await sign_by_forms(signer, (await letter(person, ALTERNATE, greeted)).link, "Sven Dahl")
    await letter(person, SENDER, greeted)
    return agreement


async def _alternate_offer(person: httpx.AsyncClient, agreement: str) -> str | None:
    """The link to name an alternate, once the overview tells of the bounce."""
    page = done(await person.get(f"/signing/overview/{agreement}"))
    report = done(await person.get(f"/signing/agreements/{agreement}/report")).text
    found = re.findall(r'href="([^"]+/alternate/[^"]+)"', page.text)
    return found[-1] if found and "studsade" in report else None


async def _commands(up: Up, agreement: str, final: Path) -> None:
    """Those that look at a running system, on this one."""
    letters = await up.command("dead-letters", "list")
    assert (letters.status, letters.out) == (0, "no dead letters\n")
    before = await up.report(agreement)
    republished = await up.command("republish", "--since", "2020-01-01")
    assert republished.status == 0, republished
    assert len(re.findall(r"(?m)^\w+: [1-9]\d* events are published again$", republished.out)) == 4
    await until(up.at_rest, what="rest after republishing")
    told = await up.command("history", agreement)
    assert (told.status, told.out) == (0, before)
    events = await up.command("events", "--subject", agreement, "--type", "DocumentSigned")
    assert (events.status, len(events.out.splitlines())) == (0, 3)
    bounces = await up.command("events", "--subject", agreement, "--type", "BounceDetected")
    (line,) = bounces.out.splitlines()
    assert line.endswith(f"signature-request to {ADJUSTER} of {agreement}  5.1.1 permanent")
    came_back = await up.command("mails", "--agreement", agreement, "--status", "bounced")
    (line,) = came_back.out.splitlines()
    assert f"bounced    5.1.1  signature-request  {ADJUSTER}  {agreement}" in line
    async with up.client(Role.AUDITOR) as client:
        history = done(await client.get(f"/signing/agreements/{agreement}/history")).content
    final.with_name("history.json").write_bytes(history)
    for file in (final, final.with_name("history.json")):
        verified = await up.verify(file)
        assert verified.status == 0, verified


async def _others_are_refused(up: Up) -> None:
    """A second `up` on the same data folder, and one on the same port: one line each, and the first goes on."""
    same_folder = await up.command("up", "--port", str(free_ports(1)[0]))
    same_port = await Up(up.folder / "other", port=up.port).command("up", "--port", str(up.port))
    for outcome, says in ((same_folder, "in use by process"), (same_port, "cannot listen on")):
        assert outcome.status == 1, outcome
        assert says in outcome.err
        assert "Traceback" not in outcome.err
        assert len(outcome.err.strip().splitlines()) == 1, outcome.err
    assert up.alive
    assert (await up.command("doctor")).status == 0
