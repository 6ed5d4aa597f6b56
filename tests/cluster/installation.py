"""The overlay `development`, installed in a namespace of its own on a cluster, as a drill's world."""

import asyncio
import json
import shutil
import subprocess
import tempfile
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import yaml

from shared.auth import TokenRecord, new_token, token_hash
from shared.names import SERVICES, Role
from tests.cluster import images
from tests.cluster.kubectl import STRICTLY, Kubectl, Refused
from tests.support.parts import REPOSITORY
from tests.support.processes import until, wait_until
from tests.support.smtp_sink import SmtpSink
from tests.support.workload import Site

NAMESPACE = "justera-test"
OURS = "app.kubernetes.io/component=service"
_MIGRATIONS = "app.kubernetes.io/component=migrate"
_SITE_PORT, _DATABASE_PORT = 30360, 30361
_QUIET_LOOKS = 3
_LOOK_SECONDS = 3.0


class Installation:
    """Fulfils `tests.drills.world.World`. `address` is the node's."""

    def __init__(self, kubectl: Kubectl, address: str, sink: SmtpSink, folder: Path) -> None:
        self.kubectl = kubectl
        self.sink = sink
        self._address = address
        self._folder = folder
        self._tokens = {role: new_token() for role in Role}

    @property
    def site(self) -> Site:
        return Site(lambda service: [f"http://{self._address}:{_SITE_PORT}"], self._tokens[Role.SECRETARY])

    @property
    def auditor(self) -> str:
        return self._tokens[Role.AUDITOR]

    async def connect(self, service: str) -> asyncpg.Connection:
        password = (self._overlays / "development" / "secrets" / f"database_{service}").read_text()
        name = f"justera_{service}"
        return await asyncpg.connect(
            host=self._address, port=_DATABASE_PORT, user=name, password=password, database=name
        )

    async def settle(self, *, seconds: float) -> None:
        """Once nothing is unpublished, unread or pending in any service, some times on end."""
        quiet = 0

        async def rests() -> bool | None:
            nonlocal quiet
            quiet = quiet + 1 if await self._is_quiet() else 0
            return quiet >= _QUIET_LOOKS or None

        await until(rests, seconds=seconds, what="rest")

    def logs(self) -> Mapping[str, str]:
        return {path.stem: path.read_text(errors="replace") for path in sorted(self._logs.glob("*.log"))}

    # what the test's own blows use

    def pods(self, selector: str = OURS) -> list[dict[str, Any]]:
        """Those that are not on their way out."""
        found = self.kubectl.get("pods", f"--namespace={NAMESPACE}", f"--selector={selector}")["items"]
        return [one for one in found if "deletionTimestamp" not in one["metadata"]]

    def ready_pods(self, selector: str = OURS) -> list[str]:
        """Their names."""
        return [one["metadata"]["name"] for one in self.pods(selector) if _is_ready(one)]

    def nodes(self) -> list[str]:
        """Those that take pods, by name."""
        found = self.kubectl.get("nodes")["items"]
        return [one["metadata"]["name"] for one in found if not one["spec"].get("taints")]

    async def run(self, *arguments: str, seconds: float = 120, may_fail: bool = False) -> str:
        """kubectl in the namespace, beside the workload."""
        return await asyncio.to_thread(
            self.kubectl, f"--namespace={NAMESPACE}", *arguments, seconds=seconds, may_fail=may_fail
        )

    async def rolled_out(self, *, seconds: float = 300) -> None:
        """When every pod of ours is of the newest form, and ready."""
        for kind in ("deployment", "statefulset"):
            names = await self.run("get", kind, f"--selector={OURS}", "--output=name")
            for name in names.split():
                await self.run("rollout", "status", name, f"--timeout={seconds:.0f}s", seconds=seconds + 10)

    # inside

    @property
    def _overlays(self) -> Path:
        return self._folder / "deploy" / "kubernetes" / "overlays"

    @property
    def _logs(self) -> Path:
        return self._folder / "logs"

    async def _is_quiet(self) -> bool:
        headers = {"authorization": f"Bearer {self._tokens[Role.OPERATOR]}"}
        async with httpx.AsyncClient(headers=headers, timeout=30, trust_env=False) as client:
            for service in SERVICES:
                try:
                    answer = await client.get(f"{self.site.addresses(service)[0]}/{service}/operations/state")
                except httpx.HTTPError:
                    return False
                if not answer.is_success:
                    return False
                state = answer.json()
                if state["pending"] or state["unpublished"] or any(behind != 0 for behind in state["lag"].values()):
                    return False
        return True

    def install(self, version: str) -> None:
        """Apply it, and return when all of it is ready."""
        self._logs.mkdir()
        shutil.copytree(REPOSITORY / "deploy", self._folder / "deploy", ignore=shutil.ignore_patterns("secrets"))
        secrets = self._overlays / "development" / "secrets"
        records = [
            TokenRecord(name=f"test-{role}", role=role, organisation="norrdalen", sha256=token_hash(token))
            for role, token in self._tokens.items()
        ]
        secrets.mkdir()
        (secrets / "tokens.json").write_text(
            json.dumps([one.model_dump(mode="json", exclude_none=True) for one in records])
        )
        make = [self._folder / "deploy" / "compose" / "make-secrets", secrets]
        subprocess.run(make, check=True, stdout=subprocess.DEVNULL)
        (self._overlays / "test").mkdir()
        self._apply(version)
        wait = ("wait", f"--namespace={NAMESPACE}", "--timeout=600s")
        try:
            self.kubectl(*wait, "--for=condition=complete", "job", "--all", seconds=610)
            self.kubectl(*wait, "--for=condition=available", "deployment", "--all", seconds=610)
            wait_until(lambda: len(self.ready_pods()) >= 2 * len(SERVICES), seconds=300, what="all pods")
        except (Refused, TimeoutError) as late:
            late.add_note(self.kubectl("get", "all", f"--namespace={NAMESPACE}", may_fail=True))
            late.add_note(self.kubectl("get", "events", f"--namespace={NAMESPACE}", may_fail=True)[-6000:])
            raise

    async def upgrade(self, version: str, *, seconds: float = 300) -> None:
        """To this version, or back to it, as docs/operations.md says."""
        await self.run("delete", "job", f"--selector={_MIGRATIONS}", "--ignore-not-found")
        await asyncio.to_thread(self._apply, version)
        done = ("wait", "--for=condition=complete", "job", f"--selector={_MIGRATIONS}", f"--timeout={seconds:.0f}s")
        await self.run(*done, seconds=seconds + 10)
        await self.rolled_out(seconds=seconds)

    def _apply(self, version: str) -> None:
        (self._overlays / "test" / "kustomization.yaml").write_text(yaml.safe_dump(self._overlay(version)))
        self.kubectl(*STRICTLY, f"--kustomize={self._overlays / 'test'}")

    def _overlay(self, version: str) -> dict[str, Any]:
        """The overlay `development` with images that need no registry, and ports where the test speaks to it."""
        port = self.sink.port
        return {
            "apiVersion": "kustomize.config.k8s.io/v1beta1",
            "kind": "Kustomization",
            "namespace": NAMESPACE,
            "resources": ["../development"],
            "images": [
                {"name": images.PRODUCT, "newTag": version},
                *images.beside(),
            ],
            "configMapGenerator": [
                {
                    "name": "justera",
                    "behavior": "merge",
                    "literals": [f"JUSTERA_SMTP_HOST={self.sink.host}", f"JUSTERA_SMTP_PORT={port}"],
                }
            ],
            "patches": [
                _patch("Service", "proxy", [("add", "/spec/ports/0/nodePort", _SITE_PORT)]),
                _patch(
                    "Service",
                    "postgres",
                    [("add", "/spec/type", "NodePort"), ("add", "/spec/ports/0/nodePort", _DATABASE_PORT)],
                ),
                _patch(
                    "NetworkPolicy",
                    "notifications",
                    [("add", "/spec/egress/-", {"ports": [{"port": port, "protocol": "TCP"}]})],
                ),
            ],
        }

    async def follow(self) -> None:
        """Until cancelled: what each pod of ours writes, into a file of its own, since a pod's log goes with it.

        Not what the first ones wrote before all was installed: while databases have no tables, workers fail in vain.
        """
        since = ["--since=1s"]
        followed: dict[tuple[str, int], asyncio.subprocess.Process] = {}
        try:
            while True:
                for pod in await asyncio.to_thread(self.pods):
                    uid, name = pod["metadata"]["uid"], pod["metadata"]["name"]
                    start = uid, sum(one["restartCount"] for one in pod["status"].get("containerStatuses", []))
                    if start not in followed and _is_running(pod):
                        with (self._logs / f"{name}-{uid[:8]}-{start[1]}.log").open("wb") as log:
                            followed[start] = await asyncio.create_subprocess_exec(
                                *self.kubectl.command("logs", "--follow", f"--namespace={NAMESPACE}", name, *since),
                                env=self.kubectl.environment,
                                stdout=log,
                                stderr=asyncio.subprocess.DEVNULL,
                            )
                since = []
                await asyncio.sleep(_LOOK_SECONDS)
        finally:
            for process in followed.values():
                if process.returncode is None:
                    process.kill()
                await process.wait()


