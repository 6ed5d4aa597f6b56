"""Answers of calendar programs to mailed invitations, from the listener's and the mailbox's door to the fact."""

import asyncio
import smtplib
from collections.abc import Callable, Collection
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from services.notifications.invitation import answers as intake
from services.notifications.letter.letter import MAIL_POLICY
from services.notifications.report.bounces import DeliveryReports
from services.notifications.report.report import MAX_REPORT_BYTES
from services.notifications.report.simulated_report import Failure, failed_report
from shared.events import ReplyReceived
from shared.messaging.message import RawMessage
from shared.settings import Settings
from tests.integration.notifications.conftest import MakePost
from tests.integration.notifications.meetings import BOARDS_MEETING, MEMBERS, OLOF_BERG, issued, told, withdrawn
from tests.integration.notifications.post import OLOF, ORGANISATION, START, SVEN, Post, eventually, words
from tests.integration.notifications.test_notices import event_in
from tests.support.calendar_replies import GOOGLE, OUTLOOK, filled, in_mail
from tests.support.locks import waits_for_a_lock
from tests.support.postfix import Postfix
from tests.support.processes import free_ports
from tests.support.smtp_server import Mail, RecordingSmtpServer


@pytest.fixture
async def asked(waiting_post: Post, server: RecordingSmtpServer) -> Post:
    """Both members have got their notice."""
    await waiting_post.bring_alone(*MEMBERS, issued())
    for address in (OLOF, SVEN):
        await waiting_post.commands.deliver_next(ORGANISATION, address)
    return waiting_post


def organiser(mail: Mail) -> str:
    return str(event_in(mail)["ORGANIZER"]).removeprefix("mailto:")


def replied(answer: str, at: datetime = START) -> RawMessage:
    """On the page."""
    return told(ReplyReceived(meeting_id=BOARDS_MEETING, person_id="olof", answer=answer, via="page"), at=at)


async def mailed(post: Post, server: RecordingSmtpServer, number: int) -> None:
    async def all_sent() -> bool:
        return len(server.mails) == number and await post.commands.count_waiting() == 0

    await eventually(all_sent)


def reply(mail: Mail, template: str = GOOGLE, *, to: str = "", attendee: str = "", **said: Any) -> bytes:
    """What the program of whoever got the mail sends."""
    address = to or organiser(mail)
    return in_mail(filled(template, organiser=address, attendee=attendee or mail.recipient, **said), to=address)


async def take(post: Post, raw: bytes, token: str | None = None) -> None:
    await reports(post).take(raw, token)


def reports(post: Post) -> DeliveryReports:
    return post.commands._reports


async def answers(post: Post) -> list[dict[str, Any]]:
    return [one.body for one in await post.published() if one.name == "invitation-answered"]


async def test_an_answer_is_told_of_the_person_and_the_meeting(asked: Post, server: RecordingSmtpServer) -> None:
    await take(asked, reply(server.mails[0], OUTLOOK, partstat="DECLINED"))
    fact = (await asked.published())[-1]
    [olofs, _] = await asked.deliveries()
    assert fact.body == {
        "email_id": olofs.id,
        "agreement_id": BOARDS_MEETING,
        "purpose": "notice",
        "recipient": OLOF,
        "request_id": "olof",
        "request_version": 1,
        "answer": "absent",
        "sequence": 1,
        "comment": "Kommer lite, lite sent",
        "page_version": 1,
    }
    assert (fact.key, fact.attributes["subject"]) == (BOARDS_MEETING, olofs.id)
    assert await asked.commands.unmatched_reports(ORGANISATION) == []


async def test_it_is_told_once_for_each_change(asked: Post, server: RecordingSmtpServer) -> None:
    raw = reply(server.mails[0])
    await asyncio.gather(take(asked, raw), take(asked, raw))
    await take(asked, reply(server.mails[0], partstat="DECLINED", stamp="20220926T090000Z"))
    asked.clock.move_to(START + timedelta(hours=2))
    await take(asked, reply(server.mails[0], partstat="DECLINED", stamp="20220926T090000Z"))
    await take(asked, reply(server.mails[0], partstat="TENTATIVE", stamp="20220926T093000Z"))
    await take(asked, reply(server.mails[0], stamp="20220926T092000Z"))  # overtaken on the way
    assert [one["answer"] for one in await answers(asked)] == ["coming", "absent", "tentative"]


