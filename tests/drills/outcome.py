"""What must hold after every drill: nothing lost, nothing twice, everything in order. One check for all drills.

`check_outcome` reads the services' databases, histories and logs, and what the mail server took. It raises
AssertionError with everything that is wrong, and else gives figures.
"""

import asyncio
import re
from collections import Counter, defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, fields
from itertools import pairwise
from typing import Any

import httpx

from services.archive.verification import verify_final, verify_history
from shared.names import SERVICES
from tests.drills.mails import SecondCopies, check_mails
from tests.drills.world import World
from tests.support.smtp_sink import Kind
from tests.support.workload import Agreement
from tests.support.year import Years

_SETTLE_SECONDS = 120.0
_SEALED_COPIES = 5  # verified; each takes a good part of a second
_ASIDE = ("EmailSent", "BounceDetected")  # lines that tell what a mail server did, and when it said so
_MOST_PROBLEMS = 40
_TRACEBACK = re.compile(r'"exception": |Traceback \(most recent call last\)')


@dataclass(frozen=True)
class Figures:
    """What was compared. `second_copies`: mails that a mail server took twice because nobody could know."""

    agreements: int
    lines: int
    events: int
    mails: int
    second_copies: SecondCopies

    def __str__(self) -> str:
        return ", ".join(f"{one.name.replace('_', ' ')} {getattr(self, one.name)}" for one in fields(self))


async def check_outcome(
    world: World,
    agreements: Sequence[Agreement],
    *,
    years: Years | None = None,
    mailers_died: bool = False,
    lost_topics: Collection[str] = (),
) -> Figures:
    """Wait until nothing is under way, then check all. Raises AssertionError.

    `years`: what was played beside the agreements. `mailers_died`: notifications may have been killed, so that an
    accepted mail went unrecorded and came again.
    `lost_topics` were deleted while events in them were still unread: those came again after newer ones, so that the
    journal holds all of them, but in another order.
    """
    await world.settle(seconds=_SETTLE_SECONDS)
    problems: list[str] = []
    others: Counter[tuple[str, Kind]] = Counter()
    if years is not None:
        agreements, others = [*agreements, *years.agreements], years.mails
    lines = await _check_histories(world, agreements, problems)
    events = await _check_journal(world, lost_topics, problems)
    mails, second_copies = await check_mails(world, agreements, problems, mailers_died=mailers_died, others=others)
    await _check_archived(world, agreements, problems)
    await _check_dead_letters(world, problems)
    for name, written in world.logs().items():
        problems += [f"{name} logged a traceback: {line}" for line in _tracebacks(written)]
    shown = [*problems[:_MOST_PROBLEMS], f"… and {len(problems) - _MOST_PROBLEMS} more"][: len(problems)]
    assert not problems, "\n".join([f"{len(problems)} things are wrong:", *shown])
    return Figures(len(agreements), lines, events, mails, second_copies)


async def _check_histories(world: World, agreements: Sequence[Agreement], problems: list[str]) -> int:
    """Each chain and some sealed copies verify; each report has exactly its lines; their number."""
    headers = {"authorization": f"Bearer {world.auditor}"}
    counted = 0
    async with httpx.AsyncClient(headers=headers, timeout=60, trust_env=False) as client:
        for number, agreement in enumerate(agreements):
            base = f"{world.site.addresses('signing')[0]}/signing/agreements/{agreement.id}"
            history = await _get(client, f"{base}/history")
            report = (await _get(client, f"{base}/report?format=json")).json()
            counted += len(report["entries"])
            found = [verify_history(history.content).broken, *wrong_lines(agreement, report["entries"])]
            if number < _SEALED_COPIES:
                archive = world.site.addresses("archive")[0]
                copy = await client.get(f"{archive}/archive/protocols/{agreement.id}/copy")
                sealed = await asyncio.to_thread(verify_final, copy.content)
                found.append(sealed.broken if copy.is_success else f"no sealed copy: {copy.text[:300]}")
            problems += [f"history of {agreement.number} ({agreement.road}): {what}" for what in found if what]
    return counted


def wrong_lines(agreement: Agreement, entries: Sequence[dict[str, Any]]) -> list[str]:
    """What is missing, twice, too much or out of order in the report of a completed agreement."""
    people = [agreement.sender, *(one.email for one in (*agreement.signers, agreement.alternate))]
    lines = [_line(entry, people) for entry in entries]
    own = [line for line in lines if line[0] not in _ASIDE]
    wrong = [] if own == _own_lines(agreement) else [f"lines {own}, expected {_own_lines(agreement)}"]
    sent = Counter(email for kind, email in lines if kind == "EmailSent")
    if sent != Counter(signer.email for signer in agreement.signing):
        wrong.append(f"emailed {dict(sent)}")
    wrong += [
        f"{after.email} was mailed before {before.email} signed"
        for before, after in pairwise(agreement.signing)
        if _comes_first(lines, ("EmailSent", after.email), ("DocumentSigned", before.email))
    ]
    bounced = Counter(email for kind, email in lines if kind == "BounceDetected")
    original = agreement.signers[agreement.troubled].email
    # The original is asked again beside the alternate, unless the alternate is faster.
    allowed = [{original: 1}, {original: 2}] if agreement.road == "bounced" else [{}]
    if bounced not in allowed:
        wrong.append(f"bounced {dict(bounced)}")
    times = [_TIME.findall(entry["detail"]) for entry in entries]
    if times != sorted(times):
        wrong.append(f"times not in order: {times}")
    return wrong


