"""Every statement that a service sends to PostgreSQL keeps to one organisation: its column is compared, or given.

The routes of the APIs and of the pages are all called, with what they lead to in them; commands and handlers, as the
events of a story come in, are watched as well. Who works for all organisations at once stands below, with why.
"""

import re
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

import pytest
from fastapi.routing import iter_route_contexts

from services.archive.tables import ArchiveTable
from services.meetings.tables import MeetingsTable
from services.notifications.tables import NotificationsTable
from services.signing.tables import SigningTable
from shared.auth import Role
from shared.blobs import BlobStore
from shared.clock import ManualClock
from shared.keys import parse_keys
from shared.links import Link, calendar_link, issue, member_link, room_link
from shared.messaging.tables import MessagingTable
from shared.names import SERVICES
from shared.service import Service
from shared.settings import Settings
from tests.integration.archive.completed import AGREEMENT as ARCHIVED
from tests.integration.fuzz.services import DAY_ASKED, NEW_POLL, TO_COME, Stocked, client_of, stocked
from tests.integration.meetings.test_bodies import BOARD
from tests.integration.meetings.test_meetings import DRAFTING, minutes
from tests.integration.signing.flow import ORGANISATION
from tests.support.scoped_queries import Query, observed, unscoped
from tests.unit.meetings.registers import REGISTER
from tests.unit.signing.story import AGREEMENT_ID, SECRETARY

pytestmark = pytest.mark.slow

SCOPED = {
    table.name
    for base in (ArchiveTable, MeetingsTable, NotificationsTable, SigningTable, MessagingTable)
    for table in base.metadata.tables.values()
    if "organisation" in table.columns
}
# Workers and housekeeping of the service itself, which no caller's organisation is behind.
FOR_ALL = {
    r"WITH RECURSIVE waiting .* UPDATE archiving_job AS job SET": "the archiving worker takes the due job, whose ever",
    r"WITH ended AS .* ends_at < .* DELETE FROM login_session USING ended": "sessions that ended go, whose ever",
    r"WITH due AS .* due_at <= \$1 .* DELETE FROM timer USING due": "timers fire when they are due, whose ever",
    r"WITH due AS .* UPDATE delivery SET claim = CASE": "the mailer takes the mails that are due, whose ever",
    r"UPDATE delivery SET lease_until = .* claim = ANY": "a mailer renews its own claims, whose ids are random",
}
BODIES = {
    "reason": "fel",
    "original": SECRETARY,
    "email": "maja.ny@norrdalen.example",
    "name": "Maja Ny",
    "expires": "2022-12-01T12:00:00+01:00",
    "day": "2022-12-01",
    "heading": "Resor",
    "version": "1",
    "answer": "coming",
    "item_title": "Resor",
    DAY_ASKED: "can",
}


@pytest.mark.parametrize("name", SERVICES)
async def test_every_query_carries_its_organisation(
    name: str, build: Callable[..., Any], clock: ManualClock, blobs: BlobStore, settings: Settings
) -> None:
    with ExitStack() as stack:
        seen: list[Query] = []

        async def build_watched(name: str, **parts: Any) -> Service:
            service: Service = await build(name, **({"show_mail": True} if name == "notifications" else {}), **parts)
            stack.enter_context(observed(service.database.engine.sync_engine, seen))
            return service

        there = await stocked(name, build_watched, clock, blobs)
        if name == "signing":
            await there.service.commands.send_off(ORGANISATION, AGREEMENT_ID)
        before = len(seen)
        await _call_everything(there, await _ids(there, settings))
    strange = {_flat(one.sql): tables for one in seen if (tables := unscoped(one.sql, SCOPED)) and not _for_all(one)}
    assert strange == {}
    asked = [one for one in seen[before:] if any(re.search(rf"\b{table}\b", one.sql) for table in SCOPED)]
    assert len({one.sql for one in asked}) >= 4
    assert all(one.mentions(ORGANISATION) for one in asked)


