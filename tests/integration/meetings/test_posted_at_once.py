"""A paragraph that was approved at once is posted on its own, before the rest of its minutes."""

import httpx
import pytest

from shared.clock import ManualClock
from shared.events import MinutesPosted, PublicationDeadlineNeared
from shared.service import Service
from tests.integration.meetings.test_at_once import SIGNATORY, approve, written
from tests.integration.meetings.test_board import BOARD, words_of
from tests.integration.meetings.test_board import anyone as anyone
from tests.integration.meetings.test_decisions import HEAD, TRAVEL, fire
from tests.integration.meetings.test_meetings import NOW, draft
from tests.integration.meetings.test_open_data import SYSTEM
from tests.integration.meetings.test_open_data import outside as outside
from tests.integration.meetings.test_open_data import stranger as stranger
from tests.integration.meetings.test_public_archive import board as board
from tests.integration.meetings.test_public_archive import change_rules
from tests.integration.meetings.test_publications import OLOF, facts, sign
from tests.integration.meetings.test_publications import clock as clock
from tests.integration.meetings.test_publications import committee as committee
from tests.oparl.client import Stranger

ALONE = "?paragraph=29"


async def approved(service: Service, api: httpx.AsyncClient) -> str:
    """A meeting of which § 29 is signed by everyone, and the rest by nobody."""
    meeting = await written(api)
    made = await approve(api, meeting, "Firmatecknare")
    await sign(service, made["agreement_id"])
    await fire(service)
    return meeting


async def post_alone(api: httpx.AsyncClient, meeting: str, masks: list[dict[str, object]]) -> httpx.Response:
    at = f"/meetings/{meeting}/publication"
    looked = await api.post(f"{at}/preview{ALONE}", json={"masks": masks})
    assert looked.status_code == 200, looked.text
    return await api.post(f"{at}{ALONE}", json={"masks": masks, "confirmed": looked.json()["pin"]})


async def test_it_is_posted_before_the_rest_under_an_address_of_its_own(
    service: Service, api: httpx.AsyncClient, anyone: httpx.AsyncClient, committee: str, clock: ManualClock
) -> None:
    meeting = await approved(service, api)
    at = f"/meetings/{meeting}/publication"
    waiting = (await api.get(f"{at}{ALONE}")).json()
    assert (waiting["status"], waiting["paragraph"], waiting["post_by"]) == ("draft", 29, "2022-09-28")
    assert (await api.post(f"{at}/preview", json={"masks": []})).status_code == 409, "the rest is not signed"
    assert (await api.post(f"{at}/preview?paragraph=28", json={"masks": []})).status_code == 409
    posted = (await post_alone(api, meeting, OLOF)).json()
    assert (posted["status"], posted["id"], posted["appeal_until"]) == ("posted", waiting["id"], "2022-10-17")
    for address in (f"{BOARD}/{posted['id']}", f"{BOARD}/{posted['id']}/html", f"{BOARD}/{posted['id']}/pdf"):
        said = words_of(await anyone.get(address))
        assert "29" in said, address
        assert "Olof" not in said, address
        assert "Resor" not in said, "nothing of the rest"
    assert "§ 29" in (await anyone.get(BOARD)).text
    [data] = [data for name, data in await facts(service) if name == "minutes-posted"]
    assert MinutesPosted.from_json(data).paragraph == 29

    whole = (await draft(api, meeting, HEAD + TRAVEL + SIGNATORY)).json()["agreement_id"]
    await sign(service, whole)
    await fire(service)
    looked = (await api.post(f"{at}/preview", json={"masks": []})).json()
    answer = await api.post(at, json={"masks": [], "confirmed": looked["pin"]})
    assert answer.status_code == 200, answer.text
    assert answer.json()["id"] != posted["id"]
    page = (await anyone.get(BOARD)).text
    assert posted["id"] in page
    assert answer.json()["id"] in page, "both are posted, each for its own time"
    removed = await api.post(f"{at}/remove{ALONE}", json={"reason": "Fel."})
    assert removed.json()["status"] == "removed"
    assert (await anyone.get(f"{BOARD}/{posted['id']}")).status_code == 410
    assert (await anyone.get(f"{BOARD}/{answer.json()['id']}")).status_code == 200


async def test_that_it_is_posted_in_time_is_watched(
    service: Service, api: httpx.AsyncClient, committee: str, clock: ManualClock
) -> None:
    await approved(service, api)
    clock.move_to(NOW.replace(day=28, hour=12))
    await fire(service)
    [told] = [PublicationDeadlineNeared.from_json(data) for _, data in await facts(service)]
    assert (told.deadline, told.due, told.paragraph) == ("post", "2022-09-28", 29)


async def test_open_data_have_it_and_what_is_masked_in_it_is_masked_in_its_meeting(
    service: Service, api: httpx.AsyncClient, stranger: Stranger, board: str, clock: ManualClock
) -> None:
    await change_rules(api, board, public=True)
    meeting = await approved(service, api)
    assert (await stranger.walk(SYSTEM)).of("Paper") == []
    posted = (await post_alone(api, meeting, [{"kind": "passage", "text": "Firmatecknare"}])).json()
    walk = await stranger.walk(SYSTEM)
    [paper] = walk.of("Paper")
    assert paper["web"].endswith(posted["id"])
    assert "Firmatecknare" not in walk.text
    assert len(walk.of("Meeting")) == 1, "known, though nobody was called and the rest is not signed"
    assert paper["mainFile"]["fileName"].endswith("-29.pdf")


@pytest.mark.parametrize("paragraph", ["0", "x", "100000"])
async def test_what_is_no_paragraph_is_refused(api: httpx.AsyncClient, board: str, paragraph: str) -> None:
    meeting = await written(api)
    assert (await api.get(f"/meetings/{meeting}/publication?paragraph={paragraph}")).status_code == 422
