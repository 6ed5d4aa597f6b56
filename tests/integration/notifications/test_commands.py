"""What a replay asks for: one mail at a time, at the clock's time, and bounces through the real parser."""

from datetime import timedelta

import pytest
from sqlalchemy import text

from services.notifications.delivery.delivery import Status
from shared.errors import InvalidInput, NotFound, Refused, Unavailable
from tests.integration.notifications.post import (
    OLOF,
    ORGANISATION,
    START,
    Post,
    created,
    message,
    reminder,
    requested,
    signed,
)
from tests.support.smtp_server import RecordingSmtpServer, Reply


async def test_requests_go_before_other_mails_and_the_oldest_first(
    waiting_post: Post, server: RecordingSmtpServer
) -> None:
    await waiting_post.bring(message(created()), message(signed()), message(requested(request_id="request-2", place=2)))
    await waiting_post.bring(message(requested(purpose="again", request_id="request-2", place=2)))
    order = []
    for _ in range(3):
        order.append((await waiting_post.commands.waiting(ORGANISATION, OLOF)).purpose.value)
        await waiting_post.commands.deliver_next(ORGANISATION, OLOF.upper())
    assert order == ["signature-request", "request-again", "receipt"]
    with pytest.raises(Refused, match=f"^no mail is waiting for {OLOF}$"):
        await waiting_post.commands.deliver_next(ORGANISATION, OLOF)


async def test_the_fact_bears_the_clocks_time(waiting_post: Post) -> None:
    await waiting_post.bring(message(requested()))
    waiting_post.clock.move_to(START + timedelta(minutes=7))
    await waiting_post.commands.deliver_next(ORGANISATION, OLOF)
    [sent] = await waiting_post.published()
    assert sent.attributes["time"] == "2022-09-26T08:48:44.000000Z"


async def test_a_mail_is_delivered_once(waiting_post: Post) -> None:
    await waiting_post.bring(message(requested()))
    [delivery] = await waiting_post.deliveries()
    await waiting_post.commands.deliver(ORGANISATION, delivery.id)
    with pytest.raises(Refused):
        await waiting_post.commands.deliver(ORGANISATION, delivery.id)


async def test_a_mail_server_that_does_not_take_it_is_told(waiting_post: Post, server: RecordingSmtpServer) -> None:
    await waiting_post.bring(message(requested()))
    server.at("rcpt", Reply("451 4.3.0 later"))
    with pytest.raises(Unavailable, match="did not take the mail: 451"):
        await waiting_post.commands.deliver_next(ORGANISATION, OLOF)
    assert await waiting_post.names() == ["email-deferred"]


@pytest.mark.parametrize(("status", "permanent"), [("5.1.1", True), ("4.4.7", False), ("5.7.26", True)])
async def test_a_bounce_speaks_of_the_last_delivery(waiting_post: Post, status: str, permanent: bool) -> None:
    await waiting_post.bring(message(requested()), message(reminder()))
    await waiting_post.commands.deliver_next(ORGANISATION, OLOF)
    waiting_post.clock.move_to(START + timedelta(minutes=1))
    await waiting_post.commands.deliver_next(ORGANISATION, OLOF)

    await waiting_post.commands.bounce(ORGANISATION, OLOF, status)
    await waiting_post.commands.bounce(ORGANISATION, OLOF, status)

    *_, last = await waiting_post.published()
    assert await waiting_post.names() == ["email-sent", "email-sent", "bounce-detected"]
    assert (last.body["purpose"], last.body["status"], last.body["permanent"]) == ("reminder", status, permanent)
    assert status in last.body["diagnostic"]


async def test_a_bounce_needs_a_delivered_request(waiting_post: Post) -> None:
    await waiting_post.bring(message(requested()), message(signed("a@bjorka.example", request_id="r9", place=9)))
    await waiting_post.commands.deliver_next(ORGANISATION, "a@bjorka.example")
    for address in (OLOF, "a@bjorka.example"):
        with pytest.raises(Refused, match=f"^no request or notice reached {address}$"):
            await waiting_post.commands.bounce(ORGANISATION, address, "5.1.1")


async def test_a_bounce_needs_a_status_of_failure(waiting_post: Post) -> None:
    await waiting_post.bring(message(requested()))
    await waiting_post.commands.deliver_next(ORGANISATION, OLOF)
    for status in ("2.0.0", "5.1", "5.1.1\r\nX: y", ""):
        with pytest.raises(InvalidInput):
            await waiting_post.commands.bounce(ORGANISATION, OLOF, status)


async def test_a_bounced_mail_can_be_tried_again_under_its_message_id(
    waiting_post: Post, server: RecordingSmtpServer
) -> None:
    await waiting_post.bring(message(requested()))
    [delivery] = await waiting_post.deliveries()
    await waiting_post.commands.deliver_next(ORGANISATION, OLOF)
    with pytest.raises(Refused):
        await waiting_post.commands.retry(ORGANISATION, delivery.id)
    await waiting_post.commands.bounce(ORGANISATION, OLOF, "5.2.2")
    assert (await waiting_post.commands.retry(ORGANISATION, delivery.id)).status is Status.WAITING
    await waiting_post.commands.deliver_next(ORGANISATION, OLOF)
    assert len({mail.message["Message-ID"] for mail in server.mails}) == 1
    assert [event.attributes["sequence"] for event in await waiting_post.published()] == ["1", "2", "3"]
    with pytest.raises(NotFound):
        await waiting_post.commands.retry(ORGANISATION, "none")
    async with waiting_post.database.transaction() as connection:
        await connection.execute(text("UPDATE delivery SET purpose = 'of-tomorrow'"))
    with pytest.raises(NotFound):
        await waiting_post.commands.retry(ORGANISATION, delivery.id)
