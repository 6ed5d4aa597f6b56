"""Every form of meetings' pages, the office's and the members' own, filled in as nobody of good will does.

Never a failure of ours; refused, nothing is changed and nothing published, what was typed stays, and the field says
what is wrong. Fields are taken from the pages: one that is added is tried as well.
"""

import io
import random
import re
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from urllib.parse import quote, unquote_to_bytes

import httpx
import pytest
from fastapi import FastAPI
from fastapi.routing import iter_route_contexts
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
from shared.auth import SESSION_COOKIE
from shared.web import RateLimit
from tests.integration.fuzz.forms_of_pages import PageForm, Typed, forms_of
from tests.integration.fuzz.logged import check_no_failure
from tests.integration.fuzz.services import signed_decision
from tests.integration.meetings.test_elections import signed as all_signed
from tests.integration.pages.members import DAYS, board_meeting, member
from tests.integration.pages.site import TOKEN, Site
from tests.integration.pages.test_meetings import DRAFTING, MINUTES
from tests.integration.signing.flow import ORGANISATION
from tests.unit.meetings.test_from_sitting import FRONT

pytestmark = pytest.mark.slow

_MEETING = "/office/meetings/{meeting_id}"
_WRITING = f"{_MEETING}/manuscript"
_PARAGRAPH = "/office/meetings/{written_id}/manuscript/paragraphs/{piece_id}"
_NOWHERE = "0192d1b0-0000-7000-8000-00000000dead"
_BAD = (
    "x" * 3000,
    "a%00b",
    "%1B%5B31mred",
    "Olof%E2%80%AEBerg",
    "%E2%80%8B",
    "%FF%FE",
    "%ED%A0%80",
    "-1",
    "9" * 400,
    "2023-02-30",
    "0001-01-01",
    "9999-12-31",
    "25:99",
    "1e9",
    "%7B%7B7*7%7D%7D",
    "%3Cscript%3E",
    _NOWHERE,
)
_BAD_OF_EACH = 5
_ONE_OF_MANY = ("do", "step", "person", "item")
"""Hidden fields by which one of many forms of a sitting is meant."""
_MADE_BY_READING = {"papers"}


@dataclass(frozen=True)
class Way:
    """`page`: where the form stands, empty where it is the form's own address; None: on no page of this house.

    `fields`: of an honest post, beside what the page fills in; names in braces are ids.
    """

    page: str | None = ""
    fields: dict[str, str] = field(default_factory=dict)
    loose: bool = False
    """An honest post may be refused, or changes nothing."""


