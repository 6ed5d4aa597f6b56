"""`python -m tests.containers [messaging] [deployment]`: what needs Docker, on its engine or one of our own; else both.

messaging: the messaging tests and the seed's history, on Kafka and PostgreSQL by testcontainers.
deployment: the product's own image, built, and run as `deploy/compose.yaml` wires it.
"""

import argparse
import os
import signal
import subprocess
import sys

from tests.containers import images
from tests.containers.engine import docker_engine

_MESSAGING = ("tests/integration/messaging", "tests/integration/processes/test_seed_history.py")
_DEPLOYMENT = ("tests/containers/deployment.py",)
_END_SECONDS = 60.0


def main() -> int:
    parts = {"messaging": _messaging, "deployment": _deployment}
    parser = argparse.ArgumentParser(prog="python -m tests.containers")
    parser.add_argument("parts", nargs="*", help=f"{' or '.join(parts)}; both when none is named")
    wanted = parser.parse_args().parts or list(parts)
    if unknown := set(wanted) - set(parts):
        parser.error(f"unknown: {', '.join(unknown)}")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    with docker_engine():
        statuses = [parts[part]() for part in wanted]
    return int(any(statuses))  # a pytest that was killed has a negative one


def _messaging() -> int:
    environment = {
        "JUSTERA_TEST_PARTS": "docker",
        "JUSTERA_TEST_REQUIRE": "kafka,postgres",
        "JUSTERA_TEST_KAFKA_IMAGE": images.image(images.KAFKA),
        "JUSTERA_TEST_POSTGRES_IMAGE": images.image(images.POSTGRES),
    }
    if not images.available(images.RYUK):
        environment["TESTCONTAINERS_RYUK_DISABLED"] = "true"
    return _pytest(*_MESSAGING, **environment)


def _deployment() -> int:
    return _pytest(*_DEPLOYMENT)


def _pytest(*paths: str, **environment: str) -> int:
    """Its exit status. When we are told to end, it is, too, and may still remove its containers."""
    command = [sys.executable, "-m", "pytest", "-q", *paths]
    with subprocess.Popen(command, env={**os.environ, **environment}) as process:
        try:
            return process.wait()
        except BaseException:
            process.send_signal(signal.SIGINT)
            process.wait(_END_SECONDS)
            raise


if __name__ == "__main__":
    sys.exit(main())
