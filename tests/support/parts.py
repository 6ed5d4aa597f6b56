"""What a test run needs from outside (Kafka, PostgreSQL, a browser, Postfix), and what happens when it is missing.

`JUSTERA_TEST_REQUIRE=kafka,postgres,pgbouncer,browser,postfix,poppler,openssl,verapdf,dss,ical4j,oidc,promtool,
otelcol,kubectl`: a listed part that is missing fails the test instead of skipping it.
`JUSTERA_TEST_PARTS=embedded`: the embedded servers are used even when real ones are there, so that the same tests run
on both; tests that need a real server are left out.
`JUSTERA_TEST_PARTS=docker`: Kafka and PostgreSQL come from Docker or not at all.
"""

import os
from pathlib import Path
from typing import Literal, NoReturn

import pytest

Kind = Literal["environment", "docker", "machine", "embedded"]

REPOSITORY = Path(__file__).parents[2]
CACHE = REPOSITORY / ".cache"


class PartMissing(Exception):
    """A way to get a part is not open here; the next one is tried."""


def required(part: str) -> bool:
    return part in os.environ.get("JUSTERA_TEST_REQUIRE", "").replace(" ", "").split(",")


def embedded_forced() -> bool:
    return _wish() == "embedded"


def docker_forced() -> bool:
    return _wish() == "docker"


def _wish() -> str:
    wish = os.environ.get("JUSTERA_TEST_PARTS", "")
    if wish not in ("", "embedded", "docker"):
        raise pytest.UsageError(f"JUSTERA_TEST_PARTS={wish}: `embedded` and `docker` are known")
    return wish


def missing(part: str, why: str) -> NoReturn:
    """Skip the test, or fail it when the part is required."""
    if required(part):
        pytest.fail(f"{part} is required (JUSTERA_TEST_REQUIRE), but {why}", pytrace=False)
    pytest.skip(why)


def docker_answers() -> bool:
    """Whether a Docker daemon answers within two seconds."""
    import docker  # type: ignore[import-untyped]

    try:
        docker.from_env(timeout=2).ping()
    except docker.errors.DockerException:
        return False
    return True
