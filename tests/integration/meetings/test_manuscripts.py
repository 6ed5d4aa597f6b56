"""Minutes written from a sitting, on a real database: read back, seen as PDF, drafted, and nothing lost of two."""

import httpx

from tests.integration.meetings.test_meetings import draft, minutes, schedule
from tests.integration.meetings.test_sittings import Room, step
from tests.integration.meetings.test_sittings import room as room


async def held(room: Room) -> None:
    await room.open("Olof", "Maja", "Anna")
    ballots = [{"person_id": room.ids[who], "choice": how} for who, how in (("Olof", "yes"), ("Maja", "no"))]
    await room.say(
        step("adjusters_chosen", 1, people=[room.ids["Maja"]]),
        step("item_begun", 2, item_id=room.items[0]),
        step("proposal_made", 3, text="Godkänna"),
        step("proposal_made", 3, text="Avslå", person_id=room.ids["Maja"]),
    )
    serving = (await room.now())["serving"]
    ballots += [{"person_id": room.ids["Anna"], "choice": "yes"}] if len(serving) == 3 else []
    voted = await room.say(step("vote_taken", 5, yes=1, no=2, ballots=ballots))
    assert voted.status_code == 200, voted.text
    await room.say(
        step("decided", 6, text="godkänna rapporten", proposal=1, how="vote"),
        step("item_ended", 6),
        step("closed", 30),
    )


async def test_minutes_are_written_of_a_sitting_and_drafted(room: Room) -> None:
    api, at = room.api, f"/meetings/{room.meeting_id}/manuscript"
    assert (await api.get(at)).status_code == 404
    early = await api.post(at)
    assert (early.status_code, early.json()["detail"]) == (409, "the sitting has not been opened")
    await held(room)
    written = await api.post(at)
    assert (written.status_code, written.headers["location"]) == (201, at), written.text
    told = written.json()
    assert (told["source"], told["version"]) == ("sitting", 1)
    assert "Styrelsen beslutar att godkänna rapporten" in told["markdown"]
    assert told["remarks"] == [{"what": "not_taken_up", "about": "Val av ombud"}]
    again = await api.post(at)
    assert (again.status_code, again.json()["detail"]) == (409, "there is a draft of the minutes already")
    assert (await api.get(at)).json() == told
    preview = await api.get(f"{at}.pdf")
    assert preview.content.startswith(b"%PDF-"), preview.text
    drafted = await draft(api, room.meeting_id, told["markdown"])
    assert (drafted.status_code, drafted.json()["first_paragraph"]) == (201, 1), drafted.text


async def test_a_whole_text_takes_the_place_of_one_that_was_seen(api: httpx.AsyncClient) -> None:
    meeting = await schedule(api)
    at = f"/meetings/{meeting}/manuscript"
    first = await api.put(at, json={"markdown": minutes()})
    assert (first.status_code, first.json()["version"]) == (200, 1), first.text
    late = await api.put(at, json={"markdown": minutes(paragraphs=1)})
    assert (late.status_code, late.json()["detail"]) == (409, "the draft was changed by someone else meanwhile")
    assert (await api.put(at, json={"markdown": minutes(paragraphs=1), "seen": 1})).json()["version"] == 2
    refused = await api.put(at, json={"markdown": "## A", "seen": 2})
    assert refused.status_code == 422
    assert (await api.put("/meetings/none/manuscript", json={"markdown": minutes()})).status_code == 404
