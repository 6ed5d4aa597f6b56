"""An association with something of everything, whose forms are posted to, and whose rows are put back after that."""

import io
from datetime import date
from urllib.parse import quote, unquote_to_bytes

import httpx
from sqlalchemy import text

from services.meetings.agenda.agenda import ItemDetails
from services.meetings.attachment.commands import Upload
from services.meetings.body.body import BodyDetails, BodyKind
from services.meetings.body.membership import MemberRole
from services.meetings.manuscript.manuscript import Source
from services.meetings.person.person import PersonDetails
from services.meetings.poll.poll import TimeAsked
from services.meetings.proposal.proposal import ProposalDetails
from services.meetings.task.task import TaskDetails
from tests.integration.fuzz.services import signed_decision
from tests.integration.meetings.test_elections import signed as all_signed
from tests.integration.pages.members import DAYS, board_meeting, member
from tests.integration.pages.site import Site
from tests.integration.pages.test_meetings import DRAFTING, MINUTES
from tests.integration.signing.flow import ORGANISATION
from tests.unit.meetings.test_from_sitting import FRONT

_MADE_BY_READING = {"papers"}


class House:
    """An association with something of everything, and its rows put back after each change."""

    def __init__(self, site: Site, client: httpx.AsyncClient, ids: dict[str, str], foreign: dict[str, str]) -> None:
        self.site, self.client, self.ids, self.foreign = site, client, ids, foreign
        self._query = ""
        self.before: dict[str, str] = {}

    async def remember(self) -> None:
        async with self.site.meetings.database.transaction() as connection:
            named = await connection.execute(text("SELECT tablename FROM pg_tables WHERE schemaname = 'public'"))
            names = sorted(set(named.scalars()) - _MADE_BY_READING)
            await connection.execute(text("CREATE SCHEMA kept"))
            for name in names:
                await connection.execute(text(f"CREATE TABLE kept.{name} AS TABLE public.{name}"))
        rows = "SELECT '{0}', md5(coalesce(string_agg(t::text, '' ORDER BY t::text), '')) FROM public.{0} t"
        self._query = " UNION ALL ".join(rows.format(name) for name in names)
        self.before = await self.state()

    async def state(self) -> dict[str, str]:
        async with self.site.meetings.database.transaction() as connection:
            found = await connection.execute(text(self._query))
            return {str(row[0]): str(row[1]) for row in found}

    async def put_back(self) -> None:
        now = await self.state()
        changed = [name for name, content in self.before.items() if now[name] != content]
        if not changed:
            return
        async with self.site.meetings.database.transaction() as connection:
            for name in changed:
                await connection.execute(text(f"DELETE FROM public.{name}"))
                await connection.execute(
                    text(f"INSERT INTO public.{name} OVERRIDING SYSTEM VALUE SELECT * FROM kept.{name}")
                )

    async def post(self, action: str, pairs: list[tuple[str, str]], *, is_multipart: bool) -> httpx.Response:
        """`pairs`: url-encoded."""
        if not is_multipart:
            content = "&".join(f"{quote(name)}={value}" for name, value in pairs)
            headers = {"content-type": "application/x-www-form-urlencoded"}
            return await self.client.post(action, content=content, headers=headers)
        parts = b"".join(_part(name, value) for name, value in pairs) + b"--edge--\r\n"
        return await self.client.post(
            action, content=parts, headers={"content-type": "multipart/form-data; boundary=edge"}
        )


def _part(name: str, value: str) -> bytes:
    file = '; filename="a.txt"' if name in ("file", "logo") and value else ""
    head = f'--edge\r\nContent-Disposition: form-data; name="{name}"{file}\r\n\r\n'
    return head.encode() + plain(value) + b"\r\n"


def plain(value: str) -> bytes:
    """Of what is url-encoded."""
    return unquote_to_bytes(value.replace("+", " "))


