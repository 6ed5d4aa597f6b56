"""Delivery reports, from the listener's and the mailbox's door to the facts, or to a human."""

import re
import smtplib
from pathlib import Path

import pytest

from services.notifications.delivery.delivery import Status
from services.notifications.report import unmatched
from services.notifications.report.simulated_report import Failure, failed_report
from services.notifications.report.unmatched import KEPT_BYTES
from shared.settings import Settings
from tests.integration.notifications.conftest import MakePost
from tests.integration.notifications.post import OLOF, ORGANISATION, START, Post, eventually, message, requested
from tests.support.processes import free_ports
from tests.support.smtp_server import RecordingSmtpServer

REAL_POSTFIX = """\
From: MAILER-DAEMON@mx.bjorka.example (Mail Delivery System)
To: {return_path}
Subject: Undelivered Mail Returned to Sender
Auto-Submitted: auto-replied
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="X"

--X
Content-Type: text/plain

I'm sorry to have to inform you that your message could not be delivered.

--X
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.bjorka.example
{envelope_id}
Final-Recipient: rfc822; olof.berg@bjorka.example
Action: {action}
Status: {status}
Diagnostic-Code: smtp; {reply} {status} the mail server's words

--X
Content-Type: text/rfc822-headers

Message-ID: {message_id}
Subject: Signera

--X--
"""


def report(action: str = "failed", status: str = "5.1.1", **fields: str) -> bytes:
    values = {"return_path": "postmaster@norrdalen.example", "envelope_id": "X-Ours: no", "message_id": "<other@x>"}
    values |= {"action": action, "status": status, "reply": "550" if status[0] == "5" else "450"} | fields
    return REAL_POSTFIX.format(**values).replace("\n", "\r\n").encode()


@pytest.fixture
async def delivered(waiting_post: Post) -> Post:
    """One mail was taken by the mail server."""
    await waiting_post.bring(message(requested()))
    await waiting_post.commands.deliver_next(ORGANISATION, OLOF)
    return waiting_post


async def take(post: Post, raw: bytes, token: str | None = None) -> None:
    await post.commands._reports.take(raw, token)


async def test_a_report_is_matched_by_return_path(delivered: Post, server: RecordingSmtpServer) -> None:
    await take(delivered, report(return_path=server.mails[0].mail_from))
    bounce = (await delivered.published())[-1]
    assert (bounce.name, bounce.body["status"], bounce.body["permanent"]) == ("bounce-detected", "5.1.1", True)
    assert bounce.body["recipient"] == OLOF
    assert bounce.attributes["sequence"] == "2"


async def test_a_report_is_matched_by_envelope_id(delivered: Post, server: RecordingSmtpServer) -> None:
    token = server.mails[0].mail_from.removeprefix("bounces+").partition("@")[0]
    await take(delivered, report(envelope_id=f"Original-Envelope-Id: {token}"))
    assert (await delivered.names())[-1] == "bounce-detected"


async def test_a_message_id_alone_names_no_mail(delivered: Post, server: RecordingSmtpServer) -> None:
    """It is told to many: anyone who heard it could have the mail bounce."""
    await take(delivered, report(message_id=server.mails[0].message["Message-ID"]))
    assert await delivered.names() == ["email-sent"]
    [kept] = await delivered.commands.unmatched_reports(ORGANISATION)
    assert kept.reason == "the report is about no mail of ours"


async def test_a_report_that_comes_twice_is_one_bounce(delivered: Post, server: RecordingSmtpServer) -> None:
    raw = report(return_path=server.mails[0].mail_from)
    await take(delivered, raw)
    await take(delivered, raw)
    await take(delivered, report(status="5.2.2", return_path=server.mails[0].mail_from))
    assert await delivered.names() == ["email-sent", "bounce-detected"]


async def test_a_delay_is_a_deferral_and_a_later_failure_a_bounce(delivered: Post, server: RecordingSmtpServer) -> None:
    return_path = server.mails[0].mail_from
    delay = report("delayed", "4.4.1", return_path=return_path)
    await take(delivered, delay)
    await take(delivered, delay)
    await take(delivered, report("failed", "4.4.7", return_path=return_path))
    _, deferral, bounce = await delivered.published()
    assert (deferral.name, deferral.body["status"]) == ("email-deferred", "4.4.1")
    assert (bounce.body["status"], bounce.body["permanent"]) == ("4.4.7", False)


