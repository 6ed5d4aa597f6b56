"""Proposals of members on a real database: who is told that one came, and how it was settled."""

import asyncio

import httpx

from services.meetings.proposal.proposal import ItemProposal, ProposalDetails
from shared.events import ItemProposalReceived, ItemProposalSettled, NoticeUnreached
from shared.service import Service
from tests.integration.meetings.test_agenda import meeting
from tests.integration.meetings.test_mail_news import bounced, bring, unreached
from tests.integration.meetings.test_meetings import outbox
from tests.integration.meetings.test_notices import NOVEMBER, done, names
from tests.integration.meetings.test_replies import board_of, facts

TRIPS = ProposalDetails(title="Resor", background="Vi reser dyrt.", proposal="Res billigare.")


async def proposed(service: Service, meeting_id: str, person_id: str, title: str = "Resor") -> ItemProposal:
    wished = TRIPS.model_copy(update={"title": title})
    found: ItemProposal = await service.commands.proposals.propose("default", meeting_id, person_id, wished)
    return found


async def test_a_proposal_is_told_once_to_chair_and_secretary(service: Service, api: httpx.AsyncClient) -> None:
    ids, november = await board_of(api), await meeting(api, **NOVEMBER)
    made = await proposed(service, november, ids["Maja"])
    assert (await proposed(service, november, ids["Maja"])).id == made.id
    [fact] = await facts(service, ItemProposalReceived)
    assert (fact.meeting_id, fact.proposal_id, fact.item, fact.name) == (november, made.id, "Resor", "Maja Lind")
    assert (fact.body_id, names(fact)) == (ids["body"], ["Olof", "Sara"])
    await proposed(service, november, ids["Sara"], "Lokaler")
    assert names((await facts(service, ItemProposalReceived))[1]) == ["Olof"], "not to who proposed it"
    assert not any("dyrt" in row.data or "billigare" in row.data for row in await outbox(service))


async def test_who_proposed_it_is_told_how_it_was_settled(service: Service, api: httpx.AsyncClient) -> None:
    ids, november = await board_of(api), await meeting(api, **NOVEMBER)
    first, second = [await proposed(service, november, ids["Maja"], title) for title in ("Resor", "Lokaler")]
    taken = await api.post(f"/proposals/{first.id}/take")
    await api.post(f"/proposals/{second.id}/decline", json={"reason": "Vi väntar."})
    again = [
        await api.post(f"/proposals/{first.id}/decline", json={"reason": "Nej."}),
        await api.post(f"/proposals/{second.id}/take"),
    ]
    assert [one.status_code for one in again] == [409, 409]
    told = await facts(service, ItemProposalSettled)
    assert [(one.item, one.how, one.reason, one.item_id, names(one)) for one in told] == [
        ("Resor", "taken", None, taken.json()["item_id"], ["Maja"]),
        ("Lokaler", "declined", "Vi väntar.", None, ["Maja"]),
    ]


async def test_who_left_the_body_meanwhile_is_told_and_who_has_no_address_is_in_no_fact(
    service: Service, api: httpx.AsyncClient
) -> None:
    ids, november = await board_of(api), await meeting(api, **NOVEMBER)
    first, second = [await proposed(service, november, ids["Maja"], title) for title in ("Resor", "Lokaler")]
    path = f"/bodies/{ids['body']}/memberships"
    there = (await api.get(path)).json()["memberships"]
    [seat] = [one["membership"]["id"] for one in there if one["name"] == "Maja Lind"]
    assert (await api.post(f"{path}/{seat}/end", json={"on": "2022-09-25"})).status_code == 204
    await api.post(f"/proposals/{first.id}/take")
    nobody = await api.put(f"/people/{ids['Maja']}", json={"name": "Maja Lind"})
    assert nobody.status_code == 200
    await api.post(f"/proposals/{second.id}/take")
    assert [names(one) for one in await facts(service, ItemProposalSettled)] == [["Maja"], []]


async def test_of_a_meeting_of_no_known_body_nobody_is_told(service: Service, api: httpx.AsyncClient) -> None:
    ids, unknown = await board_of(api), await meeting(api, "2022-11-25", body="Okänd")
    before = len(await outbox(service))
    made = await proposed(service, unknown, ids["Maja"])
    assert (await api.post(f"/proposals/{made.id}/decline", json={"reason": "Nej."})).status_code == 200
    assert len(await outbox(service)) == before


async def test_an_end_that_did_not_reach_who_proposed_it_is_told_to_the_office(
    service: Service, api: httpx.AsyncClient
) -> None:
    ids, november = await board_of(api), await meeting(api, **NOVEMBER)
    await done(api, november, "issue")
    await bring(service, bounced(november, ids["Maja"], purpose="proposal-declined"))
    assert await unreached(api, november) == {"Maja": "550 5.1.1 no such user"}
    assert len(await facts(service, NoticeUnreached)) == 1


async def test_two_who_change_the_last_day_are_told_apart(service: Service, api: httpx.AsyncClient) -> None:
    await board_of(api)
    november = await meeting(api, **NOVEMBER)
    path = f"/meetings/{november}/proposals"
    seen = (await api.get(path)).json()["until"]
    changes = [api.put(f"{path}/until", params={"seen": seen}, json={"until": f"2022-11-0{day}"}) for day in (1, 2, 3)]
    answers = await asyncio.gather(*changes)
    assert sorted(one.status_code for one in answers) == [200, 409, 409]
    [first] = [one for one in answers if one.status_code == 200]
    assert (await api.get(path)).json()["until"] == first.json()["until"]
    assert (await api.put(f"{path}/until", json={"until": "2022-11-04"})).status_code == 200, "who does not ask"