WAYS: dict[str, Way] = {
    "/office/meetings/new": Way(
        fields={"body": "{body_id}", "date": "2022-11-03", "begins_at": "13:00", "ends_at": "15:00", "mode": "digital"}
    ),
    f"{_MEETING}/elections": Way(None),
    f"{_MEETING}/change": Way(fields={"begins_at": "13:30"}),
    f"{_MEETING}/cancel": Way(fields={"reason": "Sjukdom."}),
    "/office/plan": Way(fields={"text": "plan: a", "act": "check"}, loose=True),
    "/office/register": Way(fields={"text": "people: {a: {name: A B}}", "act": "check"}, loose=True),
    "/office/bodies/new": Way(fields={"name": "Nätverket"}),
    "/office/bodies/{body_id}/change": Way(fields={"name": "Förbundsstyrelsen"}),
    "/office/bodies/{body_id}/close": Way(),
    "/office/letterhead": Way(fields={"colour": "#7a1f5f"}),
    "/office/letterhead/remove": Way(None),
    "/office/bodies/{body_id}/members/new": Way(fields={"person": "{free_id}"}),
    "/office/bodies/{body_id}/members/{membership_id}": Way(fields={"begins": "2022-01-01"}),
    "/office/bodies/{body_id}/members/{membership_id}/end": Way(),
    "/office/people/new": Way(fields={"name": "Sven Dahl"}),
    "/office/people/{person_id}/change": Way(fields={"party": "C"}),
    "/office/people/{person_id}/leave": Way(),
    "/office/people/{person_id}/end-links": Way(),
    f"{_MEETING}/agenda/new": Way(fields={"item_title": "Resor"}),
    f"{_MEETING}/agenda/begin": Way(None),
    "/office/items/{item_id}": Way(fields={"proposal": "Att bifalla."}),
    "/office/items/{item_id}/step": Way(f"{_MEETING}/agenda", loose=True),
    "/office/items/{item_id}/move": Way(fields={"to_meeting": "{other_id}", "reason": "Kostnaden saknas."}),
    "/office/items/{item_id}/remove": Way(),
    f"{_MEETING}/notice": Way(fields={"what": "preliminary"}),
    f"{_MEETING}/remind": Way(None),  # stands there once the notice is out
    f"{_MEETING}/replies/{{person_id}}": Way(fields={"said": "absent"}),
    "/office/items/{item_id}/attachments": Way(),
    "/office/attachments/{attachment_id}": Way(fields={"attachment_title": "Budget"}),
    "/office/attachments/{attachment_id}/versions": Way("/office/attachments/{attachment_id}"),
    "/office/attachments/{attachment_id}/step": Way("/office/items/{item_id}/attachments", loose=True),
    "/office/attachments/{attachment_id}/remove": Way(),
    f"{_MEETING}/annexes": Way(),
    f"{_MEETING}/annexes/{{annex_id}}/remove": Way(f"{_MEETING}/annexes"),
    f"{_MEETING}/papers": Way(),
    f"{_MEETING}/proposals": Way(fields={"until": "2022-11-01"}),
    f"{_MEETING}/proposals/{{proposal_id}}/take": Way(f"{_MEETING}/proposals"),
    f"{_MEETING}/proposals/{{proposal_id}}/decline": Way(fields={"reason": "En annan tar den."}),
    f"{_MEETING}/strike": Way(fields={"reason": "Krockar.", "to_meeting": "{other_id}", "act": "look"}, loose=True),
    f"{_MEETING}/poll/new": Way(fields={"own_day_1": "2022-12-02", "answer_by": "2022-10-14"}),
    "/office/polls/{poll_id}/choose/{time}": Way(),
    "/office/polls/{poll_id}/answers/{person_id}": Way(fields=dict.fromkeys(DAYS, "can")),
    "/office/polls/{poll_id}/call-off": Way(fields={"reason": "Mässan flyttas."}),
    f"{_MEETING}/minutes/unlock": Way("/office/meetings/{held_id}/minutes/unlock", fields={"reason": "Fel i § 37."}),
    f"{_MEETING}/review/new": Way("/office/meetings/{unopened_id}/review/new", fields={"note": "Särskilt § 38."}),
    "/office/reviews/{review_id}/comments/{comment_id}": Way("/office/reviews/{review_id}"),
    "/office/reviews/{review_id}/people/{person_id}/ask-again": Way(None),
    "/office/reviews/{review_id}/send": Way("/office/reviews/{review_id}"),
    "/office/reviews/{review_id}/call-off": Way(fields={"reason": "Skrivs om."}),
    "/member/{person_id}/reviews/{review_id}": Way(fields={"comment-37": "Fel namn.", "act": "comment"}),
    "/office/decisions/{meeting_id}/{paragraph}/task": Way(
        fields={"what": "Ta fram", "owner": "person:{person_id}", "due": "2022-11-20"}
    ),
    "/office/tasks/{task_id}/change": Way(fields={"what": "Ta fram mer"}),
    "/office/tasks/{task_id}/done": Way("/office/tasks/{task_id}", fields={"task_note": "Klart."}),
    "/office/tasks/{task_id}/withdraw": Way("/office/tasks/{task_id}", fields={"reason": "Gavs av misstag."}),
    "/office/tasks/{task_id}/take": Way("/office/meetings/{other_id}/agenda"),
    f"{_MEETING}/sitting/open": Way("/office/meetings/{unopened_id}/sitting"),
    f"{_MEETING}/sitting/say": Way("/office/meetings/{held_id}/sitting", loose=True),
    f"{_MEETING}/sitting/correct": Way(
        "/office/meetings/{held_id}/sitting/steps", fields={"reason": "Fel person."}, loose=True
    ),
    f"{_MEETING}/sitting/steps/{{number}}": Way(
        "/office/meetings/{held_id}/sitting/steps/{number}", fields={"reason": "Fel person."}
    ),
    f"{_MEETING}/sitting/steps/{{number}}/after": Way(
        "/office/meetings/{held_id}/sitting/steps/{number}/after?do=guest_arrived",
        fields={"name": "Agnes Frost", "reason": "Glömdes."},
        loose=True,
    ),
    f"{_MEETING}/publish": Way("/office/meetings/{signed_id}/publish", fields={"names": "Olof Berg"}, loose=True),
    f"{_MEETING}/publish/remove": Way(None, loose=True),
    f"{_WRITING}/write": Way(None),
    f"{_WRITING}/catch-up": Way(None, loose=True),
    f"{_WRITING}/forward": Way("/office/meetings/{written_id}/manuscript/forward", loose=True),
    f"{_WRITING}/fields": Way("/office/meetings/{written_id}/manuscript/fields", fields={"minutes_place": "Älvsund"}),
    f"{_WRITING}/word": Way("/office/meetings/{written_id}/manuscript/word", loose=True),
    f"{_WRITING}/add": Way("/office/meetings/{written_id}/manuscript", fields={"heading": "Resor"}),
    f"{_WRITING}/discard": Way("/office/meetings/{written_id}/manuscript"),
    f"{_WRITING}/paragraphs/{{piece_id}}": Way(_PARAGRAPH, fields={"below": "Annan text."}),
    f"{_WRITING}/paragraphs/{{piece_id}}/step": Way("/office/meetings/{written_id}/manuscript", loose=True),
    f"{_WRITING}/paragraphs/{{piece_id}}/remove": Way(_PARAGRAPH),
    f"{_WRITING}/paragraphs/{{piece_id}}/at-once": Way(f"{_PARAGRAPH}/at-once", loose=True),
    f"{_WRITING}/paragraphs/{{piece_id}}/unlock": Way(None, loose=True),
    "/member/{person_id}/meetings/{meeting_id}/answer": Way(
        "/member/{person_id}/meetings/{meeting_id}", fields={"answer": "coming"}
    ),
    "/member/{person_id}/meetings/{meeting_id}/propose": Way(fields={"item_title": "Logotyp"}),
    "/member/{person_id}/polls/{poll_id}": Way(fields=dict.fromkeys(DAYS, "can")),
}


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
            await connection.execute(text("SET LOCAL session_replication_role = replica"))
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
    return head.encode() + _bytes(value) + b"\r\n"