async def test_an_answer_to_an_old_invitation_says_so(asked: Post, server: RecordingSmtpServer) -> None:
    await asked.bring_alone(issued("updated", sequence=4, starts="2022-11-25T12:00", people=(OLOF_BERG,)))
    await asked.commands.deliver_next(ORGANISATION, OLOF)
    old, new = server.mails[0], server.mails[2]
    assert organiser(old) == organiser(new)
    await take(asked, reply(old, sequence=1))
    await take(asked, reply(new, sequence=4))
    assert [(one["sequence"], one["email_id"]) for one in await answers(asked)] == [
        (1, (await asked.deliveries())[2].id),
        (4, (await asked.deliveries())[2].id),
    ]


@pytest.mark.parametrize("ended", [{"email": "olof@ratt.example"}, {"page_version": 2}], ids=str)
async def test_an_invitation_answers_no_more_once_another_address_or_newer_links_have_it(
    asked: Post, server: RecordingSmtpServer, ended: dict[str, Any]
) -> None:
    anew = OLOF_BERG.model_copy(update=ended)
    await asked.bring_alone(issued("updated", sequence=2, people=(anew,), changes=("agenda",)))
    await asked.commands.deliver_next(ORGANISATION, anew.email)
    old, new = server.mails[0], server.mails[2]
    assert organiser(old) != organiser(new)
    await take(asked, reply(old))
    await take(asked, reply(old, attendee=anew.email))
    await take(asked, reply(old, to=old.mail_from))
    assert await answers(asked) == []
    kept = await asked.commands.unmatched_reports(ORGANISATION)
    assert {one.reason for one in kept} == {
        "the calendar's answer is to an invitation whose address or links have ended: a person must ask"
    }
    await take(asked, reply(new, partstat="DECLINED"))
    assert [(one["recipient"], one["answer"], one["page_version"]) for one in await answers(asked)] == [
        (anew.email, "absent", anew.page_version)
    ]


async def test_what_a_calendar_says_after_an_answer_on_the_page_is_news(
    asked: Post, server: RecordingSmtpServer
) -> None:
    await take(asked, reply(server.mails[0]))
    asked.clock.move_to(START + timedelta(hours=2))
    await asked.bring_alone(replied("absent", at=START + timedelta(hours=1)))
    await take(asked, reply(server.mails[0], stamp="20220926T093000Z"))  # before that
    await take(asked, reply(server.mails[0], stamp="20220926T100000Z"))
    assert [one["answer"] for one in await answers(asked)] == ["coming", "coming"]


async def test_an_answer_holds_in_what_is_mailed_until_the_time_is_another(
    post: Post, server: RecordingSmtpServer
) -> None:
    """No program asks anew for what was answered, in the calendar or on the page."""
    same = {"kind": "updated", "people": (OLOF_BERG,), "changes": ("agenda",)}
    await post.bring_alone(*MEMBERS, issued())
    await mailed(post, server, 2)
    await take(post, reply(next(one for one in server.mails if one.recipient == OLOF)))
    await post.bring_alone(issued(**same, sequence=2))
    await mailed(post, server, 3)
    await post.bring_alone(replied("absent"), issued(**same, sequence=3))
    await mailed(post, server, 4)
    await post.bring_alone(issued(**{**same, "changes": ("time",)}, sequence=4), issued(**same, sequence=5))
    await mailed(post, server, 5)  # the fourth was overtaken
    olofs = [one for one in server.mails if one.recipient == OLOF]
    partstats = [str(event_in(one)["ATTENDEE"].params["PARTSTAT"]) for one in olofs]
    assert partstats == ["NEEDS-ACTION", "ACCEPTED", "DECLINED", "NEEDS-ACTION"]
    said = ["Svara senast", "Du har svarat att du kommer", "Du har svarat att du inte kan komma", "Svara senast"]
    for phrase, mail in zip(said, olofs, strict=True):
        assert phrase in words(mail)


