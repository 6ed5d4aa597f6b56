"""The four services as operating-system processes (`justera run …`) on a Kafka and a PostgreSQL that are there already.

async with Cluster(folder, kafka=bootstrap, database_url=template, environment={"JUSTERA_SMTP_PORT": …}) as cluster:
    meeting = (await cluster.client("meetings").post("/meetings", json=…)).json()
    cluster.kill("signing")                  # kill -9
    await cluster.start("signing")           # again, on the same port
    await cluster.start("signing", 1)        # a second instance beside it
    await cluster.settle()

The processes die with the test. Their logs are `folder/SERVICE-NUMBER.log`.
"""

import asyncio
import base64
import json
import os
import secrets
import signal
import sys
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx
import psutil

from services.embedded.broker import EmbeddedBroker
from services.embedded.children import Child
from shared.auth import TokenRecord, new_token, token_hash
from shared.keys import new_keys
from shared.messaging.signatures import new_event_keys
from shared.names import SERVICES, Role
from tests.support.ingress import Ingress
from tests.support.kafka import Kafka
from tests.support.parts import REPOSITORY
from tests.support.processes import free_ports, is_free

ORGANISATION = "norrdalen"
MAIN = "from services.cli.main import main; main()"
_POLL_SECONDS = 0.05
_START_SECONDS = 90.0
_QUIET_LOOKS = 3  # an event may move on while we look, but not each time just past us


@dataclass(frozen=True)
class Outcome:
    """What a command printed, and its exit status."""

    status: int
    out: str
    err: str


@dataclass
class Instance:
    """One process of a service. `starts` counts how often it was started."""

    service: str
    number: int
    port: int
    log_file: Path
    child: Child | None = None
    starts: int = 0

    @property
    def name(self) -> str:
        return f"{self.service}-{self.number}"

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def alive(self) -> bool:
        return self.child is not None and self.child.alive


@asynccontextmanager
async def own_topics(kafka: Kafka, folder: Path) -> AsyncIterator[str]:
    """The session's Kafka without the topics of tests before; its bootstrap address.

    The embedded broker would remember the groups' offsets in them: there, one of the test's own.
    """
    if kafka.kind == "embedded":
        async with EmbeddedBroker(folder / "broker", folder / "broker.log") as broker:
            yield broker.bootstrap
        return
    await kafka.delete_topics()
    yield kafka.bootstrap


