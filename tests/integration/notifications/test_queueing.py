"""Which mails events lead to: once a cause, withdrawn when nobody needs them, in few statements."""

import re
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import event as sqlalchemy_event

from services.notifications.delivery.delivery import Status
from shared.errors import Refused
from shared.events import AgreementCancelled, AgreementExpired, Event, Person, SignerAddressCorrected, SigningDeclined
from shared.events.meetings import SignerInvitation
from shared.messaging import dead_letters
from tests.integration.notifications.conftest import MakePost
from tests.integration.notifications.post import (
    AGREEMENT,
    OLOF,
    ORGANISATION,
    SENDER,
    START,
    SVEN,
    SVENS_OTHER,
    TITLE,
    Post,
    alternate_added,
    archived,
    created,
    deadline_neared,
    links_ended,
    message,
    reminder,
    requested,
    signed,
    unreached,
    words,
)
from tests.support.smtp_server import RecordingSmtpServer


async def test_each_event_leads_to_its_mails(waiting_post: Post) -> None:
    await waiting_post.bring(
        *map(message, [created(), requested(), reminder(), signed(), archived()]),
    )
    mails = {(one.purpose.value, one.recipient) for one in await waiting_post.deliveries()}
    assert mails == {
        ("signature-request", OLOF),
        ("reminder", OLOF),
        ("receipt", OLOF),
        ("archived", SENDER.email),
        ("archived", OLOF),
    }


async def test_an_event_that_comes_twice_leads_to_one_mail(waiting_post: Post) -> None:
    first = message(requested())
    await waiting_post.bring(first, first)
    await waiting_post.bring(first)
    assert len(await waiting_post.deliveries()) == 1


async def test_an_event_that_the_inbox_has_forgotten_leads_to_no_second_mail(waiting_post: Post) -> None:
    cause = message(requested())
    await waiting_post.bring(cause)
    async with waiting_post.database.transaction() as connection:
        await connection.exec_driver_sql("DELETE FROM inbox")
    await waiting_post.bring(cause)
    assert len(await waiting_post.deliveries()) == 1
    async with waiting_post.database.transaction() as connection:
        assert await dead_letters.count(connection) == 0


async def test_an_alternate_and_the_original_are_named_to_each_other(
    waiting_post: Post, server: RecordingSmtpServer
) -> None:
    await waiting_post.bring(message(created()), message(alternate_added()))
    await waiting_post.bring(
        message(requested(SVENS_OTHER, "alternate", request_id="request-2a", place=2)),
        message(requested(SVEN, "again", request_id="request-2", place=2)),
    )
    await waiting_post.commands.deliver_next(ORGANISATION, SVENS_OTHER)
    await waiting_post.commands.deliver_next(ORGANISATION, SVEN)

    texts = {mail.recipient: words(mail) for mail in server.mails}
    assert SVEN in texts[SVENS_OTHER]
    assert SVENS_OTHER in texts[SVEN]


async def test_a_receipt_shows_the_time_where_the_agreement_is(waiting_post: Post, server: RecordingSmtpServer) -> None:
    await waiting_post.bring(message(created()), message(signed(), START + timedelta(hours=1)))
    await waiting_post.commands.deliver_next(ORGANISATION, OLOF)
    [mail] = server.mails
    assert "26 sep 2022 11:41 GMT+2" in words(mail)
    assert mail.message["Reply-To"] == "Karin Ek <karin.ek@norrdalen.example>"


@pytest.mark.parametrize("asked", [requested(), requested(purpose="again"), reminder()])
async def test_who_is_asked_reads_when_the_time_ends(
    waiting_post: Post, server: RecordingSmtpServer, asked: Event
) -> None:
    await waiting_post.bring(message(created()), message(asked))
    await waiting_post.commands.deliver_next(ORGANISATION, OLOF)
    assert "Sista tid att signera är 26 okt 2022 02:00 GMT+2." in words(server.mails[0])


async def test_waiting_requests_are_withdrawn_when_the_agreement_ends(waiting_post: Post) -> None:
    await waiting_post.bring(message(created()), message(requested()), message(signed(SVEN, place=0)))
    await waiting_post.bring(
        message(AgreementCancelled(agreement_id=AGREEMENT, by=SENDER, reason="Fel version", ip="192.0.2.1"))
    )
    found = {one.purpose.value: one.status for one in await waiting_post.deliveries()}
    assert found == {"signature-request": Status.WITHDRAWN, "receipt": Status.WAITING}


