"""Whose address the history records when a proxy stands before us."""

import httpx
import pytest

from shared.settings import Settings
from tests.integration.signing.flow import Flow
from tests.integration.signing.test_api import HERE, http
from tests.support.api import as_

__all__ = ["http"]


@pytest.fixture
async def settings(settings: Settings) -> Settings:
    """The address that `http` comes from is our proxy's."""
    return settings.model_copy(update={"trusted_proxies": "203.0.113.9"})


@pytest.mark.parametrize(
    ("header", "value", "client"),
    [
        ("X-Forwarded-For", "198.51.100.23:51234", "198.51.100.23"),
        ("X-Forwarded-For", '"[2001:db8::58]:443"', "2001:db8::58"),
        ("Forwarded", 'for="[2001:db8::58]:443";proto=https', "2001:db8::58"),
        ("Forwarded", "for=198.51.100.23", "198.51.100.23"),
    ],
)
async def test_the_report_shows_the_clients_address_not_the_proxys(
    flow: Flow, http: httpx.AsyncClient, header: str, value: str, client: str
) -> None:
    await flow.draft()
    await flow.send_off()
    body = {"reason": "Fel version"}
    ended = await http.post(f"{HERE}/cancel", headers={**as_("secretary"), header: value}, json=body)
    assert ended.status_code == 200, ended.text
    report = (await http.get(f"{HERE}/report", headers=as_("auditor"))).text
    assert f"IP-adress: {client}" in report
    assert "203.0.113.9" not in report
