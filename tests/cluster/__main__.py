"""`python -m tests.cluster check`: each overlay before a real Kubernetes API server, which runs nothing. Needs Go.

The server is one of our own, for as long as the check takes: a cluster that KUBECONFIG names is not touched.
"""

import argparse
import subprocess
import sys

from tests.cluster.programs import Lacking, program


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m tests.cluster", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("what", choices=["check"])
    parser.parse_args()
    try:
        program("kubernetes")
    except Lacking as lack:
        print(lack, file=sys.stderr)
        return 1
    command = [sys.executable, "-m", "pytest", "-q", "-s", "-m", "cluster", "tests/cluster/test_manifests.py"]
    return subprocess.run(command, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
