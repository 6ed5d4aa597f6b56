"""A mail whose mailer dies, or loses its lease or its database: it is sent again by who may, and by nobody else."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.notifications.delivery import instance, store
from services.notifications.delivery.mailer import Mailer, MailerSettings
from tests.integration.notifications.conftest import MakePost
from tests.integration.notifications.post import (
    OLOF,
    SVEN,
    Post,
    eventually,
    message,
    requested,
    words,
)
from tests.support.smtp_server import Delay, RecordingSmtpServer


async def test_a_crash_between_acceptance_and_record_sends_the_same_message_id(
    make_post: MakePost, server: RecordingSmtpServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def never(self: Mailer, group: Any) -> None:
        await asyncio.Event().wait()

    with monkeypatch.context() as crashing:
        crashing.setattr(Mailer, "_record_surely", never)
        dying = make_post(mailer_settings=MailerSettings(lease=0.6, poll=0.1, drain=0.1))
        await dying.bring(message(requested()))

        async def arrived() -> bool:
            return len(server.mails) == 1

        await eventually(arrived)
        await dying.mailer.stop()
    successor = make_post()
    await eventually(successor.all_sent)

    first, second = server.mails
    assert first.message["Message-ID"] == second.message["Message-ID"]
    assert first.mail_from == second.mail_from
    assert words(first) == words(second)
    assert await successor.names() == ["email-sent"]


LONG = MailerSettings(lease=60, poll=0.1, drain=0.1)


@asynccontextmanager
async def _dying(
    make_post: MakePost, server: RecordingSmtpServer, monkeypatch: pytest.MonkeyPatch, *, instance: str | None
) -> AsyncIterator[Post]:
    """Its mail was taken, and that is not on record. Past the block it is gone, with its lease and what it holds."""

    async def never(self: Mailer, group: Any) -> None:
        await asyncio.Event().wait()

    with monkeypatch.context() as crashing:
        crashing.setattr(Mailer, "_record_surely", never)
        dying = make_post(mailer_settings=LONG, instance=instance)
        await dying.bring(message(requested()))

        async def arrived() -> bool:
            return len(server.mails) == 1

        await eventually(arrived)
        dying.mailer._settings = replace(dying.mailer._settings, connections=0)  # takes no other mail in hand
        yield dying
        await dying.mailer.stop()


async def test_the_next_start_of_the_same_mailer_sends_at_once_what_it_had_in_hand(
    make_post: MakePost, server: RecordingSmtpServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with _dying(make_post, server, monkeypatch, instance="one"):
        pass
    successor = make_post(mailer_settings=LONG, instance="one")
    await eventually(successor.all_sent, seconds=20)
    first, second = server.mails
    assert first.message["Message-ID"] == second.message["Message-ID"]
    assert await successor.names() == ["email-sent"]


@pytest.mark.parametrize(("before", "after"), [("one", "two"), ("one", None), (None, "one"), (None, None)])
async def test_another_mailer_takes_nothing_over(
    before: str | None,
    after: str | None,
    make_post: MakePost,
    server: RecordingSmtpServer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with _dying(make_post, server, monkeypatch, instance=before):
        pass
    make_post(mailer_settings=LONG, instance=after)
    await asyncio.sleep(1.5)
    assert len(server.mails) == 1


async def test_a_mailer_of_the_same_name_takes_nothing_from_one_that_lives(
    make_post: MakePost, server: RecordingSmtpServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two machines called "localhost". Once the one is gone, it is as if the other were its next start."""
    async with _dying(make_post, server, monkeypatch, instance="localhost"):
        other = make_post(mailer_settings=LONG, instance="localhost")
        await asyncio.sleep(1.5)
        assert len(server.mails) == 1
        await other.bring(message(requested(SVEN, request_id="request-2")))

        async def works() -> bool:
            return len(server.mails_to(SVEN)) == 1

        await eventually(works)

    async def sent_again() -> bool:
        return len(server.mails_to(OLOF)) == 2

    await eventually(sent_again, seconds=20)
    assert len(server.mails_to(SVEN)) == 1


async def test_of_two_that_lose_their_connections_neither_takes_over_from_the_other(
    make_post: MakePost, server: RecordingSmtpServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """PostgreSQL is started again: its locks are gone, and both mailers are alive."""
    monkeypatch.setattr(instance, "_PATIENCE", 0.3)
    monkeypatch.setattr(instance, "_LOOK", 0.1)
    async with _dying(make_post, server, monkeypatch, instance="localhost") as first:
        make_post(mailer_settings=LONG, instance="localhost")
        await asyncio.sleep(1)
        async with first.database.single() as connection:
            holders = "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory'"
            await connection.execute(text(holders))
        await asyncio.sleep(1.5)
        assert len(server.mails) == 1


async def test_a_lease_is_renewed_while_a_mail_is_in_hand(make_post: MakePost, server: RecordingSmtpServer) -> None:
    server.at("reply", Delay(2.5))
    quick = MailerSettings(lease=0.6, poll=0.05)
    one, _ = make_post(mailer_settings=quick), make_post(mailer_settings=quick)
    await one.bring(message(requested()))
    await eventually(one.all_sent)
    assert (server.connections, len(server.mails)) == (1, 1)


@asynccontextmanager
async def _contested(make_post: MakePost) -> AsyncIterator[AsyncConnection]:
    """A mail whose lease, held by `one`, has ended, as another mailer has noticed."""
    post = make_post(automatic=False)
    await post.bring(message(requested()))
    async with post.service.database.single() as connection:
        assert await store.claim_due(connection, claim="one", lease=0, most=1)
        assert not await store.claim_due(connection, claim="another", lease=0, most=1)
        yield connection


async def test_a_lease_that_ended_may_still_be_renewed(make_post: MakePost) -> None:
    """Its holder could not write for a while: the database was away, or its disk full."""
    async with _contested(make_post) as connection:
        await store.renew(connection, ["one"], lease=0)
        assert not await store.claim_due(connection, claim="another", lease=60, most=1)
        assert not await store.claim_due(connection, claim="another", lease=60, most=1), "it has half a minute"


async def test_a_lease_that_nobody_renews_is_taken_over(make_post: MakePost) -> None:
    async with _contested(make_post) as connection:
        assert await store.claim_due(connection, claim="another", lease=0, most=1)


async def test_a_mail_in_hand_is_not_sent_again_when_its_lease_ended_while_the_database_was_away(
    make_post: MakePost, server: RecordingSmtpServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    away = True
    record = Mailer._record

    async def fail_while_away(self: Mailer, group: Any) -> None:
        if away:
            raise ConnectionRefusedError
        await record(self, group)

    async def never_renewed(*_: Any, **__: Any) -> None:
        raise ConnectionRefusedError

    monkeypatch.setattr(Mailer, "_record", fail_while_away)
    monkeypatch.setattr(store, "renew", never_renewed)
    post = make_post(mailer_settings=MailerSettings(lease=0.2, poll=0.05))
    await post.bring(message(requested()))
    await asyncio.sleep(1)
    away = False
    await eventually(post.all_sent)
    assert len(server.mails) == 1
    assert await post.names() == ["email-sent"]
