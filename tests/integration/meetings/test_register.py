"""A register by the API: looked at, applied whole or not at all, and again."""

import re
from typing import Any

import httpx

from shared.auth import Role
from shared.service import Service
from tests.integration.meetings.test_bodies import names_in
from tests.integration.meetings.test_meetings import TOKENS, outbox
from tests.support.parts import REPOSITORY
from tests.unit.meetings.registers import REGISTER, TABLE


async def check(api: httpx.AsyncClient, text: str, form: str = "yaml") -> dict[str, Any]:
    answer = await api.post("/register/check", json={"text": text, "format": form})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def apply(api: httpx.AsyncClient, text: str, **more: Any) -> httpx.Response:
    return await api.post("/register", json={"text": text, **more})


async def test_looking_changes_nothing_and_applying_does_what_was_shown(
    service: Service, api: httpx.AsyncClient
) -> None:
    shown = await check(api, REGISTER)
    assert (shown["problems"], len(shown["changes"]), await outbox(service)) == ([], 11, [])
    applied = await apply(api, REGISTER, version=shown["version"])
    assert applied.json()["changes"] == shown["changes"]
    rows = await outbox(service)
    assert len(rows) == 11
    bodies = {body["key"]: body["id"] for body in (await api.get("/bodies")).json()["bodies"]}
    assert await names_in(api, bodies["styrelsen"]) == ["Olof Berg", "Sven Dahl", "Ida Strand", "Maja Lind"]

    assert (await check(api, REGISTER))["changes"] == []
    assert (await apply(api, REGISTER)).json() == {"changes": []}
    assert await outbox(service) == rows


async def test_a_table_does_the_same(api: httpx.AsyncClient) -> None:
    assert len((await apply(api, TABLE, format="csv")).json()["changes"]) == 8
    assert (await apply(api, TABLE, format="csv")).json() == {"changes": []}


async def test_nothing_is_changed_when_anything_is_wrong_or_was_changed_meanwhile(
    service: Service, api: httpx.AsyncClient
) -> None:
    version = (await check(api, REGISTER))["version"]
    wrong = REGISTER.replace("kind: arbetsutskott", "kind: klubb").replace("maja.lind@norrdalen.example", "maja")
    assert [one["where"] for one in (await check(api, wrong))["problems"]] == ["people, maja-lind", "bodies, au"]
    answers = [
        await apply(api, wrong),
        await apply(api, REGISTER, format="csv"),
        await apply(api, REGISTER, version=version + 1),
        await apply(api, "x" * 2_000_000),
        await apply(api, "a\0b"),
    ]
    assert [answer.status_code for answer in answers] == [422, 422, 409, 422, 422]
    assert "(and 1 more)" in answers[0].json()["detail"]
    assert await outbox(service) == []
    await api.post("/people", json={"details": {"name": "Bo Ek"}})
    assert (await apply(api, REGISTER, version=version)).status_code == 409


async def test_only_a_secretary_brings_a_register(api: httpx.AsyncClient) -> None:
    api.headers["authorization"] = f"Bearer {TOKENS[Role.AUDITOR]}"
    assert (await apply(api, REGISTER)).status_code == 403
    assert (await api.post("/register/check", json={"text": REGISTER})).status_code == 403


async def test_the_guide_s_examples_are_registers(api: httpx.AsyncClient) -> None:
    guide = (REPOSITORY / "docs" / "register.md").read_text(encoding="utf-8")
    for form in ("yaml", "csv"):
        [example] = re.findall(rf"```{form}\n(.*?)```", guide, re.S)
        shown = await check(api, example, form)
        assert (shown["problems"], bool(shown["changes"])) == ([], True)


async def test_a_large_register_is_one_transaction(service: Service, api: httpx.AsyncClient) -> None:
    lines = [f"Person {n} Ek;p{n}@norrdalen.example;Nätverk {n % 20};nätverk;ledamot" for n in range(2000)]
    text = "Namn;E-post;Organ;Typ;Roll\n" + "\n".join(lines)
    assert len((await apply(api, text, format="csv")).json()["changes"]) == 4020
    assert len(await outbox(service)) == 4020
    assert (await check(api, text, "csv"))["changes"] == []
