"""The mailer on a real SMTP server: each mail once, outcomes as events, trouble that stays where it is."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.notifications.delivery import instance, store
from services.notifications.delivery.delivery import Status
from services.notifications.delivery.mailer import Mailer, MailerSettings
from shared.errors import Unavailable
from shared.events import Person
from shared.row_security import for_all
from shared.settings import Settings
from shared.turns import Turns
from tests.integration.notifications.conftest import QUICK, MakePost
from tests.integration.notifications.post import (
    AGREEMENT,
    MEETING,
    OLOF,
    ORGANISATION,
    SVEN,
    Post,
    created,
    eventually,
    id_of,
    message,
    requested,
    words,
)
from tests.support.smtp_server import Delay, Drop, RecordingSmtpServer, Reply


async def _all_sent(post: Post) -> bool:
    return all(one.status is Status.SENT for one in await post.deliveries())


async def test_a_mail_goes_out_and_the_fact_says_so(post: Post, server: RecordingSmtpServer) -> None:
    cause = message(requested())
    await post.bring(cause)
    await eventually(lambda: _all_sent(post))

    [mail] = server.mails
    [delivery] = await post.deliveries()
    [sent] = await post.published()
    assert mail.message["Message-ID"] == f"<{delivery.id}@norrdalen.example>"
    assert mail.mail_from.startswith("bounces+k1-")
    assert mail.mail_from.endswith("@bounces.norrdalen.example")
    assert "https://justera.norrdalen.example/signing/s/" in words(mail)
    assert sent.name == "email-sent"
    assert sent.key == AGREEMENT
    assert sent.body == {
        "email_id": delivery.id,
        "agreement_id": AGREEMENT,
        "purpose": "signature-request",
        "recipient": OLOF,
        "request_id": "request-1",
        "request_version": 1,
        "message_id": mail.message["Message-ID"],
    }
    assert (sent.attributes["subject"], sent.attributes["sequence"]) == (delivery.id, "1")
    assert (sent.attributes["correlationid"], sent.attributes["causationid"]) == (MEETING, id_of(cause))
    assert sent.attributes["time"] == "2022-09-26T08:41:44.000000Z"


async def test_a_new_mail_is_not_left_to_a_poll(make_post: MakePost, server: RecordingSmtpServer) -> None:
    post = make_post(mailer_settings=MailerSettings(poll=60))
    await asyncio.sleep(0.3)  # the mailer has found nothing, and waits
    await post.bring(message(requested()))
    await eventually(lambda: _all_sent(post), seconds=5)


async def test_two_mailers_send_each_mail_once(make_post: MakePost, server: RecordingSmtpServer) -> None:
    writer, first, second = make_post(automatic=False), make_post(), make_post()
    await writer.bring(*(message(requested(f"signer{n}@bjorka.example", request_id=f"r{n}")) for n in range(60)))
    await eventually(lambda: _all_sent(writer), seconds=30)
    assert sorted(mail.recipient for mail in server.mails) == sorted(f"signer{n}@bjorka.example" for n in range(60))
    assert await writer.names() == ["email-sent"] * 60
    assert first.service is not second.service


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
    await eventually(lambda: _all_sent(successor))

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
    await eventually(lambda: _all_sent(successor), seconds=20)
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
    await eventually(lambda: _all_sent(one))
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
    await eventually(lambda: _all_sent(post))
    assert len(server.mails) == 1
    assert await post.names() == ["email-sent"]


async def test_a_mail_that_was_not_taken_is_tried_again(post: Post, server: RecordingSmtpServer) -> None:
    server.at("rcpt", Reply("450 4.2.1 greylisted"))
    await post.bring(message(requested()))
    await eventually(lambda: _all_sent(post))
    deferred, sent = await post.published()
    assert (deferred.name, deferred.body["status"]) == ("email-deferred", "4.2.1")
    assert (sent.name, sent.attributes["sequence"]) == ("email-sent", "2")
    assert len(server.mails) == 1


async def test_a_sender_that_no_header_can_hold_blames_no_signer(post: Post, server: RecordingSmtpServer) -> None:
    sender = Person(email="björn.ek@norrdalen.example", name="Björn Ek")
    await post.bring(message(requested().model_copy(update={"sender": sender})))
    await eventually(lambda: _all_sent(post))
    assert await post.names() == ["email-sent"]
    assert server.mails[0].message["Reply-To"] is None


async def test_what_we_cannot_write_is_no_bounce_of_its_recipient(post: Post, server: RecordingSmtpServer) -> None:
    await post.bring(message(requested().model_copy(update={"document_name": "Protokoll \u202e"})))

    async def put_off() -> bool:
        return [one.attempts > 0 for one in await post.deliveries()] == [True]

    await eventually(put_off)
    assert await post.names() == ["email-deferred"]
    assert server.mails == []


async def test_a_refused_recipient_is_a_bounce(post: Post, server: RecordingSmtpServer) -> None:
    server.refuse(OLOF, "550 5.1.1 no such user")
    await post.bring(message(requested()), message(requested(SVEN, request_id="request-2")))

    async def settled() -> bool:
        return {one.status for one in await post.deliveries()} == {Status.SENT, Status.BOUNCED}

    await eventually(settled)
    bounce = next(event for event in await post.published() if event.name == "bounce-detected")
    assert (bounce.body["status"], bounce.body["permanent"]) == ("5.1.1", True)
    assert bounce.body["diagnostic"] == "550 5.1.1 no such user"
    assert len(server.mails_to(SVEN)) == 1


async def test_a_mail_that_waited_for_five_days_is_given_up(post: Post, server: RecordingSmtpServer) -> None:
    server.refuse(OLOF, "450 4.2.2 mailbox full")
    await post.bring(message(requested()))

    async def deferred() -> bool:
        return "email-deferred" in await post.names()

    await eventually(deferred)
    async with post.database.transaction() as connection:
        await connection.exec_driver_sql("UPDATE delivery SET queued_at = queued_at - interval '5 days'")

    async def bounced() -> bool:
        return "bounce-detected" in await post.names()

    await eventually(bounced)
    bounce = (await post.published())[-1]
    assert (bounce.body["status"], bounce.body["permanent"]) == ("4.4.7", False)


async def test_one_slow_mail_does_not_hold_up_the_others(make_post: MakePost, server: RecordingSmtpServer) -> None:
    post = make_post(mailer_settings=MailerSettings(poll=0.1))
    server.at("reply", Delay(8))
    await post.bring(*(message(requested(f"signer{n}@bjorka.example", request_id=f"r{n}")) for n in range(30)))

    async def all_but_one() -> bool:
        return [one.status for one in await post.deliveries()].count(Status.SENT) == 29

    await eventually(all_but_one, seconds=7)


async def test_a_lost_reply_is_followed_by_the_same_mail(post: Post, server: RecordingSmtpServer) -> None:
    server.at("reply", Drop())
    await post.bring(message(requested()))
    await eventually(lambda: _all_sent(post))
    assert len({mail.message["Message-ID"] for mail in server.mails}) == 1
    assert await post.names() == ["email-deferred", "email-sent"]


async def test_a_dead_mail_server_is_not_stormed(
    make_post: MakePost, settings: Settings, server: RecordingSmtpServer
) -> None:
    port = server.port
    await server.stop()
    post = make_post(settings=settings.model_copy(update={"smtp_port": port}))
    await post.bring(*(message(requested(f"signer{n}@bjorka.example", request_id=f"r{n}")) for n in range(40)))
    await asyncio.sleep(2)
    tried = [one for one in await post.deliveries() if one.attempts]
    assert 1 <= len(tried) <= 2 * QUICK.connections + 3
    await server.start()


async def test_a_server_that_lets_nobody_in_is_an_outage(make_post: MakePost, server: RecordingSmtpServer) -> None:
    """It is not one mail's trouble: all wait, and none waits long once it is over."""
    server.at("connect", *[Reply("421 4.3.2 closing")] * 3)
    post = make_post(mailer_settings=MailerSettings(poll=0.1, first_delay=600, longest_delay=600))
    await post.bring(*(message(requested(f"signer{n}@bjorka.example", request_id=f"r{n}")) for n in range(30)))

    async def all_that_were_not_tried() -> bool:
        return [one.status for one in await post.deliveries()].count(Status.SENT) >= 20

    await eventually(all_that_were_not_tried, seconds=20)