async def test_a_link_to_a_copy_that_ended_is_not_mailed_and_a_new_one_is_when_wished(
    waiting_post: Post, server: RecordingSmtpServer
) -> None:
    await waiting_post.bring(*map(message, [created(), archived()]))
    await waiting_post.commands.deliver_next(ORGANISATION, SENDER.email)
    await waiting_post.bring(message(links_ended((OLOF, 2, True), (SENDER.email, 2, False))))
    found = {(one.recipient, one.request_version): one.status for one in await waiting_post.deliveries()}
    assert found == {
        (SENDER.email, 1): Status.SENT,
        (OLOF, 1): Status.WITHDRAWN,
        (OLOF, 2): Status.WAITING,
    }
    await waiting_post.commands.deliver_next(ORGANISATION, OLOF)
    first, second = (re.search(r"/archive/copies/(\S+)", words(mail)) for mail in server.mails)
    assert first
    assert second
    assert first[1].split(".")[2] != second[1].split(".")[2], "each has a link of their own"
    assert [token[1].split(".")[3] for token in (first, second)] == ["1", "2"]


async def test_an_operator_mails_no_link_to_a_copy_that_opens_nothing(waiting_post: Post) -> None:
    await waiting_post.bring(*map(message, [created(), archived()]))
    await waiting_post.commands.deliver_next(ORGANISATION, SENDER.email)
    [mailed] = [one for one in await waiting_post.deliveries() if one.recipient == SENDER.email]
    await waiting_post.commands.report_simulated_bounce(ORGANISATION, mailed.id)
    await waiting_post.bring(message(links_ended((OLOF, 2, False))))
    assert (await waiting_post.commands.retry(ORGANISATION, mailed.id)).status is Status.WAITING
    await waiting_post.commands.deliver_next(ORGANISATION, SENDER.email)
    await waiting_post.bring(message(links_ended((SENDER.email, 2, False))))
    await waiting_post.commands.report_simulated_bounce(ORGANISATION, mailed.id)
    with pytest.raises(Refused, match=r"^the link in the mail opens nothing"):
        await waiting_post.commands.retry(ORGANISATION, mailed.id)


async def test_whose_links_ended_before_the_archiving_is_mailed_none(waiting_post: Post) -> None:
    await waiting_post.bring(message(created()), message(links_ended((OLOF.upper(), 2, False))))
    await waiting_post.bring(message(archived()))
    assert [one.recipient for one in await waiting_post.deliveries()] == [SENDER.email]


MAJA = Person(email="maja.lind@norrdalen.example", name="Maja Lind", language="en")

TOLD: dict[str, Any] = {"document_name": TITLE, "sender": SENDER, "signed": (MAJA, SENDER)}


def declined(email: str = OLOF, reason: str = "Paragraf 12 är fel", **told: Any) -> SigningDeclined:
    return SigningDeclined(
        agreement_id=AGREEMENT,
        request_id="request-1",
        place=1,
        email=email,
        name="Olof Berg",
        ip="198.51.100.7",
        role="chair",
        reason=reason,
        **told,
    )


async def mails_of(post: Post, *events: Event) -> dict[str, str]:
    """Who is told what, but for withdrawn mails."""
    await post.bring(*map(message, [created(), *events]))
    waiting = [one for one in await post.deliveries() if one.status is Status.WAITING]
    told = {one.recipient: one.purpose.value for one in waiting}
    assert len(told) == len(waiting), "somebody is told twice"
    return told


async def test_a_decline_is_told_to_all_whom_it_concerns_each_once(
    waiting_post: Post, server: RecordingSmtpServer
) -> None:
    told = await mails_of(waiting_post, requested(), declined(**TOLD))
    assert told == {OLOF: "decline-receipt", SENDER.email: "declined-notice", MAJA.email: "ended-declined"}
    for address in told:
        await waiting_post.commands.deliver_next(ORGANISATION, address)
    texts = {mail.recipient: words(mail) for mail in server.mails}
    assert "Skälet som du angav: ”Paragraf 12 är fel”" in texts[OLOF]
    assert "Du avböjde 26 sep 2022 10:41 GMT+2" in texts[OLOF]
    assert "Olof Berg (olof.berg@bjorka.example) har avböjt" in texts[SENDER.email]
    assert "”Paragraf 12 är fel”" in texts[SENDER.email]
    assert f"https://justera.norrdalen.example/signing/overview/{AGREEMENT}" in texts[SENDER.email]
    assert "one of those who were to sign after you has declined" in texts[MAJA.email]
    assert "Paragraf 12" not in texts[MAJA.email]


