"""The decision register on a real database: what is found, by whom, how it is marked, and by which index."""

import json
from datetime import UTC, date, datetime
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from services.meetings.decision.decision import Entry, Wanted
from services.meetings.decision.store import _matching
from services.meetings.minutes.minutes import number_paragraphs, parse_minutes
from services.meetings.transaction import MeetingsTransaction
from shared.auth import Role
from shared.events import AgreementExpired
from shared.service import Service
from shared.timers import TimerWorker
from tests.integration.meetings.test_bodies import BOARD, put_in
from tests.integration.meetings.test_elections import signed
from tests.integration.meetings.test_meetings import MEETING, TOKENS, draft, end, schedule

HEAD = """---
title: Protokoll styrelsen
body: Styrelsen
place: Digitalt
starts: 2022-09-23T13:00
ends: 2022-09-23T15:00
present: [{name: Olof Berg, role: ordförande}, {name: Ann-Marie Ek}]
secretary: Maja Lind
adjuster: Sven Dahl
first_paragraph: 28
---
"""
UNNUMBERED = HEAD.replace("first_paragraph: 28\n", "")
BUDGET = """## Budget för nästa år
### Bakgrund
Kommunernas synpunkter <b>finns</b> & bifogas.
### Beslut
Styrelsen beslutar att fastställa budgeten.
"""
TRAVEL = """## Resor
### Beslut
Styrelsen beslutar att ge förbundsdirektören uppdraget att återkomma om tåg. Budgeten räcker.
"""


async def fire(service: Service) -> None:
    """What timers are due, they do."""
    [timers] = [worker for worker in service.workers if isinstance(worker, TimerWorker)]
    while await timers.fire_one():
        pass


async def enter(service: Service, api: httpx.AsyncClient, markdown: str, **drafting: Any) -> tuple[str, str]:
    """Minutes that everyone signs: the meeting, and the agreement."""
    meeting = await schedule(api)
    drafted = await draft(api, meeting, markdown, **drafting)
    assert drafted.status_code == 201, drafted.text
    agreement = str(drafted.json()["agreement_id"])
    await signed(service, agreement)
    await fire(service)
    return meeting, agreement


async def found(api: httpx.AsyncClient, **query: Any) -> list[int]:
    answer = await api.get("/decisions", params=query)
    assert answer.status_code == 200, answer.text
    return [one["paragraph"] for one in answer.json()["decisions"]]


async def test_a_paragraph_is_found_once_everyone_has_signed(service: Service, api: httpx.AsyncClient) -> None:
    board = await put_in(api, "/bodies", BOARD)
    meeting = await schedule(api)
    drafted = (await draft(api, meeting, HEAD + BUDGET + TRAVEL)).json()
    await fire(service)
    assert await found(api) == [], "not everyone has signed"
    await signed(service, drafted["agreement_id"])
    await fire(service)
    [one] = (await api.get("/decisions", params={"words": "budgetarna fastställa"})).json()["decisions"]
    assert one["paragraph"] == 28
    assert (one["meeting_id"], one["agreement_id"], one["body_id"]) == (meeting, drafted["agreement_id"], board)
    assert (one["body"], one["date"], one["heading"]) == ("Styrelsen", "2022-09-23", "Budget för nästa år")
    assert one["decision"] == "Styrelsen beslutar att fastställa budgeten."
    assert one["people"] == ["Olof Berg", "Ann-Marie Ek", "Maja Lind", "Sven Dahl"]


async def test_the_stems_of_swedish_and_of_english_are_each_their_own(service: Service, api: httpx.AsyncClient) -> None:
    await enter(service, api, HEAD + BUDGET)
    english = HEAD.replace("body: Styrelsen", "body: The Board").replace("28", "1")
    meeting = (await api.post("/meetings", json=MEETING | {"body": "The Board"})).json()["id"]
    text = english + "## Travelling\n### Decision\nThe board decided on the journeys.\n"
    drafted = (await draft(api, meeting, text, language="en")).json()
    await signed(service, drafted["agreement_id"])
    await fire(service)
    assert await found(api, words="kommunen synpunkt") == [28], "kommunernas, synpunkter"
    assert await found(api, words="travel journey decides") == [1], "travelling, journeys, decided"
    assert await found(api, words="att och") == [], "nothing but words that are everywhere"


