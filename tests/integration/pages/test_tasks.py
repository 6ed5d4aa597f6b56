"""Tasks in a browser: given by a decision, changed, taken onto an agenda, done; and what is wrong stays in the form."""

import re
from html import unescape

import httpx
import pytest

from shared.auth import SESSION_COOKIE
from tests.integration.meetings.test_decisions import fire
from tests.integration.meetings.test_elections import signed as all_signed
from tests.integration.pages.site import AUDITOR, ELSEWHERE, Site
from tests.integration.pages.test_meetings import DRAFTING, MINUTES, new_meeting
from tests.integration.pages.test_meetings import visitor as visitor
from tests.integration.pages.test_office import new_body, new_person, seat
from tests.integration.pages.visitor import Visitor
from tests.integration.signing.flow import ORGANISATION

TASKS = "/meetings/office/tasks"
GIVES = "\n## Ramverk\n### Beslut\nStyrelsen beslutar att\n- ge förbundsdirektören uppdraget att ta fram ett förslag\n"


@pytest.fixture
async def form(site: Site, visitor: Visitor) -> str:
    """Where § 39 gives a task: of a board with one member, whose minutes everyone has signed, and a meeting to come."""
    body = await new_body(visitor)
    maja = await new_person(visitor)
    await seat(visitor, body, maja, "secretary")
    meeting = (await new_meeting(visitor, body)).rpartition("/")[2]
    await new_meeting(visitor, body, date="2022-12-16")
    drafted = await site.meetings.commands.minutes.draft_minutes(
        ORGANISATION, meeting, MINUTES + GIVES, DRAFTING, ip="192.0.2.1"
    )
    await all_signed(site.meetings, drafted.agreement_id, organisation=ORGANISATION)
    await fire(site.meetings)
    return f"/meetings/office/decisions/{meeting}/39/task"


async def options(visitor: Visitor, name: str) -> list[str]:
    select = re.search(rf'<select[^>]*name="{name}".*?</select>', visitor.page.text, re.DOTALL)
    assert select is not None
    return [value for value in re.findall(r'<option value="([^"]*)"', select.group()) if value]


async def give(visitor: Visitor, form: str, **changed: str) -> httpx.Response:
    await visitor.follow(form)
    [person, role] = await options(visitor, "owner")
    assert (person[:7], role) == ("person:", "role:secretary")
    later = (await options(visitor, "back_on"))[-1]
    fields = {"what": "ta fram ett förslag", "owner": person, "due": "2022-12-01", "back_on": later}
    return await visitor.press("/task", **fields | changed)


async def test_an_empty_list_says_how_a_task_is_given(visitor: Visitor) -> None:
    shown = unescape((await visitor.follow(TASKS)).text)
    assert "Sök upp beslutet och välj Ge en uppgift." in shown
    assert "/office/decisions" in shown


async def test_a_task_is_given_changed_taken_up_and_done(visitor: Visitor, form: str) -> None:
    decisions = await visitor.follow("/meetings/office/decisions")
    assert form in decisions.text
    opened = unescape((await visitor.follow(form)).text)
    assert 'value="ge förbundsdirektören uppdraget att ta fram ett förslag"' in opened, "as the decision has it"
    await give(visitor, form)
    page = unescape(visitor.page.text)
    assert visitor.heading == "ta fram ett förslag"
    for said in ("Uppgiften är given.", "Maja Lind", "Torsdag 1 december 2022", "§ 39 Ramverk"):
        assert said in page
    task = visitor.page.url.path
    await visitor.follow(f"{task}/change")
    await visitor.press("/change", what="ta fram ett bättre förslag", owner="role:secretary", due="2022-12-02")
    assert "Uppgiften är ändrad." in visitor.page.text
    assert "Fredag 2 december 2022" in visitor.page.text

    await visitor.follow(f"{task}/change")
    later = (await options(visitor, "back_on"))[-1]
    await visitor.press(
        "/change", what="ta fram ett bättre förslag", owner="role:secretary", due="2022-12-02", back_on=later
    )
    agenda = f"/meetings/office/meetings/{later}/agenda"
    await visitor.follow(agenda)
    assert "Uppgifter som ska tillbaka hit" not in visitor.page.text
    assert "ta fram ett bättre förslag" in visitor.page.text

    assert "ta fram ett bättre förslag" in (await visitor.follow(TASKS)).text
    await visitor.follow(task)
    await visitor.press("/done", task_note="Antogs.")
    assert "Ingen mejlas mer om den." in visitor.page.text
    assert "Antogs." in visitor.page.text
    assert "ta fram ett bättre förslag" not in (await visitor.follow(TASKS)).text
    assert "ta fram ett bättre förslag" in (await visitor.follow(f"{TASKS}?done=1")).text


