"""The images that tests take: the official ones where they are there or can be pulled, else stand-ins built on Debian.

A stand-in has the folders, user, variables and start script that its users rely on; see each folder's Dockerfile.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path

from tests.cluster.programs import program
from tests.support.kafka_server import KAFKA_VERSION, jars
from tests.support.maven import java
from tests.support.parts import CACHE

KAFKA = f"apache/kafka:{KAFKA_VERSION}"
POSTGRES = "postgres:17"
PYTHON = "python:3.11-slim-bookworm"  # the default of deploy/Dockerfile
CADDY = "caddy:2.10-alpine"  # this and the next as deploy/compose.yaml names them
MAIL = "axllent/mailpit:v1.27"
OBJECTS = "versity/versitygw:v1.8.0"  # as the overlay `development` names it
RYUK = "testcontainers/ryuk:0.8.1"  # what testcontainers cleans up with

_FOLDERS = {
    "apache/kafka": "kafka",
    "postgres": "postgres",
    "python": "python",
    "caddy": "caddy",
    "axllent/mailpit": "mail",
    "versity/versitygw": "objects",
}
_HERE = Path(__file__).parent
_BASE = "justera-test/base"
_CERTIFICATES = Path("etc/ssl/certs/ca-certificates.crt")


@cache
def image(official: str) -> str:
    """The official image's name if the engine has it now, else its stand-in's, built. Ends the program if neither."""
    if available(official):
        return official
    print(f"{official} cannot be pulled: building a stand-in ...", flush=True)
    _make_base()
    return _build_stand_in(_FOLDERS[official.split(":")[0]])


@cache
def available(official: str) -> bool:
    """Whether the engine has the image, if need be after pulling it."""
    return _succeeds("docker", "image", "inspect", official) or _succeeds("docker", "pull", "--quiet", official)


@cache
def build_environment() -> dict[str, str]:
    """For `docker build`: the newer builder is a plugin, which not every engine has."""
    return {**os.environ, "DOCKER_BUILDKIT": "1" if _succeeds("docker", "buildx", "version") else "0"}


def build(folder: Path, dockerfile: Path, tag: str, **arguments: str) -> None:
    """Raises CalledProcessError; what the build said goes to stderr then."""
    command = ["docker", "build", "--tag", tag, "--file", str(dockerfile)]
    for name, value in arguments.items():
        command += ["--build-arg", f"{name}={value}"]
    answer = subprocess.run(
        [*command, str(folder)], env=build_environment(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    if answer.returncode != 0:
        print(answer.stdout, file=sys.stderr)
        answer.check_returncode()


def _succeeds(*command: str) -> bool:
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def _build_stand_in(name: str) -> str:
    tag = f"justera-test/{name}"
    with tempfile.TemporaryDirectory() as temporary:
        context = Path(temporary) / name
        shutil.copytree(_HERE / name, context)
        if name == "kafka":
            shutil.copytree(jars(), context / "libs")
            tools = f"kafka-tools-{KAFKA_VERSION}.jar"  # kafka-acls.sh is in it
            java("kafka-tools", f"org.apache.kafka:kafka-tools:{KAFKA_VERSION}", program="")
            shutil.copy2(CACHE / "kafka-tools" / "libs" / tools, context / "libs")
        if name == "objects":
            shutil.copy2(program("objects"), context / "versitygw")
        build(context, context / "Dockerfile", tag, BASE=_BASE)
    return tag


@cache
def _make_base() -> None:
    """Debian with this machine's certificates: who cannot pull often sits behind a proxy with one of its own."""
    if _succeeds("docker", "image", "inspect", _BASE):
        return
    if os.geteuid() != 0 or shutil.which("debootstrap") is None:
        sys.exit("Images cannot be pulled, and to build stand-ins this needs root and debootstrap.")
    with tempfile.TemporaryDirectory(dir="/var/tmp") as temporary:
        root = Path(temporary) / "root"
        command = ["debootstrap", "--variant=minbase", "--include=ca-certificates", "bookworm", str(root)]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        if ("/" / _CERTIFICATES).exists():
            shutil.copyfile("/" / _CERTIFICATES, root / _CERTIFICATES)
        with subprocess.Popen(["tar", "-C", str(root), "-c", "."], stdout=subprocess.PIPE) as archive:
            subprocess.run(
                ["docker", "import", "-", _BASE], stdin=archive.stdout, stdout=subprocess.DEVNULL, check=True
            )
