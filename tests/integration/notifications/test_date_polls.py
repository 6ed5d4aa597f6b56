"""Which mails a date poll leads to: one link each, which nobody else gets, and nothing more once it has ended."""

import re
from datetime import datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from services.notifications.delivery.tables import DELIVERY
from shared import links
from shared.events import DatePollClosed, DatePollOpened, DatePollUnreached, Event, event_type
from shared.events.envelope import Envelope, kafka_headers
from shared.events.polls import ProposedTime
from shared.ids import new_id
from shared.keys import parse_keys
from shared.links import Link
from shared.messaging.message import RawMessage
from shared.settings import Settings
from tests.integration.notifications.meetings import BOARD, BOARDS_MEETING, MEMBERS, OLOF_BERG, SVEN_DAHL
from tests.integration.notifications.post import OLOF, ORGANISATION, START, SVEN, Post, eventually, words
from tests.support.smtp_server import RecordingSmtpServer

POLL = "01a2235c-3f10-7b02-8f51-0c5d2e6a7b90"
ABOUT: dict[str, Any] = {
    "poll_id": POLL,
    "meeting_id": BOARDS_MEETING,
    "body_id": BOARD,
    "body": "Styrelsen",
    "title": "Styrelsen sammanträder",
}
TIMES = (
    ProposedTime(key="a", starts="2022-11-25T13:00", ends="2022-11-25T15:00"),
    ProposedTime(key="b", starts="2022-12-02T13:00", ends="2022-12-02T15:00"),
)


def told(event: Event, sequence: int = 1, at: datetime = START) -> RawMessage:
    envelope = Envelope(
        id=new_id(),
        source="/services/meetings",
        type=event_type(event),
        subject=POLL,
        time=at,
        organisation=ORGANISATION,
        sequence=sequence,
        correlation_id=POLL,
        key=POLL,
        data=event.to_json(),
    )
    return RawMessage(event.topic, 0, 0, POLL, tuple(kafka_headers(envelope.attributes())), envelope.data.encode())


def opened(**facts: Any) -> RawMessage:
    given = {
        "times": TIMES,
        "timezone": "Europe/Stockholm",
        "answer_by": "2022-10-14",
        "people": (OLOF_BERG, SVEN_DAHL),
    }
    return told(DatePollOpened(**ABOUT | given | facts))


def closed(**facts: Any) -> RawMessage:
    return told(DatePollClosed(**ABOUT, **facts), 2)


async def mails(post: Post) -> list[tuple[str, str, str]]:
    return [(one.purpose.value, one.recipient, one.status.value) for one in await post.deliveries()]


async def test_each_is_asked_by_one_link_of_their_own(
    post: Post, server: RecordingSmtpServer, settings: Settings
) -> None:
    olof = OLOF_BERG.model_copy(update={"page_version": 3})
    await post.bring_alone(*MEMBERS, opened(people=(olof, SVEN_DAHL), note="Vi krockar\nmed mässan."))

    async def all_sent() -> bool:
        return len(server.mails) == 2

    await eventually(all_sent)
    olofs, svens = sorted(server.mails, key=lambda mail: mail.recipient)
    assert olofs.message["Subject"] == "Vilken dag kan du? Styrelsen sammanträder (Styrelsen)"
    text = words(olofs).replace("\r\n", "\n")
    assert "Fredag 25 november 2022 kl. 13:00–15:00\nFredag 2 december 2022 kl. 13:00–15:00\n\n" in text
    assert "”Vi krockar med mässan.”" in text
    assert "Svara senast fredag 14 oktober 2022." in text
    assert "Friday 2 December 2022 13:00–15:00" in words(svens)
    [address] = re.findall(r"https://\S+/my/\S+", text)
    assert parse_qs(urlsplit(address).query) == {"poll": [POLL]}
    ring = parse_keys(settings.secret("member_link_keys"), "KEYS")
    token = urlsplit(address).path.rpartition("/")[2]
    assert links.read(ring, links.MEMBER, token) == Link("member", ORGANISATION, "olof", 3)
    assert token not in str(await post.deliveries()) + str(await post.published())


async def test_who_is_no_member_is_asked_nothing(post: Post) -> None:
    await post.bring_alone(MEMBERS[0], opened())
    assert [one.recipient for one in await post.deliveries()] == [OLOF]


