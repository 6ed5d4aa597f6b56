"""Which mails a plan of meetings leads to: each member's own dates once, later only what changed for them."""

from shared.events import Envelope, Event, MembershipBegun, PlanAdopted, event_type
from shared.events.envelope import kafka_headers
from shared.events.meetings import PlanChange, PlanMember, PlannedMeeting
from shared.ids import new_id
from shared.messaging.message import RawMessage
from tests.integration.notifications.post import OLOF, ORGANISATION, START, SVEN, Post, eventually
from tests.support.smtp_server import RecordingSmtpServer

BOARD = "body-1"
FEBRUARY = PlannedMeeting(
    meeting_id="m-1",
    title="Styrelsen sammanträder",
    place="Digitalt",
    starts="2023-02-24T09:00",
    ends="2023-02-24T12:00",
)
OCTOBER = FEBRUARY.model_copy(update={"meeting_id": "m-2", "starts": "2023-10-27T09:00", "ends": "2023-10-27T12:00"})
MOVED = OCTOBER.model_copy(update={"starts": "2023-10-20T09:00", "ends": "2023-10-20T12:00"})


def told(event: Event) -> RawMessage:
    envelope = Envelope(
        id=new_id(),
        source="/services/meetings",
        type=event_type(event),
        subject=BOARD,
        time=START,
        organisation=ORGANISATION,
        sequence=1,
        correlation_id=BOARD,
        key=BOARD,
        data=event.to_json(),
    )
    return RawMessage(event.topic, 0, 0, BOARD, tuple(kafka_headers(envelope.attributes())), envelope.data.encode())


def member(person: str) -> RawMessage:
    return told(MembershipBegun(body_id=BOARD, membership_id=f"seat-{person}", person_id=person, role="member"))


def plan(*people: PlanMember, changes: tuple[PlanChange, ...] = (), tell: bool = True) -> RawMessage:
    meetings = (FEBRUARY, MOVED if changes else OCTOBER)
    return told(
        PlanAdopted(
            body_id=BOARD,
            plan="2023",
            year=2023,
            body="Styrelsen",
            meetings=meetings,
            changes=changes,
            people=people,
            tell=tell,
        )
    )


def olof(*changes: str) -> PlanMember:
    return PlanMember(person_id="olof", email=OLOF, name="Olof Berg", meetings=("m-1", "m-2"), changes=changes)


def sven(*changes: str) -> PlanMember:
    return PlanMember(person_id="sven", email=SVEN, name="Sven Dahl", language="en", meetings=("m-1",), changes=changes)


async def sent(post: Post) -> list[tuple[str, str, tuple[str, ...]]]:
    return [(one.purpose.value, one.recipient, one.facts.lines) for one in await post.deliveries()]


async def test_each_member_gets_their_own_dates_once_and_later_what_changed_for_them(waiting_post: Post) -> None:
    await waiting_post.bring_alone(member("olof"), member("sven"), plan(olof(), sven()))
    february, october = (
        "Fredag 24 februari 2023 kl. 09:00–12:00: Styrelsen sammanträder, Digitalt",
        "Fredag 27 oktober 2023 kl. 09:00–12:00: Styrelsen sammanträder, Digitalt",
    )
    assert await sent(waiting_post) == [
        ("plan-adopted", OLOF, (february, october)),
        ("plan-adopted", SVEN, ("Friday 24 February 2023 09:00–12:00: Styrelsen sammanträder, Digitalt",)),
    ]
    change = PlanChange(kind="changed", meeting=MOVED, before=OCTOBER)
    await waiting_post.bring_alone(plan(olof("m-2"), sven(), changes=(change,)))
    assert (await sent(waiting_post))[2:] == [
        (
            "plan-changed",
            OLOF,
            (
                "Ändrat: fredag 20 oktober 2023 kl. 09:00–12:00: Styrelsen sammanträder, Digitalt "
                "(förut fredag 27 oktober 2023 kl. 09:00–12:00)",
            ),
        )
    ]
    assert [one.agreement_id for one in await waiting_post.deliveries()] == [BOARD] * 3


async def test_who_joins_gets_all_the_dates_when_others_get_what_changed(waiting_post: Post) -> None:
    await waiting_post.bring_alone(member("olof"), plan(olof()), member("sven"))
    change = PlanChange(kind="cancelled", meeting=OCTOBER)
    await waiting_post.bring_alone(plan(olof("m-2"), sven(), changes=(change,)))
    assert [(purpose, who) for purpose, who, _ in (await sent(waiting_post))[1:]] == [
        ("plan-changed", OLOF),
        ("plan-adopted", SVEN),
    ]


async def test_nobody_is_mailed_who_is_not_known_as_a_member(waiting_post: Post) -> None:
    await waiting_post.bring_alone(member("olof"), plan(olof(), sven()))
    assert [who for _, who, _ in await sent(waiting_post)] == [OLOF]


async def test_nobody_is_mailed_when_the_secretary_does_not_want_it(waiting_post: Post) -> None:
    await waiting_post.bring_alone(member("olof"), plan(olof(), tell=False))
    assert await sent(waiting_post) == []
    await waiting_post.bring_alone(plan(olof()))
    assert [purpose for purpose, _, _ in await sent(waiting_post)] == ["plan-adopted"]


async def test_the_mail_lists_the_dates_in_both_forms(post: Post, server: RecordingSmtpServer) -> None:
    await post.bring_alone(member("olof"), plan(olof()))

    async def sent_one() -> bool:
        return len(server.mails) == 1

    await eventually(sent_one)
    message = server.mails[0].message
    text = message.get_body(("plain",)).get_content().replace("\r\n", "\n")  # type: ignore[union-attr]
    html = message.get_body(("html",)).get_content()  # type: ignore[union-attr]
    assert message["Subject"] == "Preliminära datum: Styrelsen 2023"
    assert "\n\nFredag 27 oktober 2023 kl. 09:00–12:00: Styrelsen sammanträder, Digitalt\n\n" in text
    assert "<p>Fredag 24 februari 2023" in html
