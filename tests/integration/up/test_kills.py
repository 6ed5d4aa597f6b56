"""`justera up` killed with `kill -9`, and its broker alone: it goes on where it was; nothing is lost or doubled."""

import asyncio
import random
import re
from collections import Counter
from contextlib import suppress
from functools import partial

import httpx
import psutil
import pytest

from shared.names import Role
from tests.integration.up.running import Letter, Up, draft_and_send, inbox, letter, log_in
from tests.support.forms import done, sign_by_forms
from tests.support.processes import until

pytestmark = pytest.mark.slow

SECRETARY, CHAIR, ADJUSTER = "maja.lind@norrdalen.example", "olof.berg@bjorka.example", "sven.dahl@granvik.example"
SENDER = "karin.ek@norrdalen.example"
SIGNERS = (SECRETARY, CHAIR, ADJUSTER)
_LONGEST_LIFE = 1.0  # seconds from a signer's first click to a kill at random

WHOLE_REPORT = (
    "Dokumentet skapades av Karin Ek",
    f"Dokumentet skickades med e-post till {SECRETARY}",
    f"E-postmeddelandet har visats av {SECRETARY}",
    f"Signerare {SECRETARY} angav namnet Maja Lind",
    "Dokumentet har e-signerats av Maja Lind",
    f"Dokumentet skickades med e-post till {CHAIR}",
    f"E-postmeddelandet har visats av {CHAIR}",
    f"Signerare {CHAIR} angav namnet Olof Berg",
    "Dokumentet har e-signerats av Olof Berg",
    f"Dokumentet skickades med e-post till {ADJUSTER}",
    f"E-postmeddelandet har visats av {ADJUSTER}",
    f"Signerare {ADJUSTER} angav namnet Sven Dahl",
    "Dokumentet har e-signerats av Sven Dahl",
    "Avtal har slutförts.",
)
EACH_MAIL_ONCE = {SECRETARY: 3, CHAIR: 3, ADJUSTER: 3, SENDER: 1}  # request, receipt, archived copy


async def test_killed_between_a_signature_and_the_next_mail_and_at_random_moments(up: Up) -> None:
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    chance = random.Random(seed)
    async with asyncio.timeout(175):
        await up.start("--empty")
        async with up.client() as client:
            agreement = await draft_and_send(client, SIGNERS)
        request = await _letter(up, SECRETARY)
        async with up.notifications_held_up():
            await _sign(up, SECRETARY, "Maja Lind", request)
            await until(up.published, what="publishing")
            up.kill()  # the next request is in the broker, which forgets, and not yet in notifications
        await up.start("--empty")
        for address, name in ((CHAIR, "Olof Berg"), (ADJUSTER, "Sven Dahl")):
            request = await _letter(up, address)
            killing = asyncio.create_task(_kill_after(up, chance.uniform(0, _LONGEST_LIFE)))
            with suppress(httpx.TransportError):
                await _sign(up, address, name, request)
            await killing
            await up.start("--empty")
            await _sign(up, address, name, request)
        await _ends_whole(up, agreement)
        children = up.children()
        up.kill()
        assert psutil.wait_procs(children, timeout=20)[1] == []


async def test_the_broker_killed_alone(up: Up) -> None:
    async with asyncio.timeout(150):
        await up.start("--empty")
        async with up.client() as client:
            agreement = await draft_and_send(client, SIGNERS)
            up.kill_broker()
            await _sign(up, SECRETARY, "Maja Lind")
            await _sign(up, CHAIR, "Olof Berg")
            up.kill_broker()
            await _sign(up, ADJUSTER, "Sven Dahl")
            await _ends_whole(up, agreement)
        assert (await up.command("doctor")).status == 0


async def test_postgresql_killed_alone(up: Up) -> None:
    async with asyncio.timeout(150):
        await up.start("--empty")
        async with up.client() as client:
            agreement = await draft_and_send(client, SIGNERS)
        for address, name in ((SECRETARY, "Maja Lind"), (CHAIR, "Olof Berg"), (ADJUSTER, "Sven Dahl")):
            request = await _letter(up, address)
            up.kill_postgres()
            await until(partial(_signed, up, address, name, request), what="a signature")
        await _ends_whole(up, agreement)
        assert (await up.command("doctor")).status == 0


async def _signed(up: Up, address: str, name: str, request: Letter) -> bool | None:
    with suppress(AssertionError, httpx.HTTPError):
        await _sign(up, address, name, request)
        return True
    return None


async def _kill_after(up: Up, seconds: float) -> None:
    await asyncio.sleep(seconds)
    up.kill()


async def _sign(up: Up, address: str, name: str, request: Letter | None = None) -> None:
    """May be done again by whoever does not know whether it was done."""
    link = (request or await _letter(up, address)).link
    async with up.visitor() as signer:
        await sign_by_forms(signer, link, name)


async def _letter(up: Up, address: str) -> Letter:
    async with up.visitor() as person:
        await log_in(person, await up.login_link())
        return await letter(person, address)


async def _ends_whole(up: Up, agreement: str) -> None:
    """Every line once and in order, every mail once, and an intact chain and copy."""
    async with up.visitor() as person:
        await log_in(person, await up.login_link())

        async def all_mailed() -> Counter[str] | None:
            counted = Counter(one.recipient for one in await inbox(person))
            return counted if counted.total() >= sum(EACH_MAIL_ONCE.values()) else None

        await until(all_mailed, what="the last mail")
        await until(up.at_rest, what="rest")
        assert await all_mailed() == EACH_MAIL_ONCE
    report = await up.report(agreement)
    lines = re.findall(r"(?m)^- (.+)$", report)
    assert len(lines) == len(WHOLE_REPORT), report
    for line, expected in zip(lines, WHOLE_REPORT, strict=True):
        assert line.startswith(expected), report
    async with up.client(Role.AUDITOR) as client:
        copy = done(await client.get(f"/archive/protocols/{agreement}/copy")).content
    final = up.folder / "final.pdf"
    final.write_bytes(copy)
    verified = await up.verify(final)
    assert verified.status == 0, verified
