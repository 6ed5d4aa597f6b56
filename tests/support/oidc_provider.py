"""A certified OpenID Provider (npm's `oidc-provider`) beside the tests: `tests/support/oidc/provider.mjs`.

Its packages come once, as its lock file names them, into `.cache`. Whoever logs in as NAME is NAME@norrdalen.example.
"""

import asyncio
import fcntl
import re
import shutil
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from html import unescape
from pathlib import Path
from urllib.parse import urljoin

import httpx

from tests.support.parts import CACHE, REPOSITORY, missing

_HERE = REPOSITORY / "tests" / "support" / "oidc"
_OLDEST_NODE = 20
CLIENT_ID, CLIENT_SECRET = "justera", "a secret of tests + %"


@dataclass
class OidcProvider:
    issuer: str
    process: asyncio.subprocess.Process

    async def change_keys(self, name: str) -> None:
        """From now on it signs with a new key, and tells of no other."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(f"{name}\n".encode())
        await asyncio.wait_for(self.process.stdout.readuntil(f"keys {name}\n".encode()), 30)

    async def log_in(self, browser: httpx.AsyncClient, begin: str, name: str) -> httpx.Response:
        """From the address that begins it, through the provider's pages, to the answer of ours."""
        page = await browser.get(begin, follow_redirects=True)
        for _ in range(2):  # who it is; what they let us know
            if not str(page.url).startswith(self.issuer):
                break
            form = re.search(r'<form[^>]*action="([^"]+)".*?</form>', page.text, re.DOTALL)
            assert form is not None, page.text
            hidden = re.findall(r'name="(\w+)" value="([^"]*)"', form.group())
            fields = {**dict(hidden), **({"login": name, "password": "any"} if 'name="login"' in form.group() else {})}
            page = await browser.post(
                urljoin(str(page.url), unescape(form.group(1))), data=fields, follow_redirects=True
            )
        return page


@asynccontextmanager
async def oidc_provider(port: int, ours: str) -> AsyncIterator[OidcProvider]:
    """On this port of the machine, for the client at `ours`, the address of signing."""
    folder = _installed()
    process = await asyncio.create_subprocess_exec(
        "node",
        str(folder / "provider.mjs"),
        *(str(port), CLIENT_ID, CLIENT_SECRET, f"{ours}/login/oidc/back", f"{ours}/login"),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        assert process.stdout is not None
        await asyncio.wait_for(process.stdout.readuntil(b"ready\n"), 60)
        yield OidcProvider(f"http://127.0.0.1:{port}", process)
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


def _installed() -> Path:
    """Skips the test, or fails it where `oidc` is required, when there is no Node.js or no registry."""
    if absent := [name for name in ("node", "npm") if shutil.which(name) is None]:
        missing("oidc", f"{' and '.join(absent)} not installed")
    version = subprocess.run(["node", "--version"], capture_output=True, text=True, check=False).stdout.strip()
    if int(version.lstrip("v").partition(".")[0] or 0) < _OLDEST_NODE:
        missing("oidc", f"Node.js {version} is too old for it")
    CACHE.mkdir(exist_ok=True)
    folder = CACHE / "oidc"
    with (CACHE / "oidc.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # tests that run side by side want the same packages
        folder.mkdir(exist_ok=True)
        stale = not (folder / "node_modules").is_dir() or any(
            not (folder / name).is_file() or (folder / name).read_bytes() != (_HERE / name).read_bytes()
            for name in ("package.json", "package-lock.json")
        )
        for file in _HERE.iterdir():
            shutil.copyfile(file, folder / file.name)
        if stale:
            command = ["npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts"]
            finished = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
            if finished.returncode != 0:
                shutil.rmtree(folder / "node_modules", ignore_errors=True)
                missing("oidc", f"npm ci failed: {finished.stderr.strip()[-300:]}")
    return folder
