"""Every overlay, as it is given, before a real API server: `make cluster-check`.

Nothing runs there: what pods do, `make cluster-test` shows. NetworkPolicies are checked for their form alone: to refuse
a connection is up to the network.
"""

import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.cluster.kubectl import STRICTLY, Kubectl, Refused
from tests.support.parts import REPOSITORY
from tests.unit.deploy.manifests import with_all_components

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(3600)]  # the first time, a quarter of an hour goes into building

_RESTRICTED = {f"pod-security.kubernetes.io/{how}": "restricted" for how in ("enforce", "warn")}
_WORKLOADS = ("Deployment", "StatefulSet", "Job")

Resource = dict[str, Any]
_OVERLAYS = REPOSITORY / "deploy" / "kubernetes" / "overlays"
_NAMES = [*sorted(path.parent.name for path in _OVERLAYS.glob("*/kustomization.yaml")), "production-with-all"]
each_overlay = pytest.mark.parametrize("overlay", _NAMES, indirect=True)


@pytest.fixture(scope="module")
def deploy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder as a clone has it, with secrets for what is only to be tried."""
    folder = tmp_path_factory.mktemp("clone") / "deploy"
    shutil.copytree(REPOSITORY / "deploy", folder, ignore=shutil.ignore_patterns("secrets"))
    with_all_components(folder)
    secrets = folder / "kubernetes" / "overlays" / "development" / "secrets"
    subprocess.run([folder / "compose" / "make-secrets", secrets], check=True, stdout=subprocess.DEVNULL)
    return folder


@pytest.fixture
def overlay(deploy: Path, request: pytest.FixtureRequest) -> Path:
    return deploy / "kubernetes" / "overlays" / str(request.param)


@pytest.fixture
def resources(server: Kubectl, overlay: Path) -> list[Resource]:
    return [one for one in yaml.safe_load_all(server("kustomize", str(overlay))) if one]


@pytest.fixture
def namespace(server: Kubectl, resources: list[Resource]) -> str:
    """The overlay's own, in which pods must keep to the standard `restricted`. Two overlays may have the same."""
    (name,) = {one["metadata"]["namespace"] for one in resources if "namespace" in one["metadata"]}
    server.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": _RESTRICTED}})
    server("delete", "jobs,pods", "--all", f"--namespace={name}", "--wait=false")  # neither can be changed
    return str(name)


@each_overlay
def test_it_takes_the_overlay_whole_and_as_it_is(server: Kubectl, namespace: str, overlay: Path) -> None:
    server.warnings.clear()
    server(*STRICTLY, f"--kustomize={overlay}")
    assert server.warnings == []
    assert server("diff", "--server-side", "--force-conflicts", f"--kustomize={overlay}") == ""


@each_overlay
def test_it_lets_every_pod_in(server: Kubectl, namespace: str, resources: list[Resource]) -> None:
    """A namespace's rules are for pods, not for what makes them."""
    pods = [pod_of(one) for one in resources if one["kind"] in _WORKLOADS]
    assert pods
    for pod in pods:
        account = pod["spec"].get("serviceAccountName", "default")
        server.apply(
            {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": account, "namespace": namespace}}
        )
        server.apply({**pod, "metadata": {**pod["metadata"], "namespace": namespace}})


@each_overlay
@pytest.mark.parametrize(
    ("container", "complaint"),
    [
        ({"securityContext": {"allowPrivilegeEscalation": True}}, "violates PodSecurity"),
        ({"imagePullPolicies": "Always"}, "imagePullPolicies"),
    ],
)
def test_a_slip_is_found(
    server: Kubectl, namespace: str, resources: list[Resource], container: Resource, complaint: str
) -> None:
    pod = next(pod_of(one) for one in resources if one["kind"] == "Deployment")
    changed = {**pod["spec"]["containers"][0], **container}
    with pytest.raises(Refused, match=complaint):
        server.apply(
            {
                **pod,
                "metadata": {"name": "slip", "namespace": namespace},
                "spec": {**pod["spec"], "containers": [changed]},
            }
        )


def pod_of(workload: Resource) -> Resource:
    """As its controller makes it, with the volumes that a StatefulSet claims for each pod."""
    template = workload["spec"]["template"]
    claimed = [one["metadata"]["name"] for one in workload["spec"].get("volumeClaimTemplates", [])]
    volumes = [{"name": name, "persistentVolumeClaim": {"claimName": name}} for name in claimed]
    metadata = {**template.get("metadata", {}), "name": f"{workload['kind'].lower()}-{workload['metadata']['name']}"}
    spec = {**template["spec"], "volumes": [*template["spec"].get("volumes", []), *volumes]}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}
