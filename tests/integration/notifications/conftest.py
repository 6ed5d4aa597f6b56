"""A notifications service on a fresh database and a real SMTP server, without Kafka."""

from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from pydantic import SecretStr

from services.notifications.delivery.mailer import MailerSettings
from services.notifications.main import build
from shared.auth import Access, Role, TokenRecord, token_hash
from shared.clock import ManualClock
from shared.keys import new_keys
from shared.messaging.signatures import new_event_keys
from shared.settings import Settings, load_settings
from tests.integration.notifications.post import ORGANISATION, START, Post
from tests.support.postgres import Postgres
from tests.support.smtp_server import RecordingSmtpServer

TOKENS = {
    "operator": (Role.OPERATOR, ORGANISATION),
    "auditor": (Role.AUDITOR, ORGANISATION),
    "secretary": (Role.SECRETARY, ORGANISATION),
    "stranger": (Role.OPERATOR, "elsewhere"),
}
QUICK = MailerSettings(lease=2, poll=0.1, first_delay=0.2, longest_delay=1, drain=3)

MakePost = Callable[..., Post]


@pytest.fixture
async def server() -> AsyncIterator[RecordingSmtpServer]:
    async with RecordingSmtpServer() as running:
        yield running


@pytest.fixture
async def settings(postgres: Postgres, server: RecordingSmtpServer) -> Settings:
    url = await postgres.create_database("notifications")
    return load_settings(
        database_url=url,
        organisation=ORGANISATION,
        organisation_name="Kommunalförbundet Norrdalen",
        public_url="https://justera.norrdalen.example",
        link_keys=SecretStr(new_keys()),
        copy_link_keys=SecretStr(new_keys()),
        member_link_keys=SecretStr(new_keys()),
        event_keys=SecretStr(new_event_keys()),
        bounce_keys=SecretStr(new_keys()),
        mail_from="justera@norrdalen.example",
        bounce_domain="bounces.norrdalen.example",
        smtp_host="127.0.0.1",
        smtp_port=server.port,
    )


@pytest.fixture
async def make_post(settings: Settings) -> AsyncIterator[MakePost]:
    """Builds services on one database; `start_mailer` runs the mailer, else mails wait for commands."""
    made: list[Post] = []
    tokens = tuple(
        TokenRecord(name=name, role=role, organisation=organisation, sha256=token_hash(name))
        for name, (role, organisation) in TOKENS.items()
    )

    def make(*, automatic: bool = True, **parts: Any) -> Post:
        clock = ManualClock(START)
        parts.setdefault("mailer_settings", QUICK)
        own = parts.pop("settings", settings)
        service = build(own, clock=clock, access=Access(tokens, None), deliver_automatically=automatic, **parts)
        post = Post(service, clock)
        made.append(post)
        for worker in service.workers:
            worker.start()
        return post

    yield make
    for post in made:
        for worker in post.service.workers:
            await worker.stop()
        await post.database.close()


@pytest.fixture
async def waiting_post(make_post: MakePost) -> Post:
    """Nothing is sent but by command."""
    return make_post(automatic=False)


@pytest.fixture
async def post(make_post: MakePost) -> Post:
    """Its mailer runs."""
    return make_post()
