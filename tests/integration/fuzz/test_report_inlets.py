"""Hostile delivery reports through the real doors, the SMTP listener and the Maildir, into a real database.

Whatever comes, at most the one mail that a report's genuine return path names is told to have bounced; afterwards an
honest report about another mail is still taken.
"""

import asyncio
import os
import random
import re
import tracemalloc
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiosmtplib
import pytest
from pydantic import SecretStr

from services.notifications import verp
from services.notifications.delivery.composing import Composer, Outgoing, composer_of
from services.notifications.report.bounces import DeliveryReports
from services.notifications.report.listener import ListenerSettings, ReportListener
from services.notifications.report.mailbox import ReportMailbox
from services.notifications.report.report import MAX_REPORT_BYTES
from services.notifications.report.simulated_report import Failure, failed_report
from shared.clock import ManualClock
from shared.keys import new_keys
from shared.settings import Settings
from tests.integration.fuzz.hostile_reports import SAMPLES, bombs, mutated
from tests.integration.fuzz.logged import check_no_failure
from tests.integration.fuzz.test_requests import state_of
from tests.integration.notifications import post as mails
from tests.integration.notifications.post import ORGANISATION, Post
from tests.support.smtp_server import RecordingSmtpServer

pytestmark = pytest.mark.slow

_MEMORY = 128 * 1024 * 1024  # bytes that the hostile mails of a test may hold at once


@dataclass
class Inlets:
    """Two mails were taken by a mail server: hostile reports speak of `victim`, the honest one of `other`."""

    post: Post
    composer: Composer
    reports: DeliveryReports
    victim: Outgoing
    other: Outgoing
    log: Path

    def report(self, mail: Outgoing) -> bytes:
        return failed_report(mail, Failure(), at=self.post.clock.now())

    async def kept(self) -> dict[str, str]:
        """Every table but that of what is kept for a human, and those that tell it of the mail that it came to."""
        state = await state_of(self.post.service)
        return {name: value for name, value in state.items() if name not in ("unmatched_report", "delivery", "outbox")}

    async def bounced(self) -> list[str]:
        return [one.body["recipient"] for one in await self.post.published() if one.name == "bounce-detected"]

    def check_log(self) -> None:
        check_no_failure(self.log)
        assert "_not_taken" not in self.log.read_text(encoding="utf-8").replace(".", "_")


@pytest.fixture
async def inlets(
    build: Callable[..., Any], settings: Settings, clock: ManualClock, logs: Path
) -> AsyncIterator[Inlets]:
    async with RecordingSmtpServer() as server:
        smtp = settings.model_copy(update={"smtp_port": server.port})
        post = Post(await build("notifications", deliver_automatically=False, settings=smtp), clock)
        await post.bring(mails.message(mails.created()), mails.message(mails.requested()))
        await post.bring(mails.message(mails.requested(mails.SVEN, request_id="request-2", place=2)))
        for address in (mails.OLOF, mails.SVEN):
            await post.commands.deliver_next(ORGANISATION, address)
        composer = composer_of(settings)
        victim, other = (composer.compose(one) for one in await post.deliveries())
        assert (victim.recipient, other.recipient) == (mails.OLOF, mails.SVEN)
        yield Inlets(post, composer, post.commands._reports, victim, other, logs)


@asynccontextmanager
async def listening(inlets: Inlets, *, seconds: float = 60) -> AsyncIterator[ReportListener]:
    domain = inlets.composer.bounce_domain
    how = ListenerSettings("127.0.0.1", 0, domain, max_connections=20, timeout=seconds, reports_per_mail=(1000, 0.0))
    async with ReportListener(how, is_ours=inlets.reports.is_ours, take=inlets.reports.take) as running:
        yield running


@pytest.fixture
async def listener(inlets: Inlets) -> AsyncIterator[ReportListener]:
    async with listening(inlets) as running:
        yield running