def _bytes(value: str) -> bytes:
    return unquote_to_bytes(value.replace("+", " "))


@pytest.fixture
async def house(site: Site, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[House]:
    monkeypatch.setattr(RateLimit, "spend", lambda *_: None)
    commands = site.meetings.commands
    maja = await member(site, "Maja Lind", MemberRole.CHAIR)
    await member(site, "Olof Berg", MemberRole.SUBSTITUTE)
    free = await commands.people.register(ORGANISATION, PersonDetails(name="Nils Ek"))
    [body] = await commands.bodies.bodies(ORGANISATION)
    [seat, *_] = [one for one in await commands.bodies.memberships(ORGANISATION, body.id) if one.person.id == maja]
    [_, meeting] = sorted(await commands.meetings.of_year(ORGANISATION, 2022), key=lambda one: one.details.starts)
    other, asked, unopened, held, written, approved = [
        await commands.meetings.schedule(ORGANISATION, board_meeting(day))
        for day in ("2022-12-16", "2022-12-20", *("2022-09-26",) * 4)
    ]
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
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app=site.meetings.app, raise_app_exceptions=False), base_url="http://office"
    ) as client:
        client.cookies.set(SESSION_COOKIE, await site.session(TOKEN))
        await client.get(f"/my/{site.own_link(maja).rpartition('/')[2]}")
        found = House(site, client, ids, foreign)
        await found.remember()
        yield found


def _posted_to(app: FastAPI) -> set[str]:
    routes = [one for one in iter_route_contexts(app.routes) if "POST" in (getattr(one, "methods", None) or ())]
    return {str(one.path) for one in routes if str(one.path).startswith(("/office", "/member", "/my", "/calendar"))}


def test_every_form_is_tried(house_app: FastAPI) -> None:
    assert _posted_to(house_app) == WAYS.keys()


@pytest.fixture
async def house_app(site: Site) -> FastAPI:
    return site.meetings.app


def _filled(pattern: str, ids: dict[str, str]) -> str:
    return re.sub(r"{(\w+)}", lambda found: ids.get(found[1], _NOWHERE), pattern)


async def _forms(house: House, route: str, way: Way) -> list[PageForm]:
    """Those that post to the route."""
    if way.page is None:
        cookie = house.client.cookies[SESSION_COOKIE]
        csrf = Typed("csrf", "hidden", [house.site.access.csrf_token(cookie)])
        return [PageForm(_filled(route, house.ids), is_multipart=False, fields={"csrf": csrf})]
    page = await house.client.get(_filled(way.page or route, house.ids))
    assert page.status_code == 200, (route, page.status_code)
    action = re.compile(re.sub(r"{\w+}", "[^/]+", route) + "$")
    found = [one for one in forms_of(page.text) if action.search(one.action)]
    assert found, f"no form for {route} on {page.url}"
    return found


def _honest(form: PageForm, way: Way, house: House) -> dict[str, list[str]]:
    """Url-encoded values by name. Buttons are pressed only where the way says which."""
    sent = {}
    for one in form.fields.values():
        if one.kind == "file":
            sent[one.name] = ["Hej"] if one.name == "file" and "text" not in form.fields else [""]
        elif one.kind != "button":
            sent[one.name] = [quote(value, safe="") for value in one.values]
    for name, value in way.fields.items():
        if name in form.fields or name in DAYS:
            sent[name] = [quote(_filled(value, house.ids), safe="")]
    return sent


