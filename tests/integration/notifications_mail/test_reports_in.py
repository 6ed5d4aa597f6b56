"""Delivery reports received: by the SMTP listener and from a Maildir folder. Each at least once; nothing lost."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiosmtplib
import pytest

from services.notifications.report.listener import ListenerSettings, ReportListener
from services.notifications.report.mailbox import ReportMailbox
from services.notifications.report.report import read_report
from shared.errors import InvalidInput

TOKEN = "k1-" + "a2" * 22 + "a"
FORGED = "k1-" + "b3" * 22 + "a"
DOMAIN = "norrdalen.example"
REPORT = (
    (Path(__file__).parents[2] / "data" / "delivery_reports" / "standard.eml")
    .read_bytes()
    .replace(b"k1-TOKEN", TOKEN.encode())
)


class Taker:
    """Takes reports, or fails as told; `gate` holds it up while it is cleared."""

    def __init__(self) -> None:
        self.taken: list[tuple[bytes, str | None]] = []
        self.failures: list[Exception] = []
        self.begun = asyncio.Event()
        self.gate = asyncio.Event()
        self.gate.set()

    async def __call__(self, raw: bytes, token: str | None) -> None:
        self.begun.set()
        await self.gate.wait()
        if self.failures:
            raise self.failures.pop(0)
        self.taken.append((raw, token))


@pytest.fixture
def taker() -> Taker:
    return Taker()


@pytest.fixture
async def listener(taker: Taker) -> AsyncIterator[ReportListener]:
    settings = ListenerSettings("127.0.0.1", 0, DOMAIN, max_bytes=20_000, max_connections=3, timeout=2)
    async with ReportListener(settings, is_ours=TOKEN.__eq__, take=taker) as running:
        yield running


def client(listener: ReportListener) -> aiosmtplib.SMTP:
    return aiosmtplib.SMTP(hostname="127.0.0.1", port=listener.port, start_tls=False, timeout=20)


async def deliver(listener: ReportListener, raw: bytes = REPORT, sender: str = "<>") -> str:
    async with client(listener) as connection:
        await connection.ehlo()
        assert (await connection.execute_command(b"MAIL", f"FROM:{sender}".encode())).code == 250
        await connection.rcpt(f"bounces+{TOKEN}@{DOMAIN}")
        return (await connection.data(raw)).message


async def test_a_report_is_taken_with_its_token(listener: ReportListener, taker: Taker) -> None:
    assert await deliver(listener) == "2.0.0 taken"
    [(raw, token)] = taker.taken
    assert token == TOKEN
    assert read_report(raw)[0].status == "5.1.1"


async def test_it_is_acknowledged_only_after_it_was_taken(listener: ReportListener, taker: Taker) -> None:
    taker.gate.clear()
    delivery = asyncio.create_task(deliver(listener))
    await asyncio.wait_for(taker.begun.wait(), 10)
    await asyncio.sleep(0.1)
    assert not delivery.done()
    taker.gate.set()
    assert await delivery == "2.0.0 taken"


async def test_a_failure_asks_the_server_to_try_again(listener: ReportListener, taker: Taker) -> None:
    taker.failures.append(RuntimeError("the database is away"))
    with pytest.raises(aiosmtplib.SMTPDataError) as refusal:
        await deliver(listener)
    assert refusal.value.code == 451
    assert "database" not in refusal.value.message
    assert await deliver(listener) == "2.0.0 taken"


async def test_what_cannot_be_read_is_refused_for_good(listener: ReportListener, taker: Taker) -> None:
    taker.failures.append(InvalidInput("not a report"))
    with pytest.raises(aiosmtplib.SMTPDataError) as refusal:
        await deliver(listener)
    assert refusal.value.code == 554


@pytest.mark.parametrize(
    "address",
    [
        f"bounces+{FORGED}@{DOMAIN}",
        f"bounces+{TOKEN}@elsewhere.example",
        f"karin.ek@{DOMAIN}",
        f"bounces@{DOMAIN}",
        f"bounces+@{DOMAIN}",
    ],
)
async def test_other_addresses_are_unknown_here(listener: ReportListener, address: str) -> None:
    async with client(listener) as connection:
        await connection.mail("mailer-daemon@mx.example")
        with pytest.raises(aiosmtplib.SMTPRecipientRefused) as refusal:
            await connection.rcpt(address)
    assert (refusal.value.code, refusal.value.message[:5]) == (550, "5.1.1")


async def test_a_second_recipient_is_put_off(listener: ReportListener) -> None:
    async with client(listener) as connection:
        await connection.mail("mailer-daemon@mx.example")
        await connection.rcpt(f"bounces+{TOKEN}@{DOMAIN}")
        with pytest.raises(aiosmtplib.SMTPRecipientRefused) as refusal:
            await connection.rcpt(f"bounces+{TOKEN}@{DOMAIN}")
    assert refusal.value.code == 452


async def test_a_mail_over_the_limit_is_refused(listener: ReportListener, taker: Taker) -> None:
    with pytest.raises(aiosmtplib.SMTPDataError) as refusal:
        await deliver(listener, b"Subject: x\r\n\r\n" + b"line\r\n" * 4000)
    assert refusal.value.code == 552
    assert taker.taken == []


@pytest.mark.parametrize("line", [b"x", b"a line of a calendar\r\n"])
async def test_one_far_over_it_and_an_endless_line_are_refused_in_the_same_words(
    listener: ReportListener, taker: Taker, line: bytes
) -> None:
    """10 MB, say: whoever is cut off in it tries again for days."""
    with pytest.raises(aiosmtplib.SMTPDataError) as refusal:
        await deliver(listener, b"Subject: x\r\n\r\n" + line * (10_000_000 // len(line)))
    assert (refusal.value.code, refusal.value.message) == (552, "5.3.4 the mail is too large")
    assert taker.taken == []
    assert await deliver(listener) == "2.0.0 taken"


async def test_connections_over_the_limit_are_put_off(listener: ReportListener) -> None:
    held = [client(listener) for _ in range(3)]
    for each in held:
        await each.connect()
    with pytest.raises(aiosmtplib.SMTPConnectResponseError) as refusal:
        await client(listener).connect()
    assert refusal.value.code == 421
    for each in held:
        await each.quit()
    assert await deliver(listener) == "2.0.0 taken"


@asynccontextmanager
async def listening(taker: Taker, **settings: Any) -> AsyncIterator[ReportListener]:
    how = ListenerSettings("127.0.0.1", 0, DOMAIN, **settings)
    async with ReportListener(how, is_ours=TOKEN.__eq__, take=taker) as running:
        yield running


async def test_silent_connections_give_up_their_places_to_who_speaks(taker: Taker) -> None:
    async with listening(taker, max_connections=3, patience=0.2) as listener:
        silent = [await asyncio.open_connection("127.0.0.1", listener.port) for _ in range(3)]
        await asyncio.sleep(0.4)
        assert await asyncio.wait_for(deliver(listener), 10) == "2.0.0 taken"
        assert (await asyncio.wait_for(silent[0][0].read(), 10)).splitlines()[-1].startswith(b"421 4.4.2 ")
        for _, writer in silent:
            writer.close()


async def test_a_report_that_is_being_taken_keeps_its_place(taker: Taker) -> None:
    async with listening(taker, max_connections=1, patience=0.1) as listener:
        taker.gate.clear()
        delivery = asyncio.create_task(deliver(listener))
        await asyncio.wait_for(taker.begun.wait(), 10)
        await asyncio.sleep(0.3)
        with pytest.raises(aiosmtplib.SMTPConnectResponseError):
            await client(listener).connect()
        taker.gate.set()
        assert await delivery == "2.0.0 taken"


class Dripping:
    """A client that sends a byte now and then, and never a whole command, from one of this machine's addresses."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer
        self._drip = asyncio.create_task(self._go_on())

    @classmethod
    async def from_host(cls, host: str, listener: ReportListener) -> "Dripping":
        return cls(*await asyncio.open_connection("127.0.0.1", listener.port, local_addr=(host, 0)))

    async def heard(self) -> bytes:
        return await asyncio.wait_for(self._reader.readline(), 10)

    async def leave(self) -> None:
        self._drip.cancel()
        await asyncio.gather(self._drip, return_exceptions=True)
        self._writer.close()

    async def _go_on(self) -> None:
        while True:
            self._writer.write(b"N")
            await asyncio.sleep(0.02)