async def test_the_best_comes_first_and_what_was_found_is_marked_and_nothing_else_is_lost(
    service: Service, api: httpx.AsyncClient
) -> None:
    await enter(service, api, HEAD + TRAVEL + BUDGET)
    answer = (await api.get("/decisions", params={"words": "budget"})).json()
    assert [one["paragraph"] for one in answer["decisions"]] == [29, 28], "in its heading before in its text"
    assert answer["total"] == 2
    first = answer["decisions"][0]
    marked = {piece["text"] for name in ("heading", "decision") for piece in first[f"marked_{name}"] if piece["found"]}
    assert marked == {"Budget", "budgeten"}
    assert "".join(piece["text"] for piece in first["marked_decision"]) == first["decision"]
    [one] = (await api.get("/decisions", params={"words": "synpunkt"})).json()["decisions"]
    assert [piece["text"] for piece in one["marked_background"] if piece["found"]] == ["synpunkter"]
    assert one["background"] == "Bakgrund\nKommunernas synpunkter <b>finns</b> & bifogas."


SEARCHES: list[tuple[dict[str, str], list[int]]] = [
    ({"words": "budget -tåg"}, [28]),
    ({"words": "tåg or synpunkter"}, [28, 29]),
    ({"words": '"fastställa budgeten"'}, [28]),
    ({"words": "§ 29"}, [29]),
    ({"words": "uppdrag"}, [29]),
    ({"words": "uppdragen"}, [29]),
    ({"words": "budgetet"}, [28, 29]),
    ({"words": "förbundsdirektör"}, [29]),
    ({"words": "förbund"}, [29]),
    ({"words": "res"}, [29]),
    ({"words": "å"}, []),
    ({"words": '"ge förbundsdirektören uppdraget"'}, [29]),
    ({"words": "it's 'a \\ b'"}, []),
    ({"person": "Olof Berg"}, [28, 29]),
    ({"person": "berg"}, [28, 29]),
    ({"person": "Ann-Marie"}, [28, 29]),
    ({"person": "Berg Ann"}, []),
    ({"person": "Nils Ek"}, []),
    ({"since": "2022-09-23", "until": "2022-09-23"}, [28, 29]),
    ({"since": "2022-09-24"}, []),
    ({"until": "2022-09-22"}, []),
    ({"body": "another"}, []),
    ({"words": "'); DROP TABLE decision; --"}, []),
    ({"words": "budget & | ! ( <-> :*"}, [28, 29]),
]


async def test_it_is_searched_by_words_people_and_days(service: Service, api: httpx.AsyncClient) -> None:
    await enter(service, api, HEAD + BUDGET + TRAVEL)
    for query, paragraphs in SEARCHES:
        assert sorted(await found(api, **query)) == paragraphs, query


NO_SEARCHES: list[tuple[dict[str, str], str]] = [
    ({"words": "a\x07b"}, "words"),
    ({"since": "2022-02-01", "until": "2022-01-01"}, "until"),
    ({"after": "x"}, "after"),
    ({"after": "999999"}, "after"),
]


async def test_what_cannot_be_searched_for_is_told_with_its_field(api: httpx.AsyncClient) -> None:
    for query, field in NO_SEARCHES:
        answer = await api.get("/decisions", params=query)
        assert answer.status_code == 422, query
        assert answer.json()["detail"].startswith(f"{field}: ")


