"""A signer's browser without script: posts the forms that the pages hold."""

import re
from html import unescape

import httpx

from tests.integration.pages.site import LOGIN, Site


class Visitor:
    def __init__(self, site: Site, client: httpx.AsyncClient) -> None:
        self.site = site
        self.client = client
        self.page: httpx.Response

    async def follow(self, url: str) -> httpx.Response:
        self.page = await self.client.get(url, follow_redirects=True)
        return self.page

    async def press(self, action: str, **fields: str) -> httpx.Response:
        """Post the page's form whose address ends with `action`, with its hidden fields; where that leads."""
        form = self._form(action)
        self.page = await self.client.post(form.group(1), data={**_hidden(form), **fields}, follow_redirects=True)
        return self.page

    async def send(self, action: str, content: bytes = b"", name: str = "file.yaml", **fields: str) -> httpx.Response:
        """As `press`, for a form with a file."""
        file = {"file": (name if content else "", content, "application/octet-stream")}
        form = self._form(action)
        self.page = await self.client.post(
            form.group(1), data={**_hidden(form), **fields}, files=file, follow_redirects=True
        )
        return self.page

    def _form(self, action: str) -> re.Match[str]:
        form = re.search(rf'<form method="post" action="([^"]*{action})".*?</form>', self.page.text, re.DOTALL)
        assert form is not None, f"no form {action} on {self.page.url}"
        return form

    async def open_document(self, email: str) -> httpx.Response:
        await self.follow(await self.site.link(email))
        return await self.press("/view")

    async def log_in(self) -> httpx.Response:
        await self.follow(f"{self.site.base}/login?token={LOGIN}")
        return await self.press("/login")

    @property
    def heading(self) -> str:
        found = re.search(r"<h1[^>]*>(.*?)</h1>", self.page.text, re.DOTALL)
        return unescape(found.group(1)) if found else ""


def _hidden(form: re.Match[str]) -> dict[str, str]:
    found = re.findall(r'type="hidden" name="([^"]*)" value="([^"]*)"', form.group())
    return {name: unescape(value) for name, value in found}
