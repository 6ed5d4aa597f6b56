"""`justera up` as a process of its own, and the person who sits before it."""

import os
import re
import signal
import sys
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from html import unescape
from pathlib import Path

import asyncpg
import httpx
import psutil

from services.embedded.children import Child
from services.embedded.home import Home
from shared.names import SERVICES, Role
from tests.support.cluster import MAIN, Outcome, justera
from tests.support.forms import done, press
from tests.support.parts import REPOSITORY
from tests.support.processes import free_ports, until

_LOGIN = re.compile(r"Log in:\s+(\S+)")
_LINK = re.compile(r'<a href="(https?://[^"]*/(?:signing/s|archive/copies)/[^"]*)"')
_MINUTES = REPOSITORY / "services/embedded/demo_data/minutes.md"
_ROLES = ("secretary", "chair", "adjuster")
_START_SECONDS = 120.0
_CLIENT = httpx.Timeout(30, connect=5)


@dataclass(frozen=True)
class Letter:
    """A mail of the inbox page, whose link is empty when it has none."""

    recipient: str
    subject: str
    link: str


@dataclass
class Up:
    """One data folder and port; `start` again after `kill` or `stop`. `environment`: further JUSTERA_… variables."""

    folder: Path
    port: int = field(default_factory=lambda: free_ports(1)[0])
    child: Child | None = None
    environment: Mapping[str, str] = field(default_factory=dict)

    @property
    def data(self) -> Path:
        return self.folder / "data"

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def alive(self) -> bool:
        return self.child is not None and self.child.alive

    async def start(self, *arguments: str) -> str:
        """The login link, once it is printed. `arguments`: further ones, such as --empty."""
        self.folder.mkdir(exist_ok=True)
        self.child = Child.spawn(
            "justera up",
            [sys.executable, "-c", MAIN, "up", "--data", str(self.data), "--port", str(self.port), *arguments],
            log_file=self.folder / "up.log",
            folder=REPOSITORY,
            environment={**clean_environment(), **self.environment},
        )
        child = self.child
        try:
            await child.wait_until(lambda: _LOGIN.search(child.output()) is not None, seconds=_START_SECONDS)
        except Exception as error:
            raise AssertionError(child.output()) from error
        found = _LOGIN.search(child.output())
        assert found is not None
        return found.group(1)

    def kill(self) -> None:
        """`kill -9` of it alone; its children must follow by themselves."""
        assert self.child is not None
        self.child.kill()

    async def greeted(self) -> bool | None:
        """For `until`: True when the invented association is all there, and nothing waits."""
        return None if Home(self.data).unfinished_greeting.exists() else await self.at_rest()

    async def stop(self, *, seconds: float = 30) -> int:
        """SIGTERM; its exit status."""
        assert self.child is not None
        os.kill(self.child.pid, signal.SIGTERM)
        return await self.child.wait() if await self._ends(seconds) else -1

    def end(self) -> None:
        """Whatever state it is in: nothing is left running."""
        if self.alive:
            self.kill()

    def children(self) -> list[psutil.Process]:
        assert self.child is not None
        return psutil.Process(self.child.pid).children(recursive=True)

    @asynccontextmanager
    async def notifications_held_up(self) -> AsyncIterator[None]:
        """No mail can be written meanwhile: its table is locked. A kill within is as good as an end."""
        folder = (self.data / "postgres" / "socket").read_text().strip()
        connection = await asyncpg.connect(host=folder, user="justera", database="justera_notifications")
        try:
            await connection.execute("BEGIN; LOCK TABLE delivery IN ACCESS EXCLUSIVE MODE")
            yield
        finally:
            connection.terminate()

    async def published(self) -> bool | None:
        """For `until`: True when signing's events are all in the broker."""
        async with self.client(Role.OPERATOR) as client:
            state = done(await client.get("/signing/operations/state")).json()
        return state["unpublished"] == 0 or None

    def kill_broker(self) -> None:
        os.kill(int((self.data / "broker" / "broker.pid").read_text()), signal.SIGKILL)

    def kill_postgres(self) -> None:
        pid = (self.data / "postgres" / "cluster" / "postmaster.pid").read_text().splitlines()[0]
        os.kill(int(pid), signal.SIGKILL)

    async def command(self, *arguments: str) -> Outcome:
        """`justera …` for this data folder and address."""
        return await justera(
            *arguments, "--data", str(self.data), environment={**clean_environment(), "JUSTERA_URL": self.url}
        )

    async def verify(self, file: Path) -> Outcome:
        """It reads the file alone."""
        return await justera("verify", "--integrity-only", str(file), environment=clean_environment())

    async def login_link(self) -> str:
        """A new one, by the command's own way."""
        async with self.client(Role.OPERATOR) as client:
            return str(done(await client.post("/login-links")).json()["url"])

    async def at_rest(self) -> bool | None:
        """For `until`: True when nothing waits, nothing is behind, and nothing failed."""
        async with self.client(Role.OPERATOR) as client:
            for service in SERVICES:
                state = done(await client.get(f"/{service}/operations/state")).json()
                assert state["dead_letters"] == 0, state
                if state["unpublished"] or state["pending"] or any(lag != 0 for lag in state["lag"].values()):
                    return None
        return True

    def token(self, role: Role) -> str:
        """The folder's own; it stays the same."""
        return Home(self.data).secrets().token(role)

    def client(self, role: Role = Role.SECRETARY) -> httpx.AsyncClient:
        """The APIs, with the folder's own token. Close it."""
        headers = {"authorization": f"Bearer {self.token(role)}"}
        return httpx.AsyncClient(base_url=self.url, headers=headers, timeout=_CLIENT, trust_env=False)

    def visitor(self) -> httpx.AsyncClient:
        """A browser that is not logged in. Close it."""
        return httpx.AsyncClient(base_url=self.url, timeout=_CLIENT, follow_redirects=True, trust_env=False)

    async def report(self, agreement: str) -> str:
        async with self.client(Role.AUDITOR) as client:
            return done(await client.get(f"/signing/agreements/{agreement}/report")).text

    async def _ends(self, seconds: float) -> bool:
        child = self.child

        async def ended() -> bool | None:
            return (child is None or not child.alive) or None

        return await until(ended, seconds=seconds, what="the end of justera up")