async def test_a_corrected_version_stands_in_place_of_the_one_before(service: Service, api: httpx.AsyncClient) -> None:
    meeting = await schedule(api)
    first = (await draft(api, meeting, HEAD + BUDGET + TRAVEL)).json()["agreement_id"]
    await end(service, first, AgreementExpired)
    second = (await draft(api, meeting, HEAD + BUDGET.replace("Budget", "Rambudget"))).json()["agreement_id"]
    await signed(service, first)
    await fire(service)
    assert await found(api) == [], "the first one ended unsigned"
    await signed(service, second)
    await fire(service)
    [one] = (await api.get("/decisions")).json()["decisions"]
    assert (one["paragraph"], one["heading"], one["agreement_id"]) == (28, "Rambudget för nästa år", second)

    async with service.database.transaction() as connection:
        transaction = MeetingsTransaction(connection)
        there = await transaction.meeting("default", meeting)
        document = number_paragraphs(parse_minutes(HEAD + TRAVEL), 28)
        entry = Entry(paragraph=28, heading="Gammalt", decision="", background="", people=())
        await transaction.enter_decisions("default", there, _Older(first), document, [entry])
    assert [one["heading"] for one in (await api.get("/decisions")).json()["decisions"]] == ["Rambudget för nästa år"]


class _Older:
    """The version before, of which a timer fires late."""

    def __init__(self, agreement_id: str) -> None:
        self.version, self.agreement_id, self.document_name = 1, agreement_id, "Protokoll"


async def test_a_body_that_the_register_learns_of_takes_its_decisions(service: Service, api: httpx.AsyncClient) -> None:
    await enter(service, api, HEAD + BUDGET)
    board = await put_in(api, "/bodies", BOARD)
    assert await found(api, body=board) == [28]


async def test_pages_follow_each_other_without_gap_or_double(service: Service, api: httpx.AsyncClient) -> None:
    await _many(service, 45)
    seen, after = [], ""
    while True:
        query = {"words": "budget", "limit": "20"} | ({"after": after} if after else {})
        answer = (await api.get("/decisions", params=query)).json()
        seen += [(one["meeting_id"], one["paragraph"]) for one in answer["decisions"]]
        after = answer["next"]
        if after is None:
            break
    assert (len(seen), len(set(seen)), answer["total"]) == (45, 45, 45)


async def test_nobody_finds_what_another_organisation_decided(service: Service, api: httpx.AsyncClient) -> None:
    await _many(service, 3, organisation="forsby")
    assert await found(api) == []
    assert await found(api, words="budget") == []
    assert await found(api, person="Olof Berg") == []


async def test_without_a_token_nothing_is_found(api: httpx.AsyncClient) -> None:
    assert (await api.get("/decisions", headers={"authorization": ""})).status_code == 401
    signed = {"agreements": [{"agreement_id": "a" * 44, "signed_at": "2022-09-28T22:30:00Z"}]}
    assert (await api.post("/decisions/signed", json=signed)).status_code == 403, "a secretary does not say what is so"


async def test_older_minutes_are_entered_once_however_often_they_are_told(
    service: Service, api: httpx.AsyncClient
) -> None:
    """As before the register was kept: everyone has signed, and nothing was written down of it."""
    meeting = await schedule(api)
    agreement = (await draft(api, meeting, HEAD + BUDGET)).json()["agreement_id"]
    other = await schedule(api)
    unread = (await draft(api, other, UNNUMBERED + BUDGET)).json()["agreement_id"]
    async with service.database.transaction() as connection:
        [kept] = (
            await connection.execute(
                text("UPDATE minutes SET render_input = NULL RETURNING render_input, pdf, agreement_id")
            )
        ).all()[:1]
    assert kept.render_input is None
    blob = await _render_input(service, agreement)
    operator = {"authorization": f"Bearer {TOKENS[Role.OPERATOR]}"}
    told = [
        {"agreement_id": agreement, "signed_at": "2022-09-28T22:30:00Z", "render_input": blob},
        {"agreement_id": unread, "signed_at": "2022-09-28T22:30:00Z"},
        {"agreement_id": "b" * 44, "signed_at": "2022-09-28T22:30:00Z"},
    ]
    first = await api.post("/decisions/signed", json={"agreements": told}, headers=operator)
    assert first.status_code == 200, first.text
    outcomes = {one["agreement_id"]: one["outcome"] for one in first.json()["agreements"]}
    assert outcomes == {agreement: "entered", unread: "unreadable", "b" * 44: "unknown"}
    await fire(service)
    assert await found(api) == [28]
    again = await api.post("/decisions/signed", json={"agreements": told[:1]}, headers=operator)
    assert [one["outcome"] for one in again.json()["agreements"]] == ["known"]
    await fire(service)
    assert await found(api) == [28]


