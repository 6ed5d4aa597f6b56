"""Mails after a drill: one mail a cause, one Message-ID a mail, and second copies only where nobody could know."""

import re
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Any

from tests.drills.world import World
from tests.support.smtp_sink import Kind, SinkMail
from tests.support.workload import Agreement

# A mailer that dies notes nothing any more of what it had in hand; what it noted it never sends again.
_NOTED_WITHIN = 2.0  # seconds from a mail's acceptance to the death that explains its second copy
_CLOCK_SLACK = 0.01  # seconds: the sink's clock is read before the mailer's transaction begins

_DELIVERIES = "SELECT id, purpose, recipient, cause_id, status FROM delivery"
_SENT = """
    SELECT data::jsonb->>'email_id' AS id, extract(epoch FROM created_at)::float8 AS noted_at
    FROM outbox WHERE attributes->>'type' = 'se.justera.notifications.email-sent.v1'
"""


@dataclass
class SecondCopies:
    """Of mails under one Message-ID. `unanswered`: the connection ended between the mail's end and the reply.
    `unrecorded`: the reply was given, and the mailer died before it was on record."""

    unanswered: int = 0
    unrecorded: int = 0

    def __str__(self) -> str:
        return f"{self.unanswered} unanswered + {self.unrecorded} unrecorded"


async def check_mails(
    world: World,
    agreements: Sequence[Agreement],
    problems: list[str],
    *,
    mailers_died: bool,
    others: Mapping[tuple[str, Kind], int] | None = None,
) -> tuple[int, SecondCopies]:
    """How many mails were taken, second copies apart, and those. `mailers_died`: in this drill a mailer may have.

    `others`: what people got besides, by address and kind.
    """
    taken: defaultdict[str, list[SinkMail]] = defaultdict(list)
    for mail in world.sink.mails:
        taken[mail.message_id].append(mail)
    connection = await world.connect("notifications")
    try:
        deliveries = {row["id"]: row for row in await connection.fetch(_DELIVERIES)}
        sent = await connection.fetch(_SENT)
    finally:
        await connection.close()
    _check_causes(taken, deliveries, problems)
    forgotten = _forgotten(taken, deliveries, mailers_died=mailers_died)
    _check_deliveries(taken.keys() - forgotten, deliveries, sent, world.sink.refused, problems)
    _check_people(taken, agreements, others or {}, problems)
    noted = {row["id"]: row["noted_at"] for row in sent}
    copies = SecondCopies()
    for message_id, mails in taken.items():
        if len(mails) > 1 and message_id not in forgotten:
            _explain(mails, noted.get(_delivery_id(message_id)), copies, problems, mailers_died=mailers_died)
    return len(taken), copies


def _check_causes(taken: dict[str, list[SinkMail]], deliveries: dict[str, Any], problems: list[str]) -> None:
    """One Message-ID for each cause and recipient."""
    by_cause: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
    for message_id, mails in taken.items():
        delivery = deliveries.get(_delivery_id(message_id))
        if delivery is None or {mail.recipient for mail in mails} != {delivery["recipient"]}:
            problems.append(f"{message_id} to {mails[0].recipient} is no mail of ours")
            continue
        by_cause[delivery["cause_id"], delivery["recipient"]].add(message_id)
    problems += [f"{who} got {sorted(ids)} for {cause}" for (cause, who), ids in by_cause.items() if len(ids) > 1]


def _forgotten(taken: dict[str, list[SinkMail]], deliveries: dict[str, Any], *, mailers_died: bool) -> set[str]:
    """Message-IDs of mails that were taken without anybody's knowing, as second copies are, and that were withdrawn
    (the document was signed) before they would have been sent again."""
    return {
        message_id
        for message_id, mails in taken.items()
        if _withdrawn(deliveries.get(_delivery_id(message_id)))
        and all(_its_connection_died(mail) and (mailers_died or not mail.answered) for mail in mails)
    }


def _withdrawn(delivery: Any) -> bool:
    return delivery is not None and delivery["status"] == "withdrawn"


def _check_deliveries(
    taken: Set[str],
    deliveries: dict[str, Any],
    sent: Sequence[Any],
    refused: set[str],
    problems: list[str],
) -> None:
    """What notifications believes is what the mail server knows, and each is told once."""
    ids = {_delivery_id(message_id) for message_id in taken}
    for identity, delivery in deliveries.items():
        expected = "bounced" if delivery["recipient"] in refused else "sent"
        if _withdrawn(delivery) and identity not in ids:
            continue
        if delivery["status"] != expected or (identity in ids) != (expected == "sent"):
            problems.append(f"mail {dict(delivery)}, taken: {identity in ids}")
    told = Counter(row["id"] for row in sent)
    if told != Counter(ids):
        problems.append(f"EmailSent of {sorted((told - Counter(ids)).elements())} too much")
        problems.append(f"EmailSent of {sorted((Counter(ids) - told).elements())} too little")


def _check_people(
    taken: dict[str, list[SinkMail]],
    agreements: Sequence[Agreement],
    others: Mapping[tuple[str, Kind], int],
    problems: list[str],
) -> None:
    """What each person found in their mailbox, second copies apart."""
    got: Counter[tuple[str, str]] = Counter((mails[0].recipient, mails[0].kind) for mails in taken.values())
    expected: Counter[tuple[str, str]] = Counter(dict(others))
    for agreement in agreements:
        expected[agreement.sender, "copy"] += 1
        if agreement.road == "bounced":
            expected[agreement.sender, "note"] += 1  # that a signer was not reached
        for place, signer in enumerate(agreement.signing):
            expected.update([(signer.email, kind) for kind in ("request", "note", "copy")])
            if agreement.road == "reminded" and place == agreement.troubled:
                # A reminder whose answer was lost is asked for again: one more cause, one more mail.
                expected[signer.email, "request"] = max(2, got[signer.email, "request"])
    problems += [f"missing: {who} got no {kind}" for who, kind in (expected - got).elements()]
    problems += [f"too much: {who} got a {kind}" for who, kind in (got - expected).elements()]


def _explain(
    mails: Sequence[SinkMail],
    noted_at: float | None,
    copies: SecondCopies,
    problems: list[str],
    *,
    mailers_died: bool,
) -> None:
    """Each copy before the last was taken while its connection died, and none came after its acceptance was on record.

    A connection may die alone: that excuses a mailer only for a mail that was not answered.
    """
    last = mails[-1]
    if noted_at is None or last.taken_at > noted_at + _CLOCK_SLACK:
        problems.append(f"{last.message_id} was sent again after it was noted as sent")
    for mail in mails[:-1]:
        if not _its_connection_died(mail):
            problems.append(f"{mail.message_id} was sent again although its mailer lived")
        elif not mail.answered:
            copies.unanswered += 1
        elif mailers_died:
            copies.unrecorded += 1
        else:
            problems.append(f"{mail.message_id} was sent again although it was answered and no mailer died")


def _its_connection_died(mail: SinkMail) -> bool:
    """Soon after the mail's end, and without a goodbye."""
    talk = mail.conversation
    return talk.ended_at is not None and not talk.said_goodbye and talk.ended_at - mail.accepted_at < _NOTED_WITHIN


def _delivery_id(message_id: str) -> str:
    found = re.match(r"<([^@]+)@", message_id)
    return found.group(1) if found is not None else message_id
