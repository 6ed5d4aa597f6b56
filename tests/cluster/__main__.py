"""`python -m tests.cluster check|test|guide|up`: the project on a real Kubernetes.

check: each overlay before an API server of our own, which takes manifests and runs nothing. Needs Go.
test:  the overlay `development` installed, agreements played, while pods are deleted, drained and rolled.
guide: docs/operations.md's first install, its commands run as they stand; then its first failures, each made.
up:    a cluster of two nodes, until Ctrl-C.

`test` and `guide` take the cluster that KUBECONFIG names (kind, k3d, minikube), in a namespace of their own. Or they
make one, of two nodes and of one, for which they need root on Linux, Go, containerd, and Docker or debootstrap to build
images with.
JUSTERA_DRILL_SHORT=1, JUSTERA_DRILL_AGREEMENTS, JUSTERA_DRILL_KILLS and JUSTERA_DRILL_SEED: as for the drills.
"""

import argparse
import signal
import subprocess
import sys

from tests.cluster.kubectl import given_cluster
from tests.cluster.node import check_machine, own_cluster
from tests.cluster.programs import Lacking, program


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m tests.cluster", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("what", choices=_DOES)
    try:
        return _DOES[parser.parse_args().what]()
    except Lacking as lack:
        print(lack, file=sys.stderr)
        return 1


def _check() -> int:
    program("kubernetes")
    return _pytest("test_manifests.py")


def _test() -> int:
    return _on_a_cluster("test_storm.py")


def _guide() -> int:
    return _on_a_cluster("test_guide.py")


def _on_a_cluster(file: str) -> int:
    if given_cluster() is None:
        check_machine()
        program("kubernetes")
    return _pytest(file)


def _up() -> int:
    check_machine()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    with own_cluster([], nodes=2) as own:
        print(f"export KUBECONFIG={own.kubectl.kubeconfig}", flush=True)
        try:
            signal.pause()
        except KeyboardInterrupt:
            return 0
    return 0


def _pytest(file: str) -> int:
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-s", "-m", "cluster", f"tests/cluster/{file}"], check=False
    ).returncode


_DOES = {"check": _check, "test": _test, "guide": _guide, "up": _up}

if __name__ == "__main__":
    sys.exit(main())
