"""Mutations of valid events through the real consumers: handled, skipped or parked, and other keys go on.

What must never happen is content that looks like trouble of the infrastructure: such a batch would be tried for ever.
"""

from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from datetime import timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import func, select

from services.archive.tables import ARCHIVING_JOB, JOURNAL
from services.notifications.delivery.tables import DELIVERY
from services.signing.tables import AGREEMENT
from shared.auth import Role
from shared.database import Database
from shared.errors import Refused
from shared.events import (
    AgreementCompleted,
    BounceDetected,
    EmailDeferred,
    EmailSent,
    Event,
    ProtocolDrafted,
    ProtocolReleased,
    ProtocolUnlocked,
    event_class,
)
from shared.events.signing import AgreementCancelled, AgreementExpired, SigningDeclined
from shared.ids import new_id, new_transaction_id
from shared.messaging.message import RawMessage, event_id_of, type_of
from shared.messaging.tables import DEAD_LETTER, INBOX
from tests.integration.archive.completed import Archive
from tests.integration.archive.completed import message as archive_message
from tests.integration.fuzz.conftest import TOKENS
from tests.integration.fuzz.mutations import mutations
from tests.integration.notifications import post as mails
from tests.integration.notifications.post import Post
from tests.integration.signing.flow import Flow, released, unlocked
from tests.integration.signing.flow import message as signing_message
from tests.unit.signing.story import AGREEMENT_ID, SECRETARY, draft

pytestmark = pytest.mark.slow

_BATCH = 50
_EACH = 120  # mutations of each event

Handle = Callable[[Sequence[RawMessage]], Awaitable[None]]


async def _bring_all(handle: Handle, fuzzed: Sequence[RawMessage], sentinel: Callable[[], RawMessage]) -> int:
    """In batches, each with a valid message of another key behind the odd ones. How many batches there were."""
    batches = [fuzzed[start : start + _BATCH] for start in range(0, len(fuzzed), _BATCH)]
    for batch in batches:
        whole = (*batch, sentinel())
        await handle(whole)
        await handle(whole)  # delivered again, as after a crash before the offset
    return len(batches)


async def _count(database: Database, statement: object) -> int:
    async with database.transaction() as connection:
        return int((await connection.execute(statement)).scalar_one())  # type: ignore[call-overload]


async def _check_parked_once(database: Database, fuzzed: Sequence[RawMessage]) -> None:
    """Nothing is lost: what was not skipped is in the inbox or among the dead letters, there once."""
    async with database.transaction() as connection:
        taken = set((await connection.execute(select(INBOX.c.event_id))).scalars())
        parked = list((await connection.execute(select(DEAD_LETTER.c.fingerprint))).scalars())
    assert len(parked) == len(set(parked))
    for raw in fuzzed:
        if event_class(type_of(raw) or "") is not None:
            assert event_id_of(raw) in taken or raw.fingerprint in parked


def signing_events() -> dict[str, tuple[Event, str]]:
    about = {
        "email_id": "mail-1",
        "agreement_id": AGREEMENT_ID,
        "purpose": "signature-request",
        "recipient": SECRETARY,
        "request_id": "request-1",
        "request_version": 1,
    }
    trouble = {"status": "5.1.1", "diagnostic": "550 no such user"}
    return {
        "drafted": (draft(), "meeting-1"),
        "unlocked": (unlocked(), "meeting-1"),
        "released": (released(), "meeting-1"),
        "sent": (EmailSent(**about, message_id="<1@norrdalen.example>"), AGREEMENT_ID),
        "deferred": (EmailDeferred(**about, **trouble), AGREEMENT_ID),
        "bounced": (BounceDetected(**about, **trouble, permanent=True), AGREEMENT_ID),
    }


@pytest.mark.parametrize("name", signing_events())
async def test_signing_handles_skips_or_parks(name: str, flow: Flow) -> None:
    await flow.draft()
    event, key = signing_events()[name]
    if not isinstance(event, ProtocolDrafted | ProtocolReleased | ProtocolUnlocked):
        event = event.model_copy(update={"request_id": await flow.id(SECRETARY)})
    fuzzed = mutations(signing_message(event, flow.tick(), key=key), most=_EACH, seed=len(name))

    def sentinel() -> RawMessage:
        fresh = draft().model_copy(update={"agreement_id": new_transaction_id()})
        return signing_message(fresh, flow.clock.now() + timedelta(seconds=1), key=fresh.agreement_id)

    database = flow.service.database
    before = await _count(database, select(func.count()).select_from(AGREEMENT))
    batches = await _bring_all(flow.service.gates[0].behind.handle, fuzzed, sentinel)
    assert await _count(database, select(func.count()).select_from(AGREEMENT)) >= before + batches
    await _check_parked_once(database, fuzzed)


def notification_events() -> dict[str, Event]:
    ended = {"agreement_id": mails.AGREEMENT}
    told: dict[str, Any] = {"document_name": mails.TITLE, "sender": mails.SENDER, "signed": (mails.SENDER,)}
    signer = {**ended, "request_id": "r", "place": 1, "email": mails.OLOF, "name": "Olof Berg", "ip": "192.0.2.9"}
    return {
        "created": mails.created(),
        "requested": mails.requested(),
        "reminder": mails.reminder(),
        "alternate": mails.alternate_added(),
        "signed": mails.signed(),
        "declined": SigningDeclined(**signer, role="chair", reason="fel", **told),
        "cancelled": AgreementCancelled(**ended, by=mails.SENDER, reason="fel", ip="192.0.2.1", **told),
        "expired": AgreementExpired(**ended, **told),
        "unreached": mails.unreached(),
        "neared": mails.deadline_neared(),
        "archived": mails.archived(),
    }