class Cluster:
    """`database_url` holds `{service}`. `environment` adds to the processes' own: JUSTERA_… variables.

    `main` is the program that a service's process runs: Python that reads the command line `run SERVICE --port PORT`.

    `url` is the one address (see `Ingress`) that mailed links lead to. Entering migrates and starts one instance of
    each service; entering fails with AssertionError when one of them does not get ready.
    """

    def __init__(
        self,
        folder: Path,
        *,
        kafka: str,
        database_url: str,
        environment: Mapping[str, str] | None = None,
        main: str = MAIN,
    ) -> None:
        self.folder = folder
        self.main = main
        self.kafka = kafka
        self.database_url = database_url
        self.instances: list[Instance] = []
        self.tokens: dict[Role, str] = {role: new_token() for role in Role}
        self.environment: dict[str, str] = {}
        self.seal_folder = folder / "seal"
        self._extra = dict(environment or {})
        self._ingress: Ingress
        self._clients: dict[tuple[str, int, Role | None], httpx.AsyncClient] = {}
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        self.folder.mkdir(parents=True, exist_ok=True)
        self._ingress = await self._stack.enter_async_context(Ingress(self.upstreams))
        self.environment = self._make_environment()
        try:
            migrated = await self.command("migrate")
            assert migrated.status == 0, migrated
            await self._start_all()
        except BaseException:
            await self._close()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._close()

    # processes

    async def _start_all(self) -> None:
        await asyncio.gather(*(self.start(service) for service in SERVICES))

    async def start(self, service: str, number: int = 0, *, ready: bool = True) -> Instance:
        """Start the instance, for the first time or again; returns once it is ready, unless told not to wait."""
        instance = self._find(service, number) or self._add(service, number)
        assert not instance.alive, f"{instance.name} runs already"
        instance.child = Child.spawn(
            instance.name,
            [sys.executable, "-c", self.main, "run", service, "--port", str(instance.port)],
            log_file=instance.log_file,
            folder=REPOSITORY,
            environment=self.environment,
        )
        instance.starts += 1
        if ready:
            await self.wait_ready(service, number)
        return instance

    async def stop(self, service: str, number: int = 0, *, seconds: float = 40.0) -> int:
        """SIGTERM: it drains; its exit status. Killed, with AssertionError, when it takes longer than `seconds`."""
        child = self._running(service, number)
        os.kill(child.pid, signal.SIGTERM)
        try:
            return await asyncio.wait_for(child.wait(), seconds)
        except TimeoutError:
            child.kill()
            raise AssertionError(f"{service}-{number} did not end within {seconds:.0f} s, see its log") from None

    def kill(self, service: str, number: int = 0) -> None:
        """`kill -9`, and it is gone when this returns."""
        self._running(service, number).kill()

    async def restart(self, service: str, number: int = 0) -> None:
        await self.stop(service, number)
        await self.start(service, number)

    def alive(self, service: str, number: int = 0) -> bool:
        instance = self._find(service, number)
        return instance is not None and instance.alive

    def pid(self, service: str, number: int = 0) -> int:
        return self._running(service, number).pid

    def log(self, service: str, number: int = 0) -> str:
        """All that the instance wrote, in all its lives."""
        instance = self._find(service, number)
        return instance.log_file.read_text(errors="replace") if instance is not None else ""

    async def wait_ready(self, service: str, number: int = 0, *, seconds: float = _START_SECONDS) -> None:
        instance = self._find(service, number)
        assert instance is not None
        client = self.client(service, number)
        deadline = time.monotonic() + seconds
        while not await _answers(client, "/health/ready"):
            assert instance.alive, f"{instance.name} ended at its start: {self._tail(instance)}"
            assert time.monotonic() < deadline, f"{instance.name} is not ready: {self._tail(instance)}"
            await asyncio.sleep(_POLL_SECONDS)

    async def answers(self, service: str, number: int = 0) -> bool:
        """Whether it serves HTTP, ready or not."""
        return await _answers(self.client(service, number), "/health/live")

    # speaking to them

    @property
    def url(self) -> str:
        return self._ingress.url

    @property
    def urls(self) -> dict[str, str]:
        """The first living instance of each service; that of a service that is down, too."""
        return {service: next(iter(self.upstreams(service)), "") for service in SERVICES}

    def client(self, service: str, number: int = 0, *, role: Role | None = Role.SECRETARY) -> httpx.AsyncClient:
        """For that instance, with the role's token, or, with None, without one. Closed with the cluster."""
        instance = self._find(service, number)
        assert instance is not None, f"there is no {service}-{number}"
        known = self._clients.get((service, number, role))
        if known is None:
            headers = {"authorization": f"Bearer {self.tokens[role]}"} if role is not None else {}
            known = httpx.AsyncClient(
                base_url=f"{instance.url}/{service}", headers=headers, timeout=60, trust_env=False
            )
            self._clients[service, number, role] = known
        return known

    def person(self, ip: str) -> httpx.AsyncClient:
        """A browser, say: it keeps cookies and follows mailed links, from that address. Close it."""
        return httpx.AsyncClient(
            base_url=self.url, headers={"x-forwarded-for": ip}, timeout=60, follow_redirects=True, trust_env=False
        )

    async def command(self, *arguments: str, role: Role = Role.OPERATOR, seconds: float = 120) -> Outcome:
        """Run `justera …` against this cluster, with the role's token in the environment."""
        return await justera(
            *arguments, environment={**self.environment, **self.client_environment(role)}, seconds=seconds
        )

    def client_environment(self, role: Role) -> dict[str, str]:
        """What a command needs in order to speak to the services themselves, not through the one address."""
        addresses = {f"JUSTERA_{service.upper()}_URL": url for service, url in self.urls.items() if url}
        return {"JUSTERA_URL": self.url, "JUSTERA_TOKEN": self.tokens[role], **addresses}

    async def states(self) -> list[dict[str, Any]]:
        """`GET /operations/state` of every living instance. Raises httpx.HTTPError."""
        living = [instance for instance in self.instances if instance.alive]
        return await asyncio.gather(*(self._state(instance) for instance in living))

    async def settle(self, *, seconds: float = 90.0, dead_letters: bool = False) -> None:
        """Return once outboxes are empty, consumers have no lag, and nothing is pending in any living instance.

        Raises AssertionError after `seconds`; at once for a dead letter, unless `dead_letters`.
        """
        deadline = time.monotonic() + seconds
        quiet = 0
        while quiet < _QUIET_LOOKS:
            unrest = await self._unrest(dead_letters)
            quiet = 0 if unrest else quiet + 1
            assert time.monotonic() < deadline, f"no rest within {seconds:.0f} s: {unrest}"
            await asyncio.sleep(_POLL_SECONDS)

    async def _unrest(self, dead_letters: bool) -> list[str]:
        try:
            states = await self.states()
        except httpx.HTTPError as error:
            return [repr(error)]
        failed = [state for state in states if state["dead_letters"]]
        assert dead_letters or not failed, f"dead letters: {failed}"
        return [
            f"{state['service']}: unpublished {state['unpublished']}, lag {state['lag']}, pending {state['pending']}"
            for state in states
            if state["unpublished"] or state["pending"] or any(behind != 0 for behind in state["lag"].values())
        ]

    async def _state(self, instance: Instance) -> dict[str, Any]:
        client = self.client(instance.service, instance.number, role=Role.OPERATOR)
        answer = await client.get("/operations/state")
        answer.raise_for_status()
        state: dict[str, Any] = answer.json()
        return state

    # inside

    def _find(self, service: str, number: int) -> Instance | None:
        return next((one for one in self.instances if (one.service, one.number) == (service, number)), None)

    def _running(self, service: str, number: int) -> Child:
        instance = self._find(service, number)
        assert instance is not None, f"there is no {service}-{number}"
        assert instance.child is not None
        assert instance.alive, f"{instance.name} does not run"
        return instance.child

    def _add(self, service: str, number: int) -> Instance:
        (port,) = free_ports(1)
        instance = Instance(service, number, port, self.folder / f"{service}-{number}.log")
        self.instances.append(instance)
        return instance

    def upstreams(self, service: str) -> Sequence[str]:
        """The addresses of a service's living instances."""
        return [one.url for one in self.instances if one.service == service and one.alive]

    def _tail(self, instance: Instance) -> str:
        return f"{instance.log_file}\n{instance.log_file.read_text(errors='replace')[-2000:]}"

    def _make_environment(self) -> dict[str, str]:
        tokens = [
            TokenRecord(name=f"test-{role}", role=role, organisation=ORGANISATION, sha256=token_hash(token))
            for role, token in self.tokens.items()
        ]
        tokens_file = self.folder / "tokens.json"
        tokens_file.write_text(json.dumps([token.model_dump(mode="json", exclude_none=True) for token in tokens]))
        clean = {name: value for name, value in os.environ.items() if not name.startswith("JUSTERA_")}
        own = {
            "JUSTERA_ORGANISATION": ORGANISATION,
            "JUSTERA_ORGANISATION_NAME": "Kommunalförbundet Norrdalen",
            "JUSTERA_DATABASE_URL": self.database_url,
            "JUSTERA_DATABASE_POOL": "4",
            "JUSTERA_KAFKA": self.kafka,
            "JUSTERA_KAFKA_REPLICATION_FACTOR": "1",
            "JUSTERA_BLOBS": f"file:{self.folder / 'blobs'}",
            "JUSTERA_PUBLIC_URL": self.url,
            "JUSTERA_TRUSTED_PROXIES": "127.0.0.1",
            "JUSTERA_TOKENS_FILE": str(tokens_file),
            "JUSTERA_LINK_KEYS": new_keys(),
            "JUSTERA_COPY_LINK_KEYS": new_keys(),
            "JUSTERA_MEMBER_LINK_KEYS": new_keys(),
            "JUSTERA_BOUNCE_KEYS": new_keys(),
            "JUSTERA_EVENT_KEYS": new_event_keys(),
            "JUSTERA_SESSION_KEY": base64.b64encode(secrets.token_bytes(32)).decode(),
            "JUSTERA_SEAL_TEST_AUTHORITY": str(self.seal_folder),
            "JUSTERA_MAIL_FROM": "Norrdalen <justera@norrdalen.example>",
            "JUSTERA_BOUNCE_DOMAIN": "bounces.norrdalen.example",
        }
        return {**clean, **own, **self._extra}

    async def _close(self) -> None:
        """Killed at once: what a longer end would finish is thrown away with the test."""
        for instance in self.instances:
            if instance.child is not None and instance.child.alive:
                instance.child.kill()
        for client in self._clients.values():
            await client.aclose()
        await self._stack.aclose()


