"""Docker's engine for the tests: the one that answers, else one of our own that is gone afterwards.

Our own needs root: `dockerd` with folders, socket and process id of its own, so that no other engine is touched. What
it leaves behind by itself (mounts, bridges, firewall rules, IP forwarding) is put back as it was.
"""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from tests.support.parts import docker_answers
from tests.support.processes import wait_until

# A program that is needed, and Debian's package that brings it.
_PACKAGES = {
    "dockerd": "docker.io",
    "docker": "docker.io",
    "iptables-save": "iptables",
    "debootstrap": "debootstrap",
    "docker-compose": "docker-compose",
}
_STOP_SECONDS = 60.0
_INTERFACES = Path("/sys/class/net")
_FORWARDING = Path("/proc/sys/net/ipv4/ip_forward")
_POLICY = Path("/usr/sbin/policy-rc.d")  # invoke-rc.d asks it whether a service may be started


@contextmanager
def docker_engine() -> Iterator[None]:
    """While it is open, an engine answers at DOCKER_HOST. Ends the program where there can be none."""
    if docker_answers():
        print("Docker's engine runs already.", flush=True)
        yield
        return
    _install()
    # Not /tmp, which may be memory.
    folder = Path(tempfile.mkdtemp(prefix="justera-docker-", dir="/var/tmp"))
    with ExitStack() as stack:
        stack.callback(_remove, folder)
        stack.callback(_unmount_below, folder)
        stack.enter_context(_network_as_it_was())
        stack.enter_context(_daemon(folder))
        yield


def _install() -> None:
    packages = {package for program, package in _PACKAGES.items() if shutil.which(program) is None}
    if os.geteuid() != 0:
        sys.exit("No Docker engine answers. Start one (DOCKER_HOST names its socket), or run this as root on Debian.")
    if not packages:
        return
    if shutil.which("apt-get") is None:
        sys.exit(f"Please install {', '.join(sorted(packages))}, or start a Docker engine.")
    print(f"Installing {', '.join(sorted(packages))} ...", flush=True)
    with _services_stay_down():
        apt = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        subprocess.run(["apt-get", "update", "-qq"], env=apt, check=True)
        command = ["apt-get", "install", "-y", "-qq", "--no-install-recommends", *sorted(packages)]
        subprocess.run(command, env=apt, check=True, stdout=subprocess.DEVNULL)


@contextmanager
def _services_stay_down() -> Iterator[None]:
    """The packages would start an engine of their own."""
    if _POLICY.exists():
        yield
        return
    _POLICY.write_text("#!/bin/sh\nexit 101\n")
    _POLICY.chmod(0o755)
    try:
        yield
    finally:
        _POLICY.unlink()


@contextmanager
def _daemon(folder: Path) -> Iterator[None]:
    socket = f"unix://{folder / 'docker.sock'}"
    log_file = folder / "dockerd.log"
    # The engine chooses its storage driver: overlay2 where the folder allows it, else vfs, which copies every layer.
    command = ["dockerd", "-H", socket, "--pidfile", str(folder / "docker.pid")]
    command += ["--data-root", str(folder / "data"), "--exec-root", str(folder / "exec")]
    with log_file.open("wb") as log:
        # In a session of its own: Ctrl-C ends us, and we end it, once its containers are done with.
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, start_new_session=True
        )
    before = os.environ.get("DOCKER_HOST")
    os.environ["DOCKER_HOST"] = socket
    try:
        wait_until(lambda: process.poll() is not None or docker_answers(), seconds=60, what="Docker's engine")
        if process.poll() is not None:
            sys.exit(f"Docker's engine does not start:\n{log_file.read_text(errors='replace')[-3000:]}")
        print("Docker's engine: one of our own.", flush=True)
        yield
    finally:
        _stop(process)
        os.environ.pop("DOCKER_HOST")
        if before is not None:
            os.environ["DOCKER_HOST"] = before


def _stop(process: subprocess.Popen[bytes]) -> None:
    """It stops its containers and its containerd; killed when it cannot."""
    for ignored in (signal.SIGINT, signal.SIGTERM):
        signal.signal(ignored, signal.SIG_IGN)  # from here on everything is short, and has to happen
    process.terminate()
    try:
        process.wait(_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)  # containerd, too: the session is theirs
        process.wait()


@contextmanager
def _network_as_it_was() -> Iterator[None]:
    """The engine forwards packets, refuses those of others, and leaves both so when it ends."""
    interfaces = set(_interfaces())
    forwarding = _FORWARDING.read_text()
    rules = _firewall()
    try:
        yield
    finally:
        for name in set(_interfaces()) - interfaces:
            if name.startswith(("docker", "br-", "veth")):
                subprocess.run(["ip", "link", "delete", name], check=False)
        now = _firewall()
        restored = "".join(rules.get(table, _emptied(now[table])) for table in now)
        subprocess.run(["iptables-restore"], input=restored, text=True, check=False)
        _FORWARDING.write_text(forwarding)


def _interfaces() -> list[str]:
    return [entry.name for entry in _INTERFACES.iterdir()]


def _firewall() -> dict[str, str]:
    """Each table's rules, as `iptables-restore` reads them."""
    saved = subprocess.run(["iptables-save"], capture_output=True, text=True, check=True).stdout
    lines = [line for line in saved.splitlines(keepends=True) if not line.startswith("#")]
    tables = "".join(lines).split("COMMIT\n")[:-1]
    return {table.split("\n", 1)[0]: f"{table}COMMIT\n" for table in tables}


def _emptied(table: str) -> str:
    """The same table with its built-in chains alone, which accept: chains of others have no policy but a hyphen."""
    lines = table.splitlines()
    chains = [line.split() for line in lines if line.startswith(":")]
    built_in = [f"{name} ACCEPT [0:0]" for name, policy, *_ in chains if policy != "-"]
    return "\n".join([lines[0], *built_in, "COMMIT", ""])


def _unmount_below(folder: Path) -> None:
    """The driver and namespaces of containers leave mounts when the engine is killed."""
    mounted = [line.split()[1] for line in Path("/proc/mounts").read_text().splitlines()]
    for point in reversed(mounted):
        if point.startswith(f"{folder}/"):
            subprocess.run(["umount", "--lazy", point], check=False)


def _remove(folder: Path) -> None:
    still = [line for line in Path("/proc/mounts").read_text().splitlines() if f" {folder}/" in line]
    if still:
        print(f"{folder} stays: something is mounted below it", *still, sep="\n", file=sys.stderr)
        return
    shutil.rmtree(folder, ignore_errors=True)