async def test_a_sender_who_declines_gets_the_receipt_only(waiting_post: Post) -> None:
    told = await mails_of(waiting_post, declined(SENDER.email.upper(), **TOLD))
    assert told == {SENDER.email.upper(): "decline-receipt", MAJA.email: "ended-declined"}


async def test_the_end_is_told_to_those_who_had_signed_and_an_expiry_to_the_sender(make_post: MakePost) -> None:
    cancelled = AgreementCancelled(agreement_id=AGREEMENT, by=SENDER, reason="Fel", ip="192.0.2.1", **TOLD)
    post = make_post(automatic=False)
    cancelled = cancelled.model_copy(update={"asked": (Person(email=SVEN, name="Sven Dahl"), MAJA)})
    assert await mails_of(post, cancelled) == {MAJA.email: "ended-cancelled", SVEN: "request-withdrawn"}
    async with post.database.transaction() as connection:
        await connection.exec_driver_sql("DELETE FROM delivery")
    told = await mails_of(post, AgreementExpired(agreement_id=AGREEMENT, **TOLD))
    assert told == {SENDER.email: "expired-notice", MAJA.email: "ended-expired"}


async def test_an_end_from_before_people_were_told_leads_to_no_mail(waiting_post: Post) -> None:
    assert await mails_of(waiting_post, declined(), AgreementExpired(agreement_id=AGREEMENT)) == {}


async def test_the_sender_reads_what_the_mail_server_said_with_both_remedies(
    waiting_post: Post, server: RecordingSmtpServer
) -> None:
    await waiting_post.bring(message(created()), message(unreached(diagnostic="550 5.1.1\r\n no\x00 such user\u202e")))
    await waiting_post.commands.deliver_next(ORGANISATION, SENDER.email)
    text = words(server.mails[0])
    page = f"https://justera.norrdalen.example/signing/overview/{AGREEMENT}"
    assert "”550 5.1.1 no such user” (kod 5.1.1)" in text
    assert f"{page}/address/request-2" in text
    assert f"{page}/alternate/request-2" in text


async def test_a_sender_whose_own_address_bounced_is_not_mailed_about_it(waiting_post: Post) -> None:
    assert await mails_of(waiting_post, unreached(SENDER.email)) == {}


async def test_the_sender_reads_when_the_time_ends_and_who_has_not_signed(
    waiting_post: Post, server: RecordingSmtpServer
) -> None:
    await waiting_post.bring(message(created()), message(deadline_neared()))
    await waiting_post.commands.deliver_next(ORGANISATION, SENDER.email)
    text = words(server.mails[0]).replace("\r\n", "\n")
    assert f"går ut 26 okt 2022 10:41 GMT+2. {SVEN} eller Sven Dahl har inte signerat." in text
    assert f"/signing/overview/{AGREEMENT}/deadline" in text


async def test_the_other_signer_of_a_signed_place_is_not_asked_any_more(waiting_post: Post) -> None:
    """The mails of the request that was used stay: completion waits for what became of them."""
    await waiting_post.bring(
        message(requested(SVENS_OTHER, "alternate", request_id="request-2a", place=2)),
        message(requested(SVEN, "again", request_id="request-2", place=2)),
        message(reminder(SVENS_OTHER, request_id="request-2a", place=2)),
        message(requested(OLOF, request_id="request-3", place=3)),
        message(signed(SVENS_OTHER, request_id="request-2a", place=2)),
    )
    found = {(one.purpose.value, one.recipient): one.status for one in await waiting_post.deliveries()}
    assert found == {
        ("alternate-request", SVENS_OTHER): Status.WAITING,
        ("request-again", SVEN): Status.WITHDRAWN,
        ("reminder", SVENS_OTHER): Status.WITHDRAWN,
        ("signature-request", OLOF): Status.WAITING,
        ("receipt", SVENS_OTHER): Status.WAITING,
    }


