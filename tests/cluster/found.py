"""The cluster that things run on: the one that KUBECONFIG names, else one of our own for as long as it is needed."""

import socket
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.cluster.kubectl import Kubectl, given_cluster
from tests.cluster.node import FIRST, HOST, NODE, Own, own_cluster
from tests.cluster.programs import Lacking

_VOLUMES = 3  # of Kafka, PostgreSQL and the documents
# By what a cluster's context begins with, how it is given images; CLUSTER and ARCHIVE are put in.
_LOADERS = {
    "kind-": "kind load image-archive ARCHIVE --name CLUSTER",
    "k3d-": "k3d image import ARCHIVE --cluster CLUSTER",
    "minikube": "minikube image load ARCHIVE",
}


@dataclass(frozen=True)
class Found:
    """`address` is a node's; `own_address` is this machine's, as pods reach it."""

    kubectl: Kubectl
    address: str
    own_address: str


@contextmanager
def cluster(archives: Sequence[Path], *, nodes: int = 1) -> Iterator[Found]:
    """With these images; `nodes`, where it is ours. Raises Lacking."""
    given = given_cluster()
    if given is not None:
        _load(given, archives)
        address = _address_of(given)
        yield Found(given, address, _own_address(address))
        return
    with own_cluster(archives, nodes=nodes) as own:
        _give_volumes(own)
        yield Found(own.kubectl, NODE, HOST)


def _give_volumes(own: Own) -> None:
    """Nothing there makes them when they are claimed. A server's is its node's, as in most small clusters: so no second
    one may start on it elsewhere, when the first was deleted by force and has not ended. The seal's, which is too small
    for them, is every node's."""
    for number in range(_VOLUMES):
        _give_volume(own, f"volume-{number}", "2Gi", nodeAffinity=_only_on(FIRST.name))
    _give_volume(own, "seal", "100Mi")


def _give_volume(own: Own, name: str, size: str, **more: Any) -> None:
    spec = {
        "capacity": {"storage": size},
        "accessModes": ["ReadWriteOnce"],
        "persistentVolumeReclaimPolicy": "Retain",
        "hostPath": {"path": str(own.volume(name))},
        **more,
    }
    own.kubectl.apply({"apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": name}, "spec": spec})


def _only_on(node: str) -> dict[str, Any]:
    its_name = {"key": "kubernetes.io/hostname", "operator": "In", "values": [node]}
    return {"required": {"nodeSelectorTerms": [{"matchExpressions": [its_name]}]}}


def _load(given: Kubectl, archives: Sequence[Path]) -> None:
    context = given("config", "current-context").strip()
    for beginning, command in _LOADERS.items():
        if context.startswith(beginning):
            for archive in archives:
                words = command.replace("CLUSTER", context.removeprefix(beginning)).split()
                subprocess.run([str(archive) if word == "ARCHIVE" else word for word in words], check=True)
            return
    files = " and ".join(map(str, archives))
    raise Lacking(f"How `{context}` is given images is not known here. Load {files} into its nodes, or use kind.")


def _address_of(given: Kubectl) -> str:
    (node, *_) = given.get("nodes")["items"]
    return next(str(one["address"]) for one in node["status"]["addresses"] if one["type"] == "InternalIP")


def _own_address(address: str) -> str:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect((address, 9))  # sends nothing
        return str(probe.getsockname()[0])
