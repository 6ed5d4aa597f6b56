"""Which mails a meeting's notice leads to, what they say, and that none with an old time follows one with a new."""

import asyncio
import re
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import icalendar
import pytest
from sqlalchemy import insert, select, text

from services.notifications.member import held
from services.notifications.member.tables import HELD_MAIL
from shared import links
from shared.errors import Refused
from shared.events import (
    BlobRef,
    ItemProposalReceived,
    ItemProposalSettled,
    NoticeUnreached,
    PapersPublished,
    QuorumAtRisk,
    ReplyReceived,
)
from shared.events.notices import JOIN, MeetingInstead
from shared.keys import parse_keys
from shared.links import Link
from shared.messaging.message import RawMessage
from shared.sealed import seal
from shared.settings import Settings
from tests.integration.notifications.meetings import (
    BOARDS_MEETING,
    MEETING_FACTS,
    MEMBERS,
    OLOF_BERG,
    SVEN_DAHL,
    issued,
    member,
    membership,
    reminded,
    told,
    withdrawn,
)
from tests.integration.notifications.post import OLOF, ORGANISATION, START, SVEN, Post, eventually, words
from tests.support.smtp_server import Mail, RecordingSmtpServer

MOVED: dict[str, Any] = {
    "kind": "updated",
    "starts": "2022-11-25T12:30",
    "ends": "2022-11-25T15:30",
    "before_starts": "2022-11-25T13:00",
    "changes": ("time", "agenda"),
    "sequence": 2,
}


async def queued(post: Post) -> list[tuple[str, str, str]]:
    return [(one.purpose.value, one.recipient, one.status.value) for one in await post.deliveries()]


async def mails(post: Post, server: RecordingSmtpServer, number: int) -> list[Mail]:
    async def all_sent() -> bool:
        return len(server.mails) == number

    await eventually(all_sent)
    return sorted(server.mails, key=lambda mail: mail.recipient)


def calendar_in(mail: Mail) -> icalendar.Calendar:
    [part] = [one for one in mail.message.walk() if one.get_content_type() == "text/calendar"]
    read = icalendar.Calendar.from_ical(part.get_content())
    assert part.get_param("method") == read["METHOD"]
    return read


def event_in(mail: Mail) -> icalendar.Event:
    [event] = calendar_in(mail).walk("VEVENT")
    assert isinstance(event, icalendar.Event)
    return event


async def test_a_notice_says_when_where_and_what_to_each_in_their_language(
    post: Post, server: RecordingSmtpServer
) -> None:
    await post.bring_alone(*MEMBERS, issued(note="Ta med datorn.\n\nFika finns."))
    olofs, svens = await mails(post, server, 2)
    assert olofs.message["Subject"] == "Kallelse: Styrelsen sammanträder, fredag 25 november 2022 kl. 13:00"
    said = words(olofs).replace("\r\n", "\n")
    assert "\n\nNär: fredag 25 november 2022 kl. 13:00–15:30\nVar: Digitalt\nHur: digitalt\n\n" in said
    assert "\n\nSekreteraren skriver:\nTa med datorn.\nFika finns.\n\n" in said
    assert (
        "\n\nDagordning:\n1. Val av justerare (val, 5 min)\n"
        "2. Budget 2023 (beslut, Maja Lind, från mötet fredag 28 oktober 2022)\n\n"
    ) in said
    assert "Svara senast fredag 18 november 2022." in said
    assert svens.message["Subject"] == "Notice: Styrelsen sammanträder, Friday 25 November 2022 13:00"
    assert "When: Friday 25 November 2022 13:00–15:30\nWhere: Online\n" in words(svens).replace("\r\n", "\n")
    assert [str(event_in(one)["LOCATION"]) for one in (olofs, svens)] == ["Digitalt", "Online"]
    html = olofs.message.get_body(("html",)).get_content()  # type: ignore[union-attr]
    assert "kl. 13:00–15:30<br>Var: Digitalt<br>" in html
    about = [(one.agreement_id, one.request_id, one.request_version) for one in await post.deliveries()]
    assert about == [(BOARDS_MEETING, "olof", 1), (BOARDS_MEETING, "sven", 1)]


