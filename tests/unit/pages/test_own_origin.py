"""Whatever runs in the origin of people's sessions is ours: nothing that is served names another host."""

import re
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

import httpx
import pytest

from services.notifications.pages import inbox
from shared.auth import Access
from shared.guard import SECURITY_HEADERS
from shared.http import create_app
from shared.web.assets import FOLDER, files

ROOT = Path(__file__).parents[3]
OTHER_HOST = re.compile(r"https?:|wss?:|[\"'(=]\s*//\w")
SVG_NAMESPACE = "http://www.w3.org/2000/svg"
OWN_SOURCES = {"'none'", "'self'", "data:"}


def _written_by_us() -> Iterator[Path]:
    """Templates of pages (a mail's names the links of its reader), styles and scripts."""
    templates = chain(FOLDER.parent.rglob("*.html"), ROOT.glob("services/*/pages/**/*.html"))
    return chain(templates, (path for name, path in files().items() if not name.startswith("vendor/")))


@pytest.mark.parametrize(
    "path",
    [path for path in _written_by_us() if path.suffix != ".woff2"],
    ids=lambda path: f"{path.parent.name}-{path.name}",
)
def test_no_page_names_another_host(path: Path) -> None:
    assert not OTHER_HOST.findall(path.read_text(encoding="utf-8").replace(SVG_NAMESPACE, ""))


@pytest.mark.parametrize("name", [name for name in files() if name.endswith(".css")])
def test_styles_load_nothing_from_elsewhere(name: str) -> None:
    content = files()[name].read_text(encoding="utf-8")
    loaded = re.findall(r"(?:url\(|@import)\s*[\"']?([^\"')\s]{0,40})", content)
    assert [one for one in loaded if one.startswith(("http", "//"))] == []


def test_no_policy_allows_another_host_or_inline_script() -> None:
    for directive in SECURITY_HEADERS["content-security-policy"].split(";"):
        _, *sources = directive.split()
        assert set(sources) <= OWN_SOURCES, directive
    assert "//" not in inbox._MAIL_POLICY


async def test_the_documentation_of_an_api_names_no_other_host_and_has_no_policy_of_its_own() -> None:
    app = create_app("Test", description="", access=Access((), None), max_body_bytes=1000, checks={})
    transport = httpx.ASGITransport(app, root_path="/below")
    async with httpx.AsyncClient(transport=transport, base_url="http://test.example") as client:
        page = await client.get("/below/docs")
        assert (await client.get("/below/redoc")).status_code == 404
    assert page.status_code == 200
    assert page.headers["content-security-policy"] == SECURITY_HEADERS["content-security-policy"]
    addresses = re.findall(r"(?:href|src|data-openapi)=\"([^\"]+)\"", page.text)
    assert len(addresses) == 6
    assert all(address.startswith("/below/") for address in addresses)
    assert not OTHER_HOST.findall(page.text)
