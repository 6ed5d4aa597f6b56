"""A sitting in a browser without script: held from roll call to end, refused in words, told to the second secretary."""

import re
from datetime import UTC, datetime, timedelta
from html import unescape

import httpx
import pytest

from services.meetings.body.body import BodyDetails, BodyKind, BodyRules, ItemKind, StandingItem
from services.meetings.body.membership import MemberRole, Seat
from services.meetings.meeting.meeting import MeetingDetails
from services.meetings.person.person import PersonDetails
from services.meetings.sitting.history import Entry
from tests.integration.pages.test_office import OFFICE
from tests.integration.pages.test_office import visitor as visitor
from tests.integration.pages.visitor import Visitor
from tests.integration.signing.flow import ORGANISATION

PEOPLE = {
    "Olof Berg": MemberRole.CHAIR,
    "Maja Lind": MemberRole.MEMBER,
    "Nils Ek": MemberRole.MEMBER,
    "Anna Dal": MemberRole.SUBSTITUTE,
}


class Held:
    """A board's meeting, some days ago. `ids`: of people by first name."""

    def __init__(self, visitor: Visitor, ids: dict[str, str], meeting_id: str) -> None:
        self.visitor, self.ids, self.meeting_id = visitor, ids, meeting_id
        self.at = f"{OFFICE}/meetings/{meeting_id}/sitting"

    async def say(self, do: str, **fields: str) -> str:
        """On the page that is open; what stands on the one that it leads to."""
        answer = await self.visitor.press("/sitting/say", do=do, **fields)
        assert answer.status_code in (200, 422), answer.text
        return unescape(answer.text)

    async def items(self) -> list[str]:
        agenda = await self.visitor.site.meetings.commands.agendas.agenda(ORGANISATION, self.meeting_id)
        return [item.id for item in agenda.items]

    async def entries(self) -> list[Entry]:
        return await self.visitor.site.meetings.commands.sittings.steps(ORGANISATION, self.meeting_id)

    async def steps(self) -> list[str]:
        return [entry.step.do for entry in await self.entries()]


@pytest.fixture
async def held(visitor: Visitor) -> Held:
    commands = visitor.site.meetings.commands
    standing = (StandingItem(title="Ekonomi", kind=ItemKind.DECISION), StandingItem(title="Övrigt"))
    rules = BodyRules(standing_items=standing)
    body = await commands.bodies.register(ORGANISATION, BodyDetails(name="Styrelsen", kind=BodyKind.BOARD, rules=rules))
    ids = {}
    for name, role in PEOPLE.items():
        person = await commands.people.register(ORGANISATION, PersonDetails(name=name))
        ids[name.split()[0]] = person.id
        await commands.bodies.begin(ORGANISATION, body.id, Seat(person_id=person.id, role=role))
    starts = datetime(2022, 9, 23, 13)
    details = MeetingDetails(
        body="Styrelsen", title="Styrelsen", place="Digitalt", starts=starts, ends=starts.replace(hour=15)
    )
    meeting = await commands.meetings.schedule(ORGANISATION, details)
    return Held(visitor, ids, meeting.id)


async def test_a_sitting_is_held_on_one_page(held: Held) -> None:
    await held.visitor.follow(f"{OFFICE}/meetings/{held.meeting_id}")
    assert "Håll sammanträdet" in held.visitor.page.text
    await held.visitor.follow(held.at)
    assert held.visitor.heading == "Upprop"
    await held.visitor.press("/sitting/open", present=held.ids["Olof"])
    assert "Inte beslutfört: 1 beslutar, 2 behövs" in held.visitor.page.text
    page = await held.say("arrived", person=held.ids["Anna"])
    assert "Beslutfört: 2 beslutar, 2 behövs" in page
    assert "Tjänstgör för Maja Lind" in page
    economy, other = await held.items()
    await held.say("item_begun", item=economy)
    assert held.visitor.heading == "Ekonomi"
    page = await held.say("decided", text="Styrelsen beslutar att godkänna rapporten.")
    assert "Styrelsen beslutar att godkänna rapporten." in page
    await held.say("item_begun", item=other)  # ends the one that is up
    assert held.visitor.heading == "Övrigt"
    room = await held.visitor.follow(f"{held.at}/room")
    assert "data-live" in room.text
    await held.visitor.follow(held.at)
    page = await held.say("closed")
    assert "Avslutat" in page
    assert await held.steps() == [
        "opened",
        "roll_called",
        "arrived",
        "item_begun",
        "decided",
        "item_ended",
        "item_begun",
        "item_ended",
        "closed",
    ]