async def _ids(there: Stocked, settings: Settings) -> dict[str, str]:
    """Values for the names in paths, tokens of mailed links among them."""
    if there.service.name == "signing":
        request = await there.service.commands.queries.request_id(ORGANISATION, AGREEMENT_ID, SECRETARY)
        ring = parse_keys(settings.secret("link_keys"), "JUSTERA_LINK_KEYS")
        return {**there.ids, "request_id": request, "token": issue(ring, Link("sign", ORGANISATION, request, 1))}
    if there.service.name == "archive":
        ring = parse_keys(settings.secret("copy_link_keys"), "JUSTERA_COPY_LINK_KEYS")
        return {**there.ids, "token": issue(ring, Link("copy", ORGANISATION, ARCHIVED, 1))}
    if there.service.name == "meetings":
        ring = parse_keys(settings.secret("member_link_keys"), "JUSTERA_MEMBER_LINK_KEYS")
        own, feed = (link(ORGANISATION, there.ids["person_id"], 1) for link in (member_link, calendar_link))
        room = issue(ring, room_link(ORGANISATION, there.ids["held_id"]))
        tokens = {"token": issue(ring, own), "calendar_token": issue(ring, feed), "room_token": room}
        return {**there.ids, **tokens, "time": DAY_ASKED}
    return there.ids


async def _call_everything(there: Stocked, ids: dict[str, str]) -> None:
    """What reads first, in every role; then what changes, with what ends an agreement or a meeting last."""
    routes = {
        (method, filled(str(route.path), ids))
        for route in iter_route_contexts(there.service.app.routes)
        for method in getattr(route, "methods", None) or ()
        if not str(route.path).startswith(("/operations", "/health", "/metrics"))
    }
    # The link to a member's pages gives the cookie that they ask for.
    reading = sorted((path for method, path in routes if method == "GET"), key=lambda path: (path[:4] != "/my/", path))
    changing = sorted((_late(method, path), path, method) for method, path in routes if method not in ("GET", "HEAD"))
    for role in (Role.SECRETARY, Role.OPERATOR, Role.AUDITOR):
        async with client_of(there.service, role) as api:
            csrf = ""
            for path in reading:
                answer = await api.get(path, follow_redirects=True)
                assert answer.status_code < 500, (path, answer.text)
                found = re.search(r'name="csrf" value="([^"]+)"', answer.text)
                csrf = found[1] if found and ("/sign/" in path or path.startswith("/member/")) else csrf
            for _, path, method in changing:
                page = "/sign/" in path or "/ui/" in path or path.startswith(("/office/", "/member/", "/extracts/"))
                body: dict[str, Any] = {"data": {**BODIES, "csrf": csrf}} if page else {"json": body_of(path, ids)}
                if method == "POST" and path.endswith(("/attachments", "/annexes", "/versions")) and not page:
                    body = {"params": {"name": "a.txt"}, "content": b"Hej igen"}
                answer = await api.request(method, path, **body)
                assert answer.status_code < 500, (path, answer.text)


def filled(path: str, ids: dict[str, str]) -> str:
    if "/sitting" in path or "/manuscript" in path:  # only of a meeting whose time has come
        ids = {**ids, "meeting_id": ids["held_id"]}
    if path.startswith("/calendar/"):
        ids = {**ids, "token": ids["calendar_token"]}
    if path.startswith("/room/"):
        ids = {**ids, "token": ids["room_token"]}
    return re.sub(r"{(\w+)(:\w+)?}", lambda match: ids.get(match[1], "1"), path)


def _late(method: str, path: str) -> int:
    """Of what changes: 1 when something is gone then, 2 when an agreement or a meeting is."""
    if path.endswith(("cancel", "close", "decline", "end", "sign")):
        return 2
    leaving = ("call-off", "done", "leave", "move", "remove", "strike")
    return int(method == "DELETE" or path.endswith(leaving) or "/choose" in path)


