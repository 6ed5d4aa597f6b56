"""docs/operations.md's first install, tried word for word on an empty cluster, and its first failures (`make
cluster-guide`)."""

from collections.abc import Iterator

import pytest

from shared.names import SERVICES
from tests.cluster import images
from tests.cluster.found import cluster
from tests.cluster.guide import NAMESPACE, Operator
from tests.cluster.installation import OURS
from tests.cluster.troubles import TROUBLES, Trouble, look

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(3600)]


@pytest.fixture(scope="module")
def operator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Operator]:
    """Who has followed the page to its end."""
    with cluster(images.archives()) as found:
        operator = Operator(found.kubectl, tmp_path_factory.mktemp("operator") / "folder")
        try:
            operator.install()
            yield operator
        except AssertionError as failed:
            for what in ("pods", "events"):
                failed.add_note(operator.kubectl("get", what, f"--namespace={NAMESPACE}", may_fail=True)[-4000:])
            raise
        finally:
            operator.kubectl("delete", "namespace", NAMESPACE, "--ignore-not-found", "--wait=false")


def test_its_commands_install_it(operator: Operator) -> None:
    """In the end each service's pods are ready: they have their database, and their consumers their groups."""
    pods = operator.kubectl.get("pods", f"--namespace={NAMESPACE}", f"--selector={OURS}")["items"]
    ready = [one["metadata"]["labels"]["app.kubernetes.io/name"] for one in pods if _is_ready(one)]
    assert sorted(ready) == sorted(2 * SERVICES)


@pytest.mark.parametrize("trouble", TROUBLES, ids=lambda one: one.name)
def test_what_lacks_looks_as_it_says(operator: Operator, trouble: Trouble) -> None:
    print(f"\n--- {trouble.name}\n{look(operator, trouble)}")


def _is_ready(pod: dict[str, object]) -> bool:
    conditions = pod["status"]["conditions"]  # type: ignore[index]
    return any(one["type"] == "Ready" and one["status"] == "True" for one in conditions)