async def test_a_batch_of_500_events_takes_a_handful_of_statements(waiting_post: Post) -> None:
    statements: list[str] = []

    @sqlalchemy_event.listens_for(waiting_post.database.engine.sync_engine, "before_cursor_execute")
    def note(connection: object, cursor: object, statement: str, *rest: object) -> None:
        statements.append(statement)

    ids = [f"agreement-{number}" for number in range(100)]
    asked = [requested(agreement_id=one, request_id=f"r-{place}", place=place) for one in ids for place in range(4)]
    await waiting_post.bring(*map(message, [*map(created, ids), *asked]))

    # Parked keys, inbox, agreements read and written, deliveries.
    assert len(statements) == 5, statements
    assert len(await waiting_post.deliveries()) == 400


async def test_only_people_of_an_agreement_that_was_made_known_are_mailed(waiting_post: Post) -> None:
    """A copied request with another address in it, or of an agreement that nobody told us about, mails no link."""
    await waiting_post.bring_alone(message(created()), message(requested()), message(requested("mallory@evil.example")))
    await waiting_post.bring_alone(message(requested(agreement_id="unheard-of")))
    assert [one.recipient for one in await waiting_post.deliveries()] == [OLOF]
    async with waiting_post.database.transaction() as connection:
        kept = await dead_letters.listing(connection)
    assert [letter.reason for letter in kept] == [
        "would mail somebody who is not known to be part of the agreement"
    ] * 2


MALLORY = Person(email="mallory@evil.example", name="M")


@pytest.mark.parametrize(
    "forged",
    [
        requested(MALLORY.email),
        reminder(MALLORY.email),
        reminder(MALLORY.email, request_id="request-9"),
        archived().model_copy(update={"recipients": (MALLORY,)}),
    ],
)
async def test_of_an_older_agreement_a_request_asks_one_address_and_nobody_else_is_mailed(
    waiting_post: Post, forged: Event
) -> None:
    """An earlier version kept nobody's address; who is asked for the first time is believed once."""
    await waiting_post.bring_alone(message(created()))
    async with waiting_post.database.transaction() as connection:
        await connection.exec_driver_sql("UPDATE agreement SET people = '[]', asked = '[]'")
    await waiting_post.bring_alone(message(requested()), message(unreached(OLOF)))
    await waiting_post.bring_alone(message(reminder()), message(archived()))
    true = {(one.purpose.value, one.recipient) for one in await waiting_post.deliveries()}
    to_olof = {(purpose, OLOF) for purpose in ("signature-request", "reminder", "archived")}
    assert true == to_olof | {(purpose, SENDER.email) for purpose in ("bounce-notice", "archived")}
    await waiting_post.bring_alone(message(forged))
    assert {(one.purpose.value, one.recipient) for one in await waiting_post.deliveries()} == true


async def test_a_forged_sealing_mails_nobody(waiting_post: Post) -> None:
    forged = archived().model_copy(update={"recipients": (Person(email="mallory@evil.example", name="M"),)})
    await waiting_post.bring_alone(message(created()), message(forged))
    assert await waiting_post.deliveries() == []


async def test_an_alternate_and_a_corrected_address_become_people_of_it(waiting_post: Post) -> None:
    known = created().model_copy(update={"signers": (SignerInvitation(role="adjuster", email=SVEN),)})
    asked = requested(SVENS_OTHER, "alternate", request_id="request-2a", place=2)
    await waiting_post.bring_alone(message(known), message(alternate_added()), message(asked))
    assert [one.recipient for one in await waiting_post.deliveries()] == [SVENS_OTHER]


async def test_an_address_that_was_corrected_is_nobody_of_it_any_more(waiting_post: Post) -> None:
    known = created().model_copy(update={"signers": (SignerInvitation(role="adjuster", email=SVEN),)})
    corrected = SignerAddressCorrected(
        agreement_id=AGREEMENT,
        place=2,
        by=SENDER,
        ip="192.0.2.1",
        request_id="request-2",
        version=2,
        original_email=SVEN,
        email=SVENS_OTHER,
        name=None,
    )
    await waiting_post.bring_alone(message(known), message(corrected), message(requested(SVENS_OTHER)))
    await waiting_post.bring_alone(message(requested(SVEN)))
    assert [one.recipient for one in await waiting_post.deliveries()] == [SVENS_OTHER]