async def test_answers_without_end_are_told_no_more(
    asked: Post, server: RecordingSmtpServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(intake, "_MOST_FACTS", 4)
    for number in range(6):
        await take(asked, reply(server.mails[0], partstat=("ACCEPTED", "DECLINED")[number % 2]))
    assert len(await answers(asked)) == 3
    [kept, *_] = await asked.commands.unmatched_reports(ORGANISATION)
    assert kept.reason.startswith("more answers have come")


async def test_an_answer_that_changes_all_the_time_is_told_six_times(asked: Post, server: RecordingSmtpServer) -> None:
    for number in range(8):
        await take(asked, reply(server.mails[0], partstat=("ACCEPTED", "DECLINED")[number % 2]))
    assert len(await answers(asked)) == 6
    [kept, *_] = await asked.commands.unmatched_reports(ORGANISATION)
    assert kept.reason.startswith("the calendar's answer changes faster")
    await take(asked, reply(server.mails[1]))
    assert len(await answers(asked)) == 7, "another's invitation is another's"


async def test_who_comes_to_a_meeting_that_was_called_off_is_a_persons_to_tell(
    asked: Post, server: RecordingSmtpServer
) -> None:
    await asked.bring_alone(withdrawn(people=(OLOF_BERG,)))
    await asked.commands.deliver_next(ORGANISATION, OLOF)
    await take(asked, reply(server.mails[0], partstat="DECLINED"))
    assert await asked.commands.unmatched_reports(ORGANISATION) == [], "it changes nothing"
    await take(asked, reply(server.mails[0]))
    [kept] = await asked.commands.unmatched_reports(ORGANISATION)
    assert kept.reason.startswith("the calendar's answer is to a meeting that was called off")
    assert await answers(asked) == []
    assert [one.name for one in await asked.published()][-1] == "reply-left-unread"


async def test_who_need_not_come_any_more_answers_as_before(asked: Post, server: RecordingSmtpServer) -> None:
    await asked.bring_alone(withdrawn(people=(OLOF_BERG,), cancelled=False))
    await asked.commands.deliver_next(ORGANISATION, OLOF)
    await take(asked, reply(server.mails[0]))
    assert [(one["sequence"], one["purpose"]) for one in await answers(asked)] == [(1, "notice-released")]


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ({"attendee": "stranger@elsewhere.example"}, "the calendar's answer is somebody else's"),
        ({"attendee": SVEN}, "the calendar's answer is somebody else's"),
        ({"uid": "other"}, "the calendar's answer is about another event"),
        ({"partstat": "DELEGATED"}, "the calendar's answer is neither yes, no nor perhaps"),
    ],
    ids=str,
)
async def test_a_strangers_answer_is_not_believed_and_kept_with_why(
    asked: Post, server: RecordingSmtpServer, said: dict[str, str], why: str
) -> None:
    await take(asked, reply(server.mails[0], **said))
    assert await answers(asked) == []
    assert (await asked.names())[-1] == "reply-left-unread"
    [kept] = await asked.commands.unmatched_reports(ORGANISATION)
    assert kept.reason.startswith(why)
    assert kept.delivery_id == (await asked.deliveries())[0].id
    assert b"answers+k1-" not in kept.raw


async def test_a_forged_organiser_is_not_believed(asked: Post, server: RecordingSmtpServer) -> None:
    local_part, _, domain = organiser(server.mails[0]).partition("@")
    forged = f"{local_part[:-8]}{'a' * 8}@{domain}"
    await take(asked, reply(server.mails[0], to=forged))
    assert not reports(asked).is_ours(forged.partition("@")[0])
    assert reports(asked).is_ours(local_part)
    assert await answers(asked) == []
    [kept] = await asked.commands.unmatched_reports(ORGANISATION)
    assert kept.reason == "this return path was not signed by us"


async def test_a_program_that_answers_to_the_return_path_is_heard_too(asked: Post, server: RecordingSmtpServer) -> None:
    await take(asked, reply(server.mails[1], to=server.mails[1].mail_from))
    assert [(one["recipient"], one["answer"]) for one in await answers(asked)] == [(SVEN, "coming")]


async def test_an_answer_to_the_return_path_waits_for_its_invitation_before_it_locks_a_mail(
    asked: Post, server: RecordingSmtpServer
) -> None:
    """As one to the organiser does, which wants the last mail next: the other order would be a deadlock."""
    [olofs, _] = await asked.deliveries()
    async with asked.database.transaction() as other:
        await other.execute(text("SELECT 1 FROM invitation FOR UPDATE"))
        taking = asyncio.create_task(take(asked, reply(server.mails[0], to=server.mails[0].mail_from)))
        await waits_for_a_lock(asked.database)
        await other.execute(text("SELECT 1 FROM delivery WHERE id = :id FOR UPDATE NOWAIT"), {"id": olofs.id})
    await taking
    assert [one["answer"] for one in await answers(asked)] == ["coming"]


