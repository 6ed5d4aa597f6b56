"""The product's own image, and the system that `deploy/compose.yaml` makes of it. Run by `make test-containers`.

Only addresses, ports and the names of images differ from what an operator starts: it runs beside what is there.
"""

import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from shared.names import SERVICES
from tests.containers import images
from tests.integration.processes.story import copy_link, sign_link
from tests.support.forms import done, sign_by_forms
from tests.support.parts import REPOSITORY
from tests.support.processes import free_ports, until, wait_until

pytestmark = pytest.mark.timeout(600)

_IMAGE = "justera-test/justera"
_PROJECT = "justera-test"
_HARDENED = ("--read-only", "--cap-drop", "ALL", "--security-opt", "no-new-privileges", "--tmpfs", "/tmp")
_SENDER = {"name": "Karin Ek", "email": "karin.ek@norrdalen.example"}
_SIGNERS = (
    {"role": "secretary", "name": "Maja Lind", "email": "maja.lind@norrdalen.example"},
    {"role": "chair", "name": "Olof Berg", "email": "olof.berg@bjorka.example"},
    {"role": "adjuster", "name": "Sven Dahl", "email": "sven.dahl@norrdalen.example"},
)
_MINUTES = REPOSITORY / "services/embedded/demo_data/minutes.md"
_PROXY = "172.30.83.10"
_READY = "import urllib.request as r; print(r.urlopen('http://127.0.0.1:8080/health/ready').status)"


@dataclass(frozen=True)
class Deployment:
    """The running system: its own address, that of the mail caught, and its two tokens by role."""

    compose: list[str]
    url: str
    mail_url: str
    tokens: dict[str, str]

    def client(self, role: str | None = None) -> httpx.AsyncClient:
        """With the role's token, or, without one, as a person's browser. Close it."""
        headers = {"authorization": f"Bearer {self.tokens[role]}"} if role else {}
        return httpx.AsyncClient(base_url=self.url, headers=headers, timeout=60, follow_redirects=True, trust_env=False)

    def container(self, service: str) -> str:
        return _output(*self.compose, "ps", "--quiet", service)

    async def mail(self, address: str, number: int) -> EmailMessage:
        """Wait for the mail to the address, counted from 1."""
        async with httpx.AsyncClient(base_url=self.mail_url, trust_env=False) as box:

            async def arrived() -> str | None:
                newest_first = done(await box.get("/api/v1/messages")).json()["messages"]
                found = [one["ID"] for one in newest_first if address in [to["Address"] for to in one["To"]]]
                return found[-number] if len(found) >= number else None

            arrival = await until(arrived, seconds=60, what=f"mail {number} to {address}")
            content = done(await box.get(f"/api/v1/message/{arrival}/raw")).content
            return message_from_bytes(content, policy=policy.default)


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What git has or would take, as a clone would have it: without caches, and without secrets of a real trial."""
    folder = tmp_path_factory.mktemp("source")
    listing = _output("git", "-C", str(REPOSITORY), "ls-files", "-z", "--cached", "--others", "--exclude-standard")
    for name in listing.rstrip("\0").split("\0"):
        if (REPOSITORY / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(REPOSITORY / name, folder / name)
    return folder


@pytest.fixture(scope="module")
def image(source: Path) -> str:
    images.build(source, source / "deploy/Dockerfile", _IMAGE, BASE_IMAGE=images.image(images.PYTHON))
    return _IMAGE


@pytest.fixture(scope="module")
def deployment(source: Path, image: str) -> Iterator[Deployment]:
    port, mail_port = free_ports(2)
    answer = _output(str(source / "deploy/compose/make-secrets"))
    tokens = dict(re.findall(r"token of the (\w+) .*: (\w+)", answer))
    compose = [*_compose_command(), "--project-name", _PROJECT, "--file", str(_compose_file(source, port, mail_port))]
    down = [*compose, "down", "--volumes", "--timeout", "40"]
    _run(*down)  # what a killed run left has other passwords
    try:
        _run(*compose, "up", "--detach", "--no-build")
        _wait_healthy(compose)
        yield Deployment(compose, f"http://127.0.0.1:{port}", f"http://127.0.0.1:{mail_port}", tokens)
    except BaseException:
        subprocess.run([*compose, "logs", "--tail", "100"], check=False)
        raise
    finally:
        subprocess.run(down, check=False, capture_output=True)


def _compose_file(source: Path, port: int, mail_port: int) -> Path:
    """The operator's, beside it so that its relative paths hold, with free ports and the images that are to be had."""
    text = (source / "deploy/compose.yaml").read_text()
    text = text.replace("127.0.0.1:8350", f"127.0.0.1:{port}").replace("127.0.0.1:8025", f"127.0.0.1:{mail_port}")
    content = yaml.safe_load(text)
    del content["name"]  # docker-compose 1 does not know it; --project-name says it
    for service in content["services"].values():
        service["image"] = _IMAGE if service["image"] == "justera" else images.image(service["image"])
    file = source / "deploy/compose.test.yaml"
    file.write_text(yaml.safe_dump(content))
    return file


