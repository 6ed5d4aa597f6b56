"""The programs of the small cluster, built from Go modules once for each version of theirs and kept outside the clone.

Kubernetes' own parts, etcd and kubectl are one static program (`kubernetes/`), made in 10 to 15 minutes on two cores.
"""

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
from functools import cache
from pathlib import Path

_HERE = Path(__file__).parent
_VERSION_OF = "k8s.io/kubernetes"
# Where a program tells its version from; without it, kubectl and the servers speak of v0.0.0.
_VERSION_PACKAGES = ("k8s.io/component-base/version", "k8s.io/client-go/pkg/version")
_SAY_SECONDS = 15.0


class Lacking(Exception):
    """What this machine lacks, in words for whoever runs the tests."""


@cache
def program(folder: str) -> Path:
    """The program that the module in the folder makes, from the cache or built now. Raises Lacking."""
    source = _HERE / folder
    content = b"".join(path.read_bytes() for path in sorted(source.iterdir()) if path.suffix in (".go", ".mod", ".sum"))
    built = cache_folder() / f"{folder}-{hashlib.sha256(content).hexdigest()[:12]}"
    if not built.exists():
        _build(source, built)
    return built


def cache_folder() -> Path:
    """Made if need be. Set XDG_CACHE_HOME to have it elsewhere."""
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    folder = home / "justera" / "cluster"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _build(source: Path, built: Path) -> None:
    go = shutil.which("go") or shutil.which("go", path="/usr/local/go/bin")
    if go is None:
        raise Lacking(
            f"{source.name} has to be built, and there is no `go` (1.26 or newer, from https://go.dev/dl/). "
            "Or name a cluster that runs: KUBECONFIG=… make cluster-test"
        )
    environment = {"CGO_ENABLED": "0", "GOGC": "400", "GOFLAGS": "-mod=readonly -buildvcs=false", **os.environ}
    print(f"Building {source.name} from Go modules, once, for {built} ...", flush=True)
    with tempfile.TemporaryDirectory(dir=built.parent) as folder:
        made = Path(folder) / "program"
        package = "." if (source / "main.go").exists() else "tool"  # of ours, or the one that go.mod names
        flags = ["-v", "-trimpath", "-ldflags", f"-s -w {_version_flags(source)}"]
        command = [go, "build", *flags, "-o", str(made), package]
        _watch(command, source, environment)
        made.rename(built)


def _version_flags(source: Path) -> str:
    for line in (source / "go.mod").read_text().splitlines():
        module, _, version = line.strip().removeprefix("require ").partition(" ")
        if module == _VERSION_OF:
            major, minor, *_ = version.removeprefix("v").split(".")
            names = {"gitVersion": version, "gitMajor": major, "gitMinor": minor, "gitTreeState": "clean"}
            return " ".join(f"-X {one}.{name}={value}" for one in _VERSION_PACKAGES for name, value in names.items())
    return ""


def _watch(command: list[str], source: Path, environment: dict[str, str]) -> None:
    """Run it, and say now and then how far it is: it names each package when that is compiled."""
    began = said = time.monotonic()
    packages, complaints = 0, list[str]()
    with subprocess.Popen(command, cwd=source, env=environment, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        for line in process.stderr:
            is_package = "/" in line and " " not in line.strip() and ":" not in line
            packages += is_package
            if not is_package and not line.startswith("go: downloading"):
                complaints.append(line)
            if time.monotonic() - said > _SAY_SECONDS:
                said = time.monotonic()
                print(f"  {packages} packages after {said - began:.0f} s", flush=True)
    if process.returncode != 0:
        sys.stderr.writelines(complaints[-40:])
        raise Lacking(f"{source.name} could not be built; `go build` says why, above.")
    print(f"  done after {time.monotonic() - began:.0f} s", flush=True)
