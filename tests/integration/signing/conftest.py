"""A signing service on a fresh database, without Kafka: facts are handed to its consumer as Kafka would bring them."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from pydantic import SecretStr

from services.signing.main import build
from shared.auth import Access, Role, TokenRecord, token_hash
from shared.blobs import open_blobs
from shared.clock import ManualClock
from shared.keys import new_keys
from shared.messaging.signatures import new_event_keys
from shared.settings import Settings, load_settings
from tests.integration.signing.flow import ORGANISATION, Flow
from tests.support.postgres import Postgres

TOKENS = {
    "secretary": (Role.SECRETARY, ORGANISATION),
    "auditor": (Role.AUDITOR, ORGANISATION),
    "stranger": (Role.SECRETARY, "elsewhere"),
}


@pytest.fixture
async def settings(postgres: Postgres) -> Settings:
    url = await postgres.create_database("signing")
    return load_settings(
        database_url=url,
        organisation=ORGANISATION,
        link_keys=SecretStr(new_keys()),
        event_keys=SecretStr(new_event_keys()),
        arrival_seconds=0.3,
    )


@pytest.fixture
async def flow(settings: Settings, tmp_path: Path) -> AsyncIterator[Flow]:
    clock = ManualClock(datetime(2022, 9, 26, 8, 40, tzinfo=UTC))
    blobs = open_blobs(f"file:{tmp_path / 'blobs'}")
    tokens = tuple(
        TokenRecord(name=name, role=role, organisation=organisation, sha256=token_hash(name))
        for name, (role, organisation) in TOKENS.items()
    )
    service = build(settings, clock=clock, access=Access(tokens, None), blobs=blobs)
    yield Flow(service, clock, blobs)
    await service.database.close()