_TIME = re.compile(r"\d{4}-\d\d-\d\d - \d\d:\d\d:\d\d GMT")


def _line(entry: dict[str, Any], people: Sequence[str]) -> tuple[str, str]:
    """Kind, and whom it is about; both who are named by an alternate's line are known anyway."""
    kind, text = entry["kind"], entry["text"]
    if kind in ("AlternateSignerAdded", "AgreementCompleted"):
        return kind, ""
    return kind, next((email for email in people if email in text), text)


def _comes_first(lines: Sequence[tuple[str, str]], one: tuple[str, str], other: tuple[str, str]) -> bool:
    return one in lines and other in lines and lines.index(one) < lines.index(other)


def _own_lines(agreement: Agreement) -> list[tuple[str, str]]:
    """Signing's own lines, which have one order only."""
    lines = [("AgreementCreated", agreement.sender)]
    for signer in agreement.signing:
        if signer is agreement.alternate:
            lines.append(("AlternateSignerAdded", ""))
        lines.append(("DocumentViewed", signer.email))
        if not signer.given:
            lines.append(("SignerNameEntered", signer.email))
        lines.append(("DocumentSigned", signer.email))
    return [*lines, ("AgreementCompleted", "")]


async def _check_journal(world: World, lost_topics: Collection[str], problems: list[str]) -> int:
    """What the outboxes published is what the journal holds: each event once, each aggregate's in their order."""
    published: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
    for service in SERVICES:
        rows = await _rows(world, service, "SELECT event_id, topic, key, published_at FROM outbox ORDER BY id")
        for row in rows:
            published[row["topic"], row["key"]].append(row["event_id"])
            if row["published_at"] is None:
                problems.append(f"{service} has not published {row['event_id']}")
    journal: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
    for row in await _rows(world, "archive", "SELECT event_id, topic, key, readable FROM journal ORDER BY id"):
        journal[row["topic"], row["key"]].append(row["event_id"])
        if not row["readable"]:
            problems.append(f"the journal holds something unreadable of {row['topic']}")
    for place in sorted({*published, *journal}):
        problems += _differences(place, published[place], journal[place], ordered=place[0] not in lost_topics)
    return sum(map(len, published.values()))


def _differences(
    place: tuple[str, str], published: Sequence[str], journal: Sequence[str], *, ordered: bool
) -> list[str]:
    lost, more = Counter(published) - Counter(journal), Counter(journal) - Counter(published)
    found = [f"the journal lacks {event} of {place}" for event in lost.elements()]
    found += [f"the journal has too much: {event} of {place}" for event in more.elements()]
    if ordered and not found and list(published) != list(journal):
        found.append(f"the journal has another order of {place}")
    return found


async def _check_archived(world: World, agreements: Sequence[Agreement], problems: list[str]) -> None:
    statuses = {
        row["id"]: row["status"]
        for row in await _rows(world, "signing", "SELECT agreement_id AS id, status FROM agreement")
    }
    archived = {row["id"] for row in await _rows(world, "archive", "SELECT agreement_id AS id FROM archived_protocol")}
    jobs = await _rows(world, "archive", "SELECT agreement_id, state, reason FROM archiving_job")
    expected = {agreement.id: "completed" for agreement in agreements}
    if statuses != expected:
        problems.append(f"agreements {Counter(statuses.values())}, expected {len(expected)} completed")
    if archived != set(expected):
        problems.append(f"{len(archived & set(expected))} of {len(expected)} are archived")
    problems += [f"not archived yet: {dict(job)}" for job in jobs]


async def _check_dead_letters(world: World, problems: list[str]) -> None:
    for service in SERVICES:
        letters = await _rows(world, service, "SELECT consumer, event_type, reason FROM dead_letter")
        problems += [f"a dead letter in {service}: {dict(letter)}" for letter in letters]


async def _rows(world: World, service: str, query: str) -> list[Any]:
    connection = await world.connect(service)
    try:
        rows: list[Any] = await connection.fetch(query)
        return rows
    finally:
        await connection.close()


async def _get(client: httpx.AsyncClient, url: str) -> httpx.Response:
    answer = await client.get(url)
    assert answer.is_success, f"{url}: {answer.status_code} {answer.text[:300]}"
    return answer


def _tracebacks(log: str) -> list[str]:
    """Lines that hold one, as our logs do (`exception`) or as Python prints it. Each kind once."""
    found = {re.sub(r"[0-9]+", "", line): line for line in log.splitlines() if _TRACEBACK.search(line)}
    return [f"{line[:600]} … {line[-600:]}" for line in found.values()]
