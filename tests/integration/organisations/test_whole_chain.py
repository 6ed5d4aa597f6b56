"""Two organisations sign minutes, from the draft to the sealed copy, in one installation; one of them is erased."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from services.embedded.quiescence import settle
from services.embedded.replay import Replay, replaying
from services.embedded.scenario import Scenario, load_scenario
from shared.clock import ManualClock
from shared.errors import NotFound
from shared.names import Role
from shared.row_security import for_all
from shared.service import Service
from tests.integration.organisations.test_erasure import _TABLES
from tests.support.parts import REPOSITORY

ERASED = "fjallvik"
# Whatever names people of the story, and what they wrote: otherwise in the story of the one that is erased.
OTHERWISE = {
    "norrdalen": "fjallvik",
    "Norrdalen": "Fjallvik",
    "bjorka": "alptjarn",
    "granvik": "sjotorp",
    "Maja": "Runa",
    "Olof": "Torgny",
    "Sven": "Botvid",
    "Karin": "Gunvor",
}


@pytest.fixture
def theirs(tmp_path: Path) -> Scenario:
    """The same story, of other people."""
    source = REPOSITORY / "tests/scenarios"
    copied = tmp_path / "scenarios"
    shutil.copytree(source, copied)
    shutil.copytree(REPOSITORY / "services/embedded/demo_data", tmp_path / "demo_data")
    for file in (*copied.rglob("*.yaml"), *copied.rglob("*.md"), *(tmp_path / "demo_data").rglob("*.md")):
        told = file.read_text()
        for word, other in OTHERWISE.items():
            told = told.replace(word, other)
        file.write_text(told.replace("../../../services/embedded/demo_data", "../../demo_data"))
    return load_scenario(copied / "seed_history_sv" / "scenario.yaml")


async def test_one_is_erased_and_the_others_report_is_the_same(theirs: Scenario) -> None:
    scenario = load_scenario(REPOSITORY / "tests/scenarios/seed_history_sv/scenario.yaml")
    async with replaying(scenario) as ours:
        system = ours.system
        assert isinstance(system.clock, ManualClock)
        other = Replay(system, theirs, system.clock)
        other._organisation = ERASED
        async with _operator(system.services["meetings"], system.secrets.token(Role.OPERATOR)) as operator:
            await _done(operator, "/organisations", {"id": ERASED, "details": {"name": "Fjallvik", "language": "sv"}})
            for our_step, their_step in zip(scenario.steps, theirs.steps, strict=True):
                await ours.take(our_step)
                await other.take(their_step)
            with for_all("a test"):
                before, gone = await ours._outcome(), await other._outcome()
            assert before.sealed is not None
            assert gone.sealed is not None
            assert set(OTHERWISE.values()) <= set(await _found(system.services))
            await _done(operator, f"/organisations/{ERASED}/suspend", {"reason": "Fjallvik har sagt upp"})
            await _done(operator, f"/organisations/{ERASED}/erase", {"confirm": ERASED})
            await settle(system.services.values())
            for service in system.services.values():
                assert service.eraser is not None
                while not all(one.ended_at for one in await service.eraser.erasures()):
                    await service.eraser.run()
            [listed] = (await operator.get("/organisations")).json()["organisations"]
            assert (listed["id"], listed["details"]["name"], listed["erased_at"] is not None) == (ERASED, "", True)
            again = await operator.post("/organisations", json={"id": ERASED, "details": {"name": "Fjallvik"}})
            assert again.status_code == 409
        assert await _found(system.services) == {ERASED: {"organisation", "outbox"}}, "what stays, and the word of it"
        assert {path.name for path in system.home.blobs.iterdir() if any(_files(path))} == {"default"}
        with for_all("a test"):
            after = await ours._outcome()
        assert (after.text, after.history, after.sealed) == (before.text, before.history, before.sealed)
        with for_all("a test"), pytest.raises(NotFound):
            await other.entries()
        counts = {
            name: {one.organisation: one.rows for one in await service.eraser.erasures()}
            for name, service in system.services.items()
            if service.eraser is not None
        }
    assert counts["signing"][ERASED]["history_entry"] > 10
    assert counts["archive"][ERASED]["journal"] > 10


async def _found(services: Any) -> dict[str, set[str]]:
    """In which tables the words of the one that is erased stand, in clear or in bytes."""
    found: dict[str, set[str]] = {}
    for service in services.values():
        with for_all("a test"):
            async with service.database.transaction() as connection:
                for table in (await connection.execute(_TABLES)).scalars().all():
                    rows = (await connection.execute(text(f"SELECT t::text FROM {table} AS t"))).scalars().all()
                    for word in OTHERWISE.values():
                        if any(word in row or word.encode().hex() in row for row in rows):
                            found.setdefault(word, set()).add(table)
    return found


def _operator(service: Service, token: str) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(app=service.app)
    return httpx.AsyncClient(
        transport=transport, base_url="http://meetings", headers={"authorization": f"Bearer {token}"}
    )


async def _done(api: httpx.AsyncClient, path: str, body: Any) -> None:
    answer = await api.post(path, json=body)
    assert answer.is_success, answer.text


def _files(folder: Path) -> Iterator[Path]:
    return (path for path in folder.rglob("*") if path.is_file())