WRONG: list[tuple[str, str, str]] = [
    ("what", "", "Skriv vad som ska göras"),
    ("what", "x" * 301, "Texten får vara högst 300 tecken"),
    ("owner", "", "Välj någon som har en plats i organet"),
    ("owner", "person:nobody", "Välj någon som har en plats i organet"),
    ("owner", "role:king", "Välj någon som har en plats i organet"),
    ("due", "", "Välj i dag eller en senare dag"),
    ("due", "2022-09-01", "Välj i dag eller en senare dag"),
    ("back_on", "nowhere", "Välj ett av organets kommande möten"),
    ("back_day", "2022-09-01", "Välj en dag som kommer"),
]


async def test_a_task_without_room_on_the_agenda_is_suggested_there(
    visitor: Visitor, form: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as full:
        full.setattr("services.meetings.agenda.agenda.MOST_ITEMS", 0)
        await visitor.follow(form)
        later = (await options(visitor, "back_on"))[-1]
        await give(visitor, form)
    agenda = f"/meetings/office/meetings/{later}/agenda"
    await visitor.follow(agenda)
    assert "Uppgifter som ska tillbaka hit" in visitor.page.text
    await visitor.press("/take")
    assert visitor.page.url.path == agenda
    assert "Punkten är tillagd." in visitor.page.text
    assert "Uppgifter som ska tillbaka hit" not in visitor.page.text


async def test_a_task_whose_item_stands_on_another_agenda_says_so_and_is_moved_by_one_press(
    visitor: Visitor, form: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    await visitor.follow(form)
    first = (await options(visitor, "back_on"))[-1]
    await give(visitor, form, back_on=first)
    task = visitor.page.url.path
    await visitor.follow(f"/meetings/office/meetings/{first}/agenda")
    [item] = re.findall(r'/office/items/([^/"]+)">[0-9]+[.] ta fram', unescape(visitor.page.text))
    await visitor.follow(f"/meetings/office/items/{item}")
    await visitor.press(f"/items/{item}", item_kind="information", item_title="ta fram ett förslag, med bilaga")
    await visitor.follow("/meetings/office/bodies")
    [body] = set(re.findall(r"/office/bodies/([0-9a-f-]{36})", visitor.page.text))
    await new_meeting(visitor, body, date="2023-01-20")
    await visitor.follow(f"{task}/change")
    second = (await options(visitor, "back_on"))[-1]
    assert second != first
    with monkeypatch.context() as full:
        full.setattr("services.meetings.agenda.agenda.MOST_ITEMS", 0)
        await visitor.press("/change", what="ta fram", owner="role:secretary", due="2022-12-02", back_on=second)
    agenda = f"/meetings/office/meetings/{second}/agenda"
    suggested = unescape((await visitor.follow(agenda)).text)
    assert "Står på en annan dagordning nu, och flyttas därifrån:" in suggested
    assert f"/meetings/office/meetings/{first}/agenda" in suggested
    await visitor.press("/take")
    assert visitor.page.url.path == agenda
    assert "ta fram ett förslag, med bilaga" in visitor.page.text
    assert "Uppgifter som ska tillbaka hit" not in visitor.page.text


async def test_an_item_that_somebody_wrote_in_stays_and_the_task_says_so(visitor: Visitor, form: str) -> None:
    await visitor.follow(form)
    later = (await options(visitor, "back_on"))[-1]
    await give(visitor, form, back_on=later)
    task = visitor.page.url.path
    agenda = f"/meetings/office/meetings/{later}/agenda"
    assert "Punkten är kvar" not in visitor.page.text
    assert unescape(visitor.page.text).count("Står på dagordningen") == 1
    await visitor.follow(agenda)
    [item] = re.findall(r'/office/items/([^/"]+)">[0-9]+[.] ta fram', unescape(visitor.page.text))
    await visitor.follow(f"/meetings/office/items/{item}")
    await visitor.press(f"/items/{item}", item_kind="information", item_title="ta fram ett förslag, med bilaga")
    await visitor.follow(f"{task}/change")
    await visitor.press("/change", what="ta fram", owner="role:secretary", due="2022-12-02", back_on="")
    page = unescape(visitor.page.text)
    assert "Uppgiften kommer inte tillbaka där, men punkten är kvar tills någon tar bort eller flyttar den." in page
    assert agenda in page
    assert "ta fram ett förslag, med bilaga" in (await visitor.follow(agenda)).text


async def test_a_task_comes_back_on_a_day_whose_meeting_is_not_planned(visitor: Visitor, form: str) -> None:
    both = await give(visitor, form, back_day="2024-06-20")
    assert "Välj ett möte, eller skriv en dag, inte båda" in unescape(both.text)
    await give(visitor, form, back_on="", back_day="2024-06-20")
    page = unescape(visitor.page.text)
    assert "Torsdag 20 juni 2024, när mötet är planerat" in page
    assert "Kommer tillbaka" in (await visitor.follow(TASKS)).text


async def test_what_is_wrong_is_said_at_its_field_and_stays(visitor: Visitor, form: str) -> None:
    for field, value, error in WRONG:
        alone = {"back_on": ""} if field == "back_day" else {}
        answer = await give(visitor, form, **alone, **{field: value})
        assert answer.status_code == 422, error
        assert error in unescape(answer.text)
        if field != "what":
            assert 'value="ta fram ett förslag"' in unescape(answer.text)


async def test_the_second_of_two_is_told_and_keeps_what_was_typed(site: Site, visitor: Visitor, form: str) -> None:
    await give(visitor, form)
    task = visitor.page.url.path
    await visitor.follow(f"{task}/change")
    stale, [person, _] = visitor.page, await options(visitor, "owner")
    await visitor.press("/change", what="först", owner="role:secretary", due="2022-12-02")
    visitor.page = stale
    answer = await visitor.press("/change", what="sedan", owner=person, due="2022-12-03")
    assert answer.status_code == 422
    assert 'value="sedan"' in answer.text
    now = unescape(answer.text)
    for said in ("göras: först", "Vem som gör det: Den som är sekreterare", "Klart senast: 2 december 2022"):
        assert said in now
    await visitor.follow(f"{task}/change")
    stale = visitor.page
    first = {"what": "först", "owner": "role:secretary", "due": "2022-12-02"}
    await visitor.press("/change", **first, back_day="2024-06-20")
    visitor.page = stale
    answer = await visitor.press("/change", **first)
    assert "Kommer tillbaka den dagen: 20 juni 2024" in unescape(answer.text)


async def test_readers_read_and_strangers_find_nothing(
    site: Site, visitor: Visitor, client: httpx.AsyncClient, form: str
) -> None:
    await give(visitor, form)
    task = visitor.page.url.path
    client.cookies.set(SESSION_COOKIE, await site.session(AUDITOR))
    read = await visitor.follow(task)
    assert "/done" not in read.text
    assert (await client.get(form)).status_code == 403
    client.cookies.set(SESSION_COOKIE, await site.session(ELSEWHERE))
    assert (await client.get(task)).status_code == 404
    assert "ta fram" not in (await visitor.follow(TASKS)).text
