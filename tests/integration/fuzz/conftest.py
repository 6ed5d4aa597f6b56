"""The four services, each alone on a migrated database, without Kafka, with one token a role and one of a stranger."""

import logging
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import structlog
from pydantic import SecretStr

from services.archive.archiving import Archiving
from services.embedded.single import BUILDERS
from shared.auth import Access, Role, TokenRecord, token_hash
from shared.blobs import BlobStore, open_blobs
from shared.clock import ManualClock
from shared.keys import new_keys
from shared.logging import configure_logging
from shared.messaging.signatures import new_event_keys
from shared.service import Service
from shared.settings import Settings, load_settings
from tests.integration.archive.completed import Archive, Documents
from tests.integration.archive_seal.conftest import authority_folder as authority_folder
from tests.integration.archive_seal.conftest import copy as copy
from tests.integration.archive_seal.conftest import sealer as sealer
from tests.integration.notifications.post import Post
from tests.integration.pages.conftest import client as client
from tests.integration.pages.conftest import site as site
from tests.integration.signing.flow import ORGANISATION, Flow
from tests.support.postgres import Postgres

TOKENS = {role: f"the-token-of-the-{role}" for role in Role}
STRANGER = "the-token-of-a-stranger"
START = datetime(2022, 9, 26, 8, 40, tzinfo=UTC)


def access() -> Access:
    known = [(role.value, role, ORGANISATION, token) for role, token in TOKENS.items()]
    strange = [(f"stranger-{role}", role, "elsewhere", f"{STRANGER}-{role}") for role in Role]
    records = [
        TokenRecord(name=name, role=role, organisation=organisation, sha256=token_hash(token))
        for name, role, organisation, token in (*known, *strange)
    ]
    return Access(tuple(records), b"k" * 32)


@pytest.fixture(autouse=True)
def logs(tmp_path: Path) -> Iterator[Path]:
    """What is logged, as in production."""
    file = tmp_path / "log.json"
    kept = logging.getLogger().handlers[:]
    configure_logging(file=file)
    yield file
    logging.getLogger().handlers[:] = kept
    structlog.reset_defaults()


@pytest.fixture
def blobs(tmp_path: Path) -> BlobStore:
    return open_blobs(f"file:{tmp_path / 'blobs'}")


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(START)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return load_settings(
        organisation=ORGANISATION,
        organisation_name="Kommunalförbundet Norrdalen",
        link_keys=SecretStr(new_keys()),
        arrival_seconds=0.1,
        copy_link_keys=SecretStr(new_keys()),
        member_link_keys=SecretStr(new_keys()),
        event_keys=SecretStr(new_event_keys()),
        bounce_keys=SecretStr(new_keys()),
        mail_from="justera@norrdalen.example",
        bounce_domain="bounces.norrdalen.example",
        seal_test_authority=tmp_path / "authority",
        smtp_port=1,
    )


@pytest.fixture
async def build(
    settings: Settings, postgres: Postgres, blobs: BlobStore, clock: ManualClock
) -> AsyncIterator[Callable[..., Any]]:
    """`await build(name, …)`: a service on a database of its own. `settings=…` in place of the test's."""
    made: list[Service] = []

    async def build_one(name: str, **parts: Any) -> Service:
        given: Settings = parts.pop("settings", settings)
        own = given.model_copy(update={"database_url": await postgres.create_database(name)})
        made.append(BUILDERS[name](own, clock=clock, access=access(), blobs=blobs, **parts))
        return made[-1]

    yield build_one
    for service in made:
        await service.database.close()


@pytest.fixture
async def flow(build: Callable[..., Any], clock: ManualClock, blobs: BlobStore) -> Flow:
    return Flow(await build("signing"), clock, blobs)


@pytest.fixture
async def waiting_post(build: Callable[..., Any], clock: ManualClock) -> Post:
    return Post(await build("notifications", deliver_automatically=False), clock)


@pytest.fixture(scope="session")
def documents() -> Documents:
    return Documents.make()


@pytest.fixture
async def archive(build: Callable[..., Any], clock: ManualClock, blobs: BlobStore, documents: Documents) -> Archive:
    service = await build("archive")
    [worker] = [one for one in service.workers if isinstance(one, Archiving)]
    return Archive(service, worker, blobs, clock, documents)