async def test_its_links_are_the_readers_own_and_stand_nowhere_else(
    post: Post, server: RecordingSmtpServer, settings: Settings
) -> None:
    olof = OLOF_BERG.model_copy(update={"page_version": 7})
    await post.bring_alone(*MEMBERS, issued(people=(olof,)))
    [mail] = await mails(post, server, 1)
    coming, absent = re.findall(r"https://justera\.norrdalen\.example/meetings/my/\S+", words(mail))
    ring = parse_keys(settings.secret("member_link_keys"), "KEYS")
    for address, answer in ((coming, "coming"), (absent, "absent")):
        assert parse_qs(urlsplit(address).query) == {"meeting": [BOARDS_MEETING], "answer": [answer]}
        token = urlsplit(address).path.rpartition("/")[2]
        assert links.read(ring, links.MEMBER, token) == Link("member", ORGANISATION, "olof", 7)
        assert token not in str(await post.deliveries()) + str(await post.published())
    assert str(event_in(mail)["URL"]) == coming.removesuffix("&answer=coming")


async def test_an_online_meeting_is_joined_from_the_mail_and_the_calendar(
    post: Post, server: RecordingSmtpServer, settings: Settings
) -> None:
    link = "https://mote.norrdalen.example/styrelsen?a=1&b=2"
    ring = parse_keys(settings.secret("member_link_keys"), "KEYS")
    sealed = seal(ring, JOIN, f"{ORGANISATION} {BOARDS_MEETING}", link)
    others = seal(ring, JOIN, f"{ORGANISATION} another", link)
    await post.bring_alone(*MEMBERS, issued(join_sealed=sealed))
    await mails(post, server, 2)
    await post.bring_alone(issued("updated", sequence=2, join_sealed=others))
    found = await mails(post, server, 4)
    [olofs] = [one for one in found if one.recipient == OLOF and event_in(one)["SEQUENCE"] == 1]
    [svens] = [one for one in found if one.recipient == SVEN and event_in(one)["SEQUENCE"] == 1]
    assert f"Hur: digitalt\nAnslut: {link}\n\n" in words(olofs).replace("\r\n", "\n")
    assert f"How: online\nJoin: {link}\n\n" in words(svens).replace("\r\n", "\n")
    html = olofs.message.get_body(("html",)).get_content()  # type: ignore[union-attr]
    assert f'Anslut: <a href="{link.replace("&", "&amp;")}"' in html
    event = event_in(olofs)
    assert str(event["CONFERENCE"]) == link
    assert str(event["DESCRIPTION"]).startswith(f"Anslut: {link}\n\n1. Val av justerare")
    assert "/meetings/my/" in str(event["URL"])
    assert "mote.norrdalen.example" not in str(await post.deliveries()) + str(await post.published())
    for other in (one for one in found if event_in(one)["SEQUENCE"] == 2):
        assert "mote.norrdalen.example" not in words(other) + str(event_in(other)), "sealed for another meeting"


async def test_the_invitation_keeps_its_uid_and_its_organiser_through_all_that_changes(
    post: Post, server: RecordingSmtpServer
) -> None:
    await post.bring_alone(*MEMBERS)
    for number, fact in enumerate(
        (issued("preliminary"), issued(sequence=2), issued(**MOVED | {"sequence": 3}), withdrawn(sequence=4)), start=1
    ):
        await post.bring_alone(fact)
        await mails(post, server, 2 * number)
    events = [event_in(mail) for mail in server.mails if mail.recipient == OLOF]
    assert {str(one["UID"]) for one in events} == {BOARDS_MEETING}
    assert [one["SEQUENCE"] for one in events] == [1, 2, 3, 4]
    assert [str(one["STATUS"]) for one in events] == ["TENTATIVE", "CONFIRMED", "CONFIRMED", "CANCELLED"]
    assert [f"{one.decoded('DTSTART'):%H:%M}" for one in events] == ["13:00", "13:00", "12:30", "13:00"]
    [organiser] = {str(one["ORGANIZER"]) for one in events}
    assert re.fullmatch(r"mailto:answers\+k1-[a-z2-7]{45}@bounces\.norrdalen\.example", organiser)
    assert {str(one["ORGANIZER"].params["CN"]) for one in events} == {"Kommunalförbundet Norrdalen"}
    [svens] = {str(event_in(mail)["ORGANIZER"]) for mail in server.mails if mail.recipient == SVEN}
    assert svens != organiser


