"""A cluster of one node or two, from the programs of this machine and those of `programs`. Needs root; pulls nothing.

with own_cluster([archive_of_images], nodes=2) as own:
    own.kubectl("get", "nodes")

Each node lives in namespaces of its own (processes, mounts, network, host name), and ends with the first process there.
The first one is reached at NODE over a pair of virtual network cards, and reaches this machine at HOST; the second one
hangs on the first by a pair like that. No mount and no rule of the machine's own is touched.
"""

import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from tests.cluster import certificates, control, names
from tests.cluster.archive import write_archive
from tests.cluster.kubectl import Kubectl
from tests.cluster.programs import Lacking, program
from tests.support.parts import REPOSITORY
from tests.support.processes import wait_until

NODE, HOST = "10.251.0.2", "10.251.0.1"
_PAUSE = "localhost/pause:1"
_OUTSIDE, _INSIDE = "justera-out", "justera-in"  # the two virtual network cards, of this machine and the first node
_ASIDE, _SECOND = "justera-aside", "justera-second"  # and those between the nodes
_CROSSING = "10.251.1.1"  # the first node, as the second one sees it
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
class Machine:
    """What a node is: its name, its address, and the addresses of its pods."""

    name: str
    address: str
    pods: str
    cgroups: str
    """Where a kubelet keeps its pods' control groups: each takes those in another's folder for orphans of its own."""


FIRST = Machine("node1", NODE, "10.244.0.0/24", "/")
SECOND = Machine("node2", "10.251.1.2", "10.244.1.0/24", "/justera-node2")
MACHINES = (FIRST, SECOND)


@dataclass(frozen=True)
class Own:
    """A cluster of ours. `processes`: the first one in each node, as this machine numbers it."""

    kubectl: Kubectl
    folder: Path
    processes: Sequence[int]

    def load(self, archive: Path) -> None:
        """Images for the nodes to run, as `docker save` writes them. Raises CalledProcessError."""
        for process in self.processes:
            _inside(process, "ctr", "--namespace", "k8s.io", "images", "import", str(archive))

    def volume(self, name: str) -> Path:
        """An empty folder that every user may write, by its path inside: the same on each node."""
        (self.folder / "volumes" / name).mkdir()
        (self.folder / "volumes" / name).chmod(0o777)
        return Path("/var/lib/volumes") / name


@contextmanager
def own_cluster(archives: Sequence[Path], *, nodes: int = 1) -> Iterator[Own]:
    """Ready, with these images. Raises Lacking."""
    check_machine()
    folder = Path(tempfile.mkdtemp(prefix="justera-node-", dir="/var/tmp"))  # not /tmp, which may be memory
    try:
        _prepare(folder, MACHINES[:nodes])
        with _started(folder, MACHINES[:nodes]) as own:
            for archive in archives:
                own.load(archive)
            yield own
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


def _prepare(folder: Path, machines: Sequence[Machine]) -> None:
    certificates.make(folder / "certificates", NODE, 6443)
    (folder / "volumes").mkdir()
    write_archive(folder / "pause.tar", _PAUSE, program("pause"))
    program("network")
    for machine in machines:
        own = folder / machine.name
        for name in ("lib", "log", "cni"):
            (own / name).mkdir(parents=True)
        (own / "containerd.toml").write_text(_CONTAINERD.format(pause=_PAUSE, plugins=_plugins(), cni=own / "cni"))
        (own / "cni" / "10-bridge.conflist").write_text(json.dumps(_network(machine)))
        (own / "kubelet.json").write_text(json.dumps(_kubelet(folder, machine)))
        (own / "proxy.json").write_text(json.dumps(_proxy(folder, machine)))


@contextmanager
def _started(folder: Path, machines: Sequence[Machine]) -> Iterator[Own]:
    kubectl = Kubectl(folder / "certificates" / "admin.kubeconfig")
    others = set(_cgroups())
    outer: list[subprocess.Popen[bytes]] = []
    processes: list[int] = []
    try:
        # One after the other: each is given its pods' addresses in the order in which they come.
        for machine in machines:
            outer.append(_entered(folder, machine))
            processes.append(_first_in(outer[-1]))
            _connect(machine, processes)
            what = f"{machine.name} (its logs: {folder / machine.name}/log)"
            wait_until(partial(_is_up, kubectl, len(processes)), seconds=_START_SECONDS, what=what)
        yield Own(kubectl, folder, tuple(processes))
    finally:
        for one in outer:
            one.kill()
            one.wait()
        left = [Path(f"/proc/{first}") for first in processes]
        wait_until(lambda: not any(one.exists() for one in left), seconds=60, what="the end of the nodes")
        for card in (_OUTSIDE, _ASIDE):
            subprocess.run(["ip", "link", "delete", card], capture_output=True, check=False)
        _remove_cgroups(others)


