"""One service in a process of its own: where it answers, what it logs in with, what it refuses to start without."""

import subprocess
import sys
from pathlib import Path

import httpx
import pytest
from pydantic import SecretStr

from services.embedded.contract import documented_service
from services.embedded.single import build_service, kafka_settings, public_app
from shared.names import SERVICES
from shared.settings import BadConfiguration, Settings, load_settings


@pytest.mark.parametrize("public_url", ["https://justera.norrdalen.example", "https://norrdalen.example/justera/"])
async def test_a_service_answers_below_its_name_alone(public_url: str) -> None:
    below = httpx.URL(public_url).path.rstrip("/") + "/signing"
    app = public_app(documented_service("signing"), public_url)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://signing") as client:
        for path in ("/health/live", "/metrics"):
            assert (await client.get(path)).status_code == 200
        assert (await client.get(f"{below}/health/live")).status_code == 200
        for path in ("/archive/health/live", "/agreements", "/docs", "/"):
            answer = await client.get(path)
            assert (answer.status_code, answer.headers["content-type"]) == (404, "application/problem+json")
            assert f"signing answers below {below}" in answer.json()["hint"]
        page = await client.get(f"{below}/s/no-link-of-ours")
        lost = await client.get("/overview", headers={"accept": "text/html"})
    assert f'href="{below}/static/' in page.text
    assert f'href="{below}/static/' in lost.text
    assert lost.status_code == 404


@pytest.mark.parametrize("service", SERVICES)
async def test_every_address_of_the_api_stands_below_the_services_name(service: str) -> None:
    """Also `/meetings/meetings/…`, which the name alone would leave open: no answer is the router's own 404."""
    made = documented_service(service)
    app = public_app(made, "https://justera.norrdalen.example")
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://service") as client:
        for path, operations in made.app.openapi()["paths"].items():
            address = path.replace("{", "").replace("}", "")
            for method in operations:
                answer = await client.request(method, f"/{service}{address}")
                # The open data have neither a login nor, here, a database; only their own answers have this header.
                is_open = "access-control-allow-origin" in answer.headers
                assert answer.status_code in (200, 401) or is_open, (method, path, answer.status_code)


def test_the_database_password_comes_from_its_own_secret(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "justera_database_password").write_text("p@ss/w:ord\n", encoding="utf-8")
    monkeypatch.setenv("JUSTERA_SECRETS_DIR", str(tmp_path))
    url = "postgresql+asyncpg://justera_{service}@db.example/justera_{service}?ssl=require"
    found = load_settings(database_url=url).database_url_of("archive")
    assert found == "postgresql+asyncpg://justera_archive:p%40ss%2Fw%3Aord@db.example/justera_archive?ssl=require"


def test_kafka_is_spoken_to_in_the_clear_without_login_unless_set() -> None:
    security = kafka_settings(Settings(), "justera-signing").security
    assert (security.use_ssl, type(security).__name__) == (False, "BaseSecurity")


def test_kafka_by_tls_and_scram() -> None:
    settings = Settings(kafka_tls=True, kafka_username="justera-signing", kafka_password=SecretStr("secret"))
    security = kafka_settings(settings, "justera-signing").security
    assert (security.use_ssl, type(security).__name__) == (True, "SASLScram512")
    assert "secret" not in repr(kafka_settings(settings, "justera-signing"))


def test_a_kafka_user_needs_a_password() -> None:
    with pytest.raises(BadConfiguration, match="JUSTERA_KAFKA_PASSWORD is not set"):
        kafka_settings(Settings(kafka_username="justera-signing"), "justera-signing")


def test_a_ca_file_that_cannot_be_read_is_said(tmp_path: Path) -> None:
    (tmp_path / "ca.crt").write_text("no certificate", encoding="utf-8")
    for path in (tmp_path / "ca.crt", tmp_path / "missing.crt"):
        with pytest.raises(BadConfiguration, match="JUSTERA_KAFKA_CA"):
            kafka_settings(Settings(kafka_tls=True, kafka_ca=path), "justera-signing")


def test_signing_does_not_start_without_the_key_of_its_visits() -> None:
    with pytest.raises(BadConfiguration, match="JUSTERA_SESSION_KEY is not set"):
        build_service("signing", Settings(blobs="s3://nowhere/"))


def test_what_sends_mails_loads_no_client_of_a_document_store() -> None:
    """Memory, in a process that never needs it."""
    told = "import sys, services.embedded.single, services.notifications.main; print('obstore' in sys.modules)"
    answer = subprocess.run([sys.executable, "-c", told], capture_output=True, text=True, check=True)
    assert answer.stdout == "False\n"


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_does_not_load_what_its_children_do(service: str) -> None:
    """Ten to twenty megabytes each, in every pod."""
    heavy = {"typst", "pikepdf", "PIL", "mammoth"}
    code = f"import sys, services.{service}.main; print(*({heavy!r} & sys.modules.keys()))"
    finished = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert finished.stdout.split() == []