async def test_who_is_released_is_told_without_the_meeting_being_called_off(
    post: Post, server: RecordingSmtpServer
) -> None:
    await post.bring_alone(*MEMBERS, withdrawn(people=(SVEN_DAHL,), cancelled=False))
    [mail] = await mails(post, server, 1)
    assert "You are no longer called to Styrelsen" in words(mail)
    assert calendar_in(mail)["METHOD"] == "CANCEL"
    assert "STATUS" not in event_in(mail)  # RFC 5546 section 3.2.5


async def test_who_hears_that_a_meeting_is_struck_hears_where_its_items_are_taken_up(
    post: Post, server: RecordingSmtpServer
) -> None:
    instead = MeetingInstead(
        meeting_id="december",
        title="Styrelsen sammanträder",
        place="Forsby\nkommunhus",
        mode="hybrid",
        starts="2022-12-09T13:00",
        ends="2022-12-09T15:00",
    )
    await post.bring_alone(*MEMBERS, withdrawn(taken_over_by=instead))
    olofs, svens = await mails(post, server, 2)
    swedish = (
        "Ärendena tas i stället upp på: Styrelsen sammanträder, fredag 9 december 2022 kl. 13:00, Forsby kommunhus "
        "(på plats och digitalt)"
    )
    english = (
        "Its items are taken up at this meeting instead: Styrelsen sammanträder, Friday 9 December 2022 13:00, "
        "Forsby kommunhus (on site and online)"
    )
    for mail, sentence in ((olofs, swedish), (svens, english)):
        assert f"\n\n{sentence}\n\n" in words(mail).replace("\r\n", "\n")
        assert str(event_in(mail)["DESCRIPTION"]) == f"För få kan komma\n\n{sentence}"


async def test_a_changed_notice_says_what_was_before(post: Post, server: RecordingSmtpServer) -> None:
    await post.bring_alone(*MEMBERS, issued(**MOVED))
    olofs, _ = await mails(post, server, 2)
    assert (
        "Ändrat:\nNy tid: fredag 25 november 2022 kl. 12:30–15:30 (förut fredag 25 november 2022 kl. 13:00)\n"
        "Dagordningen är ändrad\n\n"
    ) in words(olofs).replace("\r\n", "\n")


async def test_a_substitute_reads_instead_of_whom(post: Post, server: RecordingSmtpServer) -> None:
    sven = SVEN_DAHL.model_copy(update={"language": "sv", "role": "substitute", "instead_of": "Olof Berg"})
    await post.bring_alone(*MEMBERS, issued("substitute", people=(sven,)))
    [mail] = await mails(post, server, 1)
    assert "Du är kallad som ersättare för Olof Berg, som inte kan komma, till Styrelsen" in words(mail)


async def test_what_a_later_notice_makes_untrue_is_not_sent_any_more(waiting_post: Post) -> None:
    await waiting_post.bring_alone(*MEMBERS, issued(), issued(**MOVED, people=(OLOF_BERG,)))
    assert await queued(waiting_post) == [
        ("notice", OLOF, "withdrawn"),
        ("notice", SVEN, "waiting"),
        ("notice-updated", OLOF, "waiting"),
    ]
    await waiting_post.bring_alone(quorum(sequence=3), withdrawn(sequence=4))
    waiting = [(purpose, who) for purpose, who, status in await queued(waiting_post) if status == "waiting"]
    assert waiting == [("notice-withdrawn", OLOF), ("notice-withdrawn", SVEN)]