@pytest.fixture
def memory() -> Iterator[None]:
    """No test of this file holds more than `_MEMORY` at once."""
    tracemalloc.start()
    yield
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < _MEMORY, f"{peak / 1024**2:.0f} MiB"


async def hand_in(listener: ReportListener, recipient: str, raw: bytes) -> int:
    """The last answer's code; 0 when the connection was closed."""
    client = aiosmtplib.SMTP(hostname="127.0.0.1", port=listener.port, start_tls=False, timeout=60)
    try:
        async with client:
            await client.mail("")
            await client.rcpt(recipient)
            return (await client.data(raw)).code
    except aiosmtplib.SMTPResponseException as error:
        return error.code
    except (aiosmtplib.SMTPServerDisconnected, ConnectionError):
        return 0


async def honest_report_is_taken(inlets: Inlets, listener: ReportListener) -> None:
    assert await hand_in(listener, inlets.other.return_path, inlets.report(inlets.other)) == 250
    assert (await inlets.bounced())[-1] == mails.SVEN
    inlets.check_log()


async def test_mutated_reports_at_a_genuine_return_path(inlets: Inlets, listener: ReportListener) -> None:
    rng = random.Random(21)
    victims = inlets.report(inlets.victim)
    others = inlets.report(inlets.other)  # within a mail to the victim's return path, it says nothing of the other
    raws = [mutated(victims, rng) for _ in range(40)] + [mutated(others, rng) for _ in range(20)] + [others]
    raws += [mutated(sample.read_bytes(), rng) for sample in SAMPLES for _ in range(3)]
    codes = [await hand_in(listener, inlets.victim.return_path, raw) for raw in raws]
    assert set(codes) <= {0, 250, 500, 552, 554}, codes
    assert codes.count(250) > len(codes) / 2
    assert await inlets.bounced() in ([], [mails.OLOF])
    await honest_report_is_taken(inlets, listener)


async def test_forged_return_paths_are_unknown_and_what_follows_is_not_read(
    inlets: Inlets, listener: ReportListener, settings: Settings
) -> None:
    before = await inlets.kept()
    rng = random.Random(22)
    [delivery, _] = await inlets.post.deliveries()
    other_keys = composer_of(settings.model_copy(update={"bounce_keys": SecretStr(new_keys())}))
    elsewhere = verp.encode(delivery.id, organisation="elsewhere", ring=inlets.composer.bounce_keys)
    unknown = verp.encode("0" * 32, organisation=ORGANISATION, ring=inlets.composer.bounce_keys)
    forged = [other_keys.compose(delivery).return_path, verp.return_path(elsewhere, inlets.composer.bounce_domain)]
    forged += [inlets.victim.return_path.replace(inlets.composer.bounce_domain, "elsewhere.example")]
    forged += [inlets.victim.return_path.replace("@", f"{tail}@") for tail in ("a", "=", "+x", ".")]
    for _ in range(60):
        at = rng.randrange(len("bounces+k1-"), inlets.victim.return_path.index("@"))
        letter = rng.choice(sorted(set("abcdefghijklmnopqrstuvwxyz234567") - {inlets.victim.return_path[at]}))
        forged.append(inlets.victim.return_path[:at] + letter + inlets.victim.return_path[at + 1 :])
    codes = {address: await hand_in(listener, address, inlets.report(inlets.victim)) for address in forged}
    assert set(codes.values()) == {550}, codes
    # Ours, but of a mail that is not there: kept for a human.
    genuine = verp.return_path(unknown, inlets.composer.bounce_domain)
    assert await hand_in(listener, genuine, inlets.report(inlets.victim)) == 250
    assert len(await inlets.post.commands.unmatched_reports(ORGANISATION)) == 1
    assert await inlets.kept() == before
    await honest_report_is_taken(inlets, listener)


