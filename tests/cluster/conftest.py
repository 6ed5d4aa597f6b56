"""Tests on a cluster run by `-m cluster` only: its programs take a quarter of an hour to build, once."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cluster.control import api_server
from tests.cluster.kubectl import Kubectl
from tests.support.processes import wait_until


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "cluster: on a real Kubernetes; `make cluster-check`, `make cluster-test`")


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Neither the quick nor the slow run takes them."""
    return None if "cluster" in config.getoption("markexpr") else True


@pytest.fixture(scope="module")
def server() -> Iterator[Kubectl]:
    """An API server that knows other people's kinds, too."""
    with api_server() as kubectl:
        kubectl("create", "--filename", str(Path(__file__).parent / "schemas"))
        wait_until(lambda: _knows_them_all(kubectl), seconds=60, what="all kinds")
        yield kubectl


def _knows_them_all(kubectl: Kubectl) -> bool:
    """`kubectl wait` fails on a definition that has no conditions yet."""
    conditions = [one.get("status", {}).get("conditions") or [] for one in kubectl.get("crd")["items"]]
    return all(any(one["type"] == "Established" and one["status"] == "True" for one in found) for found in conditions)