class Together(Cluster):
    """The four as one `justera run` starts them: forked from one process, and ended with it."""

    parent: Child

    async def _start_all(self) -> None:
        first = _four_ports()
        log_file = self.folder / "together.log"
        self.parent = Child.spawn(
            "together",
            [sys.executable, "-c", self.main, "run", "--port", str(first)],
            log_file=log_file,
            folder=REPOSITORY,
            environment=self.environment,
        )
        self.instances = [Instance(one, 0, first + n, log_file, self.parent, 1) for n, one in enumerate(SERVICES)]
        await asyncio.gather(*(self.wait_ready(service) for service in SERVICES))

    def pid(self, service: str, number: int = 0) -> int:
        """Of the process that listens at its port."""
        instance = self._find(service, number)
        assert instance is not None
        for process in psutil.Process(self.parent.pid).children():
            if any(one.laddr.port == instance.port for one in process.net_connections() if one.status == "LISTEN"):
                return process.pid
        raise AssertionError(f"{instance.name} does not run")


def _four_ports() -> int:
    """The first of four free ones in a row."""
    while True:
        (first,) = free_ports(1)
        if all(is_free(first + number) for number in range(1, len(SERVICES))):
            return first


async def justera(*arguments: str, environment: Mapping[str, str], seconds: float = 120) -> Outcome:
    """The command as a process of its own, in the repository's folder. Killed after `seconds`, with TimeoutError."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        MAIN,
        *arguments,
        cwd=REPOSITORY,
        env={**environment, "COLUMNS": "200"},
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        out, err = await asyncio.wait_for(process.communicate(), seconds)
    except TimeoutError:
        process.kill()
        await process.wait()
        raise
    assert process.returncode is not None
    return Outcome(process.returncode, out.decode(), err.decode())


async def _answers(client: httpx.AsyncClient, path: str) -> bool:
    try:
        return (await client.get(path)).status_code == 200
    except httpx.TransportError:
        return False
