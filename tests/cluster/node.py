"""A cluster of one node, from the programs of this machine and those of `programs`. Needs root; pulls nothing.

with one_node([archive_of_images]) as node:
    node.kubectl("get", "nodes")

All of it lives in namespaces of its own (processes, mounts, network, host name), and ends with the first process there.
It is reached at NODE over a pair of virtual network cards, and reaches this machine at HOST; no mount and no rule of
the machine's own is touched.
"""

import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.cluster import certificates, control, names
from tests.cluster.archive import write_archive
from tests.cluster.kubectl import Kubectl
from tests.cluster.programs import Lacking, program
from tests.support.parts import REPOSITORY
from tests.support.processes import wait_until

NODE, HOST = "10.251.0.2", "10.251.0.1"
_NAME = "node1"
_PAUSE = "localhost/pause:1"
_OUTSIDE, _INSIDE = "justera-out", "justera-in"  # the two virtual network cards
_PLUGINS = (Path("/usr/lib/cni"), Path("/opt/cni/bin"))
_PACKAGES = {  # a program that is needed, and Debian's package that brings it
    "containerd": "containerd",
    "runc": "runc",
    "iptables": "iptables",
    "ipset": "ipset",
    "ip": "iproute2",
    "unshare": "util-linux",
}
_START_SECONDS = 300.0


@dataclass(frozen=True)
class Node:
    kubectl: Kubectl
    folder: Path
    process: int
    """Of the first one inside, as this machine numbers it."""

    def load(self, archive: Path) -> None:
        """Images for the node to run, as `docker save` writes them. Raises CalledProcessError."""
        _inside(self.process, "ctr", "--namespace", "k8s.io", "images", "import", str(archive))

    def volume(self, name: str) -> Path:
        """An empty folder on the node's disk that every user may write, by its path inside."""
        (self.folder / "lib" / "volumes" / name).mkdir(parents=True)
        (self.folder / "lib" / "volumes" / name).chmod(0o777)
        return Path("/var/lib/volumes") / name


@contextmanager
def one_node(archives: Sequence[Path]) -> Iterator[Node]:
    """Ready, with these images. Raises Lacking."""
    check_machine()
    folder = Path(tempfile.mkdtemp(prefix="justera-node-", dir="/var/tmp"))  # not /tmp, which may be memory
    try:
        _prepare(folder)
        with _started(folder) as node:
            for archive in archives:
                node.load(archive)
            yield node
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def check_machine() -> None:
    """Raise Lacking where no cluster of our own can be."""
    if os.geteuid() != 0 or sys.platform != "linux":
        raise Lacking(
            "A cluster of our own needs root on Linux. Or name one that runs (kind, k3d, minikube): KUBECONFIG=…"
        )
    if (Path("/sys/class/net") / _OUTSIDE).exists():
        raise Lacking(f"A cluster of ours runs here already (`ip link` shows {_OUTSIDE}); there is room for one.")
    packages = {package for name, package in _PACKAGES.items() if shutil.which(name) is None}
    if _plugins() is None:
        packages.add("containernetworking-plugins")
    if packages:
        raise Lacking(f"A cluster of our own needs more programs: apt-get install {' '.join(sorted(packages))}")


def _plugins() -> Path | None:
    return next((path for path in _PLUGINS if (path / "bridge").exists()), None)


def _prepare(folder: Path) -> None:
    certificates.make(folder / "certificates", NODE, 6443)
    for name in ("lib", "log", "cni"):
        (folder / name).mkdir()
    write_archive(folder / "pause.tar", _PAUSE, program("pause"))
    program("network")
    (folder / "containerd.toml").write_text(_CONTAINERD.format(pause=_PAUSE, plugins=_plugins(), cni=folder / "cni"))
    (folder / "cni" / "10-bridge.conflist").write_text(json.dumps(_NETWORK))
    (folder / "kubelet.json").write_text(json.dumps(_kubelet(folder)))
    (folder / "proxy.json").write_text(json.dumps(_proxy(folder)))