async def stocked_house(site: Site, client: httpx.AsyncClient) -> House:
    """`client`: of a secretary who is logged in; here it opens Maja Lind's own pages, too."""
    commands = site.meetings.commands
    maja = await member(site, "Maja Lind", MemberRole.CHAIR)
    await member(site, "Olof Berg", MemberRole.SUBSTITUTE)
    free = await commands.people.register(ORGANISATION, PersonDetails(name="Nils Ek"))
    [body] = await commands.bodies.bodies(ORGANISATION)
    [seat, *_] = [one for one in await commands.bodies.memberships(ORGANISATION, body.id) if one.person.id == maja]
    [_, meeting] = sorted(await commands.meetings.of_year(ORGANISATION, 2022), key=lambda one: one.details.starts)
    other, told, asked, unopened, held, written, approved = [
        await commands.meetings.schedule(ORGANISATION, board_meeting(day))
        for day in ("2022-12-16", "2022-12-19", "2022-12-20", *("2022-09-26",) * 4)
    ]
    await commands.notices.issue(ORGANISATION, told.id)
    items = [await commands.agendas.add(ORGANISATION, meeting.id, ItemDetails(title=one)) for one in ("Ekonomi", "Val")]
    await commands.agendas.add(ORGANISATION, held.id, ItemDetails(title="Ekonomi"))
    file, _ = [
        await commands.attachments.add(ORGANISATION, items[0].id, Upload(name, io.BytesIO(b"Hej")))
        for name in ("a.txt", "b.txt")
    ]
    annex = await commands.annexes.hand_in(ORGANISATION, meeting.id, Upload("c.txt", io.BytesIO(b"Hej")))
    proposal = await commands.proposals.propose(ORGANISATION, meeting.id, maja, ProposalDetails(title="Resor"))
    poll = await commands.polls.open(
        ORGANISATION, asked.id, [TimeAsked.of(key) for key in DAYS], answer_by=date(2022, 10, 14)
    )
    await signed_decision(site.meetings, meeting.id, body.id)
    wanted = TaskDetails(what="Ta fram", owner_id=maja, due=date(2022, 11, 20), back_on=other.id)
    task = await commands.tasks.give(ORGANISATION, meeting.id, 28, wanted)
    assert task.item_id
    await commands.agendas.remove(ORGANISATION, task.item_id, version=None)  # so that it is suggested there
    await commands.sittings.open(ORGANISATION, held.id, [maja], key="opened", by="test")
    for one, minutes in ((held, MINUTES), (unopened, MINUTES.replace("first_paragraph: 37\n", ""))):
        await commands.minutes.draft_minutes(ORGANISATION, one.id, minutes, DRAFTING, ip="192.0.2.1")
    text_of_signed = MINUTES.replace("first_paragraph: 37\n", "")
    drafted = await commands.minutes.draft_minutes(ORGANISATION, approved.id, text_of_signed, DRAFTING, ip="192.0.2.1")
    await all_signed(site.meetings, drafted.agreement_id, organisation=ORGANISATION)
    review = (await commands.reviews.open(ORGANISATION, held.id, [maja], answer_by=date(2022, 10, 14))).review
    said = await commands.reviews.comment(ORGANISATION, review.id, maja, {37: "Fel namn."}, seen=1)
    await commands.reviews.agree(ORGANISATION, review.id, maja, seen=1)
    await commands.manuscripts.put(ORGANISATION, written.id, f"{FRONT}## A\n\nText.\n\n## B\n", Source.TEXT, seen=0)
    ids = {
        "body_id": body.id,
        "membership_id": seat.membership.id,
        "person_id": maja,
        "free_id": free.id,
        "meeting_id": meeting.id,
        "other_id": other.id,
        "told_id": told.id,
        "held_id": held.id,
        "written_id": written.id,
        "piece_id": "p1",
        "unopened_id": unopened.id,
        "signed_id": approved.id,
        "item_id": items[0].id,
        "attachment_id": file.id,
        "annex_id": annex.id,
        "proposal_id": proposal.id,
        "poll_id": poll.poll.id,
        "review_id": review.id,
        "comment_id": said.comments[0].id,
        "task_id": task.id,
        "paragraph": "28",
        "number": "2",
        "time": DAYS[0],
    }
    person = await commands.people.register("elsewhere", PersonDetails(name="Eva Ek"))
    strange = await commands.bodies.register("elsewhere", BodyDetails(name="Styrelsen", kind=BodyKind.BOARD))
    away = await commands.meetings.schedule("elsewhere", board_meeting("2022-11-25"))
    item = await commands.agendas.add("elsewhere", away.id, ItemDetails(title="Ekonomi"))
    foreign = {"body_id": strange.id, "person_id": person.id, "meeting_id": away.id, "item_id": item.id}
    await client.get(f"/my/{site.own_link(maja).rpartition('/')[2]}")
    house = House(site, client, ids, foreign)
    await house.remember()
    return house