async def test_a_recipients_4xx_is_no_outage(make_post: MakePost, server: RecordingSmtpServer) -> None:
    server.refuse(SVEN, "450 4.4.1 his server does not answer")
    post = make_post(mailer_settings=MailerSettings(poll=0.1, first_delay=0.1, longest_delay=0.1))
    await post.bring(message(requested(SVEN)))

    async def tried_again() -> bool:
        return (await post.deliveries())[0].attempts >= 5

    await eventually(tried_again, seconds=5)


async def test_facts_that_make_no_mail_are_a_bounce_and_hold_up_nothing(
    post: Post, server: RecordingSmtpServer
) -> None:
    await post.bring(message(requested("åsa@bjorka.example")), message(requested(request_id="request-2")))

    async def settled() -> bool:
        return sorted(await post.names()) == ["bounce-detected", "email-sent"]

    await eventually(settled)
    assert [mail.recipient for mail in server.mails] == [OLOF]


async def test_stopping_finishes_the_mails_in_hand(post: Post, server: RecordingSmtpServer) -> None:
    server.at("reply", Delay(0.5))
    await post.bring(message(requested()))

    async def connected() -> bool:
        return server.connections == 1

    await eventually(connected)
    await post.mailer.stop()
    assert await _all_sent(post)


async def test_work_in_hand_is_counted(waiting_post: Post, server: RecordingSmtpServer) -> None:
    await waiting_post.bring(message(requested()))
    assert await waiting_post.commands.count_waiting() == 1
    server.at("rcpt", Reply("450 4.2.1 greylisted"))
    with pytest.raises(Unavailable):
        await waiting_post.commands.deliver_next(ORGANISATION, OLOF)
    assert await waiting_post.commands.count_waiting() == 1, "put off"
    await waiting_post.commands.deliver_next(ORGANISATION, OLOF)
    assert await waiting_post.commands.count_waiting() == 0