@contextmanager
def _started(folder: Path) -> Iterator[Node]:
    unshare = ["unshare", "--mount", "--net", "--uts", "--ipc", "--pid", "--fork", "--kill-child", "--mount-proc"]
    with (folder / "log" / "first.log").open("wb") as log:
        outer = subprocess.Popen(
            [*unshare, sys.executable, "-m", "tests.cluster.node", str(folder)],
            cwd=REPOSITORY,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,  # Ctrl-C ends us, and we end it
        )
    kubectl = Kubectl(folder / "certificates" / "admin.kubeconfig")
    others = set(_cgroups())
    first: int | None = None
    try:
        wait_until(lambda: bool(_children(outer.pid)), seconds=10, what="the namespaces")
        (first,) = _children(outer.pid)
        _ip("link", "add", _OUTSIDE, "type", "veth", "peer", "name", _INSIDE)
        _ip("link", "set", _INSIDE, "netns", str(first))
        _ip("address", "add", f"{HOST}/30", "dev", _OUTSIDE)
        _ip("link", "set", _OUTSIDE, "up")
        wait_until(lambda: _is_up(kubectl), seconds=_START_SECONDS, what=f"the node (its logs: {folder}/log)")
        yield Node(kubectl, folder, first)
    finally:
        outer.kill()
        outer.wait()
        if first is not None:
            wait_until(lambda: not Path(f"/proc/{first}").exists(), seconds=60, what="the end of the node")
        subprocess.run(["ip", "link", "delete", _OUTSIDE], capture_output=True, check=False)
        _remove_cgroups(others)


def _children(process: int) -> list[int]:
    return [int(one) for one in Path(f"/proc/{process}/task/{process}/children").read_text().split()]


def _is_up(kubectl: Kubectl) -> bool:
    """The node is ready, and the first thing that the controllers make is there."""
    said = kubectl("get", "nodes", "--no-headers", may_fail=True)
    return " Ready " in said and bool(kubectl("get", "serviceaccount", "default", may_fail=True))


def _cgroups() -> list[Path]:
    """Those of a kubelet, a parent before what is in it."""
    roots = sorted(Path("/sys/fs/cgroup").glob("**/kubepods"))
    return [one for root in roots for one in (root, *sorted(root.rglob("*"))) if one.is_dir()]


def _remove_cgroups(others: Collection[Path]) -> None:
    """Those of pods outlive them, empty. Not of another kubelet, which were there before ours."""
    for path in reversed(_cgroups()):
        if path not in others:
            with suppress(OSError):
                path.rmdir()


def _ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True)


def _inside(process: int, *command: str) -> None:
    enter = ["nsenter", "--target", str(process), "--mount", "--net", "--pid", "--ipc"]
    subprocess.run([*enter, *command], check=True, stdout=subprocess.DEVNULL)


# In the namespaces: `python -m tests.cluster.node FOLDER`


def _run(folder: Path) -> None:
    """The first process: it prepares what it stands in, starts the parts, answers for names and buries the dead."""
    _do("mount --make-rprivate /")
    _do("mount --make-rshared /")
    _do("mount -t tmpfs -o mode=755 tmpfs /run")
    _do(f"mount --bind {folder}/lib /var/lib")
    _do(f"mount --bind {folder}/log /var/log")
    for path in ("/run/containerd", "/var/lib/kubelet", "/var/lib/containerd", "/var/lib/cni"):
        Path(path).mkdir(parents=True, exist_ok=True)
    _do(f"hostname {_NAME}")
    _do("ip link set lo up")
    wait_until(lambda: _INSIDE in [name for _, name in socket.if_nameindex()], seconds=10, what="the network card")
    _do(f"ip address add {NODE}/30 dev {_INSIDE}")
    _do(f"ip link set {_INSIDE} up")
    # To Services, for what runs on the node itself; kube-proxy then rewrites the address.
    _do(f"ip route add {control.SERVICES} dev {_INSIDE} src {NODE}")
    _do("sysctl -qw net.ipv4.ip_forward=1 net.ipv4.conf.all.route_localnet=1 net.bridge.bridge-nf-call-iptables=1")
    for part, command in control.commands(folder, NODE, 6443, (2379, 2380), whole=True).items():
        _start(folder, part, command)
    _start(folder, "containerd", ["containerd", "--config", str(folder / "containerd.toml")])
    load = ["ctr", "--namespace", "k8s.io", "images", "import", str(folder / "pause.tar")]
    wait_until(lambda: subprocess.run(load, check=False).returncode == 0, seconds=60, what="containerd")
    kubernetes, keys = str(program("kubernetes")), folder / "certificates"
    kubelet = [f"--config={folder}/kubelet.json", f"--kubeconfig={keys}/kubelet.kubeconfig"]
    kubelet += [f"--hostname-override={_NAME}", f"--node-ip={NODE}", f"--cert-dir={folder}/kubelet"]
    _start(folder, "kubelet", [kubernetes, "kubelet", *kubelet])
    _start(folder, "kube-proxy", [kubernetes, "kube-proxy", f"--config={folder}/proxy.json"])
    # It enforces NetworkPolicies, which the bridge does not; routes and Services are others' work here.
    router = ["--run-firewall", "--run-router=false", "--run-service-proxy=false", "--health-port=0"]
    router += [f"--kubeconfig={keys}/admin.kubeconfig", f"--hostname-override={_NAME}"]
    router += [f"--service-cluster-ip-range={control.SERVICES}"]
    kubectl = Kubectl(keys / "admin.kubeconfig")
    there = ("get", "node", _NAME)  # it ends where its node is not
    wait_until(lambda: bool(kubectl(*there, may_fail=True)), seconds=_START_SECONDS, what="the node's own record")
    _start(folder, "kube-router", [str(program("network")), *router])
    names.serve(NODE, keys / "admin.kubeconfig", _bury)


