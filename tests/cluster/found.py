"""The cluster that things run on: the one that KUBECONFIG names, else one of our own for as long as it is needed."""

import socket
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.cluster.kubectl import Kubectl, given_cluster
from tests.cluster.node import HOST, NODE, Node, one_node
from tests.cluster.programs import Lacking

_VOLUMES = 4  # of Kafka, PostgreSQL, the documents and the seal
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
def cluster(archives: Sequence[Path]) -> Iterator[Found]:
    """With these images. Raises Lacking."""
    given = given_cluster()
    if given is not None:
        _load(given, archives)
        address = _address_of(given)
        yield Found(given, address, _own_address(address))
        return
    with one_node(archives) as node:
        _give_volumes(node)
        yield Found(node.kubectl, NODE, HOST)


def _give_volumes(node: Node) -> None:
    """Nothing there makes them when they are claimed."""
    for number in range(_VOLUMES):
        name = f"volume-{number}"
        spec = {
            "capacity": {"storage": "2Gi"},
            "accessModes": ["ReadWriteOnce"],
            "persistentVolumeReclaimPolicy": "Retain",
            "hostPath": {"path": str(node.volume(name))},
        }
        node.kubectl.apply({"apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": name}, "spec": spec})


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