def body_of(path: str, ids: dict[str, str]) -> dict[str, Any]:
    if path.endswith("/minutes"):
        return {"markdown": minutes(first=28).replace("2022-09-23", "2022-11-25"), "drafting": DRAFTING}
    if path == "/decisions/signed":
        return {"agreements": [{"agreement_id": "A" * 44, "signed_at": "2022-09-28T22:30:00Z"}]}
    if "/reviews" in path:
        return _of_a_review(path, ids)
    if path.endswith("/unlock"):
        return {"reason": "fel"}
    if path.endswith("/sendings"):
        sender = {"sender_name": "Maja Lind", "sender_email": "maja.lind@norrdalen.example"}
        return {"name": "Nora Vik", "email": "nora.vik@bjorka.example", **sender}
    if path.endswith("/extracts"):
        return {"paragraph": 28, "certified_by": "Karin Ek"}
    if path.startswith(("/tasks", "/decisions")):
        details = {"what": "Resa", "owner_id": ids["person_id"], "due": "2022-11-21", "back_on": ids["to_meeting_id"]}
        return {} if path.endswith(("/done", "/take")) else details
    if path.startswith("/plans"):
        return {"text": "{plan: p, year: 2023, bodies: {}}"}
    if path.startswith("/register"):
        return {"text": REGISTER}
    if path == "/letterhead":
        return {"colour": "#1f3a5f"}
    if "/strike" in path:
        return {"to_meeting_id": ids["to_meeting_id"], "reason": "fel"}
    if path.startswith(("/bodies", "/people")):
        return _of_the_register(path, ids)
    if "/date-poll" in path:
        return _of_a_poll(path)
    if "/replies" in path:
        return {"answer": "coming"}
    if path.startswith("/proposals/") or path.endswith(("/proposals/until", "/papers/publications")):
        return {"until": None} if path.endswith("until") else {} if not path.endswith("decline") else {"reason": "fel"}
    if path.startswith("/attachments/") or path.endswith("/attachments/order"):
        return {"attachments": [ids["attachment_id"]]} if path.endswith("/order") else {"title": "Budget"}
    if path.endswith("/manuscript"):
        return {"markdown": minutes()}
    if path.endswith("/sitting"):
        return {"present": []}
    if path.endswith("/sitting/steps"):
        return {"steps": [{"key": "k", "step": {"do": "adjourned"}}]}
    if "/notice/" in path:
        return {"note": "Välkomna"}
    if path.startswith("/agenda-items") or "/agenda" in path:
        return _of_an_agenda(path, ids)
    if path.startswith("/meetings") and not path.endswith("/cancel"):
        return TO_COME
    wanted = {
        "cancel": ("reason",),
        "alternates": ("original", "email", "name"),
        "correct-address": ("original", "email"),
        "extend": ("expires",),
    }
    return {name: BODIES[name] for name in wanted.get(path.rsplit("/", 1)[-1], ("email",))}


def _of_an_agenda(path: str, ids: dict[str, str]) -> dict[str, Any]:
    if path.endswith("/move"):
        return {"how": "tabled"}
    return {"items": [ids["item_id"]]} if path.endswith("/order") else {"title": "Ekonomi"}


def _of_a_poll(path: str) -> dict[str, Any]:
    if path.endswith("/date-polls"):
        return NEW_POLL
    if path.endswith("/choose"):
        return {"time": DAY_ASKED}
    return {"reason": "fel"} if path.endswith("/call-off") else {"times": {DAY_ASKED: "can"}}


def _of_a_review(path: str, ids: dict[str, str]) -> dict[str, Any]:
    if path.endswith("/call-off"):
        return {"reason": "fel"}
    if "/comments/" in path:
        return {"reply": "Rättat", "settled": True}
    return {"people": [ids["person_id"]], "answer_by": "2022-10-14"}


def _of_the_register(path: str, ids: dict[str, str]) -> dict[str, Any]:
    if path in ("/bodies", "/people"):
        return {"details": {"name": "Nätverket", **({"kind": "network"} if path == "/bodies" else {})}}
    if path.endswith(("/close", "/end", "/leave", "/end-links")):
        return {}
    if "/memberships" in path:
        return {"person_id": ids["person_id"], "role": "secretary"}
    return BOARD["details"] if path.startswith("/bodies") else {"name": "Maja Ek", "email": "maja@norrdalen.example"}


def _for_all(query: Query) -> bool:
    return any(re.match(pattern, _flat(query.sql)) for pattern in FOR_ALL)


def _flat(sql: str) -> str:
    return " ".join(sql.split())
