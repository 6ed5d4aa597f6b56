"""Debian's Chromium, driven by Playwright over its debugging port, and axe for accessibility."""

import os
import re
import shutil
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Page

from services.embedded.children import Child
from tests.support.parts import PartMissing
from tests.support.processes import wait_until

_NAMES = ("chromium", "chromium-browser", "google-chrome")
_FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--remote-debugging-port=0",
)
# The rules of axe that look at colours, of those that it runs unasked.
COLOUR_RULES = ("color-contrast", "link-in-text-block")
_ENDPOINT = re.compile(r"DevTools listening on (ws://\S+)")


@contextmanager
def chromium(folder: Path) -> Iterator[str]:
    """A running browser; yields the address that Playwright connects to. Raises PartMissing."""
    program = next(filter(None, map(shutil.which, _NAMES)), None)
    if program is None:
        raise PartMissing("no chromium on this machine")
    child = Child.spawn(
        "Chromium",
        [program, *_FLAGS, f"--user-data-dir={folder / 'profile'}", "about:blank"],
        log_file=folder / "chromium.log",
        environment=_environment(folder),
    )
    try:
        wait_until(
            lambda: not child.alive or _ENDPOINT.search(child.output()) is not None,
            seconds=60,
            what=f"Chromium ({child.log_file})",
        )
        found = _ENDPOINT.search(child.output())
        if found is None:
            raise RuntimeError(f"Chromium ended at its start, see {child.log_file}")
        yield found.group(1)
    finally:
        child.signal_group(signal.SIGKILL)


def _environment(folder: Path) -> dict[str, str]:
    """A home of its own: what Chromium and fontconfig keep there belongs to nobody's real home."""
    own = {"HOME": str(folder), "XDG_CONFIG_HOME": str(folder / "config"), "XDG_CACHE_HOME": str(folder / "cache")}
    return {**os.environ, **own}


async def accessibility_violations(page: Page, *rules: str) -> list[str]:
    """What axe objects to on the page as it stands, by these rules or by all: one line a violated rule with the
    elements it names."""
    if not await page.evaluate("'axe' in window"):
        await page.evaluate(Axe().axe_script)
    options = {"resultTypes": ["violations"]} | ({"runOnly": rules} if rules else {})
    # Of the page's every element axe tells what it passed: that stays there.
    violations = await page.evaluate("options => axe.run(options).then(found => found.violations)", options)
    return [
        f"{violation['id']}: {violation['help']} at " + ", ".join(str(node["target"]) for node in violation["nodes"])
        for violation in violations
    ]