def _entered(folder: Path, machine: Machine) -> subprocess.Popen[bytes]:
    unshare = ["unshare", "--mount", "--net", "--uts", "--ipc", "--pid", "--fork", "--kill-child", "--mount-proc"]
    with (folder / machine.name / "log" / "first.log").open("wb") as log:
        return subprocess.Popen(
            [*unshare, sys.executable, "-m", "tests.cluster.node", str(folder), machine.name],
            cwd=REPOSITORY,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,  # Ctrl-C ends us, and we end it
        )


def _first_in(outer: "subprocess.Popen[bytes]") -> int:
    wait_until(lambda: bool(_children(outer.pid)), seconds=10, what="the namespaces")
    (first,) = _children(outer.pid)
    return first


def _connect(machine: Machine, processes: Sequence[int]) -> None:
    """Give the node that came last its network card, and the other end to whom it hangs on."""
    if machine == FIRST:
        _ip("link", "add", _OUTSIDE, "type", "veth", "peer", "name", _INSIDE)
        _ip("link", "set", _INSIDE, "netns", str(processes[0]))
        _ip("address", "add", f"{HOST}/30", "dev", _OUTSIDE)
        _ip("link", "set", _OUTSIDE, "up")
        return
    _ip("link", "add", _ASIDE, "type", "veth", "peer", "name", _SECOND)
    _ip("link", "set", _ASIDE, "netns", str(processes[0]))
    _inside(processes[0], "ip", "address", "add", f"{_CROSSING}/30", "dev", _ASIDE)
    _inside(processes[0], "ip", "link", "set", _ASIDE, "up")
    _inside(processes[0], "ip", "route", "add", machine.pods, "via", machine.address)
    _ip("link", "set", _SECOND, "netns", str(processes[1]))


def _children(process: int) -> list[int]:
    return [int(one) for one in Path(f"/proc/{process}/task/{process}/children").read_text().split()]


def _is_up(kubectl: Kubectl, nodes: int) -> bool:
    """So many nodes are ready, and the first thing that the controllers make is there."""
    said = kubectl("get", "nodes", "--no-headers", may_fail=True)
    return said.count(" Ready ") == nodes and bool(kubectl("get", "serviceaccount", "default", may_fail=True))


def _cgroups() -> list[Path]:
    """Those of kubelets, a parent before what is in it."""
    above = [one for one in Path("/sys/fs/cgroup").glob(f"**{SECOND.cgroups}") if one.is_dir()]
    roots = sorted({*above, *Path("/sys/fs/cgroup").glob("**/kubepods")})
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


# In the namespaces: `python -m tests.cluster.node FOLDER NAME`


def _run(folder: Path, machine: Machine) -> None:
    """The first process: it prepares what it stands in, starts the parts, and buries the dead; the first node's
    answers for names, too."""
    keys, own = folder / "certificates", folder / machine.name
    kubectl = Kubectl(keys / "admin.kubeconfig")
    _do("mount --make-rprivate /")
    _do("mount --make-rshared /")
    _do("mount -t tmpfs -o mode=755 tmpfs /run")
    _do(f"mount --bind {own}/lib /var/lib")
    _do(f"mount --bind {own}/log /var/log")
    for path in ("/run/containerd", "/var/lib/kubelet", "/var/lib/containerd", "/var/lib/cni", "/var/lib/volumes"):
        Path(path).mkdir(parents=True, exist_ok=True)
    _do(f"mount --bind {folder}/volumes /var/lib/volumes")
    _do(f"hostname {machine.name}")
    _join_network(machine)
    if machine == FIRST:
        for part, command in control.commands(folder, NODE, 6443, (2379, 2380), whole=True).items():
            _start(own, part, command)
    _make_cgroups(machine)
    _start(own, "containerd", ["containerd", "--config", str(own / "containerd.toml")])
    load = ["ctr", "--namespace", "k8s.io", "images", "import", str(folder / "pause.tar")]
    wait_until(lambda: subprocess.run(load, check=False).returncode == 0, seconds=60, what="containerd")
    kubernetes = str(program("kubernetes"))
    kubelet = [f"--config={own}/kubelet.json", f"--kubeconfig={keys}/{machine.name}.kubeconfig"]
    kubelet += [f"--hostname-override={machine.name}", f"--node-ip={machine.address}", f"--cert-dir={own}/kubelet"]
    _start(own, "kubelet", [kubernetes, "kubelet", *kubelet])
    _start(own, "kube-proxy", [kubernetes, "kube-proxy", f"--config={own}/proxy.json"])
    # It enforces NetworkPolicies, which the bridge does not; routes and Services are others' work here.
    router = ["--run-firewall", "--run-router=false", "--run-service-proxy=false", "--health-port=0"]
    router += [f"--kubeconfig={keys}/admin.kubeconfig", f"--hostname-override={machine.name}"]
    router += [f"--service-cluster-ip-range={control.SERVICES}"]
    there = ("get", "node", machine.name)  # it ends where its node is not
    wait_until(lambda: bool(kubectl(*there, may_fail=True)), seconds=_START_SECONDS, what="the node's own record")
    _start(own, "kube-router", [str(program("network")), *router])
    if machine == FIRST:
        names.serve(NODE, keys / "admin.kubeconfig", _bury)
    while True:
        _bury()
        time.sleep(1)