def _spoilt(honest: dict[str, list[str]], house: House, seed: str) -> Iterator[tuple[str, list[tuple[str, str]]]]:
    """Each field left out, doubled, and with things in it that do not belong there; with the field's name."""
    rng = random.Random(seed)
    foreign = [quote(one) for one in house.foreign.values()]
    for name in sorted(honest):
        if name == "csrf":
            continue
        others = [(other, value) for other, values in honest.items() if other != name for value in values]
        mine = [(name, value) for value in honest[name]]
        yield name, others
        yield name, [*others, *mine, (name, "x")]
        for value in (*rng.sample(_BAD, _BAD_OF_EACH), rng.choice(foreign)):
            yield name, [*others, (name, value)]


async def _tried(house: House, form: PageForm, way: Way, route: str) -> list[str]:
    """What went wrong."""
    honest, troubles = _honest(form, way, house), []
    for name, pairs in _spoilt(honest, house, route):
        answer = await house.post(form.action, pairs, is_multipart=form.is_multipart)
        value = next((given for given_name, given in reversed(pairs) if given_name == name), None)
        told = f"{route} {name}={(value or '')[:40]!r}: {answer.status_code}"
        if answer.status_code >= 500 or "Traceback" in answer.text:
            troubles.append(f"{told}: failed")
        if answer.status_code >= 400 and await house.state() != house.before:
            troubles.append(f"{told}: changed something")
        if answer.status_code == 422 and not _is_of_another(form, name):
            troubles += [f"{told}: {one}" for one in _not_kept(answer.text, form, pairs, name)]
        elif (
            answer.status_code >= 400
            and answer.status_code != 422
            and form.fields.get(name, Typed(name, "text")).kind not in ("hidden", "button")
        ):
            troubles.append(f"{told}: no form comes back")
        if answer.status_code < 400:
            await house.put_back()
    return troubles


def _is_hidden(form: PageForm, name: str) -> bool:
    return name in form.fields and form.fields[name].kind == "hidden"


def _is_of_another(form: PageForm, name: str) -> bool:
    """What was typed then belongs to none of the forms that are shown."""
    return "/sitting/" in form.action and name in _ONE_OF_MANY and _is_hidden(form, name)


def _not_kept(page: str, form: PageForm, pairs: list[tuple[str, str]], name: str) -> list[str]:
    sent = {other: [_bytes(value).decode("utf-8", "replace")] for other, value in pairs}
    alike = [one for one in forms_of(page) if one.action == form.action]
    shown = next(
        (
            one
            for one in alike
            if all(one.fields[by].values == sent.get(by) for by in _ONE_OF_MANY if _is_hidden(one, by))
        ),
        None,
    )
    if shown is None:
        return ["no form comes back"]
    lost = []
    for other, value in pairs:
        kind = form.fields[other].kind if other in form.fields else "text"
        if kind in ("hidden", "file", "button", "checkbox", "radio", "select") or name in (other, "file"):
            continue
        given = _bytes(value).decode("utf-8", "replace").strip()
        there = shown.fields.get(other)
        if there is None or given not in [one.strip() for one in there.values]:
            lost.append(f"{other} is not kept")
    if not any(one in page for one in ('class="error"', 'class="notice', 'id="problems"')):
        lost.append("nothing is said")
    return lost


@pytest.mark.parametrize("part", range(4))
async def test_fields_that_are_missing_doubled_or_odd(house: House, logs: Path, part: int) -> None:
    troubles = []
    for route, way in list(WAYS.items())[part::4]:
        for form in await _forms(house, route, way):
            troubles += await _tried(house, form, way, route)
    assert not troubles, "\n".join(troubles)
    check_no_failure(logs)


async def test_honest_posts_are_taken_and_those_without_the_pages_token_or_of_elsewhere_are_not(
    house: House, logs: Path
) -> None:
    for route, way in WAYS.items():
        form = (await _forms(house, route, way))[0]
        honest = [(name, value) for name, values in _honest(form, way, house).items() for value in values]
        without = [(name, value) for name, value in honest if name != "csrf"]
        for pairs in (without, [*without, ("csrf", "x")], [*without, ("csrf", "%FF%00")]):
            answer = await house.post(form.action, pairs, is_multipart=form.is_multipart)
            assert answer.status_code == 403, (route, answer.status_code)
        other_type = await house.post(form.action, honest, is_multipart=not form.is_multipart)
        assert 400 <= other_type.status_code < 500, (route, other_type.status_code)
        for ids in ({}, house.foreign):
            if "{" in route:
                answer = await house.post(_filled(route, ids), honest, is_multipart=form.is_multipart)
                assert answer.status_code in (403, 404, 422), (route, answer.status_code)
        assert await house.state() == house.before, route
        if way.page is not None:
            answer = await house.post(form.action, honest, is_multipart=form.is_multipart)
            assert answer.status_code == 303 or way.loose, (route, answer.status_code, answer.text[-1500:])
            assert answer.status_code < 500
            await house.put_back()
    check_no_failure(logs)