async def test_an_operator_sends_no_old_time_after_a_new_one(waiting_post: Post) -> None:
    await waiting_post.bring_alone(*MEMBERS, issued(people=(OLOF_BERG,)))
    await waiting_post.commands.deliver_next(ORGANISATION, OLOF)
    await waiting_post.commands.bounce(ORGANISATION, OLOF, "5.2.2")
    [bounced] = await waiting_post.deliveries()
    await waiting_post.bring_alone(issued(**MOVED, people=(OLOF_BERG,)))
    with pytest.raises(Refused, match=r"^a later notice has gone to the same person"):
        await waiting_post.commands.retry(ORGANISATION, bounced.id)
    [_, newer] = await waiting_post.deliveries()
    assert (await waiting_post.commands.retry(ORGANISATION, newer.id)).id == newer.id


async def test_nobody_is_mailed_who_is_not_known_as_a_member(waiting_post: Post) -> None:
    await waiting_post.bring_alone(member("olof"), issued(), withdrawn(), quorum(sequence=3))
    assert {who for _, who, _ in await queued(waiting_post)} == {OLOF}


async def test_a_mail_is_held_until_its_reader_is_known_as_a_member(waiting_post: Post) -> None:
    """Two topics have no common order: the notice may be read before the membership that it rests on."""
    await waiting_post.bring_alone(member("olof"), issued(), issued(**MOVED))
    assert {who for _, who, _ in await queued(waiting_post)} == {OLOF}
    await waiting_post.bring_alone(told(membership("sven", "another-body"), "another-body"))
    assert {who for _, who, _ in await queued(waiting_post)} == {OLOF}
    await waiting_post.bring_alone(member("sven"), member("sven"))
    svens = [(purpose, status) for purpose, who, status in await queued(waiting_post) if who == SVEN]
    assert svens == [("notice", "withdrawn"), ("notice-updated", "waiting")]