async def test_a_meeting_that_is_called_off_asks_for_no_roll(held: Held) -> None:
    await held.visitor.site.meetings.commands.meetings.cancel(ORGANISATION, held.meeting_id, "Förhinder")
    page = (await held.visitor.follow(held.at)).text
    assert ("Mötet är inställt" in page, "/sitting/open" in page) == (True, False)


async def test_what_is_refused_says_why_and_what_was_typed_stays(held: Held) -> None:
    await held.visitor.follow(held.at)
    await held.visitor.press("/sitting/open", present=held.ids["Olof"])
    await held.say("item_begun", item=(await held.items())[0])
    page = await held.say("decided", text="Styrelsen beslutar att avslå.")
    assert "Mötet är inte beslutfört." in page
    assert ">Styrelsen beslutar att avslå.</textarea>" in page
    assert held.visitor.page.status_code == 422
    page = await held.say("conflict_declared", person="ingen")
    assert "Det går inte som mötet står nu." in page
    page = await held.say("nonsense")
    assert "Något saknas i formuläret." in page


async def test_a_vote_is_counted_and_who_is_missing_is_asked_for(held: Held) -> None:
    await held.visitor.follow(held.at)
    await held.visitor.press("/sitting/open", present=held.ids["Olof"])
    for who in ("Maja", "Nils"):
        await held.say("arrived", person=held.ids[who])
    await held.say("item_begun", item=(await held.items())[0])
    await held.say("proposal_made", text="Godkänna")
    await held.say("proposal_made", text="Avslå", person=held.ids["Nils"])
    ballots = {f"ballot-{held.ids[who]}": "yes" for who in ("Olof", "Maja")}
    page = await held.say("vote_taken", yes="1", no="2", **ballots)
    assert "Alla som beslutar ska svara" in page
    page = await held.say("vote_taken", yes="1", no="2", **ballots, **{f"ballot-{held.ids['Nils']}": "no"})
    assert "Förslag 1 vann: 2 ja, 1 nej, 0 avstår." in page
    await held.say("decided", text="Godkänna")
    assert "Nils Ek: Nej" in (await held.visitor.follow(f"{held.at}/room")).text


@pytest.mark.parametrize("how", ["closed", "forgotten"])
async def test_the_room_is_shown_without_login_until_the_sitting_is_over(held: Held, how: str) -> None:
    site = held.visitor.site
    await held.visitor.follow(held.at)
    await held.visitor.press("/sitting/open", present=held.ids["Olof"])
    page = await held.say("item_begun", item=(await held.items())[0])
    found = re.search(r'href="([^"]*/room/[^"]+)"', page)
    assert found is not None
    async with httpx.AsyncClient(base_url=site.base) as screen:
        seen = await screen.get(found[1])
        assert (seen.status_code, "Ekonomi" in seen.text, seen.cookies) == (200, True, httpx.Cookies())
        again = await screen.get(found[1], headers={"if-none-match": seen.headers["etag"]})
        assert again.status_code == 304
        assert (await screen.get(f"{found[1][:-4]}AAAA")).status_code == 404
        assert (await screen.get(f"{held.at}/room")).status_code == 401, "how to come there is for the office"
        if how == "closed":
            await held.say("closed")
        else:
            site.flow.clock.move_to(site.flow.clock.now() + timedelta(hours=25))
        over = await screen.get(found[1])
        assert over.status_code == 200, "a screen that follows shows it"
        assert ("Sammanträdet är slut" in over.text, "Ekonomi" in over.text) == (True, False)


