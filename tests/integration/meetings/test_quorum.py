"""A quorum at risk: told in time, once, to who looks after the meeting."""

from datetime import UTC, datetime

import httpx

from shared.events import QuorumAtRisk, SeatLeftEmpty
from shared.service import Service
from tests.integration.meetings.test_agenda import meeting
from tests.integration.meetings.test_notices import NOVEMBER, at, done, ended, names, state
from tests.integration.meetings.test_replies import board_of, facts, reply


async def test_a_quorum_at_risk_is_told_once_to_chair_and_secretary(service: Service, api: httpx.AsyncClient) -> None:
    ids, november = await board_of(api, substitutes="none"), await meeting(api, **NOVEMBER)
    await done(api, november, "issue")
    await reply(api, november, ids["Maja"], "absent")
    assert await facts(service, QuorumAtRisk) == []
    await reply(api, november, ids["Nils"], "absent")
    [risk] = await facts(service, QuorumAtRisk)
    assert (names(risk), risk.needed, risk.coming, risk.absent, risk.unanswered) == (["Olof", "Sara"], 2, 0, 2, 1)
    await reply(api, november, ids["Olof"], "absent")
    assert len(await facts(service, QuorumAtRisk)) == 1
    await reply(api, november, ids["Nils"], "coming")
    await reply(api, november, ids["Olof"], "coming")
    await reply(api, november, ids["Olof"], "absent")
    assert len(await facts(service, QuorumAtRisk)) == 2, "it was out of danger"


async def test_a_quorum_that_no_substitute_can_save_is_told_before_the_notice(
    service: Service, api: httpx.AsyncClient
) -> None:
    ids, november = await board_of(api), await meeting(api, **NOVEMBER)
    await done(api, november, "preliminary")
    for name in ("Maja", "Nils", "Olof"):
        await reply(api, november, ids[name], "absent")
    assert await facts(service, QuorumAtRisk) == [], "two substitutes can be called to the three places"
    for name in ("Anna", "Per"):
        await ended(api, ids, name)
    await reply(api, november, ids["Olof"], "absent", comment="Sjuk.")
    [risk] = await facts(service, QuorumAtRisk)
    assert (risk.needed, risk.coming, risk.absent) == (2, 0, 3)
    assert await facts(service, SeatLeftEmpty) == []
    await done(api, november, "issue")
    assert len(await facts(service, QuorumAtRisk)) == 1, "it was told"


async def test_silence_counts_some_days_before_the_meeting(service: Service, api: httpx.AsyncClient) -> None:
    ids, november = await board_of(api), await meeting(api, **NOVEMBER)
    await done(api, november, "issue")
    await reply(api, november, ids["Olof"], "coming")
    worker = at(service, datetime(2022, 11, 22, 11, 59, tzinfo=UTC))
    assert not await worker.fire_one()
    assert await at(service, datetime(2022, 11, 22, 12, 0, tzinfo=UTC)).fire_one()
    [risk] = await facts(service, QuorumAtRisk)
    assert (risk.coming, risk.unanswered) == (1, 2)
    await reply(api, november, ids["Maja"], "coming")
    assert not (await state(api, november))["quorum"]["absent"]
    assert len(await facts(service, QuorumAtRisk)) == 1