async def test_an_answer_is_no_bounce_and_a_bounce_no_answer(asked: Post, server: RecordingSmtpServer) -> None:
    """A mail server may send its report to the organiser: it is about the mail whose return path stands in it."""
    subject = reply(server.mails[0]).replace(b"Subject: Accepted", b"Subject: Undeliverable: user unknown")
    await take(asked, subject, organiser(server.mails[0]).partition("@")[0])
    assert [one["answer"] for one in await answers(asked)] == ["coming"]
    svens = (await asked.deliveries())[1]
    bounce = failed_report(asked.commands._composer.compose(svens), Failure(), at=START)
    await take(asked, bounce, organiser(server.mails[0]).partition("@")[0])
    names = await asked.names()
    assert (names.count("invitation-answered"), names.count("bounce-detected")) == (1, 1)
    fact = (await asked.published())[-1]
    assert (fact.body["recipient"], fact.body["agreement_id"], fact.body["request_id"]) == (
        SVEN,
        BOARDS_MEETING,
        "sven",
    )
    assert (fact.key, fact.body["request_version"], fact.body["purpose"]) == (BOARDS_MEETING, 1, "notice")


async def test_other_mail_to_an_organiser_is_kept_with_the_notice(asked: Post, server: RecordingSmtpServer) -> None:
    absence = b"From: Olof <olof.berg@bjorka.example>\r\nSubject: Semester: Kallelse\r\n\r\nTillbaka den 5 oktober.\r\n"
    await take(asked, absence, organiser(server.mails[0]).partition("@")[0])
    [kept] = await asked.commands.unmatched_reports(ORGANISATION)
    assert (kept.answer, kept.delivery_id) == (True, (await asked.deliveries())[0].id)


async def test_an_answer_of_10_mb_is_refused_in_one_sentence_at_either_door(
    make_post: MakePost, settings: Settings, server: RecordingSmtpServer, tmp_path: Path
) -> None:
    [port] = free_ports(1)
    new = tmp_path / "mail" / "new"
    new.mkdir(parents=True)
    inlets = {"bounce_listen": f"127.0.0.1:{port}", "bounce_maildir": tmp_path / "mail"}
    post = make_post(settings=settings.model_copy(update=inlets))
    await post.bring_alone(*MEMBERS, issued())

    async def sent() -> bool:
        return len(server.mails) == 2

    await eventually(sent)
    mail = next(one for one in server.mails if one.recipient == OLOF)
    large = reply(mail).replace(b"LOCATION:", b"LOCATION:" + b"x" * 60 + b"\r\n " * 3_000_000)
    assert len(large) > 9_000_000

    def hand_in(raw: bytes) -> None:
        with smtplib.SMTP("127.0.0.1", port, timeout=30) as client:
            client.sendmail("", [organiser(mail)], raw)

    with pytest.raises(smtplib.SMTPException, match="552"):
        await asyncio.to_thread(hand_in, large)
    (new / "1.example").write_bytes(large)

    async def moved() -> bool:
        return not any(new.iterdir())

    await eventually(moved)
    [kept] = await post.commands.unmatched_reports(ORGANISATION)
    assert kept.reason == f"the mail is larger than {MAX_REPORT_BYTES} bytes"
    assert await answers(post) == []

    await asyncio.to_thread(hand_in, reply(mail))
    assert [one["answer"] for one in await answers(post)] == ["coming"]
    (new / "2.example").write_bytes(reply(mail, partstat="DECLINED"))
    await eventually(moved)
    assert [one["answer"] for one in await answers(post)] == ["coming", "absent"]


@pytest.mark.slow
@pytest.mark.postfix
async def test_an_answer_comes_back_through_a_mail_server_of_the_world(
    make_post: MakePost, settings: Settings, start_postfix: Callable[[Collection[str], int, str], Postfix]
) -> None:
    """The invitation goes out by Postfix, and what the member's calendar mails to its organiser comes back by it."""
    [port] = free_ports(1)
    postfix = start_postfix((OLOF, SVEN), port, settings.bounce_domain)
    through = {"smtp_port": postfix.port, "bounce_listen": f"127.0.0.1:{port}"}
    post = make_post(settings=settings.model_copy(update=through))
    await post.bring_alone(*MEMBERS, issued())

    async def delivered() -> bool:
        return bool(postfix.mails(OLOF))

    await eventually(delivered)
    [invited] = postfix.mails(OLOF)
    mail = Mail("", [], OLOF, [], invited.as_bytes(policy=MAIL_POLICY))

    def answer() -> None:
        with smtplib.SMTP("127.0.0.1", postfix.port, timeout=30) as client:
            client.sendmail(OLOF, [organiser(mail)], reply(mail, OUTLOOK, partstat="DECLINED"))

    await asyncio.to_thread(answer)

    async def told_of() -> bool:
        return bool(await answers(post))

    await eventually(told_of)
    [fact] = await answers(post)
    assert (fact["request_id"], fact["answer"], fact["agreement_id"]) == ("olof", "absent", BOARDS_MEETING)
    assert await post.commands.unmatched_reports(ORGANISATION) == []