@pytest.mark.parametrize("name", bombs())
async def test_bombs_cost_little_and_change_nothing(
    name: str, inlets: Inlets, listener: ReportListener, memory: None
) -> None:
    """A mail daemon's "Undelivered", said at a genuine return path, may be one bounce of its mail; nothing else."""
    before = await inlets.kept()
    reported = name in ("many recipients", "base64")  # thousands of failures: one bounce
    code = await hand_in(listener, inlets.victim.return_path, bombs()[name])
    assert code in ({250} if reported else {0, 250, 500, 552}), code
    assert await inlets.bounced() in ([[mails.OLOF]] if reported else [[], [mails.OLOF]])
    assert await inlets.kept() == before
    await honest_report_is_taken(inlets, listener)


def conversations(inlets: Inlets) -> dict[str, list[bytes]]:
    """What a client says, in pieces with a pause after each; then it hangs up."""
    to = inlets.victim.return_path.encode()
    begin = b"EHLO x.example\r\nMAIL FROM:<>\r\nRCPT TO:<" + to + b">\r\nDATA\r\n"
    second = b"MAIL FROM:<>\r\nRCPT TO:<" + inlets.victim.return_path.encode() + b">\r\nDATA\r\n"
    second += inlets.report(inlets.victim) + b"\r\n.\r\n"
    smuggled = {
        f"smuggled after {end!r}": [begin, b"Subject: x\r\n\r\ntext" + end + second]
        for end in (b"\n.\n", b"\n.\r\n", b"\r\n.\n", b"\r.\r", b"\r.\r\n", b"\r\n\0.\r\n", b"\r\n.\r\r\n")
    }
    rng = random.Random(23)
    garbage = b"".join(bytes(rng.randrange(256) for _ in range(rng.randrange(80))) + b"\r\n" for _ in range(100))
    return smuggled | {
        "silence": [],
        "half a command": [b"EHL"],
        "half a mail": [begin, inlets.report(inlets.victim)[:400]],
        "a whole report without its end": [begin, inlets.report(inlets.victim)],
        "no greeting": [b"MAIL FROM:<>\r\nRCPT TO:<" + to + b">\r\nDATA\r\n\r\n.\r\n"],
        "data without recipients": [
            b"EHLO x\r\nMAIL FROM:<>\r\nDATA\r\n" + inlets.report(inlets.victim) + b"\r\n.\r\n"
        ],
        "everything at once and gone": [begin + b"Subject: x\r\n\r\nhello\r\n.\r\nQUIT\r\n"],
        "pipelined garbage": [garbage],
        "garbage without an end": [b"EHLO x\r\n", b"\xff" * 300_000],
        "endless command": [b"MAIL FROM:<" + b"a" * 200_000 + b"@x.example>\r\n"],
        "resets": [b"EHLO x\r\n" + b"RSET\r\n" * 5000],
        "odd addresses": [b"EHLO x\r\n" + b"".join(b"RCPT TO:%s\r\n" % one for one in _ODD_ADDRESSES)],
        "other protocols": [b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", b"\x16\x03\x01\x02\x00\x01\x00" * 20],
        "unknown commands": [
            b"EHLO x\r\nVRFY root\r\nEXPN x\r\nETRN x\r\nAUTH PLAIN AAAA\r\nSTARTTLS\r\nXCLIENT A=1\r\n"
        ],
        "one byte after the other": [bytes([one]) for one in b"EHLO x.example\r\nNOOP\r\n"],
    }


_ODD_ADDRESSES = (
    b"",
    b"<>",
    b"<bounces+@>",
    b"<bounces+\xff\xfe@bounces.norrdalen.example>",
    b"<bounces+k1-" + b"a" * 45 + b"@bounces.norrdalen.example>",
    b"<@a,@b:bounces+k1-x@bounces.norrdalen.example>",
    b'<"bounces+k1-\\"\r"@bounces.norrdalen.example>',
    b"<bounces+k1-\0@bounces.norrdalen.example> NOTIFY=NEVER ORCPT=rfc822;x",
    b"<" + b"((" * 200 + b"@x>",
    b"<bounces+k1-x@[127.0.0.1]>",
    b"<bounces+k1-x@xn--\xe5.example>",
)


async def _say(port: int, pieces: list[bytes]) -> None:
    _, writer = await asyncio.open_connection("127.0.0.1", port)
    with suppress(ConnectionError):
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(0.02)
        await asyncio.sleep(0.1)
    writer.transport.abort()


async def test_bad_conversations_smuggle_nothing_in_and_end_nothing(inlets: Inlets, listener: ReportListener) -> None:
    before = await inlets.kept()
    told = conversations(inlets)
    for name, pieces in told.items():
        await asyncio.wait_for(_say(listener.port, pieces), 30)
        assert (await inlets.kept(), await inlets.bounced()) == (before, []), name
    names = sorted(told)
    for few in (names[:12], names[12:]):
        await asyncio.wait_for(asyncio.gather(*(_say(listener.port, told[name]) for name in few)), 30)
    assert await inlets.kept() == before
    await honest_report_is_taken(inlets, listener)


async def test_slow_and_silent_clients_are_let_go_and_hold_nobody_up(inlets: Inlets) -> None:
    before = await inlets.kept()
    async with listening(inlets, seconds=2) as listener:
        silent = [await asyncio.open_connection("127.0.0.1", listener.port) for _ in range(15)]
        for number, (_, writer) in enumerate(silent):
            writer.write(b"EHLO x\r\nMAIL FROM:<>\r\n"[: number * 2])
        await honest_report_is_taken(inlets, listener)
        for reader, writer in silent:
            await asyncio.wait_for(reader.read(), 30)
            writer.close()
    after = await inlets.kept()
    assert {name for name in after if after[name] != before[name]} <= {"delivery", "outbox"}
    assert await inlets.bounced() == [mails.SVEN]


async def test_the_maildir_takes_or_keeps_everything(inlets: Inlets, tmp_path: Path, memory: None) -> None:
    before = await inlets.kept()
    mailbox = ReportMailbox(tmp_path / "mail", take=inlets.reports.take)
    await mailbox.poll()
    new = tmp_path / "mail" / "new"
    rng = random.Random(24)
    raws = [mutated(sample.read_bytes(), rng) for sample in SAMPLES for _ in range(3)]
    raws += [bomb for name, bomb in bombs().items()]
    raws += [_forged(mutated(inlets.report(inlets.victim), rng), rng) for _ in range(20)]
    raws += [b"x" * (MAX_REPORT_BYTES + 1)]
    for number, raw in enumerate(raws):
        (new / f"{number}.\u202e {number}:2,FS").write_bytes(raw)
    (new / os.fsdecode(b"\xff\xfe.odd")).write_bytes(b"odd name")
    os.mkfifo(new / "pipe")  # to open it would wait for a writer
    assert await asyncio.wait_for(mailbox.poll(), 120) == len(raws) + 1
    assert [one.name for one in new.iterdir()] == ["pipe"]
    assert await inlets.kept() == before
    (new / "honest").write_bytes(inlets.report(inlets.other))
    assert await mailbox.poll() == 1
    assert await inlets.bounced() == [mails.SVEN]
    inlets.check_log()


def _forged(report: bytes, rng: random.Random) -> bytes:
    """Each token in it with some letters changed: whatever else it says, it is not believed."""
    letters = b"abcdefghijklmnopqrstuvwxyz234567"

    def spoilt(token: bytes) -> bytes:
        at = rng.randrange(5, 40)
        return token[:at] + bytes([letters[(letters.index(token[at : at + 1]) + 1) % 32]]) + token[at + 1 :]

    return re.sub(rb"(?<=k1-)[a-z2-7]{45}", lambda match: spoilt(match[0]), report)