async def log_in(person: httpx.AsyncClient, link: str) -> httpx.Response:
    """The start page."""
    return await press(person, done(await person.get(link)), "/login")


async def draft_and_send(client: httpx.AsyncClient, signers: Sequence[str]) -> str:
    """Minutes for these to sign, sent off; the agreement's id. No name is given: each signer enters one."""
    details = {
        "body": "Styrelsen",
        "title": "Styrelsens sammanträde",
        "place": "Digitalt",
        "starts": "2022-09-23T13:00",
        "ends": "2022-09-23T15:00",
    }
    meeting = done(await client.post("/meetings/meetings", json=details)).json()
    drafting = {
        "sender": {"name": "Karin Ek", "email": "karin.ek@norrdalen.example"},
        "signers": [
            {"role": role, "email": email}
            for role, email in zip(("secretary", "chair", "adjuster"), signers, strict=True)
        ],
    }
    minutes = {"markdown": _MINUTES.read_text(), "drafting": drafting}
    drafted = done(await client.post(f"/meetings/meetings/{meeting['id']}/minutes", json=minutes)).json()
    agreement: str = drafted["agreement_id"]

    async def stands_ready() -> bool | None:
        return (await client.get(f"/signing/agreements/{agreement}")).is_success or None

    await until(stands_ready, what="the agreement")
    done(await client.post(f"/signing/agreements/{agreement}/send"))
    return agreement


async def inbox(person: httpx.AsyncClient, recipient: str | None = None) -> list[Letter]:
    """What the inbox page shows, the newest first; of all, or to this address."""
    page = done(await person.get("/notifications/inbox"))
    addresses = re.findall(r'<p class="row-title"><a href="([^"]+)">(.*?)</a></p>\s*<p>(.*?)</p>', page.text)
    return [
        Letter(_address(to), unescape(subject), await _link(person, address))
        for address, subject, to in addresses
        if recipient in (None, _address(to))
    ]


async def letter(person: httpx.AsyncClient, recipient: str, known: Collection[Letter] = ()) -> Letter:
    """Wait for a mail to the address that has a link and is not `known`: the newest one."""

    async def arrived() -> Letter | None:
        return next((one for one in await inbox(person, recipient) if one.link and one not in known), None)

    return await until(arrived, what=f"a mail to {recipient}")


def clean_environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("JUSTERA_")}


def _address(to: str) -> str:
    found = re.search(r"\S+@\S+", unescape(to))
    assert found is not None, to
    return found.group()


async def _link(person: httpx.AsyncClient, address: str) -> str:
    found = _LINK.search(done(await person.get(address)).text)
    return unescape(found.group(1)) if found else ""
