"""An extract of minutes is mailed to whom the archive sends it, and who sent it is told when that did not arrive."""

import asyncio
import re
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from services.notifications.delivery import store
from services.notifications.delivery.delivery import Status
from services.notifications.delivery.store import DeliveryKey
from shared.errors import Refused
from shared.events import ExtractLinkEnded, ExtractSent, ExtractUnreached, Person
from shared.keys import parse_keys
from shared.links import EXTRACT, parts_of_extract_link, read
from shared.settings import Settings
from tests.integration.notifications.post import AGREEMENT, ORGANISATION, SENDER, TITLE, Post, created, message, words
from tests.support.locks import waits_for_a_lock
from tests.support.smtp_server import RecordingSmtpServer

NORA = Person(email="nora.vik@bjorka.example", name="Nora Vik")


def about(version: int = 1, number: int = 1) -> dict[str, Any]:
    said = {"agreement_id": AGREEMENT, "document_name": TITLE, "paragraph": 32, "recipient": NORA}
    return {**said, "number": number, "version": version}


def sent(version: int = 1, number: int = 1) -> ExtractSent:
    until = "2022-12-26T06:55:00.000000Z"
    return ExtractSent(**about(version, number), sender=SENDER, opens_until=until, timezone="Europe/Stockholm")


async def test_whom_it_is_for_is_mailed_a_link_of_their_own(
    waiting_post: Post, server: RecordingSmtpServer, settings: Settings
) -> None:
    await waiting_post.bring(message(sent()))
    await waiting_post.commands.deliver_next(ORGANISATION, NORA.email)
    [mail] = server.mails
    said = words(mail)
    assert "Karin Ek" in said
    assert "26 dec 2022 07:55 GMT+1" in said
    token = re.search(r"/archive/copies/(\S+)/extract", said)
    assert token
    ring = parse_keys(settings.secret("copy_link_keys"), "JUSTERA_COPY_LINK_KEYS")
    link = read(ring, EXTRACT, token[1])
    assert (link.organisation, parts_of_extract_link(link.subject)[:2], link.version) == (
        ORGANISATION,
        (AGREEMENT, 1),
        1,
    )


async def test_a_link_that_ended_is_not_mailed_and_those_to_other_extracts_are(waiting_post: Post) -> None:
    await waiting_post.bring(*map(message, [sent(), sent(number=2)]))
    await waiting_post.bring(message(ExtractLinkEnded(**about(2))), message(sent(2)))
    found = {(one.request_id, one.request_version): one.status for one in await waiting_post.deliveries()}
    assert found == {("1", 1): Status.WITHDRAWN, ("1", 2): Status.WAITING, ("2", 1): Status.WAITING}


async def test_its_bounce_names_the_extract_and_who_sent_it_is_told(
    waiting_post: Post, server: RecordingSmtpServer
) -> None:
    await waiting_post.bring(message(sent()))
    await waiting_post.commands.deliver_next(ORGANISATION, NORA.email)
    await waiting_post.commands.bounce(ORGANISATION, NORA.email, "5.1.1")
    [bounced] = [one.body for one in await waiting_post.published() if one.name == "bounce-detected"]
    assert (bounced["purpose"], bounced["request_id"], bounced["request_version"]) == ("extract", "1", 1)
    unreached = ExtractUnreached(**about(), sender=SENDER, diagnostic="550 no such user")
    await waiting_post.bring(message(unreached))
    await waiting_post.commands.deliver_next(ORGANISATION, SENDER.email)
    said = words(server.mails[-1])
    assert "Nora Vik (nora.vik@bjorka.example)" in said
    assert f"/archive/extracts/{AGREEMENT}/1/people" in said


async def test_sent_again_the_mail_before_is_not_sent_any_more(waiting_post: Post) -> None:
    """Its link opens nothing, once there is a newer one."""
    await waiting_post.bring(message(sent()))
    await waiting_post.bring(message(sent(2)))
    found = {one.request_version: one.status for one in await waiting_post.deliveries()}
    assert found == {1: Status.WITHDRAWN, 2: Status.WAITING}


@pytest.mark.parametrize("after", [sent(2), ExtractLinkEnded(**about(2))])
async def test_an_operator_mails_no_link_that_opens_nothing(
    waiting_post: Post, after: ExtractSent | ExtractLinkEnded
) -> None:
    await waiting_post.bring(message(created()), message(sent()))
    await waiting_post.commands.deliver_next(ORGANISATION, NORA.email)
    await waiting_post.commands.bounce(ORGANISATION, NORA.email, "5.2.2")
    [bounced] = await waiting_post.deliveries()
    await waiting_post.bring(message(after))
    with pytest.raises(Refused, match=r"^the link in the mail opens nothing"):
        await waiting_post.commands.retry(ORGANISATION, bounced.id)
    for one in await waiting_post.deliveries():
        if one.request_version == 2:
            assert (await waiting_post.commands.retry(ORGANISATION, one.id)).id == one.id


async def test_an_operator_tries_an_extract_again_while_its_link_opens(waiting_post: Post) -> None:
    await waiting_post.bring(message(sent()))
    await waiting_post.commands.deliver_next(ORGANISATION, NORA.email)
    await waiting_post.commands.bounce(ORGANISATION, NORA.email, "5.2.2")
    [bounced] = await waiting_post.deliveries()
    await waiting_post.bring(message(sent(2, number=2)))
    assert (await waiting_post.commands.retry(ORGANISATION, bounced.id)).status is Status.WAITING


@pytest.mark.parametrize("after", [sent(2), ExtractLinkEnded(**about(2))])
async def test_a_link_that_ends_while_its_mail_is_tried_again_is_not_mailed(
    waiting_post: Post, monkeypatch: pytest.MonkeyPatch, after: ExtractSent | ExtractLinkEnded
) -> None:
    """Whoever comes second of the two sees what the first did."""
    await waiting_post.bring(message(created()), message(sent()))
    await waiting_post.commands.deliver_next(ORGANISATION, NORA.email)
    await waiting_post.commands.bounce(ORGANISATION, NORA.email, "5.2.2")
    [bounced] = await waiting_post.deliveries()
    requeue, ending = store.requeue, []

    async def meanwhile(connection: AsyncConnection, key: DeliveryKey) -> None:
        ending.append(asyncio.create_task(waiting_post.bring(message(after))))
        await waits_for_a_lock(waiting_post.database)
        await requeue(connection, key)

    monkeypatch.setattr(store, "requeue", meanwhile)
    await waiting_post.commands.retry(ORGANISATION, bounced.id)
    await asyncio.gather(*ending)
    found = {one.request_version: one.status for one in await waiting_post.deliveries()}
    assert found[1] is Status.WITHDRAWN