async def test_the_second_of_two_secretaries_is_told_and_a_form_sent_twice_is_one(held: Held) -> None:
    await held.visitor.follow(held.at)
    await held.visitor.press("/sitting/open", present=held.ids["Olof"])
    stale = held.visitor.page
    await held.say("arrived", person=held.ids["Maja"])
    held.visitor.page = stale  # sent again: the answer was lost
    page = await held.say("arrived", person=held.ids["Maja"])
    assert "Beslutfört" in page
    held.visitor.page = stale
    page = await held.say("arrived", person=held.ids["Nils"], key="another")
    assert "Något har antecknats" in page
    assert await held.steps() == ["opened", "roll_called", "arrived"]


async def test_what_waited_for_a_connection_has_the_time_when_it_was_done(held: Held) -> None:
    await held.visitor.follow(held.at)
    await held.visitor.press("/sitting/open", present=held.ids["Olof"])
    clock = held.visitor.site.flow.clock
    clock.move_to(clock.now() + timedelta(minutes=10))
    await held.say("arrived", person=held.ids["Maja"], ago="300")
    clock.move_to(clock.now() + timedelta(minutes=10))
    await held.say("item_begun", item=(await held.items())[0], ago="60")
    await held.say("departed", person=held.ids["Maja"], ago="99999")
    await held.say("arrived", person=held.ids["Maja"], ago="nonsense")
    times = [step.at for step in (entry.step for entry in await held.entries()) if step.at]
    opened = times[0]
    assert [(at - opened).seconds // 60 for at in times] == [0, 0, 5, 19, 19, 20]


async def test_what_waited_while_clocks_were_changed_has_the_time_when_it_was_done(held: Held) -> None:
    """Put forward: no time of an hour that was skipped. Put back: an hour that comes twice is not still to come."""
    commands, clock = held.visitor.site.meetings.commands, held.visitor.site.flow.clock
    for night, back_at, waited, done in (
        (datetime(2023, 3, 26), datetime(2023, 3, 26, 1, 10, tzinfo=UTC), 1200, (1, 50)),
        (datetime(2023, 10, 29), datetime(2023, 10, 29, 1, 10, tzinfo=UTC), 1200, (2, 50)),
    ):
        details = MeetingDetails(
            body="Styrelsen", title="Natt", place="Digitalt", starts=night, ends=night.replace(hour=5)
        )
        meeting = await commands.meetings.schedule(ORGANISATION, details)
        clock.move_to(back_at - timedelta(hours=1))
        at = f"{OFFICE}/meetings/{meeting.id}/sitting"
        await held.visitor.follow(at)
        await held.visitor.press("/sitting/open", present=held.ids["Olof"])
        clock.move_to(back_at)
        await held.say("arrived", person=held.ids["Maja"], ago=str(waited))
        [*_, last] = await commands.sittings.steps(ORGANISATION, meeting.id)
        assert last.step.do == "arrived"
        assert last.step.at == night.replace(hour=done[0], minute=done[1])


async def test_a_time_after_what_follows_leads_to_the_step_that_follows(held: Held) -> None:
    await voted(held)
    clock = held.visitor.site.flow.clock
    clock.move_to(clock.now() + timedelta(minutes=30))
    entry = (await held.entries())[6].step
    assert entry.at is not None
    late = {"name": "Petra Holm", "reason": "Glömt", "at": (entry.at + timedelta(minutes=9)).strftime("%H:%M")}
    await held.visitor.follow(f"{held.at}/steps/2/after?do=guest_arrived")
    await held.visitor.press("/steps/2/after", **late)
    page = unescape(held.visitor.page.text)
    assert "Steg 5 (Ärendet togs upp" in page
    assert "Då är dess tid före tiden i det steg som du lägger in eller rättar." in page
    assert "Rätta steg 5 också" in page
    assert len(await held.steps()) == 9


async def test_an_adjuster_who_leaves_or_presides_is_told_and_another_is_chosen(held: Held) -> None:
    await held.visitor.follow(held.at)
    await held.visitor.press("/sitting/open", present=held.ids["Olof"])
    for who in ("Maja", "Nils"):
        page = await held.say("arrived", person=held.ids[who])
    page = await held.say("adjusters_chosen", adjuster=held.ids["Maja"])
    assert "Behöver en annan justerare väljas?" not in page
    page = await held.say("departed", person=held.ids["Maja"])
    assert "Maja Lind, som valdes att justera, är inte här." in page
    assert '<a href="#adjusters">Välj någon annan</a>' in page
    page = await held.say("adjusters_chosen", adjuster=held.ids["Nils"])
    assert "Behöver en annan justerare väljas?" not in page
    page = await held.say("chair_taken", person=held.ids["Nils"])
    assert "Nils Ek, som valdes att justera, leder mötet nu och justerar som ordförande." in page


async def test_whose_turn_it_is_to_approve_the_minutes_is_proposed_by_earlier_sittings(held: Held) -> None:
    commands = held.visitor.site.meetings.commands
    before = (await commands.sittings.scene(ORGANISATION, held.meeting_id)).meeting.details
    week = {"starts": before.starts + timedelta(days=2), "ends": before.ends + timedelta(days=2)}
    later = await commands.meetings.schedule(ORGANISATION, before.model_copy(update=week))
    await held.visitor.follow(held.at)
    await commands.sittings.open(ORGANISATION, held.meeting_id, list(held.ids.values()), key="first", by="sender")
    await held.visitor.follow(held.at)
    page = await held.say("adjusters_chosen", adjuster=held.ids["Maja"])
    assert "justerade senast" not in page
    following = Held(held.visitor, held.ids, later.id)
    await commands.sittings.open(ORGANISATION, later.id, list(held.ids.values()), key="second", by="sender")
    page = (await held.visitor.follow(following.at)).text
    ticked = re.findall(r'name="adjuster" value="([^"]+)" checked', page)
    assert ticked == [held.ids["Nils"]], "not the chair, nor who did the last time"
    assert "justerade senast 23 september 2022" in page
    await following.say("adjusters_chosen", adjuster=held.ids["Maja"])
    assert "Ikryssade är" not in held.visitor.page.text, "they are chosen"


async def test_an_item_whose_answer_was_lost_is_taken_up_once(held: Held) -> None:
    await held.visitor.follow(held.at)
    await held.visitor.press("/sitting/open", present=held.ids["Olof"])
    stale = held.visitor.page
    await held.say("item_begun", item=(await held.items())[0])
    held.visitor.page = stale  # sent again
    page = await held.say("item_begun", item=(await held.items())[0])
    assert "Det antecknades inte" not in page
    assert await held.steps() == ["opened", "roll_called", "item_begun"]


async def test_a_mistake_is_taken_back_with_a_reason_and_both_are_shown(held: Held) -> None:
    await held.visitor.follow(held.at)
    await held.visitor.press("/sitting/open", present=held.ids["Olof"])
    await held.say("arrived", person=held.ids["Maja"])
    await held.visitor.follow(f"{held.at}/steps")
    await held.visitor.press("/sitting/correct")
    assert "Skriv varför." in held.visitor.page.text
    await held.visitor.press("/sitting/correct", reason="Det var Nils")
    page = held.visitor.page.text
    assert "Det var Nils" in page
    assert "Gäller inte" in page
    assert "1 beslutar" in (await held.visitor.follow(held.at)).text


async def voted(held: Held) -> None:
    """Olof, Maja and Nils are there; arrivals are steps 3 and 4, the vote 8, the decision 9."""
    await held.visitor.follow(held.at)
    await held.visitor.press("/sitting/open", present=held.ids["Olof"])
    for who in ("Maja", "Nils"):
        await held.say("arrived", person=held.ids[who])
    await held.say("item_begun", item=(await held.items())[0])
    for text in ("Godkänna", "Avslå"):
        await held.say("proposal_made", text=text)
    ballots = {f"ballot-{held.ids[who]}": "yes" for who in ("Olof", "Maja", "Nils")}
    await held.say("vote_taken", yes="1", no="2", **ballots)
    await held.say("decided", text="Godkänna")
    assert await held.steps() == [
        *("opened", "roll_called", "arrived", "arrived", "item_begun", "proposal_made", "proposal_made"),
        *("vote_taken", "decided"),
    ]


async def test_a_step_is_corrected_where_it_stands_and_both_are_shown(held: Held) -> None:
    await voted(held)
    await held.visitor.follow(f"{held.at}/steps/9")
    assert held.visitor.heading == "Rätta: Beslut"
    assert ">Godkänna</textarea>" in held.visitor.page.text
    await held.visitor.press("/sitting/steps/9", text="Godkänna rapporten", how="vote", proposal="1")
    assert "Skriv varför." in held.visitor.page.text
    assert ">Godkänna rapporten</textarea>" in held.visitor.page.text
    filled = {"text": "Godkänna rapporten", "how": "vote", "proposal": "1", "reason": "Ordet föll bort"}
    await held.visitor.press("/sitting/steps/9", **filled)
    page = unescape(held.visitor.page.text)
    assert "Rättelsen är antecknad." in page
    assert "10. Beslut (i stället för 9)" in page
    assert "Ordet föll bort" in page
    assert page.index("Godkänna rapporten") < page.index("9. Beslut") < page.index("Gäller inte")
    await held.visitor.follow(f"{held.at}/steps/9")  # by an old link: what stands there now
    assert ">Godkänna rapporten</textarea>" in held.visitor.page.text
    scene = await held.visitor.site.meetings.commands.sittings.scene(ORGANISATION, held.meeting_id)
    assert scene.state is not None
    assert scene.state.items[0].decision is not None
    assert scene.state.items[0].decision.text == "Godkänna rapporten"


async def test_what_was_forgotten_is_put_in_and_what_rests_on_it_is_corrected_with_it(held: Held) -> None:
    """Nils left before the vote, and nobody wrote it down: his ballot goes with it."""
    await voted(held)
    await held.visitor.follow(f"{held.at}/steps/7/after")
    assert held.visitor.heading == "Något glömdes efter detta"
    await held.visitor.follow(f"{held.at}/steps/7/after?do=departed")
    assert held.visitor.heading == "Glömt: Gick"
    left = {"person": held.ids["Nils"], "reason": "Han gick före voteringen"}
    await held.visitor.press("/steps/7/after", **left)
    page = unescape(held.visitor.page.text)
    assert "Steg 8 (Omröstning) stämmer inte i så fall. Då är den som steget gäller inte här." in page
    assert f'value="{held.ids["Nils"]}" selected' in page
    await held.visitor.press("/steps/7/after", **left, act="next")
    assert held.visitor.heading == "Rätta: Omröstning"
    page = unescape(held.visitor.page.text)
    assert "Han gick före voteringen" in page
    assert "<legend>Olof Berg" in page
    assert "<legend>Nils Ek" not in page
    ballots = {f"ballot-{held.ids[who]}": "yes" for who in ("Olof", "Maja")}
    await held.visitor.press("/sitting/steps/8", yes="1", no="2", **ballots, reason="Nils röstade inte", act="save")
    assert "Rättelsen är antecknad." in held.visitor.page.text
    assert (await held.steps())[-2:] == ["departed", "vote_taken"]
    scene = await held.visitor.site.meetings.commands.sittings.scene(ORGANISATION, held.meeting_id)
    assert scene.state is not None
    assert len(scene.state.items[0].votes[0].ballots) == 2
    assert [one.came for one in scene.state.attendee(held.ids["Nils"]).movements] == [True, False]


async def test_a_correction_that_nobody_can_make_is_told(held: Held) -> None:
    await voted(held)
    answer = await held.visitor.follow(f"{held.at}/steps/99")
    assert answer.status_code == 404
    await held.visitor.follow(f"{held.at}/steps/3")
    await held.visitor.press("/sitting/steps/3", person="ingen", reason="Fel")
    assert held.visitor.page.status_code == 422
    await held.visitor.press("/sitting/steps/3", pending="[1]", reason="Fel")
    assert held.visitor.page.status_code == 422
    await held.visitor.follow(f"{held.at}/steps/4")
    await held.visitor.press("/sitting/steps/4", withdraw="yes", reason="Nils var aldrig där")
    assert "Steg 8 (Omröstning) stämmer inte" in unescape(held.visitor.page.text)
    assert len(await held.steps()) == 9
