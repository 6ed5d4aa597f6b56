"""Extracts of archived minutes: one paragraph, certified by a person, sealed; judged by veraPDF, pdfsig, our verify."""

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from sqlalchemy import select, text

from services.archive.extract_sending import Sending, SendingWanted
from services.archive.extracts import ExtractWanted
from services.archive.verification import verify_final
from shared.errors import InvalidInput, NotFound, Refused
from shared.events import BounceDetected, ReplyLeftUnread
from shared.keys import parse_keys
from shared.links import extract_link, issue
from shared.messaging.message import RawMessage
from shared.messaging.tables import OUTBOX
from shared.settings import Settings
from tests.integration.archive.completed import AGREEMENT, COMPLETED, ORGANISATION, Archive, message
from tests.integration.rendering.tools import assert_conforms, attachments_of, poppler
from tests.support.api import as_

WANTED = ExtractWanted(paragraph=30, certified_by="Karin Ek, registrator")


@pytest.fixture
async def archived(archive: Archive) -> Archive:
    await archive.bring(message(await archive.completed()))
    assert await archive.worker.archive_one()
    return archive


async def test_an_extract_is_one_paragraph_certified_and_sealed(archived: Archive, tmp_path: Path) -> None:
    archived.clock.move_to(datetime(2022, 10, 3, 8, tzinfo=UTC))
    extracts = archived.commands.extracts
    made = await extracts.certify(ORGANISATION, AGREEMENT, WANTED, asked_by="token")
    assert (made.number, made.paragraph, made.certified_by, made.test_seal) == (1, 30, WANTED.certified_by, True)
    name, pdf = await extracts.pdf(ORGANISATION, AGREEMENT, 1)
    assert name == "Protokoll styrelsen Kommunalförbundet Norrdalen 2022-09-23 § 30"

    path = tmp_path / "extract.pdf"
    path.write_bytes(pdf)
    assert_conforms(path)
    signed = poppler("pdfsig", "-nocert", str(path))
    assert "Signature Validation: Signature is Valid." in signed
    assert "Total document signed" in signed
    words = " ".join(poppler("pdftotext", str(path), "-").split())
    assert "Protokollsutdrag Protokoll styrelsen Kommunalförbundet Norrdalen Organ: Styrelsen" in words
    assert "§ 30 Arbetsordning" in words
    assert "Utdragets riktighet bestyrkes Karin Ek, registrator 3 okt 2022 10:00 GMT+2" in words
    assert "Sekreterare: Maja Lind (27 sep 2022 00:04 GMT+2)" in words
    copy = await archived.commands.queries.copy(ORGANISATION, AGREEMENT)
    assert copy.sha256 in words
    # Nothing of another paragraph, and no address of who signed, neither on the pages nor in what is attached.
    assert "Ledningens information" not in words
    attached = attachments_of(path, tmp_path / "attached")
    assert attached.keys() == {"extract.json"}
    assert json.loads(attached["extract.json"])["sealed_copy_sha256"] == copy.sha256
    assert b"norrdalen.example" not in pdf

    found = await asyncio.to_thread(verify_final, pdf)
    assert found.broken is None
    assert any("an extract of § 30" in one for one in found.integrity.remarks)
    changed = await asyncio.to_thread(verify_final, pdf.replace(b"/Type", b"/Typo", 1))
    assert changed.broken is not None


async def test_each_extract_of_the_same_minutes_has_a_number_of_its_own(archived: Archive) -> None:
    extracts = archived.commands.extracts
    made = await asyncio.gather(
        *(extracts.certify(ORGANISATION, AGREEMENT, WANTED, asked_by="token") for _ in range(3))
    )
    assert sorted(one.number for one in made) == [1, 2, 3]
    assert await extracts.made(ORGANISATION, AGREEMENT) == sorted(made, key=lambda one: one.number)
    assert (await extracts.paragraphs(ORGANISATION, AGREEMENT))[2] == (30, "Arbetsordning")


