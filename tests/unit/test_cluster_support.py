"""What `make cluster-test` stands on, where it could pass for the wrong reason or fill a disk."""

import random
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from shared.migrations import newest_revision
from shared.names import SERVICES
from tests.cluster import images, second_version
from tests.cluster.blows import drain, scale
from tests.cluster.kubectl import Refused
from tests.support.parts import REPOSITORY

BUDGET = "error when evicting pods: Cannot evict pod as it would violate the pod's disruption budget."


class FakeWorld:
    """Two pods a service, all on one node. A drain ends as `refused` says, and evicts the first of each where `evicts`;
    where there are other nodes, `moves` of all come up there."""

    def __init__(self, *, evicts: bool, refused: str = "", others: int = 0, moves: int = 0) -> None:
        self.called: list[str] = []
        self._evicts = evicts
        self._refused = refused
        self._others = others
        self._moves = moves
        self._names = [f"{service}-{number}" for service in SERVICES for number in range(2)]

    def nodes(self) -> list[str]:
        return ["node1", *(f"other{number}" for number in range(self._others))]

    def pods(self) -> list[dict[str, Any]]:
        return [{"metadata": {"uid": name}, "spec": {"nodeName": "node1"}} for name in self._names]

    def ready_pods(self) -> Sequence[str]:
        return self._names

    async def rolled_out(self) -> None:
        pass

    async def run(self, *arguments: str, seconds: float = 120) -> None:
        self.called.append(" ".join(arguments[:2]))
        if arguments[0] == "drain":
            if self._others:
                self._names = [f"{name}-new" for name in self._names[: self._moves]] + self._names[self._moves :]
            elif self._evicts:
                self._names = [name for name in self._names if name.endswith("-1")]
            if self._refused:
                raise Refused(self._refused)


async def test_a_drain_is_one_that_evicts_and_budgets_may_end_it() -> None:
    world = FakeWorld(evicts=True, refused=BUDGET)
    assert "4 gone" in await drain(world)(random.Random(1))  # type: ignore[arg-type]
    assert world.called == ["drain node1", "uncordon node1"]


async def test_a_drain_moves_all_of_a_node_where_there_is_another() -> None:
    world = FakeWorld(evicts=True, others=1, moves=2 * len(SERVICES))
    assert f"{2 * len(SERVICES)} elsewhere" in await drain(world)(random.Random(1))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "world",
    [
        FakeWorld(evicts=False),
        FakeWorld(evicts=True, refused='nodes "node1" is forbidden'),
        FakeWorld(evicts=True, others=1, moves=3),
        FakeWorld(evicts=True, refused=BUDGET, others=1, moves=2 * len(SERVICES)),
    ],
)
async def test_a_drain_that_was_none_fails_and_leaves_no_node_closed(world: FakeWorld) -> None:
    with pytest.raises(AssertionError):
        await drain(world)(random.Random(1))  # type: ignore[arg-type]
    assert world.called[-1] == "uncordon node1"


class Scaled:
    """A cluster that has, a while after it was told, as many pods of a service as it was told."""

    def __init__(self) -> None:
        self.told: list[int] = []
        self.had: list[int] = []

    def ready_pods(self, selector: str) -> list[str]:
        assert selector.endswith("app.kubernetes.io/name=signing")
        if len(self.had) < len(self.told):
            self.had.append(self.told[-1])
            return ["one of those before"] * 3
        return ["signing"] * self.told[-1]

    async def run(self, *arguments: str, seconds: float = 120) -> str:
        if arguments[0] == "scale":
            assert self.had == self.told, "the ones before were not waited for"
            self.told.append(int(arguments[2].removeprefix("--replicas=")))
        return "deployment.apps/signing\n"


async def test_a_service_is_scaled_to_six_and_back_and_each_time_waited_for() -> None:
    world = Scaled()
    assert "from 1 to 6 and back" in await scale(world, "signing")(random.Random(1))  # type: ignore[arg-type]
    assert world.told == world.had == [1, 6, 1, 2]


def test_archives_that_another_version_left_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("justera-old.tar", "beside-old.tar"):
        (tmp_path / name).touch()

    def docker(command: str, *arguments: str) -> None:
        assert command == "save"
        Path(arguments[1]).touch()

    monkeypatch.setattr(images, "_docker", docker)
    images._save(tmp_path / "justera-new.tar", {"one": "one"})
    assert {path.name for path in tmp_path.iterdir()} == {"justera-new.tar", "beside-old.tar"}


def test_another_kafka_beside_is_another_archive(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(images, "cache_folder", lambda: tmp_path)
    monkeypatch.setattr(Path, "exists", lambda path: True)
    before, _ = images.archives()
    monkeypatch.setattr(images, "BESIDE", {**images.BESIDE, "apache/kafka:9.0.0": "localhost/kafka:4"})
    after, _ = images.archives()
    assert before != after


def test_the_second_version_is_this_one_with_more_in_events_and_tables(tmp_path: Path) -> None:
    for name in ("shared", "services"):
        shutil.copytree(REPOSITORY / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__", "fonts"))
    second_version.apply(tmp_path)
    script = f"""
from shared.events import declared_events, event_type
from shared.migrations import newest_revision
import services.notifications.delivery.store, services.signing.store

fields = {second_version.FIELDS}
for kind, field in fields.items():
    (cls,) = [one for one in declared_events() if event_type(one).endswith(kind)]
    assert not cls.model_fields[field].is_required(), "the version before writes it without"
print(*(newest_revision(service) for service in {list(second_version.COLUMNS)}))
"""
    told = subprocess.run([sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert told.returncode == 0, told.stderr
    assert all(
        newest_revision(service) < newest
        for service, newest in zip(second_version.COLUMNS, told.stdout.split(), strict=True)
    )