async def test_a_mail_of_a_purpose_that_a_newer_release_made_is_left_to_it(
    make_post: MakePost, server: RecordingSmtpServer
) -> None:
    """While pods roll, or after a step back: the others go out, and pages and lists show what can be said of."""
    post = make_post(automatic=False)
    await post.bring(message(requested()), message(requested(SVEN, request_id="request-2")))
    async with post.service.database.transaction() as connection:
        await connection.execute(text("UPDATE delivery SET purpose = 'of-tomorrow' WHERE request_id = 'request-1'"))

    async def one_sent() -> bool:
        return [one.status for one in await post.deliveries()] == [Status.SENT]

    make_post()
    await eventually(one_sent)
    assert [mail.recipient for mail in server.mails] == [SVEN]
    async with post.service.database.single() as connection:
        left = await connection.execute(text("SELECT status, claim FROM delivery WHERE purpose = 'of-tomorrow'"))
        assert tuple(left.one()) == ("waiting", None)


async def test_one_mail_waits_for_no_thousands_of_another_organisation(
    make_post: MakePost, server: RecordingSmtpServer
) -> None:
    """Nor do mails that are due later, or that another mailer holds, cost anybody a turn."""
    post = make_post(automatic=False)
    noisy = [requested(request_id=f"r-{number}") for number in range(300)]
    await post.bring(message(created(), organisation="bjorka"), *(message(one, organisation="bjorka") for one in noisy))
    for number in range(20):
        later = f"later-{number}"
        await post.bring(message(created(), organisation=later), message(requested(), organisation=later))
    await post.bring(message(requested()))
    async with post.database.transaction() as connection:
        await connection.exec_driver_sql("SET LOCAL justera.organisations = '*'")
        await connection.exec_driver_sql(
            "UPDATE delivery SET due_at = clock_timestamp() + '1 hour' WHERE organisation LIKE 'later-%'"
        )
    turns = Turns()
    async with post.database.single() as connection:
        with for_all("a test"):
            first = await store.claim_due(connection, claim="one", lease=60, most=8, turns=turns)
            second = await store.claim_due(connection, claim="one", lease=60, most=8, turns=turns)
    assert [sum(one.organisation == of for one in first) for of in ("bjorka", ORGANISATION)] == [7, 1]
    assert len(second) == 8, "and each claim is full"
    firsts = [one for one in (*first, *second) if one.organisation == "bjorka"]
    assert {one.request_id for one in firsts} == {f"r-{number}" for number in range(15)}, "those due longest"


async def test_of_more_organisations_than_a_claim_has_rows_each_has_its_turn(make_post: MakePost) -> None:
    post = make_post(automatic=False)
    names = [f"o{number}" for number in range(9)]
    for name in names:
        asked = [requested(request_id=f"r-{number}") for number in range(3)]
        await post.bring(*(message(one, organisation=name) for one in (created(), *asked)))
    turns, claimed = Turns(), []
    async with post.database.single() as connection:
        with for_all("a test"):
            for _ in range(3):
                found = await store.claim_due(connection, claim="one", lease=60, most=4, turns=turns)
                claimed += [one.organisation for one in found]
    assert set(claimed) == set(names)
    assert len(claimed) == 12