async def test_what_is_not_there_is_told_and_nothing_is_made(archived: Archive) -> None:
    extracts = archived.commands.extracts
    for organisation, agreement, wanted, told in (
        (ORGANISATION, AGREEMENT, WANTED.model_copy(update={"paragraph": 99}), "no § 99; theirs are §§ 28–32"),
        (ORGANISATION, "another", WANTED, "not in the archive"),
        ("elsewhere", AGREEMENT, WANTED, "not in the archive"),
    ):
        with pytest.raises(NotFound, match=told):
            await extracts.certify(organisation, agreement, wanted, asked_by="token")
    for by in ("", "x" * 201, "a\nb\u202e"):
        with pytest.raises(InvalidInput, match="certified_by"):
            await extracts.certify(
                ORGANISATION, AGREEMENT, WANTED.model_copy(update={"certified_by": by}), asked_by="token"
            )
    assert await extracts.made(ORGANISATION, AGREEMENT) == []
    with pytest.raises(NotFound, match="no extract 1"):
        await extracts.pdf(ORGANISATION, AGREEMENT, 1)


async def test_there_is_an_end_of_them(archived: Archive, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.archive.extracts.MOST_EXTRACTS", 1)
    extracts = archived.commands.extracts
    await extracts.certify(ORGANISATION, AGREEMENT, WANTED, asked_by="token")
    with pytest.raises(Refused, match="no more"):
        await extracts.certify(ORGANISATION, AGREEMENT, WANTED, asked_by="token")


async def test_a_secretary_makes_one_by_the_api_and_all_roles_read_it(archived: Archive) -> None:
    path = f"/protocols/{AGREEMENT}/extracts"
    transport = httpx.ASGITransport(archived.service.app)
    async with httpx.AsyncClient(transport=transport, base_url="http://archive.example") as api:
        for role in ("auditor", "operator"):
            assert (await api.post(path, json=WANTED.model_dump(), headers=as_(role))).status_code == 403
        key = as_("secretary") | {"idempotency-key": "one"}
        answers = [await api.post(path, json=WANTED.model_dump(), headers=key) for _ in range(2)]
        assert [one.status_code for one in answers] == [201, 201], answers[0].text
        assert answers[0].json() == answers[1].json()
        assert answers[0].headers["location"] == f"{path}/1"
        wrong = await api.post(path, json={"paragraph": 0, "certified_by": "Karin Ek"}, headers=as_("secretary"))
        assert wrong.status_code == 422
        assert len((await api.get(path, headers=as_("auditor"))).json()["extracts"]) == 1
        fetched = await api.get(f"{path}/1", headers=as_("auditor"))
        assert fetched.content.startswith(b"%PDF-")
        assert "%C2%A7%2030.pdf" in fetched.headers["content-disposition"]
        assert (await api.get(path, headers=as_("stranger"))).status_code == 404
        assert (await api.get(f"{path}/1", headers=as_("stranger"))).status_code == 404


NORA = "nora.vik@bjorka.example"
SENDING = SendingWanted(
    name="Nora Vik", email=NORA, sender_name="Maja Lind", sender_email="maja.lind@norrdalen.example"
)


@pytest.fixture
async def made(archived: Archive) -> Archive:
    await archived.commands.extracts.certify(ORGANISATION, AGREEMENT, WANTED, asked_by="token")
    return archived


@pytest.fixture
async def api(made: Archive) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(made.service.app)
    async with httpx.AsyncClient(transport=transport, base_url="http://archive.example") as client:
        yield client


def left_unread(version: int = 1, *, number: str = "1", purpose: str = "extract") -> RawMessage:
    event = ReplyLeftUnread(
        email_id="mail-1",
        agreement_id=AGREEMENT,
        purpose=purpose,
        recipient=NORA,
        request_id=number,
        request_version=version,
    )
    return message(event, subject="mail-1", key=AGREEMENT)


def bounce(version: int = 1, *, to: str = NORA, number: str = "1", purpose: str = "extract") -> RawMessage:
    event = BounceDetected(
        email_id="mail-1",
        agreement_id=AGREEMENT,
        purpose=purpose,
        recipient=to,
        request_id=number,
        request_version=version,
        status="5.1.1",
        diagnostic="550 5.1.1 no\nsuch user",
        permanent=True,
    )
    return message(event, subject="mail-1", key=AGREEMENT)


async def told(archive: Archive) -> list[tuple[str, int, int]]:
    """The facts of extracts that were published: name, sequence, version of the link."""
    async with archive.service.database.single() as connection:
        rows = await connection.execute(select(OUTBOX.c.attributes, OUTBOX.c.data).order_by(OUTBOX.c.key))
        found = [(row.attributes, json.loads(row.data)) for row in rows]
    return [
        (attributes["type"].split(".")[-2], int(attributes["sequence"]), data["version"])
        for attributes, data in found
        if "extract-" in attributes["type"]
    ]


async def test_whom_an_extract_is_sent_to_opens_it_by_a_link_of_their_own(
    made: Archive, api: httpx.AsyncClient, settings: Settings
) -> None:
    ring = parse_keys(settings.secret("copy_link_keys"), "JUSTERA_COPY_LINK_KEYS")
    path = f"/protocols/{AGREEMENT}/extracts/1/sendings"

    async def page(email: str = NORA, version: int = 1, number: int = 1) -> tuple[int, str]:
        """Its status, and what is fetched: the extract, or nothing of it."""
        token = issue(ring, extract_link(ORGANISATION, AGREEMENT, number, email, version))
        shown, file = await api.get(f"/copies/{token}/extract"), await api.get(f"/copies/{token}/extract.pdf")
        assert (file.status_code == 200) == (shown.status_code == 200)
        assert ("Karin Ek, registrator" in shown.text) == (shown.status_code == 200)
        assert (await api.get(f"/copies/{token}")).status_code == 404, "it opens no sealed copy"
        return shown.status_code, "extract" if file.content.startswith(b"%PDF-") else ""

    assert await page() == (404, ""), "made by whoever has the key, of what was sent to nobody"
    for role in ("auditor", "operator"):
        assert (await api.post(path, json=SENDING.model_dump(), headers=as_(role))).status_code == 403
    sent = await api.post(path, json=SENDING.model_dump(), headers=as_("secretary"))
    assert (sent.status_code, sent.json()["version"]) == (201, 1), sent.text
    assert await page() == (200, "extract")
    assert await page("someone.else@bjorka.example") == (404, "")
    assert await page(number=2) == (404, "")
    assert await page(version=2) == (410, "")

    ending = f"{path}/{sent.json()['holder']}/end"
    assert (await api.post(ending, headers=as_("auditor"))).status_code == 403
    ended = await asyncio.gather(*(api.post(ending, headers=as_("secretary")) for _ in range(3)))
    assert [one.status_code for one in ended] == [200, 200, 200], "ended once, whoever is second"
    assert await page() == (410, "")
    again = await api.post(path, json=SENDING.model_dump(), headers=as_("secretary"))
    assert again.json()["version"] == 2
    assert (await page(), await page(version=2)) == ((410, ""), (200, "extract"))
    made.clock.move_to(made.clock.now() + timedelta(days=90))
    assert await page(version=2) == (410, "")
    # Sent once more: a link of its own; the one that has ended by its time stays ended.
    await api.post(path, json=SENDING.model_dump(), headers=as_("secretary"))
    assert (await page(version=2), await page(version=3)) == ((410, ""), (200, "extract"))
    replaced = issue(ring, extract_link(ORGANISATION, AGREEMENT, 1, NORA, 2))
    assert "skickat utdraget till dig igen" in (await api.get(f"/copies/{replaced}/extract")).text
    assert await told(made) == [
        ("extract-sent", 2, 1),
        ("extract-link-ended", 3, 2),
        ("extract-sent", 4, 2),
        ("extract-sent", 5, 3),
    ]
    [listed] = (await api.get(path, headers=as_("auditor"))).json()["sendings"]
    assert (listed["recipient"]["email"], listed["version"], listed["ended_at"]) == (NORA, 3, None)
    assert (await api.get(path, headers=as_("stranger"))).status_code == 404


async def test_who_sent_an_extract_is_told_once_that_it_did_not_arrive(made: Archive) -> None:
    extracts = made.commands.extracts
    await made.bring(bounce())
    assert await told(made) == [], "it was sent to nobody"
    await extracts.send(ORGANISATION, AGREEMENT, 1, SENDING, asked_by="token")
    for other in (
        bounce(2),
        bounce(to="x@bjorka.example"),
        bounce(number="7"),
        bounce(number="x"),
        bounce(purpose="archived"),
    ):
        await made.bring(other)
    [sent] = await extracts.sent(ORGANISATION, AGREEMENT, 1)
    assert sent.bounced_at is None
    await made.bring(bounce())
    await made.bring(bounce())
    [sent] = await extracts.sent(ORGANISATION, AGREEMENT, 1)
    assert (sent.bounced_at, sent.diagnostic) == (COMPLETED, "550 5.1.1 no such user")
    assert await told(made) == [("extract-sent", 2, 1), ("extract-unreached", 3, 1)]
    await extracts.send(ORGANISATION, AGREEMENT, 1, SENDING, asked_by="token")
    await made.bring(bounce())
    [sent] = await extracts.sent(ORGANISATION, AGREEMENT, 1)
    assert (sent.bounced_at, sent.diagnostic) == (None, ""), "a late bounce of the mail before says nothing of this one"
    ended = await extracts.end_link(ORGANISATION, AGREEMENT, 1, sent.holder)
    await made.bring(bounce(2))
    assert (await extracts.sent(ORGANISATION, AGREEMENT, 1)) == [ended], "the link ended: nobody waits for it"


async def test_what_cannot_be_sent_is_told_by_its_field_and_nothing_is_kept(
    made: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    extracts = made.commands.extracts
    for field, typed in (
        ("name", ""),
        ("email", "nora.vik"),
        ("sender_name", "\u202e"),
        ("sender_email", "å@b.example"),
    ):
        with pytest.raises(InvalidInput, match=f"^{field}: "):
            await extracts.send(ORGANISATION, AGREEMENT, 1, SENDING.model_copy(update={field: typed}), asked_by="token")
    for organisation, number in ((ORGANISATION, 2), ("elsewhere", 1)):
        with pytest.raises(NotFound):
            await extracts.send(organisation, AGREEMENT, number, SENDING, asked_by="token")
    assert await extracts.sent(ORGANISATION, AGREEMENT, 1) == []
    monkeypatch.setattr("services.archive.extracts.MOST_SENDINGS", 0)
    with pytest.raises(Refused, match="cannot be to more"):
        await extracts.send(ORGANISATION, AGREEMENT, 1, SENDING, asked_by="token")


async def test_people_of_the_same_bodys_extracts_are_offered_the_last_first(made: Archive) -> None:
    extracts = made.commands.extracts
    assert await extracts.people_before(ORGANISATION, AGREEMENT) == []
    for email in ("one@bjorka.example", "two@bjorka.example"):
        made.clock.move_to(made.clock.now() + timedelta(seconds=1))
        await extracts.send(ORGANISATION, AGREEMENT, 1, SENDING.model_copy(update={"email": email}), asked_by="token")
    offered = await extracts.people_before(ORGANISATION, AGREEMENT)
    assert [(recipient.email, sender.name) for recipient, sender in offered] == [
        ("two@bjorka.example", "Maja Lind"),
        ("one@bjorka.example", "Maja Lind"),
    ]
    assert await extracts.certifiers_before(ORGANISATION) == [WANTED.certified_by]
    assert await extracts.certifiers_before("elsewhere") == []


async def test_what_came_back_and_nobody_can_read_stands_where_it_was_sent(made: Archive) -> None:
    extracts = made.commands.extracts
    await extracts.send(ORGANISATION, AGREEMENT, 1, SENDING, asked_by="token")
    for other in (left_unread(2), left_unread(number="2"), left_unread(purpose="archived")):
        await made.bring(other)
    assert [one.unread_at for one in await extracts.sent(ORGANISATION, AGREEMENT, 1)] == [None]
    await made.bring(left_unread())
    assert [one.unread_at for one in await extracts.sent(ORGANISATION, AGREEMENT, 1)] == [COMPLETED]
    assert await told(made) == [("extract-sent", 2, 1)]
    await extracts.send(ORGANISATION, AGREEMENT, 1, SENDING, asked_by="token")
    assert [one.unread_at for one in await extracts.sent(ORGANISATION, AGREEMENT, 1)] == [None]
    assert await told(made) == [("extract-sent", 2, 1), ("extract-sent", 3, 2)], "numbered without a gap"


async def test_a_form_sends_an_extract_once_however_often_it_is_pressed(made: Archive) -> None:
    extracts = made.commands.extracts

    async def press(key: str | None, email: str = NORA) -> int:
        wanted = SENDING.model_copy(update={"email": email})
        return (await extracts.send(ORGANISATION, AGREEMENT, 1, wanted, asked_by="token", form_key=key)).version

    assert await asyncio.gather(press("one"), press("one"), press("one")) == [1, 1, 1]
    assert await press("one", "x@bjorka.example") == 1, "another address, as one typed it after going back"
    assert await press("two") == 2
    assert (await press(None), await press(None)) == (3, 4)
    assert len(await told(made)) == 5


async def test_a_form_that_is_filled_in_otherwise_is_another_sending(made: Archive) -> None:
    """As one who went back to correct it does; and what was ended is not answered as if it had been sent."""
    extracts = made.commands.extracts

    async def press(**given: str) -> Sending:
        wanted = SENDING.model_copy(update=given)
        return await extracts.send(ORGANISATION, AGREEMENT, 1, wanted, asked_by="token", form_key="one")

    assert [(await press()).version, (await press()).version] == [1, 1]
    corrected = await press(sender_email="maja@norrdalen.example")
    assert (corrected.version, corrected.sender.email) == (2, "maja@norrdalen.example")
    assert (await press(sender_email="maja@norrdalen.example", language="en")).recipient.language == "en"
    await extracts.end_link(ORGANISATION, AGREEMENT, 1, corrected.holder)
    again = await press(sender_email="maja@norrdalen.example", language="en")
    assert (again.version > 3, again.ended_at) == (True, None)


async def test_certifiers_are_found_among_the_last_extracts_alone(
    made: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    extracts = made.commands.extracts
    made.clock.move_to(made.clock.now() + timedelta(seconds=1))
    later = WANTED.model_copy(update={"certified_by": "Maja Lind"})
    await extracts.certify(ORGANISATION, AGREEMENT, later, asked_by="token")
    assert await extracts.certifiers_before(ORGANISATION) == ["Maja Lind", WANTED.certified_by]
    monkeypatch.setattr("services.archive.extract_sending_store.MOST_READ", 1)
    assert await extracts.certifiers_before(ORGANISATION) == ["Maja Lind"]
    async with made.service.database.single() as connection:
        found = await connection.execute(text("SELECT indexdef FROM pg_indexes WHERE indexname = 'extract_by_time'"))
        assert "(organisation, certified_at)" in found.scalar_one()