@pytest.mark.parametrize("chosen", [True, False])
async def test_what_waits_of_one_that_ended_is_not_sent(waiting_post: Post, chosen: bool) -> None:
    await waiting_post.bring(*MEMBERS, opened())
    if chosen:
        await waiting_post.bring(closed(chosen=TIMES[0]))
    else:
        await waiting_post.bring(closed(reason="Det löste sig.", people=(OLOF_BERG, SVEN_DAHL)))
    assert await mails(waiting_post) == [("date-poll", OLOF, "withdrawn"), ("date-poll", SVEN, "withdrawn")], (
        "nobody was asked: nobody is told that they need not answer"
    )


async def test_who_was_asked_is_told_that_it_was_called_off(waiting_post: Post) -> None:
    await waiting_post.bring(*MEMBERS, opened())
    await waiting_post.commands.deliver_next(ORGANISATION, SVEN)
    await waiting_post.bring(closed(reason="Det löste sig.", people=(OLOF_BERG, SVEN_DAHL)))
    assert await mails(waiting_post) == [
        ("date-poll", OLOF, "withdrawn"),
        ("date-poll", SVEN, "sent"),
        ("date-poll-called-off", SVEN, "waiting"),
    ]


@pytest.mark.parametrize("claim", ["other:1", None])
async def test_whose_question_may_be_under_way_is_told_too(waiting_post: Post, claim: str | None) -> None:
    """One that a mail server put off is in no mailer's hand: it is not sent again."""
    await waiting_post.bring(*MEMBERS, opened())
    async with waiting_post.database.transaction() as connection:
        await connection.execute(DELIVERY.update().where(DELIVERY.c.recipient == SVEN).values(claim=claim, attempts=1))
    await waiting_post.bring(closed(reason="Det löste sig.", people=(OLOF_BERG, SVEN_DAHL)))
    told = [one for one in await mails(waiting_post) if one[0] == "date-poll-called-off"]
    assert told == ([("date-poll-called-off", SVEN, "waiting")] if claim else [])


async def test_one_that_is_opened_and_called_off_in_one_batch_is_mailed_to_nobody(waiting_post: Post) -> None:
    await waiting_post.bring(*MEMBERS, opened(), closed(reason="Fel möte.", people=(OLOF_BERG, SVEN_DAHL)))
    assert {status for *_, status in await mails(waiting_post)} == {"withdrawn"}


async def test_what_was_held_of_one_that_ended_is_let_go_to_nobody(waiting_post: Post) -> None:
    """Another one's question is still held for who becomes known as a member."""
    other = opened(poll_id="another", answer_by="2022-10-17")
    await waiting_post.bring(MEMBERS[0], opened(), other)
    await waiting_post.bring(closed(reason="Fel möte.", people=(OLOF_BERG, SVEN_DAHL)), MEMBERS[1])
    svens = [one for one in await waiting_post.deliveries() if one.recipient == SVEN]
    assert [(one.purpose.value, one.agreement_id) for one in svens] == [("date-poll", "another")]


async def test_the_office_reads_whom_no_mail_reached(post: Post, server: RecordingSmtpServer) -> None:
    """Not at the address that bounced."""
    unreached = DatePollUnreached(
        **ABOUT,
        person_id="sven",
        name="Sven Dahl",
        email=SVEN,
        status="5.1.1",
        diagnostic="550 no such\n user",
        people=(OLOF_BERG, SVEN_DAHL),
    )
    await post.bring_alone(*MEMBERS, told(unreached, 2))

    async def sent() -> bool:
        return await mails(post) == [("date-poll-unreached", OLOF, "sent")]

    await eventually(sent)
    [mail] = server.mails
    assert "Ett mejl till Sven Dahl (sven.dahl@norrdalen.example) om vilka dagar" in words(mail)
    assert "E-postservern skrev: ”550 no such user” (kod 5.1.1)" in words(mail)


async def test_times_that_are_none_make_no_mail(post: Post) -> None:
    await post.bring_alone(*MEMBERS, opened(times=(ProposedTime(key="a", starts="soon", ends="later"),)))
    assert await post.deliveries() == []
