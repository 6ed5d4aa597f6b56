"""What the first stage of deploy/Dockerfile makes, by its own commands on this machine: no Docker is needed.

The second stage copies it onto the base image. That its own few lines do what they say, `make test-containers` shows.
"""

import hashlib
import json
import os
import re
import shutil
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cluster.images import sources
from tests.support.parts import REPOSITORY
from tests.unit.deploy.manifests import DEPLOY

pytestmark = [pytest.mark.image, pytest.mark.timeout(1800)]

_TARGET = "/opt/justera"
_LARGEST_MB = 120  # packed, as a registry keeps it and a node fetches it
_A_YEAR = 365 * 86_400


def steps() -> Iterator[tuple[str, str]]:
    """The instructions of the first stage."""
    text = (DEPLOY / "Dockerfile").read_text(encoding="utf-8")
    lines = re.sub(r"^\s*#.*\n", "", text, flags=re.MULTILINE).replace("\\\n", " ").splitlines()
    (first, second) = (number for number, line in enumerate(lines) if line.startswith("FROM "))
    for line in filter(None, lines[first + 1 : second]):
        instruction, _, rest = line.partition(" ")
        yield instruction, rest.strip()


Seen = tuple[object, ...]
"""Of a file: mode, time, where a link leads, what is in it."""


def build(folder: Path, *, later: float = 0) -> dict[str, Seen]:
    """What it makes, by path. The paths are the same each time, as in Docker. `later`: how much younger sources are."""
    context, work, target = folder / "context", folder / "build", folder / "justera"
    for path in (context, work, target):
        shutil.rmtree(path, ignore_errors=True)
    for path in sources():
        copied = context / path.relative_to(REPOSITORY)
        copied.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(path, copied)
        os.utime(copied, (copied.stat().st_mtime + later,) * 2)
    work.mkdir()
    python = Path(sys.executable).parent  # has pip, which a system's own may lack
    environment = {"PATH": f"{python}:{os.environ['PATH']}", "HOME": str(folder)}
    for instruction, rest in steps():
        if instruction == "ENV":
            environment |= dict(one.split("=", 1) for one in rest.split())
        elif instruction == "COPY":
            *names, where = rest.split()
            for name in names:
                _copy(context / name, work / where, into=where.endswith("/"))
        elif instruction == "RUN":
            command = rest.replace(_TARGET, str(target))
            finished = subprocess.run(
                ["sh", "-ec", command], cwd=work, env=environment, capture_output=True, text=True, check=False
            )
            assert finished.returncode == 0, f"{command}\n{finished.stdout}{finished.stderr}"
    return {str(path.relative_to(target)): _seen(path) for path in [target, *sorted(target.rglob("*"))]}


def _copy(source: Path, where: Path, *, into: bool) -> None:
    if source.is_dir():
        shutil.copytree(source, where)
    else:
        shutil.copy2(source, where / source.name if into else where)


def _seen(path: Path) -> Seen:
    found = path.lstat()
    content = b"" if not stat.S_ISREG(found.st_mode) else path.read_bytes()
    link = str(path.readlink()) if path.is_symlink() else ""
    return oct(found.st_mode), found.st_mtime, link, hashlib.sha256(content).hexdigest()


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Seen]]:
    folder = tmp_path_factory.mktemp("image")
    return folder, build(folder)


def test_a_second_build_is_the_same_to_the_bit(built: tuple[Path, dict[str, Seen]]) -> None:
    folder, first = built
    second = build(folder, later=_A_YEAR)
    assert {path for path in first.keys() | second.keys() if first.get(path) != second.get(path)} == set()
    assert {seen[1] for seen in first.values()} == {0}


def test_its_bill_names_what_is_there_and_nothing_that_builds(built: tuple[Path, dict[str, Seen]]) -> None:
    folder, _ = built
    bill = json.loads((folder / "justera" / "share" / "sbom.cdx.json").read_text(encoding="utf-8"))
    pins = re.findall(
        r"^([a-z0-9-]+)==([^\s;\\]+)", (DEPLOY / "requirements.txt").read_text(encoding="utf-8"), re.MULTILINE
    )
    assert [(one["name"], one["version"]) for one in bill["components"]] == sorted(pins)
    assert bill["metadata"]["component"]["name"] == "justera"
    there = {one.name.partition("-")[0] for one in (folder / "justera").rglob("*.dist-info")}
    assert there.isdisjoint({"pip", "setuptools", "wheel"})


def test_it_is_small_enough_and_runs_by_python_alone(built: tuple[Path, dict[str, Seen]]) -> None:
    folder, _ = built
    packed = shutil.make_archive(str(folder / "packed"), "gztar", folder / "justera")
    megabytes = Path(packed).stat().st_size / 1e6
    print(f"{megabytes:.0f} MB packed")
    assert megabytes < _LARGEST_MB
    python = folder / "justera" / "bin" / "python"
    nothing_else = {"PATH": "/nonexistent", "HOME": "/nonexistent"}
    command = [python, folder / "justera" / "bin" / "justera", "--help"]
    finished = subprocess.run(command, env=nothing_else, capture_output=True, text=True, check=False)
    assert finished.returncode == 0, finished.stderr
    assert "migrate" in finished.stdout
