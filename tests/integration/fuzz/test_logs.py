"""What is logged while all goes wrong: ids only, never an address, a name, an IP or a token."""

import re
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from shared.auth import Role
from shared.blobs import BlobStore
from shared.clock import ManualClock
from shared.errors import Refused
from shared.events import SignerInvitation
from shared.names import SERVICES
from shared.service import Service
from tests.integration.fuzz.conftest import STRANGER, TOKENS
from tests.integration.fuzz.mutations import mutations
from tests.integration.fuzz.services import client_of, stocked
from tests.integration.notifications import post as mails
from tests.integration.notifications.post import Post
from tests.integration.signing.flow import Flow
from tests.integration.signing.flow import message as signing_message
from tests.unit.signing.story import ADJUSTER, CHAIR, SECRETARY, draft

pytestmark = pytest.mark.slow

_SECRETS = f"a bug while writing to {SECRETARY} (Maja Lind) from 192.0.2.7"
_PRIVATE = (
    re.compile(r"[\w.+-]+@[\w-]+\.example"),
    re.compile(r"Karin Ek|Maja Lind|Olof Berg|Sven Dahl"),
    re.compile(r"\b(192\.0\.2|198\.51\.100|203\.0\.113)\.\d+|2001:db8:"),
    re.compile("|".join((*TOKENS.values(), STRANGER))),
    re.compile(r"\bk1\.[\w-]+\.[\w-]+\.\d+\."),
)


def check_discreet(logs: Path) -> None:
    lines = logs.read_text(encoding="utf-8").splitlines()
    written = "\n".join(line for line in lines if '"logger": "httpx"' not in line)  # the test's own client
    assert written
    for pattern in _PRIVATE:
        found = pattern.search(written)
        assert found is None, written[max(0, found.start() - 600) : found.end() + 50]


async def test_signing_and_a_draft_that_is_refused(flow: Flow, logs: Path) -> None:
    twice = [SignerInvitation(role="chair", email=CHAIR, name="Olof Berg") for _ in range(2)]
    await flow.bring(signing_message(draft(signers=twice), flow.tick(), key="meeting-2"))
    await flow.all_signed()
    await flow.bounce(ADJUSTER)
    await flow.bring(*mutations(signing_message(draft(), flow.tick(), key="meeting-1"), most=80, seed=5))
    await flow.bring(*mutations(signing_message(await flow.email_sent(SECRETARY), flow.tick()), most=60, seed=6))
    check_discreet(logs)


async def test_notifications_whose_mail_server_is_away(waiting_post: Post, logs: Path) -> None:
    await waiting_post.bring(mails.message(mails.created()), mails.message(mails.requested()))
    await waiting_post.bring(*mutations(mails.message(mails.signed()), most=80, seed=7))
    for delivery in (await waiting_post.deliveries())[:20]:
        with suppress(Refused):  # withdrawn
            await waiting_post.commands.deliver(delivery.organisation, delivery.id)
    check_discreet(logs)


@pytest.mark.parametrize("name", SERVICES)
async def test_requests_and_a_bug(
    name: str, build: Callable[..., Any], clock: ManualClock, blobs: BlobStore, logs: Path
) -> None:
    there = await stocked(name, build, clock, blobs)
    _add_bug(there.service)
    for role in (*Role, None):
        async with client_of(there.service, role) as api:
            await api.get("/bug", headers={"x-forwarded-for": "192.0.2.77"})
            await api.get("/s/k1.norrdalen.11111111-1111-1111-1111-111111111111.1.abc")
            await api.post(
                "/agreements/x/alternates", json={"original": SECRETARY, "email": CHAIR, "name": "Olof Berg"}
            )
            await api.post("/login", data={"token": TOKENS[Role.OPERATOR]})
    check_discreet(logs)


def _add_bug(service: Service) -> None:
    @service.app.get("/bug")
    async def bug() -> None:
        raise RuntimeError(_SECRETS)
