"""The signing of the demo's history (services/embedded/demo_data), played by people over HTTP and mail.

How mails are read, how a signer acts, and what makes a mail bounce differs from test to test: `Ways` says so.
"""

import re
from dataclasses import dataclass
from email.message import EmailMessage
from pathlib import Path
from typing import Any, Protocol

import httpx
import yaml

from shared.names import Role
from tests.support.cluster import Cluster
from tests.support.forms import done
from tests.support.parts import REPOSITORY
from tests.support.processes import until

SENDER = "karin.ek@norrdalen.example"
SECRETARY = "maja.lind@norrdalen.example"
CHAIR = "olof.berg@bjorka.example"
ADJUSTER = "sven.dahl@norrdalen.example"
ALTERNATE = "sven.dahl@granvik.example"
SENDER_IP, SECRETARY_IP, CHAIR_IP, ALTERNATE_IP = "192.0.2.12", "198.51.100.111", "203.0.113.66", "203.0.113.58"

_SCENARIO = REPOSITORY / "tests/scenarios/seed_history_sv"
_MINUTES = REPOSITORY / "services/embedded/demo_data/minutes.md"
_SIGN_LINK = re.compile(r"https?://\S+/signing/s/\S+")
_COPY_LINK = re.compile(r"https?://\S+/archive/copies/\S+")


class Ways(Protocol):
    """How people of the story get their mail and sign."""

    async def mail(self, address: str, number: int) -> EmailMessage:
        """Wait for the mail to the address, counted from 1."""
        ...

    async def sign(self, link: str, name: str | None, ip: str) -> None:
        """Open the document behind the link and sign, with the name where it is asked for."""
        ...

    async def bounce(self) -> None:
        """See to it that the mail to ADJUSTER comes back."""
        ...


@dataclass
class Story:
    cluster: Cluster
    ways: Ways

    async def play(self) -> str:
        """From the meeting to the archived copy; the agreement's id."""
        scenario = yaml.safe_load((_SCENARIO / "scenario.yaml").read_text())
        agreement: str = scenario["transaction_id"]
        async with self._sender() as sender:
            await self._draft(sender, scenario)
            await self._send_off(sender, agreement)
            await self.ways.sign(sign_link(await self.ways.mail(SECRETARY, 1)), None, SECRETARY_IP)
            await self.ways.sign(sign_link(await self.ways.mail(CHAIR, 1)), "Olof Berg", CHAIR_IP)
            await self.ways.bounce()
            await self._wait_for(sender, agreement, "studsade", 1)
            body = {"original": ADJUSTER, "email": ALTERNATE}
            done(await sender.post(f"/signing/agreements/{agreement}/alternates", json=body))
            request = await self.ways.mail(ALTERNATE, 1)
            await self._wait_for(sender, agreement, f"skickades med e-post till {ALTERNATE}", 1)
            await self.ways.sign(sign_link(request), "Sven Dahl", ALTERNATE_IP)
            await self._wait_for(sender, agreement, "Avtal har slutförts", 1)
        await self.cluster.settle()
        return agreement

    async def report(self, agreement: str) -> str:
        async with self._sender() as sender:
            return done(await sender.get(f"/signing/agreements/{agreement}/report")).text

    async def copy(self, link: str, ip: str = SENDER_IP) -> bytes:
        """The sealed copy, as a person fetches it: the mailed page, then its download."""
        async with self.cluster.person(ip) as person:
            page = done(await person.get(link))
            (address,) = set(re.findall(r'href="([^"]+/copy\.pdf)"', page.text))
            return done(await person.get(address)).content

    def _sender(self) -> httpx.AsyncClient:
        person = self.cluster.person(SENDER_IP)
        person.headers["authorization"] = f"Bearer {self.cluster.tokens[Role.SECRETARY]}"
        return person

    async def _draft(self, sender: httpx.AsyncClient, scenario: dict[str, Any]) -> None:
        details = {
            "body": "Styrelsen",
            "title": "Styrelsens sammanträde",
            "place": "Digitalt",
            "starts": "2022-09-23T13:00",
            "ends": "2022-09-23T15:00",
        }
        meeting = done(await sender.post("/meetings/meetings", json=details)).json()
        drafting = {key: scenario[key] for key in ("sender", "signers", "language", "timezone", "transaction_id")}
        minutes = {"markdown": _MINUTES.read_text(), "drafting": drafting}
        done(await sender.post(f"/meetings/meetings/{meeting['id']}/minutes", json=minutes))

    async def _send_off(self, sender: httpx.AsyncClient, agreement: str) -> None:
        """The agreement stands ready once signing has heard of the draft."""

        async def stands_ready() -> bool | None:
            return (await sender.get(f"/signing/agreements/{agreement}")).is_success or None

        await until(stands_ready, what="the agreement")
        done(await sender.post(f"/signing/agreements/{agreement}/send"))

    async def _wait_for(self, sender: httpx.AsyncClient, agreement: str, line: str, times: int) -> None:
        async def told() -> bool | None:
            report = done(await sender.get(f"/signing/agreements/{agreement}/report")).text
            return report.count(line) >= times or None

        await until(told, what=line)


def expected_report() -> str:
    """The seed's, without its second bounce: we mail no address again whose last mail bounced hard."""
    report = (_SCENARIO / "report.txt").read_text()
    bounce = f"- E-post som skickades till {ADJUSTER} studsade och kunde inte levereras\n  2022-09-26 - 10:56:45 GMT\n"
    assert bounce in report
    return report.replace(bounce, "")


def without_times(report: str) -> str:
    """Days and times hidden, which alone may differ. The meeting's day stands in the document's name, and stays."""
    hidden = re.sub(r"\d{4}-\d\d-\d\d - \d\d:\d\d:\d\d GMT", "TIME", report)
    return re.sub(r"(?m)^(Skapad: )?\d{4}-\d\d-\d\d$", r"\1DAY", hidden)


def sign_link(mail: EmailMessage) -> str:
    return _only(_SIGN_LINK, mail)


def copy_link(mail: EmailMessage) -> str:
    return _only(_COPY_LINK, mail)


def _only(pattern: re.Pattern[str], mail: EmailMessage) -> str:
    part = mail.get_body(("plain",))
    assert part is not None
    (link,) = pattern.findall(part.get_content())
    return str(link)


async def check_by_commands(cluster: Cluster, agreement: str, report: str, sealed: bytes, folder: Path) -> None:
    """What an operator's and an auditor's commands say of the story's end."""
    final = folder / "protocol.pdf"
    final.write_bytes(sealed)
    history = folder / "history.json"
    answer = await cluster.client("signing", role=Role.AUDITOR).get(f"/agreements/{agreement}/history")
    history.write_bytes(done(answer).content)
    for arguments, role in (
        (("verify", "--integrity-only", str(final)), Role.AUDITOR),
        (("verify", "--integrity-only", str(history)), Role.AUDITOR),
        (("doctor",), Role.OPERATOR),
    ):
        outcome = await cluster.command(*arguments, role=role)
        assert outcome.status == 0, (arguments, outcome)
    told = await cluster.command("history", agreement, role=Role.AUDITOR)
    assert (told.status, told.out) == (0, report), told
    events = await cluster.command("events", "--type", "BounceDetected")
    assert events.status == 0, events
    assert len(events.out.splitlines()) == 1, events
    completed = await cluster.command("events", "--subject", agreement, "--type", "AgreementCompleted")
    assert len(completed.out.splitlines()) == 1, completed
