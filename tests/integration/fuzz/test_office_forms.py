"""Every form of meetings' pages, the office's and the members' own, filled in as nobody of good will does.

Never a failure of ours; refused, nothing is changed and nothing published, what was typed stays, and the field says
what is wrong. Fields are taken from the pages: one that is added is tried as well.
"""

import random
import re
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from urllib.parse import quote

import httpx
import pytest
from fastapi import FastAPI
from fastapi.routing import iter_route_contexts

from shared.auth import SESSION_COOKIE
from shared.web import RateLimit
from tests.integration.fuzz.forms_of_pages import PageForm, Typed, forms_of
from tests.integration.fuzz.house import House, plain, stocked_house
from tests.integration.fuzz.logged import check_no_failure
from tests.integration.fuzz.office_ways import WAYS, Way
from tests.integration.pages.members import DAYS
from tests.integration.pages.site import TOKEN, Site

pytestmark = pytest.mark.slow

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


@pytest.fixture
async def house(site: Site, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[House]:
    monkeypatch.setattr(RateLimit, "spend", lambda *_: None)
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app=site.meetings.app, raise_app_exceptions=False), base_url="http://office"
    ) as client:
        client.cookies.set(SESSION_COOKIE, await site.session(TOKEN))
        yield await stocked_house(site, client)


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
    sent = {other: [plain(value).decode("utf-8", "replace")] for other, value in pairs}
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
        given = plain(value).decode("utf-8", "replace").strip()
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
