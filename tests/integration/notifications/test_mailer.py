"""The mailer on a real SMTP server: each mail once, outcomes as events, trouble that stays where it is."""

import asyncio

import pytest
from sqlalchemy import text

from services.notifications.delivery.delivery import Status
from services.notifications.delivery.mailer import MailerSettings
from shared.errors import Unavailable
from shared.events import Person
from shared.settings import Settings
from tests.integration.notifications.conftest import QUICK, MakePost
from tests.integration.notifications.post import (
    AGREEMENT,
    MEETING,
    OLOF,
    ORGANISATION,
    SVEN,
    Post,
    eventually,
    id_of,
    message,
    requested,
    words,
)
from tests.support.smtp_server import Delay, Drop, RecordingSmtpServer, Reply


async def test_a_mail_goes_out_and_the_fact_says_so(post: Post, server: RecordingSmtpServer) -> None:
    cause = message(requested())
    await post.bring(cause)
    await eventually(post.all_sent)

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
    await eventually(post.all_sent, seconds=5)


async def test_two_mailers_send_each_mail_once(make_post: MakePost, server: RecordingSmtpServer) -> None:
    writer, first, second = make_post(automatic=False), make_post(), make_post()
    await writer.bring(*(message(requested(f"signer{n}@bjorka.example", request_id=f"r{n}")) for n in range(60)))
    await eventually(writer.all_sent, seconds=30)
    assert sorted(mail.recipient for mail in server.mails) == sorted(f"signer{n}@bjorka.example" for n in range(60))
    assert await writer.names() == ["email-sent"] * 60
    assert first.service is not second.service


async def test_a_mail_that_was_not_taken_is_tried_again(post: Post, server: RecordingSmtpServer) -> None:
    server.at("rcpt", Reply("450 4.2.1 greylisted"))
    await post.bring(message(requested()))
    await eventually(post.all_sent)
    deferred, sent = await post.published()
    assert (deferred.name, deferred.body["status"]) == ("email-deferred", "4.2.1")
    assert (sent.name, sent.attributes["sequence"]) == ("email-sent", "2")
    assert len(server.mails) == 1


async def test_a_sender_that_no_header_can_hold_blames_no_signer(post: Post, server: RecordingSmtpServer) -> None:
    sender = Person(email="björn.ek@norrdalen.example", name="Björn Ek")
    await post.bring(message(requested().model_copy(update={"sender": sender})))
    await eventually(post.all_sent)
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
    await eventually(post.all_sent)
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
    assert await post.all_sent()


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