def _compose_command() -> list[str]:
    if subprocess.run(["docker", "compose", "version"], capture_output=True, check=False).returncode == 0:
        return ["docker", "compose"]
    return ["docker-compose"]


def _wait_healthy(compose: list[str]) -> None:
    """What has a check answers it well; the migrations have ended in success; whatever else there is runs."""

    def well() -> bool:
        return all(_is_well(name) for name in _output(*compose, "ps", "--all", "--quiet").split())

    wait_until(well, seconds=120, what="the deployment")


def _is_well(container: str) -> bool:
    found = _inspect(container)
    state, service = found["State"], found["Config"]["Labels"]["com.docker.compose.service"]
    if service.startswith("migrate-"):
        return bool(state["Status"] == "exited" and state["ExitCode"] == 0)
    health = (state.get("Health") or {}).get("Status", "healthy")
    return bool(state["Status"] == "running" and health == "healthy")


def _state(container: str) -> dict[str, Any]:
    state: dict[str, Any] = _inspect(container)["State"]
    return state


def _inspect(container: str) -> dict[str, Any]:
    (found,) = yaml.safe_load(_output("docker", "inspect", container))
    return dict(found)


def _run(*command: str) -> None:
    subprocess.run(command, check=True)


def _output(*command: str) -> str:
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout.strip()


def test_the_image_runs_the_command_without_any_privilege(image: str) -> None:
    assert "Usage: justera" in _output("docker", "run", "--rm", *_HARDENED, "--network", "none", image)


def test_who_runs_the_image_can_change_nothing_in_it(image: str) -> None:
    """And can install nothing: it has no pip of its own."""
    others = " -o ".join(f"-path {path}" for path in ("/proc", "/sys", "/dev", "/tmp", "/var/tmp", "/run/lock"))
    find = rf"find / \( {others} \) -prune -o ! -type l -writable -print 2>/dev/null"
    script = f"id -u; {find}; python -m pip 2>&1 || true"
    shell = ("docker", "run", "--rm", "--network", "none", "--entrypoint", "sh", image, "-c")
    user, *writable, pip = _output(*shell, script).splitlines()
    assert user == "10001"
    assert set(writable) == {"/var/lib/justera/blobs", "/var/lib/justera/seal"}
    assert "No module named pip" in pip


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_is_ready_and_has_no_privilege(deployment: Deployment, service: str) -> None:
    container = deployment.container(service)
    assert _output("docker", "exec", container, "python", "-c", _READY) == "200"
    assert _inspect(container)["HostConfig"]["ReadonlyRootfs"]
    status = _output("docker", "exec", container, "cat", "/proc/self/status")
    assert re.search(r"(?m)^Uid:\s+10001\s", status)
    assert re.search(r"(?m)^CapEff:\s+0+$", status)
    assert re.search(r"(?m)^NoNewPrivs:\s+1$", status)