def _do(command: str) -> None:
    subprocess.run(command.split(), check=True)


def _start(folder: Path, part: str, command: list[str]) -> None:
    with (folder / "log" / f"{part}.log").open("ab") as log:
        subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)


def _bury() -> None:
    """Processes whose parents are gone are the first one's."""
    with suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


_CONTAINERD = """
version = 2
root = "/var/lib/containerd"
state = "/run/containerd"
disabled_plugins = ["io.containerd.snapshotter.v1.aufs", "io.containerd.snapshotter.v1.btrfs",
  "io.containerd.snapshotter.v1.zfs", "io.containerd.snapshotter.v1.devmapper",
  "io.containerd.internal.v1.opt", "io.containerd.tracing.processor.v1.otlp"]
[grpc]
  address = "/run/containerd/containerd.sock"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "{pause}"
  restrict_oom_score_adj = true  # where CAP_SYS_RESOURCE is missing, no pod could start otherwise
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "{plugins}"
    conf_dir = "{cni}"
  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = "overlayfs"
    default_runtime_name = "runc"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"
      [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
        SystemdCgroup = false
"""

_NETWORK = {
    "cniVersion": "0.4.0",
    "name": "pods",
    "plugins": [
        {
            "type": "bridge",
            "bridge": "cni0",
            "isGateway": True,
            "ipMasq": True,
            "hairpinMode": True,
            "ipam": {
                "type": "host-local",
                "ranges": [[{"subnet": "10.244.0.0/24"}]],
                "routes": [{"dst": "0.0.0.0/0"}],
            },
        },
        {"type": "portmap", "capabilities": {"portMappings": True}},
    ],
}


def _kubelet(folder: Path) -> dict[str, Any]:
    return {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "address": NODE,
        "authentication": {
            "anonymous": {"enabled": False},
            "webhook": {"enabled": True},
            "x509": {"clientCAFile": str(folder / "certificates" / "ca.crt")},
        },
        "authorization": {"mode": "Webhook"},
        "cgroupDriver": "cgroupfs",
        "enforceNodeAllocatable": [],
        "failCgroupV1": False,
        "failSwapOn": False,
        "containerRuntimeEndpoint": "unix:///run/containerd/containerd.sock",
        "clusterDomain": names.DOMAIN,
        "clusterDNS": [NODE],
        "resolvConf": "",
        "healthzBindAddress": "127.0.0.1",
        "imageGCHighThresholdPercent": 100,
        "evictionHard": {"memory.available": "100Mi"},
        "nodeStatusUpdateFrequency": "5s",
    }


def _proxy(folder: Path) -> dict[str, Any]:
    return {
        "apiVersion": "kubeproxy.config.k8s.io/v1alpha1",
        "kind": "KubeProxyConfiguration",
        "clientConnection": {"kubeconfig": str(folder / "certificates" / "proxy.kubeconfig")},
        "mode": "iptables",
        "clusterCIDR": control.PODS,
        "hostnameOverride": _NAME,
        "bindAddress": NODE,
        "healthzBindAddress": "127.0.0.1:10256",
        "metricsBindAddress": "127.0.0.1:10249",
        # Those settings of the kernel belong to the machine's own network.
        "conntrack": {"maxPerCore": 0, "min": 0, "tcpEstablishedTimeout": "0s", "tcpCloseWaitTimeout": "0s"},
        "iptables": {"minSyncPeriod": "200ms"},
    }


if __name__ == "__main__":
    _run(Path(sys.argv[1]))