async def test_one_host_holds_its_share_of_the_places_and_no_more(taker: Taker) -> None:
    async with listening(taker, max_connections=4, places_per_host=2, patience=30) as listener:
        dripping = [await Dripping.from_host("127.0.0.2", listener) for _ in range(4)]
        greetings = [(await each.heard())[:3] for each in dripping]
        assert greetings == [b"220", b"220", b"421", b"421"]
        assert await asyncio.wait_for(deliver(listener), 10) == "2.0.0 taken"
        with pytest.raises(TimeoutError):  # nobody of the host was sent away for one that came later
            await asyncio.wait_for(dripping[0].heard(), 0.1)
        for each in dripping:
            await each.leave()
        again = await Dripping.from_host("127.0.0.2", listener)
        assert (await again.heard())[:3] == b"220"
        await again.leave()


async def test_who_drips_bytes_stands_still(taker: Taker) -> None:
    async with listening(taker, max_connections=3, places_per_host=1, patience=0.3) as listener:
        dripping = [await Dripping.from_host(f"127.0.0.{number}", listener) for number in (2, 3, 4)]
        assert [(await each.heard())[:3] for each in dripping] == [b"220"] * 3
        await asyncio.sleep(0.5)
        assert await asyncio.wait_for(deliver(listener), 10) == "2.0.0 taken"
        assert (await dripping[0].heard())[:3] == b"421"
        for each in dripping:
            await each.leave()