@asynccontextmanager
async def installed(kubectl: Kubectl, address: str, own_address: str) -> AsyncIterator[Installation]:
    """In NAMESPACE, which is made and removed. `own_address` is this machine's, as pods reach it."""
    if kubectl("get", "namespace", NAMESPACE, "--ignore-not-found"):
        raise Refused(f"The namespace {NAMESPACE} is there already: `kubectl delete namespace {NAMESPACE}` first.")
    async with AsyncExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="justera-installation-"))
        sink = await stack.enter_async_context(SmtpSink(host=own_address))
        world = Installation(kubectl, address, sink, Path(folder))
        stack.callback(kubectl, "delete", "namespace", NAMESPACE, "--ignore-not-found", "--wait=false")
        await asyncio.to_thread(world.install, images.FIRST)
        following = asyncio.create_task(world.follow())
        try:
            yield world
        finally:
            following.cancel()
            await asyncio.gather(following, return_exceptions=True)


def _is_ready(pod: dict[str, Any]) -> bool:
    conditions = pod["status"].get("conditions", [])
    return any(one["type"] == "Ready" and one["status"] == "True" for one in conditions)


def _is_running(pod: dict[str, Any]) -> bool:
    return any("running" in one["state"] for one in pod["status"].get("containerStatuses", []))


def _patch(kind: str, name: str, changes: Sequence[tuple[str, str, Any]]) -> dict[str, Any]:
    steps = [{"op": step, "path": path, "value": value} for step, path, value in changes]
    return {"target": {"kind": kind, "name": name}, "patch": json.dumps(steps)}
