"""Which mails events lead to: once a cause, withdrawn when nobody needs them, in few statements."""

from datetime import timedelta

from sqlalchemy import event as sqlalchemy_event

from services.notifications.delivery import Status
from shared.events import AgreementCancelled
from shared.messaging import dead_letters
from tests.integration.notifications.post import (
    AGREEMENT,
    OLOF,
    ORGANISATION,
    SENDER,
    START,
    SVEN,
    SVENS_OTHER,
    Post,
    alternate_added,
    archived,
    created,
    message,
    reminder,
    requested,
    signed,
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
    async with waiting_post.database.engine.begin() as connection:
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


async def test_waiting_requests_are_withdrawn_when_the_agreement_ends(waiting_post: Post) -> None:
    await waiting_post.bring(message(created()), message(requested()), message(signed(SVEN, place=0)))
    await waiting_post.bring(
        message(AgreementCancelled(agreement_id=AGREEMENT, by=SENDER, reason="Fel version", ip="192.0.2.1"))
    )
    found = {one.purpose.value: one.status for one in await waiting_post.deliveries()}
    assert found == {"signature-request": Status.WITHDRAWN, "receipt": Status.WAITING}


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