async def test_a_mail_that_goes_on_keeps_its_place(taker: Taker) -> None:
    async with listening(taker, max_connections=1, patience=0.4) as listener:
        reader, writer = await asyncio.open_connection("127.0.0.1", listener.port)
        writer.write(f"EHLO mx.example\r\nMAIL FROM:<>\r\nRCPT TO:<bounces+{TOKEN}@{DOMAIN}>\r\nDATA\r\n".encode())
        await asyncio.wait_for(reader.readuntil(b"354 "), 10)
        for _ in range(8):
            writer.write(b"x" * 70 * 60 + b"\r\n")
            await asyncio.sleep(0.1)
        with pytest.raises(aiosmtplib.SMTPConnectResponseError):
            await client(listener).connect()
        writer.write(b"\r\n.\r\n")
        await asyncio.wait_for(reader.readuntil(b"250 2.0.0 taken"), 10)
        writer.close()


async def test_a_conversation_that_never_ends_is_ended(taker: Taker) -> None:
    """Each command comes in time, and none says anything."""
    async with listening(taker, timeout=30, conversation=0.5) as listener:
        reader, writer = await asyncio.open_connection("127.0.0.1", listener.port)

        async def chatter() -> None:
            while True:
                writer.write(b"NOOP\r\n")
                await asyncio.sleep(0.05)

        talking = asyncio.create_task(chatter())
        assert b"421 4.4.2 " in await asyncio.wait_for(reader.read(), 10)
        talking.cancel()
        writer.close()


async def test_reports_about_one_mail_are_limited(taker: Taker) -> None:
    async with listening(taker, reports_per_mail=(2, 0.0)) as listener:
        assert [await deliver(listener) for _ in range(2)] == ["2.0.0 taken"] * 2
        with pytest.raises(aiosmtplib.SMTPRecipientRefused) as refusal:
            await deliver(listener)
    assert (refusal.value.code, refusal.value.message[:5]) == (451, "4.7.1")


async def test_recipients_from_one_host_are_limited(taker: Taker) -> None:
    async with listening(taker, recipients_per_host=(2, 0.0)) as listener, client(listener) as connection:
        await connection.mail("mailer-daemon@mx.example")
        codes = []
        for _ in range(3):
            with pytest.raises(aiosmtplib.SMTPRecipientRefused) as refusal:
                await connection.rcpt(f"bounces+{FORGED}@{DOMAIN}")
            codes.append(refusal.value.code)
    assert codes == [550, 550, 451]


