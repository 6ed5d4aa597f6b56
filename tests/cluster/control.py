"""A cluster's control plane: etcd and kube-apiserver, and with `whole` its controllers and its scheduler.

with api_server() as kubeconfig:          # up in some seconds; takes manifests, and runs nothing
"""

import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from tests.cluster import certificates
from tests.cluster.kubectl import Kubectl
from tests.cluster.programs import program
from tests.support.processes import free_ports, wait_until

SERVICES = "10.96.0.0/16"
PODS = "10.244.0.0/16"
_START_SECONDS = 120.0


def commands(
    folder: Path, address: str, port: int, etcd_ports: tuple[int, int], *, whole: bool
) -> dict[str, list[str]]:
    """Each part's command line, in the order in which they start. The folder holds `certificates`."""
    keys = folder / "certificates"
    etcd, peers = (f"http://127.0.0.1:{one}" for one in etcd_ports)
    parts: dict[str, Mapping[str, object]] = {
        "etcd": {
            "name": "e",
            "data-dir": folder / "etcd",
            "unsafe-no-fsync": "true",  # thrown away with the test
            "log-level": "warn",
            "listen-client-urls": etcd,
            "advertise-client-urls": etcd,
            "listen-peer-urls": peers,
            "initial-advertise-peer-urls": peers,
            "initial-cluster": f"e={peers}",
        },
        "kube-apiserver": {
            "etcd-servers": etcd,
            "bind-address": address,
            "advertise-address": address,
            "secure-port": port,
            "tls-cert-file": keys / "apiserver.crt",
            "tls-private-key-file": keys / "apiserver.key",
            "client-ca-file": keys / "ca.crt",
            "token-auth-file": keys / "tokens.csv",
            "authorization-mode": "Node,RBAC",
            "enable-admission-plugins": "NodeRestriction",
            "allow-privileged": "true",
            "service-cluster-ip-range": SERVICES,
            "service-account-issuer": "https://kubernetes.default.svc.cluster.local",
            "service-account-key-file": keys / "sa.pub",
            "service-account-signing-key-file": keys / "sa.key",
            "kubelet-client-certificate": keys / "kubelet-client.crt",
            "kubelet-client-key": keys / "kubelet-client.key",
            "kubelet-preferred-address-types": "InternalIP",
            "requestheader-client-ca-file": keys / "ca.crt",
            "requestheader-allowed-names": "front-proxy-client",
            "requestheader-username-headers": "X-Remote-User",
            "requestheader-group-headers": "X-Remote-Group",
            "requestheader-extra-headers-prefix": "X-Remote-Extra-",
            "proxy-client-cert-file": keys / "front-proxy.crt",
            "proxy-client-key-file": keys / "front-proxy.key",
            "endpoint-reconciler-type": "lease" if whole else "none",
        },
    }
    if whole:
        parts["kube-controller-manager"] = {
            "kubeconfig": keys / "controller-manager.kubeconfig",
            "bind-address": "127.0.0.1",
            "leader-elect": "false",
            "use-service-account-credentials": "true",
            "service-account-private-key-file": keys / "sa.key",
            "root-ca-file": keys / "ca.crt",
            "cluster-signing-cert-file": keys / "ca.crt",
            "cluster-signing-key-file": keys / "ca.key",
            "allocate-node-cidrs": "true",
            "cluster-cidr": PODS,
            "service-cluster-ip-range": SERVICES,
        }
        parts["kube-scheduler"] = {
            "kubeconfig": keys / "scheduler.kubeconfig",
            "bind-address": "127.0.0.1",
            "leader-elect": "false",
        }
    kubernetes = str(program("kubernetes"))
    return {
        part: [kubernetes, part, *(f"--{name}={value}" for name, value in options.items())]
        for part, options in parts.items()
    }


@contextmanager
def api_server() -> Iterator[Kubectl]:
    """An API server with nothing behind it, for as long as it is open. Raises programs.Lacking."""
    with tempfile.TemporaryDirectory(prefix="justera-cluster-") as name:
        folder = Path(name)
        port, *etcd_ports = free_ports(3)
        certificates.make(folder / "certificates", "127.0.0.1", port)
        processes = []
        try:
            for part, command in commands(
                folder, "127.0.0.1", port, (etcd_ports[0], etcd_ports[1]), whole=False
            ).items():
                with (folder / f"{part}.log").open("wb") as log:
                    processes.append(subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log))
            kubectl = Kubectl(folder / "certificates" / "admin.kubeconfig")
            try:
                wait_until(kubectl.is_ready, seconds=_START_SECONDS, what="the API server")
            except TimeoutError as late:
                late.add_note((folder / "kube-apiserver.log").read_text(errors="replace")[-2000:])
                raise
            yield kubectl
        finally:
            for process in processes:
                process.kill()  # it keeps nothing
            for process in processes:
                process.wait()
