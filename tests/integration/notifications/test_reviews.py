"""Which mails a review of minutes leads to: one link each, told again of a later version, and nothing once it ended."""

import re
from datetime import datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

from shared import links
from shared.events import Event, ReviewAgreed, ReviewClosed, ReviewCommented, ReviewOpened, ReviewUnreached, event_type
from shared.events.envelope import Envelope, kafka_headers
from shared.ids import new_id
from shared.keys import parse_keys
from shared.links import Link
from shared.messaging.message import RawMessage
from shared.settings import Settings
from tests.integration.notifications.conftest import MakePost
from tests.integration.notifications.meetings import BOARD, BOARDS_MEETING, MEMBERS, OLOF_BERG, SVEN_DAHL
from tests.integration.notifications.post import ORGANISATION, START, Post, eventually, words
from tests.support.smtp_server import RecordingSmtpServer

REVIEW = "01a2235c-3f10-7b02-8f51-0c5d2e6a7b91"
ABOUT: dict[str, Any] = {
    "review_id": REVIEW,
    "meeting_id": BOARDS_MEETING,
    "body_id": BOARD,
    "agreement_id": "a",
    "document_name": "Protokoll styrelsen 2022-09-23",
    "version": 1,
}


def told(event: Event, sequence: int = 1, at: datetime = START) -> RawMessage:
    envelope = Envelope(
        id=new_id(),
        source="/services/meetings",
        type=event_type(event),
        subject=REVIEW,
        time=at,
        organisation=ORGANISATION,
        sequence=sequence,
        correlation_id=REVIEW,
        key=REVIEW,
        data=event.to_json(),
    )
    return RawMessage(event.topic, 0, 0, REVIEW, tuple(kafka_headers(envelope.attributes())), envelope.data.encode())


def opened(sequence: int = 1, **facts: Any) -> RawMessage:
    given = {"answer_by": "2022-10-03", "people": (OLOF_BERG, SVEN_DAHL)}
    return told(ReviewOpened(**{**ABOUT, **given, **facts}), sequence)


async def purposes(post: Post) -> list[tuple[str, str]]:
    """Of the mails, with how they stand."""
    return sorted((one.purpose.value, one.status.value) for one in await post.deliveries())


async def test_each_who_is_asked_gets_a_link_of_their_own(
    post: Post, server: RecordingSmtpServer, settings: Settings
) -> None:
    await post.bring_alone(*MEMBERS, opened(people=(OLOF_BERG.model_copy(update={"page_version": 3}),), note="Se § 29"))

    async def all_sent() -> bool:
        return len(server.mails) == 1

    await eventually(all_sent)
    [mail] = server.mails
    assert mail.message["Subject"] == "Läs protokollet innan det signeras: Protokoll styrelsen 2022-09-23"
    text = words(mail).replace("\r\n", "\n")
    assert "”Se § 29”" in text
    assert "Säg senast måndag 3 oktober 2022" in text
    [address] = re.findall(r"https://\S+/my/\S+", text)
    assert parse_qs(urlsplit(address).query) == {"review": [REVIEW]}
    ring = parse_keys(settings.secret("member_link_keys"), "KEYS")
    token = urlsplit(address).path.rpartition("/")[2]
    assert links.read(ring, links.MEMBER, token) == Link("member", ORGANISATION, "olof", 3)
    assert token not in str(await post.deliveries()) + str(await post.published())


async def test_a_later_version_is_told_anew_and_what_waited_of_the_one_before_is_not_sent(make_post: MakePost) -> None:
    post = make_post(automatic=False)
    await post.bring_alone(*MEMBERS, opened(), opened(2, version=2, before=1))
    assert await purposes(post) == [("review", "withdrawn")] * 2 + [("review-again", "waiting")] * 2
    await post.bring_alone(told(ReviewClosed(**ABOUT, outcome="called_off", reason="Fel", people=(OLOF_BERG,)), 3))
    assert await purposes(post) == [
        ("review", "withdrawn"),
        ("review", "withdrawn"),
        ("review-again", "withdrawn"),
        ("review-again", "withdrawn"),
        ("review-called-off", "waiting"),
    ]


async def test_who_writes_the_minutes_is_told_of_comments_and_once_of_agreement(make_post: MakePost) -> None:
    post = make_post(automatic=False)
    said = {**ABOUT, "person_id": "sven", "name": "Sven Dahl"}
    await post.bring_alone(
        *MEMBERS,
        told(ReviewCommented(**said, paragraphs=(28, 29), people=(OLOF_BERG,))),
        told(ReviewAgreed(**said, waiting_for=1, people=(OLOF_BERG,)), 2),
        told(ReviewAgreed(**said, waiting_for=0, people=(OLOF_BERG,)), 3),
        told(ReviewClosed(**ABOUT, outcome="sent"), 4),
    )
    assert await purposes(post) == [("review-agreed", "waiting"), ("review-commented", "waiting")]
    [agreed, commented] = sorted(await post.deliveries(), key=lambda one: one.purpose)
    assert (commented.facts.who, commented.facts.lines) == ("Sven Dahl", ("§ 28, 29",))
    assert agreed.facts.who == "Sven Dahl"


async def test_whom_a_mail_did_not_reach_is_told_and_asked_again_alone(make_post: MakePost) -> None:
    post = make_post(automatic=False)
    said = {**ABOUT, "person_id": "sven", "name": "Sven Dahl", "email": SVEN_DAHL.email, "diagnostic": "550 no"}
    await post.bring_alone(*MEMBERS, opened(), told(ReviewUnreached(**said, people=(OLOF_BERG,)), 2))
    assert await purposes(post) == [("review", "waiting"), ("review", "waiting"), ("review-unreached", "waiting")]
    await post.bring_alone(opened(3, people=(SVEN_DAHL,), again=True))
    assert (await purposes(post))[:3] == [("review", "waiting")] * 3, "to the one alone; the other's stays"