async def test_an_idle_connection_is_closed_after_the_timeout(taker: Taker) -> None:
    settings = ListenerSettings("127.0.0.1", 0, DOMAIN, timeout=0.2)
    async with ReportListener(settings, is_ours=TOKEN.__eq__, take=taker) as listener:
        reader, writer = await asyncio.open_connection("127.0.0.1", listener.port)
        await asyncio.wait_for(reader.read(), 20)
        writer.close()


async def test_what_was_begun_is_finished_when_the_client_leaves_or_the_listener_stops(
    listener: ReportListener, taker: Taker
) -> None:
    taker.gate.clear()
    delivery = asyncio.create_task(deliver(listener))
    await asyncio.wait_for(taker.begun.wait(), 10)
    delivery.cancel()
    await asyncio.gather(delivery, return_exceptions=True)
    stopping = asyncio.create_task(listener.stop())
    await asyncio.sleep(0.05)
    taker.gate.set()
    await asyncio.wait_for(stopping, 20)
    assert [token for _, token in taker.taken] == [TOKEN]


# The mailbox folder


@pytest.fixture
def maildir(tmp_path: Path) -> Path:
    for name in ("new", "cur", "tmp"):
        (tmp_path / "mail" / name).mkdir(parents=True)
    return tmp_path / "mail"


def files(folder: Path) -> list[str]:
    return sorted(each.name for each in folder.iterdir())


async def test_a_mail_in_the_folder_is_taken_and_moved(maildir: Path, taker: Taker) -> None:
    (maildir / "new" / "1.a").write_bytes(REPORT)
    mailbox = ReportMailbox(maildir, take=taker)
    assert await mailbox.poll() == 1
    assert await mailbox.poll() == 0
    assert taker.taken == [(REPORT, None)]
    assert (files(maildir / "new"), files(maildir / "cur")) == ([], ["1.a:2,S"])


async def test_a_mail_that_fails_stays_and_does_not_hold_up_the_next(maildir: Path, taker: Taker) -> None:
    (maildir / "new" / "1.a").write_bytes(b"first")
    (maildir / "new" / "2.b").write_bytes(b"second")
    taker.failures.append(RuntimeError("the database is away"))
    mailbox = ReportMailbox(maildir, take=taker)
    assert await mailbox.poll() == 1
    assert len(files(maildir / "new")) == 1
    assert await mailbox.poll() == 1
    assert sorted(raw for raw, _ in taker.taken) == [b"first", b"second"]


async def test_what_cannot_be_read_is_kept_for_a_human(maildir: Path, taker: Taker) -> None:
    (maildir / "new" / "1.a").write_bytes(b"what is this")
    taker.failures.append(InvalidInput("not a report"))
    assert await ReportMailbox(maildir, take=taker).poll() == 1
    [kept] = (maildir / ".unreadable" / "cur").iterdir()
    assert kept.read_bytes() == b"what is this"
    assert files(maildir / "new") == []


async def test_a_name_that_is_taken_covers_nothing(maildir: Path, taker: Taker) -> None:
    (maildir / "cur" / "1.a:2,S").write_bytes(b"before")
    (maildir / "new" / "1.a").write_bytes(REPORT)
    assert await ReportMailbox(maildir, take=taker).poll() == 1
    assert (maildir / "cur" / "1.a:2,S").read_bytes() == b"before"
    assert files(maildir / "cur") == ["1.a.1:2,S", "1.a:2,S"]


async def test_links_folders_and_hidden_files_are_left_alone(maildir: Path, taker: Taker, tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(b"secret")
    (maildir / "new" / "link").symlink_to(tmp_path / "secret")
    (maildir / "new" / "folder").mkdir()
    (maildir / "new" / ".hidden").write_bytes(b"x")
    assert await ReportMailbox(maildir, take=taker).poll() == 0
    assert taker.taken == []
