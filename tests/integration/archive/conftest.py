"""An archive on a fresh database, without Kafka: messages are handed to its consumers as Kafka would bring them."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from pydantic import SecretStr

from services.archive.archiving import Archiving
from services.archive.main import build
from shared.auth import Access, Role, TokenRecord, token_hash
from shared.blobs import open_blobs
from shared.clock import ManualClock
from shared.keys import new_keys
from shared.messaging.signatures import new_event_keys
from shared.settings import Settings, load_settings
from tests.integration.archive.completed import ORGANISATION, Archive, Documents
from tests.support.postgres import Postgres

TOKENS = {
    "secretary": (Role.SECRETARY, ORGANISATION),
    "operator": (Role.OPERATOR, ORGANISATION),
    "auditor": (Role.AUDITOR, ORGANISATION),
    "stranger": (Role.OPERATOR, "elsewhere"),
}


@pytest.fixture(scope="session")
def documents() -> Documents:
    return Documents.make()


@pytest.fixture(scope="session")
def seal_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("seal") / "authority"


@pytest.fixture
async def settings(postgres: Postgres, seal_folder: Path) -> Settings:
    url = await postgres.create_database("archive")
    return load_settings(
        database_url=url,
        organisation=ORGANISATION,
        copy_link_keys=SecretStr(new_keys()),
        event_keys=SecretStr(new_event_keys()),
        seal_test_authority=seal_folder,
    )


@pytest.fixture
async def archive(settings: Settings, documents: Documents, tmp_path: Path) -> AsyncIterator[Archive]:
    clock = ManualClock(datetime(2022, 9, 27, 6, 0, tzinfo=UTC))
    blobs = open_blobs(f"file:{tmp_path / 'blobs'}")
    tokens = tuple(
        TokenRecord(name=name, role=role, organisation=organisation, sha256=token_hash(name))
        for name, (role, organisation) in TOKENS.items()
    )
    service = build(settings, clock=clock, access=Access(tokens, None), blobs=blobs)
    worker, press, _ = service.workers
    assert isinstance(worker, Archiving)
    yield Archive(service, worker, blobs, clock, documents)
    await press.stop()
    await service.database.close()
