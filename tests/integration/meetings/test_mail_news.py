"""What comes back of mails about meetings: bounces, and what calendars answer."""

from datetime import datetime, timedelta
from typing import Any

import httpx

from shared.clock import ManualClock
from shared.events import BounceDetected, Event, InvitationAnswered, NoticeUnreached, ReplyReceived
from shared.service import Service
from tests.integration.meetings.test_agenda import meeting
from tests.integration.meetings.test_meetings import NOW, outbox
from tests.integration.meetings.test_notices import NOVEMBER, change, done, names
from tests.integration.meetings.test_replies import answers, board_of, facts, reply
from tests.integration.signing.flow import message


async def bring(service: Service, *news: Event, at: datetime = NOW) -> None:
    batch = [message(one, at, key="m", organisation="default") for one in news]
    await service.gates[0].behind.handle(batch)
    async with service.database.transaction() as connection:
        assert (await connection.exec_driver_sql("SELECT count(*) FROM dead_letter")).scalar_one() == 0


def bounced(meeting_id: str, person_id: str, **other: Any) -> BounceDetected:
    said = {"purpose": "notice", "recipient": "maja@norrdalen.example", "request_id": person_id, "request_version": 1}
    said |= {"status": "5.1.1", "diagnostic": "550 5.1.1  no such\n user", "permanent": True, "email_id": "e"}
    return BounceDetected.model_validate({**said, "agreement_id": meeting_id, **other})


def answered(meeting_id: str, person_id: str, answer: str, sequence: int = 1, **other: Any) -> InvitationAnswered:
    said = {"purpose": "notice", "recipient": "maja@norrdalen.example", "request_id": person_id, "email_id": "e"}
    return InvitationAnswered.model_validate(
        {**said, "agreement_id": meeting_id, "answer": answer, "sequence": sequence, **other}
    )


async def unreached(api: httpx.AsyncClient, meeting_id: str) -> dict[str, str]:
    found = (await api.get(f"/meetings/{meeting_id}/replies")).json()["people"]
    return {one["name"].split()[0]: one["unreached"] for one in found if one["unreached"]}


async def test_a_notice_that_did_not_arrive_is_told_to_chair_and_secretary(
    service: Service, api: httpx.AsyncClient
) -> None:
    ids, november = await board_of(api), await meeting(api, **NOVEMBER)
    await done(api, november, "issue")
    await bring(service, bounced(november, ids["Maja"]))
    await bring(service, bounced(november, ids["Maja"], purpose="papers-published"))
    assert await unreached(api, november) == {"Maja": "550 5.1.1 no such user"}
    [fact] = await facts(service, NoticeUnreached)
    assert (fact.name, fact.email, names(fact)) == ("Maja Lind", "maja@norrdalen.example", ["Olof", "Sara"])
    sara = bounced(november, ids["Sara"], recipient="sara@norrdalen.example")
    await bring(service, sara)
    assert names((await facts(service, NoticeUnreached))[1]) == ["Olof"], "not to the address that bounced"
    await bring(service, answered(november, ids["Sara"], "coming", recipient="sara@norrdalen.example"))
    assert set(await unreached(api, november)) == {"Maja"}, "an answer says that it arrived"
    await change(api, november, place="Sandvik")
    await done(api, november, "update")
    assert await unreached(api, november) == {}, "a new mail may arrive"


async def test_bounces_that_say_nothing_about_who_is_asked_are_left(service: Service, api: httpx.AsyncClient) -> None:
    ids, november = await board_of(api), await meeting(api, **NOVEMBER)
    await done(api, november, "issue")
    before = await outbox(service)
    await bring(
        service,
        bounced(november, "unknown"),
        bounced("unknown", ids["Maja"]),
        bounced(november, ids["Maja"], recipient="gammal@norrdalen.example"),
        bounced(november, ids["Maja"], purpose="signature-request"),
        bounced(november, ids["Maja"], purpose="notice-unreached"),
        bounced(november, ids["Maja"], request_id=None),
    )
    assert await unreached(api, november) == {}
    assert await outbox(service) == before


async def test_what_a_calendar_answers_is_an_answer(service: Service, api: httpx.AsyncClient) -> None:
    ids, november = await board_of(api), await meeting(api, **NOVEMBER)
    await done(api, november, "issue")
    await bring(service, answered(november, ids["Maja"], "tentative", comment="\u202e"))
    await bring(service, answered(november, ids["Maja"], "coming", comment="Gärna"))
    told = await facts(service, ReplyReceived)
    assert [(one.answer, one.via, one.comment) for one in told] == [
        ("tentative", "calendar", None),
        ("coming", "calendar", "Gärna"),
    ]
    await reply(api, november, ids["Maja"], "absent")
    assert (await answers(api, november))["Anna"] is None, "a substitute is called"


async def test_what_has_ended_answers_nothing(service: Service, api: httpx.AsyncClient) -> None:
    """Before the next notice tells notifications so."""
    ids, november = await board_of(api), await meeting(api, **NOVEMBER)
    await done(api, november, "issue")
    person = f"/people/{ids['Maja']}"
    await bring(service, answered(november, ids["Maja"], "coming", page_version=1))
    await api.post(f"{person}/end-links")
    await bring(service, answered(november, ids["Maja"], "absent", page_version=1))
    assert (await answers(api, november))["Maja"] == "coming"
    await bring(service, answered(november, ids["Maja"], "tentative", page_version=2))
    assert (await answers(api, november))["Maja"] == "tentative"
    await bring(service, answered(november, ids["Maja"], "absent", recipient="gammal@norrdalen.example"))
    assert (await answers(api, november))["Maja"] == "tentative"


async def test_what_a_calendar_answered_before_does_not_take_back_a_later_answer(
    service: Service, api: httpx.AsyncClient
) -> None:
    ids, november = await board_of(api), await meeting(api, **NOVEMBER)
    await done(api, november, "issue")
    await reply(api, november, ids["Maja"], "coming")
    before = await outbox(service)
    await bring(service, answered(november, ids["Maja"], "absent"), at=NOW - timedelta(minutes=5))
    assert await outbox(service) == before
    assert (await answers(api, november))["Maja"] == "coming"


async def test_an_answer_that_fits_nothing_is_left_and_stops_nobody(service: Service, api: httpx.AsyncClient) -> None:
    ids, november = await board_of(api), await meeting(api, **NOVEMBER)
    gone = await meeting(api, "2022-12-09")
    for one in (november, gone):
        await done(api, one, "issue")
    await change(api, november, starts="2022-11-25T09:00")
    await done(api, november, "update")
    await api.post(f"/meetings/{gone}/cancel", json={"reason": "Krock"})
    before = await outbox(service)
    await bring(
        service,
        answered(november, ids["Maja"], "coming"),  # to the invitation with the old time
        answered(november, ids["Anna"], "coming", 2),  # a substitute whom nobody called
        answered(november, "unknown", "coming", 2),
        answered("unknown", ids["Maja"], "coming", 2),
        answered(gone, ids["Maja"], "coming", 2),
        answered(november, ids["Maja"], "perhaps", 2),
    )
    assert await outbox(service) == before
    assert set((await answers(api, november)).values()) == {None}
    await bring(service, answered(november, ids["Maja"], "coming", 2), at=datetime.fromisoformat("2022-11-26T08:00Z"))
    assert await outbox(service) == before, "the meeting was held"
    await bring(service, answered(november, ids["Maja"], "coming", 2))
    assert (await answers(api, november))["Maja"] == "coming"
    assert isinstance(service.commands.notices._clock, ManualClock)