async def test_a_report_of_success_and_an_automatic_reply_change_nothing(
    delivered: Post, server: RecordingSmtpServer
) -> None:
    await take(delivered, report("delivered", "2.0.0", return_path=server.mails[0].mail_from))
    await take(delivered, b"From: a@b.example\r\nAuto-Submitted: auto-replied\r\nSubject: away\r\n\r\nback on Monday")
    assert await delivered.names() == ["email-sent"]
    assert await delivered.commands.unmatched_reports(ORGANISATION) == []


UNREADABLE = b"From: MAILER-DAEMON@mx.example\r\nSubject: Hm\r\n\r\nDet blev visst inget av med det.\r\n"
ABSENCE = b"From: Olof <olof.berg@bjorka.example>\r\nSubject: Semester: Signera\r\n\r\nTillbaka den 5 oktober.\r\n"


def token_of(server: RecordingSmtpServer) -> str:
    return server.mails[0].mail_from.removeprefix("bounces+").partition("@")[0]


async def test_what_stays_unread_at_a_signed_return_path_is_kept_with_its_mail(
    delivered: Post, server: RecordingSmtpServer
) -> None:
    await take(delivered, UNREADABLE, token_of(server))
    await take(delivered, ABSENCE, token_of(server))
    [delivery] = await delivered.deliveries()
    absence, unread = await delivered.commands.unmatched_reports(ORGANISATION, delivery_id=delivery.id)
    assert (unread.answer, unread.raw) == (False, UNREADABLE)
    assert (absence.answer, absence.raw) == (True, ABSENCE)
    assert await delivered.commands.unread_of(ORGANISATION, [delivery]) == {delivery.id: 1}
    assert await delivered.commands.count_unread() == 1
    assert await delivered.names() == ["email-sent", "reply-left-unread"]
    await take(delivered, UNREADABLE + b"once more", token_of(server))
    assert await delivered.names() == ["email-sent", "reply-left-unread"]


async def test_a_mailbox_knows_the_mail_from_what_is_quoted(delivered: Post, server: RecordingSmtpServer) -> None:
    await take(delivered, UNREADABLE + f"Till: {server.mails[0].mail_from}\r\n".encode())
    [delivery] = await delivered.deliveries()
    assert len(await delivered.commands.unmatched_reports(ORGANISATION, delivery_id=delivery.id)) == 1


async def test_a_mail_keeps_a_few_replies_and_no_flood_crowds_them_out(
    delivered: Post, server: RecordingSmtpServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unmatched, "MOST_KEPT", 3)
    for number in range(8):
        await take(delivered, UNREADABLE + b"%d" % number, token_of(server))
    for number in range(8):
        await take(delivered, UNREADABLE + b"unknown %d" % number)
    kept = await delivered.commands.unmatched_reports(ORGANISATION)
    assert [each.delivery_id is None for each in kept].count(True) == 3
    assert [each.raw[-1:] for each in kept if each.delivery_id] == [b"4", b"3", b"2", b"1", b"0"]


async def test_what_a_person_has_settled_is_counted_no_more(delivered: Post, server: RecordingSmtpServer) -> None:
    await take(delivered, UNREADABLE, token_of(server))
    [kept] = await delivered.commands.unmatched_reports(ORGANISATION, unread=True)
    await delivered.commands.settle_report(ORGANISATION, kept.sha256)
    assert await delivered.commands.count_unread() == 0
    assert await delivered.commands.unmatched_reports(ORGANISATION, unread=True) == []
    [kept] = await delivered.commands.unmatched_reports(ORGANISATION)
    assert kept.settled_at is not None


