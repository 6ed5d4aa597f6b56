"""Reviews of minutes on a real database: asked, commented, followed over versions, agreed and sent off; and bounces."""

import asyncio
from typing import Any

import httpx
import pytest

from services.meetings.review.commands import ReviewCommands
from shared.errors import NotFound, Refused, Unavailable
from shared.events import (
    AgreementCancelled,
    BounceDetected,
    ProtocolReleased,
    ReviewAgreed,
    ReviewClosed,
    ReviewCommented,
    ReviewOpened,
    ReviewUnreached,
)
from shared.rendering.minutes import MinutesDocument
from shared.service import Service
from tests.integration.meetings.test_meetings import NOW, draft, end, minutes, outbox, schedule
from tests.integration.meetings.test_replies import board_of, facts
from tests.integration.signing.flow import message


async def opened(api: httpx.AsyncClient) -> tuple[dict[str, str], str, str]:
    """A board's people, a meeting whose minutes are drafted, and the review of them by chair and a member."""
    ids, meeting_id = await board_of(api), await schedule(api)
    ids["agreement"] = (await draft(api, meeting_id, minutes(first=28))).json()["agreement_id"]
    new = {"people": [ids["Olof"], ids["Maja"]], "answer_by": "2022-10-03", "note": "Särskilt § 29"}
    answer = await api.post(f"/meetings/{meeting_id}/reviews", json=new)
    assert answer.status_code == 201, answer.text
    review = answer.json()["review"]["id"]
    assert answer.headers["location"] == f"/reviews/{review}"
    return ids, meeting_id, review


async def test_comments_lead_to_a_version_that_all_agree_to_and_it_is_sent_off(
    service: Service, api: httpx.AsyncClient
) -> None:
    ids, meeting_id, review = await opened(api)
    commands: ReviewCommands = service.commands.reviews
    [asked] = await facts(service, ReviewOpened)
    assert {one.person_id for one in asked.people} == {ids["Olof"], ids["Maja"]}
    assert (asked.version, asked.answer_by, asked.note, asked.before) == (1, "2022-10-03", "Särskilt § 29", None)

    await commands.agree("default", review, ids["Maja"], seen=1)
    await commands.comment("default", review, ids["Olof"], {29: "Fel belopp.", 0: "Annars bra."}, seen=1)
    [said] = await facts(service, ReviewCommented)
    assert (said.name, said.paragraphs, [one.person_id for one in said.people]) == ("Olof Berg", (29,), [ids["Sara"]])
    assert "Fel belopp" not in str(await outbox(service)), "what few may read is in no fact"
    shown = (await api.get(f"/reviews/{review}")).json()
    assert [(one["paragraph"], one["heading"], one["text"]) for one in shown["comments"]] == [
        (None, "", "Annars bra."),
        (29, "Ärende 1", "Fel belopp."),
    ]
    assert (await api.post(f"/reviews/{review}/send")).status_code == 409
    comment = shown["comments"][1]["id"]
    answered = await api.put(f"/reviews/{review}/comments/{comment}", json={"reply": "Rättat.", "settled": True})
    assert answered.json()["comments"][1]["reply"] == "Rättat."

    assert (await api.post(f"/meetings/{meeting_id}/minutes/unlock", json={"reason": "§ 29"})).status_code == 200
    await end(service, ids["agreement"], AgreementCancelled)
    second = (await draft(api, meeting_id, minutes().replace("Text.", "Annan text."))).json()
    again = (await facts(service, ReviewOpened))[-1]
    assert (again.version, again.before, again.agreement_id) == (2, 1, second["agreement_id"])
    people = (await api.get(f"/reviews/{review}")).json()["people"]
    assert not any(one["agreed"] for one in people), "who agreed to the first version has not agreed to the second"

    await commands.agree("default", review, ids["Maja"], seen=2)
    await commands.agree("default", review, ids["Olof"], seen=2)
    last = (await facts(service, ReviewAgreed))[-1]
    assert (last.waiting_for, [one.person_id for one in last.people]) == (0, [ids["Sara"]])
    sent = await api.post(f"/reviews/{review}/send")
    assert (sent.status_code, sent.json()["review"]["status"]) == (200, "sent")
    [released] = await facts(service, ProtocolReleased)
    assert (released.agreement_id, released.version) == (second["agreement_id"], 2)
    assert [one.outcome for one in await facts(service, ReviewClosed)] == ["sent"]
    assert (await api.post(f"/reviews/{review}/send")).status_code == 409


async def test_one_review_is_open_at_a_time_whoever_asks_at_once(service: Service, api: httpx.AsyncClient) -> None:
    ids, meeting_id, review = await opened(api)
    new = {"people": [ids["Olof"]], "answer_by": "2022-10-03"}
    assert (await api.post(f"/meetings/{meeting_id}/reviews", json=new)).status_code == 409
    off = await api.post(f"/reviews/{review}/call-off", json={"reason": "Skrivs om"})
    assert off.json()["review"]["status"] == "called_off"
    [closed] = await facts(service, ReviewClosed)
    assert (closed.reason, len(closed.people)) == ("Skrivs om", 2)
    answers = await asyncio.gather(*(api.post(f"/meetings/{meeting_id}/reviews", json=new) for _ in range(3)))
    assert sorted(one.status_code for one in answers) == [201, 409, 409]
    listed = (await api.get(f"/meetings/{meeting_id}/reviews")).json()["reviews"]
    assert [one["status"] for one in listed] == ["open", "called_off"]