async def test_what_was_held_for_longer_than_a_day_is_let_go(
    waiting_post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    await waiting_post.bring_alone(issued())
    monkeypatch.setattr(held, "KEPT", timedelta(0))
    await waiting_post.bring_alone(*MEMBERS)
    assert await queued(waiting_post) == []


async def test_what_a_newer_release_holds_is_left_to_it(waiting_post: Post) -> None:
    """While pods roll, or after a step back: the others are let go, and the event is no poison."""
    await waiting_post.bring_alone(issued(), issued(**MOVED))
    newer = "UPDATE held_mail SET purpose = 'of-tomorrow', mail = mail || '{\"purpose\": \"of-tomorrow\"}'"
    async with waiting_post.database.transaction() as connection:
        await connection.execute(text(f"{newer} WHERE purpose = 'notice'"))
    await waiting_post.bring_alone(*MEMBERS)
    assert {purpose for purpose, _, _ in await queued(waiting_post)} == {"notice-updated"}
    async with waiting_post.database.single() as connection:
        assert {row.purpose for row in await connection.execute(select(HELD_MAIL.c.purpose))} == {"of-tomorrow"}


async def test_what_is_let_go_is_of_the_same_organisation(waiting_post: Post) -> None:
    async def organisations() -> list[str]:
        async with waiting_post.database.transaction() as connection:
            query = select(HELD_MAIL.c.organisation, HELD_MAIL.c.cause_id).order_by(HELD_MAIL.c.organisation)
            return [row.organisation for row in await connection.execute(query) if row.cause_id == "old"]

    old = {"body_id": "body", "person_id": "p", "cause_id": "old", "purpose": "notice", "mail": {}}
    async with waiting_post.database.transaction() as connection:
        for one in (ORGANISATION, "another"):
            at = START - timedelta(days=3)
            await connection.execute(insert(HELD_MAIL).values(**old, organisation=one, held_at=at))
    await waiting_post.bring_alone(issued())
    assert await organisations() == ["another"]


async def test_a_notice_and_the_membership_that_come_at_the_same_time_do_not_pass_each_other(
    waiting_post: Post,
) -> None:
    for number in range(10):
        people = (SVEN_DAHL.model_copy(update={"person_id": f"sven-{number}"}),)
        await asyncio.gather(
            waiting_post.bring_alone(issued(people=people, meeting_id=f"meeting-{number}")),
            waiting_post.bring_alone(member(f"sven-{number}")),
        )
    assert len(await queued(waiting_post)) == 10


def quorum(**facts: Any) -> RawMessage:
    return told(QuorumAtRisk(**{**MEETING_FACTS, **facts}, needed=7, coming=4, absent=5, unanswered=2))


async def test_who_looks_after_the_meeting_reads_that_its_quorum_is_at_risk_and_whom_no_mail_reached(
    post: Post, server: RecordingSmtpServer
) -> None:
    unreached = NoticeUnreached(
        **{**MEETING_FACTS, "people": (OLOF_BERG, SVEN_DAHL)},
        person_id="sven",
        name="Sven Dahl",
        email=SVEN,
        diagnostic="550 5.1.1 no such user",
    )
    await post.bring_alone(*MEMBERS, quorum(people=(OLOF_BERG,)), told(unreached))
    risk, missing = sorted(map(words, await mails(post, server, 2)), key=len, reverse=True)
    assert "Minst 7 måste vara där. 4 kommer, 5 kan inte, 2 har inte svarat." in risk
    assert "Ett mejl till Sven Dahl (sven.dahl@norrdalen.example) om Styrelsen" in missing
    assert "E-postservern skrev: ”550 5.1.1 no such user”" in missing
    assert {mail.recipient for mail in server.mails} == {OLOF}


PROPOSED: dict[str, Any] = {"proposal_id": "p", "item": "Resor", "person_id": "sven", "name": "Sven Dahl"}


def settled(how: str, reason: str | None = None) -> RawMessage:
    return told(ItemProposalSettled(**{**MEETING_FACTS, "people": (SVEN_DAHL,)}, **PROPOSED, how=how, reason=reason))


async def test_the_office_reads_what_was_proposed_and_the_member_how_it_was_settled(
    post: Post, server: RecordingSmtpServer
) -> None:
    received = told(ItemProposalReceived(**{**MEETING_FACTS, "people": (OLOF_BERG,)}, **PROPOSED))
    await post.bring_alone(*MEMBERS, received, settled("taken"), settled("declined", "Vi\nväntar."))
    found = {mail.message["Subject"].split(":")[0]: mail for mail in await mails(post, server, 3)}
    office, taken = found["En punkt är föreslagen"], found["Your item will be dealt with"]
    declined = found["Your item will not be dealt with"]
    assert office.recipient == OLOF
    assert "Sven Dahl föreslår en punkt till Styrelsen: Styrelsen sammanträder:" in words(office)
    assert "\nResor\n" in words(office).replace("\r\n", "\n")
    assert 'The reason: "Vi väntar."' in words(declined)
    assert taken.message["Subject"].endswith(": Resor")
    assert re.search(rf"https://\S+/my/\S+\?meeting={BOARDS_MEETING}", words(taken))
    assert "/my/" not in words(office)


async def test_what_waits_of_a_proposal_is_pointless_when_the_meeting_is_called_off(waiting_post: Post) -> None:
    received = told(ItemProposalReceived(**{**MEETING_FACTS, "people": (OLOF_BERG,)}, **PROPOSED))
    await waiting_post.bring_alone(*MEMBERS, received, settled("taken"), settled("declined", "Senare."))
    await waiting_post.bring_alone(withdrawn(people=()))
    assert {(purpose, status) for purpose, _, status in await queued(waiting_post)} == {
        ("proposal-received", "withdrawn"),
        ("proposal-taken", "withdrawn"),
        ("proposal-declined", "waiting"),
    }


async def test_papers_are_told_when_they_are_to_be(post: Post, server: RecordingSmtpServer) -> None:
    papers = BlobRef(sha256="a" * 64, size=10)
    silent = PapersPublished(**MEETING_FACTS, papers=papers, told=False)
    late = PapersPublished(**{**MEETING_FACTS, "people": (OLOF_BERG,)}, papers=papers, late=("Budget.pdf",))
    await post.bring_alone(*MEMBERS, told(silent), told(late))
    [mail] = await mails(post, server, 1)
    assert "De kom efter kallelsen:\nBudget.pdf\n\n" in words(mail).replace("\r\n", "\n")
    assert [one.get_content_type() for one in mail.message.iter_parts()] == ["text/plain", "text/html"]


async def test_facts_of_earlier_versions_are_still_read(post: Post) -> None:
    await post.bring_alone(*MEMBERS, issued())
    [one, _] = await post.deliveries()
    older = one.facts.model_dump(mode="json", exclude={"meeting"})
    assert type(one.facts).model_validate(older).meeting is None


@pytest.mark.parametrize(
    "facts", [{"timezone": "Europe/Nowhere"}, {"starts": "later"}, {"starts": "2022-11-26T13:00"}], ids=str
)
async def test_a_fact_of_which_no_invitation_can_be_made_is_kept_for_an_operator(
    waiting_post: Post, facts: dict[str, str]
) -> None:
    await waiting_post.bring_alone(*MEMBERS, issued(**facts))
    assert await queued(waiting_post) == []


async def test_what_others_wrote_makes_no_header_and_no_line(post: Post, server: RecordingSmtpServer) -> None:
    title = "Möte\r\nBcc: x@evil.example\u202e"
    await post.bring_alone(*MEMBERS, issued(title=title, place="A\r\nATTENDEE:mailto:x@evil.example", note="\u202eB"))
    for mail in await mails(post, server, 2):
        assert "Bcc" not in mail.message
        assert event_in(mail)["ATTENDEE"] == f"mailto:{mail.recipient}"


async def test_who_has_not_answered_gets_the_links_again_and_no_second_invitation(
    post: Post, server: RecordingSmtpServer
) -> None:
    await post.bring_alone(*MEMBERS, reminded(people=(OLOF_BERG,)))
    [mail] = await mails(post, server, 1)
    assert mail.message["Subject"] == "Påminnelse: Styrelsen sammanträder, fredag 25 november 2022 kl. 13:00"
    assert "Svara senast fredag 18 november 2022." in words(mail)
    answers = re.findall(r"/meetings/my/\S+&answer=(\w+)", words(mail))
    assert answers == ["coming", "absent"]
    assert not [one for one in mail.message.walk() if one.get_content_type() == "text/calendar"]


async def test_a_reminder_that_waits_goes_when_the_meeting_is_another_or_none(waiting_post: Post) -> None:
    await waiting_post.bring_alone(*MEMBERS, issued(), reminded())
    await waiting_post.bring_alone(issued(**MOVED | {"people": (OLOF_BERG,)}))
    reminders = [one for one in await queued(waiting_post) if one[0] == "notice-reminder"]
    assert reminders == [("notice-reminder", OLOF, "withdrawn"), ("notice-reminder", SVEN, "waiting")]
    await waiting_post.bring_alone(withdrawn(sequence=3))
    reminders = [one for one in await queued(waiting_post) if one[0] == "notice-reminder"]
    assert reminders == [("notice-reminder", OLOF, "withdrawn"), ("notice-reminder", SVEN, "withdrawn")]


async def test_a_reminder_that_waits_goes_when_its_reader_has_answered(waiting_post: Post) -> None:
    answer = ReplyReceived(meeting_id=BOARDS_MEETING, person_id="olof", answer="coming", via="calendar")
    await waiting_post.bring_alone(*MEMBERS, issued(), reminded())
    await waiting_post.bring_alone(told(answer))
    reminders = [one for one in await queued(waiting_post) if one[0] == "notice-reminder"]
    assert reminders == [("notice-reminder", OLOF, "withdrawn"), ("notice-reminder", SVEN, "waiting")]