async def test_a_forged_token_is_not_believed_whatever_else_the_report_says(
    delivered: Post, server: RecordingSmtpServer
) -> None:
    genuine = server.mails[0].mail_from
    local_part, _, domain = genuine.partition("@")
    forged = f"{local_part[:-10]}{'a' * 10}@{domain}"
    raw = report(return_path=forged, message_id=server.mails[0].message["Message-ID"])
    await take(delivered, raw)
    await take(delivered, raw)
    assert await delivered.names() == ["email-sent"]
    [kept] = await delivered.commands.unmatched_reports(ORGANISATION)
    assert kept.reason == "this return path was not signed by us"
    assert kept.raw == re.sub(rb"k1-[a-z2-7]{45}", b"[redacted]", raw)


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (report(), "the report is about no mail of ours"),
        (b"Subject: hello\r\n\r\nare you there?", "the mail is not recognised as a delivery report"),
        (b"\0\xff" * 200_000, ""),
    ],
)
async def test_what_cannot_be_matched_is_kept_for_a_human(waiting_post: Post, raw: bytes, reason: str) -> None:
    await take(waiting_post, raw)
    [kept] = await waiting_post.commands.unmatched_reports(ORGANISATION)
    assert kept.reason.startswith(reason)
    assert (kept.size, kept.raw) == (len(raw), raw[:KEPT_BYTES])


async def test_a_report_before_the_record_of_acceptance_stops_the_mail(waiting_post: Post) -> None:
    """A mailer died between acceptance and record, and the bounce came back before another took over."""
    await waiting_post.bring(message(requested()))
    [delivery] = await waiting_post.deliveries()
    mail = waiting_post.commands._composer.compose(delivery)
    await take(waiting_post, failed_report(mail, Failure(), at=START))
    assert await waiting_post.names() == ["bounce-detected"]
    assert await waiting_post.commands.count_waiting() == 0


async def test_the_listener_answers_250_when_the_bounce_is_on_record(
    make_post: MakePost, settings: Settings, server: RecordingSmtpServer
) -> None:
    [port] = free_ports(1)
    post = make_post(settings=settings.model_copy(update={"bounce_listen": f"127.0.0.1:{port}"}))
    await post.bring(message(requested()))

    async def sent() -> bool:
        return [one.status for one in await post.deliveries()] == [Status.SENT]

    await eventually(sent)
    return_path = server.mails[0].mail_from
    await _hand_in(port, return_path, report())
    assert (await post.names())[-1] == "bounce-detected"
    with pytest.raises(smtplib.SMTPRecipientsRefused):
        await _hand_in(port, "bounces+k1-" + "a" * 45 + "@bounces.norrdalen.example", report())


async def _hand_in(port: int, recipient: str, raw: bytes) -> None:
    import asyncio

    def hand_in() -> None:
        with smtplib.SMTP("127.0.0.1", port, timeout=5) as client:
            client.sendmail("", [recipient], raw)

    await asyncio.to_thread(hand_in)


async def test_a_report_in_the_mailbox_needs_the_signed_token(
    make_post: MakePost, settings: Settings, server: RecordingSmtpServer, tmp_path: Path
) -> None:
    """Whoever may mail to the mailbox may write any Message-ID, and spoil a token."""
    waiting = make_post(automatic=False)
    await waiting.bring(message(requested()))
    await waiting.commands.deliver_next(ORGANISATION, OLOF)
    mail = server.mails[0]
    forged = mail.mail_from.replace("@", "aaaa@").replace("+k1-", "+k1-aaaa", 1)
    new = tmp_path / "mail" / "new"
    new.mkdir(parents=True)
    (new / "1.example").write_bytes(report(message_id=mail.message["Message-ID"]))
    (new / "2.example").write_bytes(report(message_id=mail.message["Message-ID"], return_path=forged))

    make_post(automatic=False, settings=settings.model_copy(update={"bounce_maildir": tmp_path / "mail"}))

    async def moved() -> bool:
        return not any(new.iterdir())

    await eventually(moved)
    assert await waiting.names() == ["email-sent"]
    assert len(await waiting.commands.unmatched_reports(ORGANISATION)) == 2


async def test_the_mailbox_is_read(
    make_post: MakePost, settings: Settings, server: RecordingSmtpServer, tmp_path: Path
) -> None:
    waiting = make_post(automatic=False)
    await waiting.bring(message(requested()))
    await waiting.commands.deliver_next(ORGANISATION, OLOF)
    new = tmp_path / "mail" / "new"
    new.mkdir(parents=True)
    (new / "1.example").write_bytes(report(return_path=server.mails[0].mail_from))

    make_post(automatic=False, settings=settings.model_copy(update={"bounce_maildir": tmp_path / "mail"}))

    async def moved() -> bool:
        return not any(new.iterdir())

    await eventually(moved)
    assert (await waiting.names())[-1] == "bounce-detected"