async def test_who_is_not_asked_or_reads_an_older_version_says_nothing(
    service: Service, api: httpx.AsyncClient
) -> None:
    ids, _, review = await opened(api)
    other = await schedule(api)
    assert (await draft(api, other, minutes())).status_code == 201
    for body, status in (
        ({"people": ["nobody"], "answer_by": "2022-10-03"}, 404),
        ({"people": [ids["Olof"]], "answer_by": "2022-09-01"}, 422),
        ({"people": [], "answer_by": "2022-10-03"}, 422),
    ):
        assert (await api.post(f"/meetings/{other}/reviews", json=body)).status_code == status
    before = len(await outbox(service))
    commands: ReviewCommands = service.commands.reviews
    for attempt in (
        commands.agree("default", review, ids["Nils"], seen=1),
        commands.agree("default", review, ids["Olof"], seen=2),
        commands.comment("default", review, ids["Nils"], {28: "Hej"}, seen=1),
        commands.comment("elsewhere", review, ids["Olof"], {28: "Hej"}, seen=1),
        commands.read("default", review, ids["Nils"]),
    ):
        with pytest.raises((Refused, NotFound)):
            await attempt
    assert len(await outbox(service)) == before
    assert (await api.get("/reviews/nowhere")).status_code == 404


async def test_a_mail_that_bounces_is_told_to_who_looks_after_the_meeting(
    service: Service, api: httpx.AsyncClient
) -> None:
    ids, meeting_id, review = await opened(api)
    fact = BounceDetected(
        email_id="mail",
        agreement_id=review,
        purpose="review",
        recipient="maja@norrdalen.example",
        request_id=ids["Maja"],
        status="5.1.1",
        diagnostic="550 no such user",
        permanent=True,
    )
    for one in (fact, fact.model_copy(update={"recipient": "old@norrdalen.example"})):
        await service.gates[0].behind.handle([message(one, NOW, key=review, organisation="default")])
    [told] = await facts(service, ReviewUnreached)
    assert (told.meeting_id, told.review_id, told.name) == (meeting_id, review, "Maja Lind")
    assert (told.email, told.diagnostic) == ("maja@norrdalen.example", "550 no such user")
    assert {one.person_id for one in told.people} == {ids["Olof"], ids["Sara"]}
    await service.gates[0].behind.handle([message(fact, NOW, key=review, organisation="default")])
    assert len(await facts(service, ReviewUnreached)) == 1, "told once"
    assert state((await api.get(f"/reviews/{review}")).json(), ids["Maja"])["unreached"] == "550 no such user"
    at = f"/reviews/{review}/people"
    assert (await api.post(f"{at}/{ids['Sara']}/ask-again")).status_code == 404, "they were not asked"
    asked = await api.post(f"{at}/{ids['Maja']}/ask-again")
    assert state(asked.json(), ids["Maja"])["unreached"] is None, asked.text
    again = (await facts(service, ReviewOpened))[-1]
    assert (again.again, [one.person_id for one in again.people], again.before) == (True, [ids["Maja"]], None)


def state(review: Any, person_id: str) -> Any:
    [found] = [one for one in review["people"] if one["person_id"] == person_id]
    return found


async def test_who_read_the_bodys_last_minutes_is_proposed_again(service: Service, api: httpx.AsyncClient) -> None:
    """But for who read them as chair or adjuster: who that is, the next minutes say."""
    ids, meeting_id = await board_of(api), await schedule(api)
    assert (await draft(api, meeting_id, minutes(first=28))).status_code == 201
    commands: ReviewCommands = service.commands.reviews

    async def usual(meeting: str) -> set[str]:
        found = await commands.reviewable("default", meeting)
        return {one.person.id for one in found.candidates if one.usual}

    first = await usual(meeting_id)
    extra = ids["Sara"]
    assert extra not in first
    people = [*first, ids["Olof"], ids["Maja"], extra]
    new = {"people": list(dict.fromkeys(people)), "answer_by": "2022-10-03"}
    assert (await api.post(f"/meetings/{meeting_id}/reviews", json=new)).status_code == 201
    assert await usual(meeting_id) == first, "of the same meeting, only what its minutes say"
    other = await schedule(api)
    text = minutes().replace("Olof Berg", "Eva Lund").replace("Sven Dahl", "Karin Ek")
    assert (await draft(api, other, text)).status_code == 201
    assert extra in await usual(other)
    document = await service.commands.versions.document("default", meeting_id, 1)
    named = {one for one in ids.values() if one in people} & await usual(other)
    told = await commands.reviewable("default", other)
    names = {one.person.id: one.person.details.name for one in told.candidates}
    assert not {names[one] for one in named} & {document.chair, *document.adjusters}


async def test_a_review_that_was_called_off_proposes_nobody_and_minutes_that_cannot_be_read_stop_nothing(
    service: Service, api: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids, meeting_id = await board_of(api), await schedule(api)
    assert (await draft(api, meeting_id, minutes(first=28))).status_code == 201
    new = {"people": [ids["Sara"]], "answer_by": "2022-10-03"}
    review = (await api.post(f"/meetings/{meeting_id}/reviews", json=new)).json()["review"]["id"]
    other = await schedule(api)
    assert (await draft(api, other, minutes())).status_code == 201
    commands: ReviewCommands = service.commands.reviews
    document = commands._versions.document

    async def usual() -> set[str]:
        found = await commands.reviewable("default", other)
        return {one.person.id for one in found.candidates if one.usual}

    for error in (Unavailable("the store does not answer"), NotFound("it is gone")):

        async def unread(organisation: str, meeting: str, number: int, error: Exception = error) -> MinutesDocument:
            if meeting == meeting_id:
                raise error
            return await document(organisation, meeting, number)

        with monkeypatch.context() as gone:
            gone.setattr(commands._versions, "document", unread)
            assert ids["Sara"] in await usual()
    ended = await api.post(f"/reviews/{review}/call-off", json={"reason": "Fel person"})
    assert ended.is_success, ended.text
    assert ids["Sara"] not in await usual()