async def test_a_meeting_gets_into_the_journal(deployment: Deployment) -> None:
    async with deployment.client("secretary") as secretary, deployment.client("operator") as operator:
        meeting = await _schedule(secretary)
        await _event(operator, "MeetingScheduled", meeting)


async def test_three_people_sign_and_the_copy_is_sealed(deployment: Deployment, tmp_path: Path) -> None:
    async with deployment.client("secretary") as secretary, deployment.client("operator") as operator:
        agreement = await _send_off(secretary, await _schedule(secretary))
        for signer in _SIGNERS:
            link = sign_link(await deployment.mail(signer["email"], 1))
            async with deployment.client() as person:
                await sign_by_forms(person, link, None)
        await _event(operator, "AgreementCompleted", agreement)
        await _event(operator, "ProtocolArchived", agreement)
        report = done(await secretary.get(f"/signing/agreements/{agreement}/report")).text
    assert report.count("IP-adress") >= len(_SIGNERS)
    assert _PROXY not in report, "the proxy's address stands where the signers' own should"
    _verify(await _sealed_copy(deployment), tmp_path / "copy")


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_that_is_stopped_ends_in_order(deployment: Deployment, service: str) -> None:
    container = deployment.container(service)
    _run(*deployment.compose, "stop", service)
    assert _state(container)["ExitCode"] == 0
    _run(*deployment.compose, "start", service)


async def _send_off(secretary: httpx.AsyncClient, meeting: str) -> str:
    """The agreement's id."""
    drafting = {"sender": _SENDER, "signers": _SIGNERS, "language": "sv", "timezone": "Europe/Stockholm"}
    minutes = {"markdown": _MINUTES.read_text(), "drafting": drafting}
    drafted = done(await secretary.post(f"/meetings/meetings/{meeting}/minutes", json=minutes)).json()
    agreement: str = drafted["agreement_id"]

    async def stands_ready() -> bool | None:
        return (await secretary.get(f"/signing/agreements/{agreement}")).is_success or None

    await until(stands_ready, what="the agreement")
    done(await secretary.post(f"/signing/agreements/{agreement}/send"))
    return agreement


async def _sealed_copy(deployment: Deployment) -> bytes:
    """As the sender fetches it: the mailed page, then its download."""
    async with deployment.client() as person:
        page = done(await person.get(copy_link(await deployment.mail(_SENDER["email"], 1))))
        (address,) = set(re.findall(r'href="([^"]+/copy\.pdf)"', page.text))
        return done(await person.get(address)).content


def _verify(sealed: bytes, folder: Path) -> None:
    """The image's own `justera verify` finds nothing wrong with the copy."""
    folder.mkdir(mode=0o755)  # the image's user is none of this machine's
    (folder / "protocol.pdf").write_bytes(sealed)
    mounted = f"{folder}:/copy:ro"
    _run(
        "docker",
        "run",
        "--rm",
        *_HARDENED,
        "--volume",
        mounted,
        _IMAGE,
        "verify",
        "--integrity-only",
        "/copy/protocol.pdf",
    )


async def _schedule(secretary: httpx.AsyncClient) -> str:
    details = {
        "body": "Styrelsen",
        "title": "Styrelsens sammanträde",
        "place": "Digitalt",
        "starts": "2022-09-23T13:00",
        "ends": "2022-09-23T15:00",
    }
    meeting: str = done(await secretary.post("/meetings/meetings", json=details)).json()["id"]
    return meeting


async def _event(operator: httpx.AsyncClient, kind: str, subject: str) -> None:
    """Wait until the journal has it; it has it once."""

    async def told() -> int | None:
        answer = await operator.get("/archive/events", params={"type": kind, "subject": subject})
        return len(done(answer).json()["events"]) or None

    assert await until(told, seconds=60, what=kind) == 1