@pytest.mark.parametrize("name", notification_events())
async def test_notifications_handle_skip_or_park(name: str, waiting_post: Post) -> None:
    other = new_transaction_id()
    await waiting_post.bring(mails.message(mails.requested()), mails.message(mails.requested(agreement_id=other)))
    fuzzed = mutations(mails.message(notification_events()[name]), most=_EACH, seed=len(name))

    def sentinel() -> RawMessage:
        return mails.message(mails.requested(agreement_id=other, request_id=new_id()))

    batches = await _bring_all(waiting_post.service.gates[0].behind.handle, fuzzed, sentinel)
    assert await _count(waiting_post.database, select(func.count()).select_from(DELIVERY)) >= batches
    await _check_parked_once(waiting_post.database, fuzzed)


async def test_the_archive_handles_skips_or_parks(archive: Archive) -> None:
    event = await archive.completed()
    fuzzed = mutations(archive_message(event), most=2 * _EACH, seed=1)

    def sentinel() -> RawMessage:
        agreement = new_transaction_id()
        fresh: AgreementCompleted = event.model_copy(update={"agreement_id": agreement})
        return archive_message(fresh, subject=agreement)

    database = archive.service.database
    batches = await _bring_all(archive.service.gates[0].behind.handle, fuzzed, sentinel)
    assert await _count(database, select(func.count()).select_from(ARCHIVING_JOB)) >= batches
    await _check_parked_once(database, fuzzed)


async def test_the_journal_keeps_everything_once(archive: Archive) -> None:
    fuzzed = mutations(archive_message(await archive.completed()), most=2 * _EACH, seed=2)
    known = {raw.fingerprint for raw in fuzzed}
    database, rows = archive.service.database, select(func.count()).select_from(JOURNAL)
    before = await _count(database, rows)
    await _bring_all(lambda batch: archive.journal(*batch), fuzzed, lambda: fuzzed[0])
    kept = await _count(database, rows) - before
    # Those that share an id are one event; only an id that was mutated away could be shared.
    assert len(known) - 25 <= kept <= len(known)


@pytest.mark.parametrize("number", [2**31, -(2**31) - 1, 2**63, 10**40])
@pytest.mark.parametrize("field", ["place", "version"])
async def test_a_number_that_no_column_takes_is_parked(field: str, number: int, waiting_post: Post) -> None:
    odd = mails.requested(agreement_id="odd").model_copy(update={field: number})
    await waiting_post.bring(mails.message(odd), mails.message(mails.requested()))
    assert await _count(waiting_post.database, select(func.count()).select_from(DEAD_LETTER)) == 1
    assert [one.agreement_id for one in await waiting_post.deliveries()] == [mails.AGREEMENT]


@pytest.mark.parametrize("zone", ["Europe", "a" * 300, "../etc/passwd", "\0", "", "Mars/Olympus"])
async def test_a_time_zone_that_is_none_is_parked(zone: str, waiting_post: Post) -> None:
    created = mails.created("odd").model_copy(update={"timezone": zone})
    signed = mails.signed().model_copy(update={"agreement_id": "odd"})
    await waiting_post.bring(mails.message(created), mails.message(signed), mails.message(mails.requested()))
    assert await _count(waiting_post.database, select(func.count()).select_from(DEAD_LETTER)) >= 1
    assert [one.agreement_id for one in await waiting_post.deliveries()] == [mails.AGREEMENT]


async def test_what_was_let_in_can_be_mailed_and_shown(waiting_post: Post) -> None:
    """Hostile facts that were well-formed enough: each mail is made or refused, and every page of the API is shown."""
    for name in ("requested", "archived", "signed"):
        await waiting_post.bring(*mutations(mails.message(notification_events()[name]), most=_EACH, seed=7))
    for delivery in await waiting_post.deliveries():
        with suppress(Refused):  # it was withdrawn by another fact
            await waiting_post.commands.deliver(delivery.organisation, delivery.id)
    transport = httpx.ASGITransport(app=waiting_post.service.app, raise_app_exceptions=False)
    headers = {"authorization": f"Bearer {TOKENS[Role.OPERATOR]}"}
    async with httpx.AsyncClient(transport=transport, base_url="http://fuzz", headers=headers) as api:
        for path in ("/deliveries?limit=200", "/operations/dead-letters?limit=500", "/operations/state"):
            assert (await api.get(path)).status_code == 200
        letters = (await api.get("/operations/dead-letters?limit=500")).json()
        for letter in letters[:100]:
            assert (await api.get(f"/operations/dead-letters/{letter['id']}")).status_code == 200
            assert (await api.post(f"/operations/dead-letters/{letter['id']}/retry")).status_code in (200, 404)


async def test_the_journal_of_hostile_events_can_be_read(archive: Archive) -> None:
    await archive.journal(*mutations(archive_message(await archive.completed()), most=_EACH, seed=3))
    transport = httpx.ASGITransport(app=archive.service.app, raise_app_exceptions=False)
    headers = {"authorization": f"Bearer {TOKENS[Role.AUDITOR]}"}
    async with httpx.AsyncClient(transport=transport, base_url="http://fuzz", headers=headers) as api:
        after, seen = "0", 0
        while (page := (await api.get("/events", params={"after": after, "limit": 50})).json())["events"]:
            after, seen = page["next"], seen + len(page["events"])
    assert seen > _EACH / 2