def _join_network(machine: Machine) -> None:
    card = _INSIDE if machine == FIRST else _SECOND
    _do("ip link set lo up")
    wait_until(lambda: card in [name for _, name in socket.if_nameindex()], seconds=10, what="the network card")
    _do(f"ip address add {machine.address}/30 dev {card}")
    _do(f"ip link set {card} up")
    _do("sysctl -qw net.ipv4.ip_forward=1 net.ipv4.conf.all.route_localnet=1 net.bridge.bridge-nf-call-iptables=1")
    # A pod keeps its address on the way to another one, by which policies know it, and has its node's elsewhere.
    _do(f"iptables -t nat -A POSTROUTING -s {control.PODS} ! -d {control.PODS} -j MASQUERADE")
    if machine == FIRST:
        # To Services, for what runs on the node itself; kube-proxy then rewrites the address.
        _do(f"ip route add {control.SERVICES} dev {card} src {NODE}")
        # This machine knows the way to the first node alone.
        _do(f"iptables -t nat -A POSTROUTING -s {SECOND.address} -o {card} -j MASQUERADE")
    else:
        _do(f"ip route add default via {_CROSSING}")


def _make_cgroups(machine: Machine) -> None:
    """The kubelet's own folder, which it wants to find in each hierarchy, or in the one that there is."""
    top = Path("/sys/fs/cgroup")
    unified = (top / "cgroup.controllers").exists()
    for hierarchy in [top] if unified else [one for one in top.iterdir() if one.is_dir()]:
        (hierarchy / machine.cgroups.strip("/")).mkdir(exist_ok=True)


def _do(command: str) -> None:
    subprocess.run(command.split(), check=True)


def _start(own: Path, part: str, command: list[str]) -> None:
    with (own / "log" / f"{part}.log").open("ab") as log:
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


def _network(machine: Machine) -> dict[str, Any]:
    addresses = {"type": "host-local", "ranges": [[{"subnet": machine.pods}]], "routes": [{"dst": "0.0.0.0/0"}]}
    bridge = {"type": "bridge", "bridge": "cni0", "isGateway": True, "hairpinMode": True, "ipam": addresses}
    ports = {"type": "portmap", "capabilities": {"portMappings": True}}
    return {"cniVersion": "0.4.0", "name": "pods", "plugins": [bridge, ports]}


def _kubelet(folder: Path, machine: Machine) -> dict[str, Any]:
    return {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "address": machine.address,
        "authentication": {
            "anonymous": {"enabled": False},
            "webhook": {"enabled": True},
            "x509": {"clientCAFile": str(folder / "certificates" / "ca.crt")},
        },
        "authorization": {"mode": "Webhook"},
        "cgroupDriver": "cgroupfs",
        "cgroupRoot": machine.cgroups,
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


def _proxy(folder: Path, machine: Machine) -> dict[str, Any]:
    return {
        "apiVersion": "kubeproxy.config.k8s.io/v1alpha1",
        "kind": "KubeProxyConfiguration",
        "clientConnection": {"kubeconfig": str(folder / "certificates" / "proxy.kubeconfig")},
        "mode": "iptables",
        "clusterCIDR": control.PODS,
        "hostnameOverride": machine.name,
        "bindAddress": machine.address,
        "healthzBindAddress": "127.0.0.1:10256",
        "metricsBindAddress": "127.0.0.1:10249",
        # Those settings of the kernel belong to the machine's own network.
        "conntrack": {"maxPerCore": 0, "min": 0, "tcpEstablishedTimeout": "0s", "tcpCloseWaitTimeout": "0s"},
        "iptables": {"minSyncPeriod": "200ms"},
    }


if __name__ == "__main__":
    _run(Path(sys.argv[1]), next(one for one in MACHINES if one.name == sys.argv[2]))