async def test_a_document_of_other_minutes_is_not_entered(service: Service, api: httpx.AsyncClient) -> None:
    agreement = (await draft(api, await schedule(api), HEAD + BUDGET)).json()["agreement_id"]
    other = (await draft(api, await schedule(api), UNNUMBERED + TRAVEL)).json()["agreement_id"]
    blob = await _render_input(service, other)
    async with service.database.transaction() as connection:
        await connection.execute(text("UPDATE minutes SET render_input = NULL"))
    operator = {"authorization": f"Bearer {TOKENS[Role.OPERATOR]}"}
    told = [{"agreement_id": agreement, "signed_at": "2022-09-28T22:30:00Z", "render_input": blob}]
    await api.post("/decisions/signed", json={"agreements": told}, headers=operator)
    await fire(service)
    assert await found(api) == []


async def test_what_cannot_be_fetched_now_is_entered_later(service: Service, api: httpx.AsyncClient) -> None:
    agreement = (await draft(api, await schedule(api), HEAD + BUDGET)).json()["agreement_id"]
    async with service.database.transaction() as connection:
        await connection.execute(text('UPDATE minutes SET render_input = pdf || \'{"sha256": "%s"}\'' % ("1" * 64)))
    await signed(service, agreement)
    await fire(service)
    async with service.database.transaction() as connection:
        due = (await connection.execute(text("SELECT due_at FROM timer WHERE kind = 'minutes-signed'"))).scalar_one()
    assert due > datetime(2022, 9, 26, 8, 41, 44, tzinfo=UTC)


@pytest.mark.parametrize(
    ("wanted", "index"),
    [
        # Under row-level security words are looked at last: of the organisation's own paragraphs, and no others.
        (Wanted(words="budget"), "decision_by_"),
        (Wanted(words="budget", since=date(2022, 1, 1)), "decision_by_"),
        (Wanted(person="Eva Ström"), "decision_by_"),
        (Wanted(since=date(2022, 3, 1), until=date(2022, 3, 3)), "decision_by_"),
        (Wanted(body="body-7"), "decision_by_body"),
    ],
)
async def test_thousands_of_paragraphs_are_searched_by_an_index(service: Service, wanted: Wanted, index: str) -> None:
    await _many(service, 5_000, rarely=True)
    async with service.database.transaction() as connection:
        await connection.execute(text("ANALYZE decision"))
        query = _matching("default", wanted).compile(dialect=connection.dialect, compile_kwargs={"literal_binds": True})
        plan = "\n".join(
            (await connection.execute(text(f"EXPLAIN {str(query).replace(':', chr(92) + ':')}"))).scalars()
        )
    assert f"on {index}" in plan or f"using {index}" in plan, plan
    assert "Seq Scan" not in plan


async def _render_input(service: Service, agreement: str) -> Any:
    async with service.database.transaction() as connection:
        rows = await connection.execute(text("SELECT data FROM outbox WHERE data LIKE :it"), {"it": f"%{agreement}%"})
        return next(found for row in rows.scalars() if (found := json.loads(row).get("render_input")))


async def _many(service: Service, number: int, *, organisation: str = "default", rarely: bool = False) -> None:
    """Decisions of many meetings. `rarely`: one in a hundred is about the budget, and with Eva Ström."""
    row = """
        INSERT INTO decision
        SELECT :organisation, 'm' || (n / 5), n, 1, 'a', 'Protokoll', 'body-' || (n % 50), 'Styrelsen', 'styrelsen',
               date '2010-01-01' + n, 'sv', 'Ärende ' || n, 'Styrelsen beslutar.', '', '[]',
               to_tsvector('swedish', 'ärende ' || CASE WHEN NOT :rarely OR n % 100 = 0 THEN ' budget' ELSE '' END),
               to_tsvector('simple', 'Olof Berg' || CASE WHEN n % 100 = 0 THEN ' 0 Eva Ström' ELSE '' END)
        FROM generate_series(1, :number) AS n
    """
    async with service.database.transaction() as connection:
        await connection.execute(text(row), {"organisation": organisation, "number": number, "rarely": rarely})
