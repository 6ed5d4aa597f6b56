"""Agreements by the hundred, played by people over HTTP and mail against services that may die at any moment.

async with SmtpSink() as sink, Cluster(…, environment={"JUSTERA_SMTP_PORT": str(sink.port)}) as cluster:
    async with Workload(site_of(cluster), sink, random.Random(seed), in_flight=16) as workload:
        workload.feed(200)
        agreements = await workload.finish(seconds=120)
    agreements[0].hops[0].seconds            # from "signed" to the next mail accepted

Each agreement has a meeting, minutes, and two or three signers of its own, each at an address of their own. A request
that fails because a service is down is made again, as a person would: what took effect the first time is then refused,
and that is fine. What happens to which agreement is decided when it is fed, by the given `random.Random` alone.
"""

import asyncio
import base64
import random
import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Literal, Self
from urllib.parse import urlsplit

from shared.messaging.answers import StillRunning
from shared.names import Role
from tests.support.cluster import Cluster
from tests.support.lean_http import Answer, LeanHttp, NoAnswer
from tests.support.smtp_sink import SinkMail, SmtpSink

Road = Literal["plain", "bounced", "reminded"]
"""`bounced`: one signer's address does not exist, and an alternate signs. `reminded`: one signer is asked once more."""

_PEOPLE = (
    ("secretary", "maja.lind", "norrdalen.example", "Maja Lind"),
    ("chair", "olof.berg", "bjorka.example", "Olof Berg"),
    ("adjuster", "sven.dahl", "granvik.example", "Sven Dahl"),
)
_ALTERNATE = ("petra.holm", "forsby.example", "Petra Holm")
_BODIES = 40  # paragraphs are numbered under a body's lock
_REQUEST_SECONDS = 30.0
_PAUSES = (0.05, 0.3)  # seconds before a request is made again
_LOOK_SECONDS = 0.25
_READY_SECONDS = 0.03  # how soon a draft is expected in signing
CSRF = re.compile(r'name="csrf" value="([^"]*)"')
_MINUTES = """\
---
title: Protokoll {body}
body: {body}
place: Digitalt
starts: 2026-09-23T13:00
ends: 2026-09-23T15:00
present:
  - {{name: Olof Berg, party: S, municipality: Björkå, role: ordförande}}
  - {{name: Sven Dahl, party: C, municipality: Granvik}}
secretary: Maja Lind
adjuster: Sven Dahl
---
## Ledningens information

### Beslut

Nämnden beslutar att

- Lägga informationen till handlingarna.

## Sammanträdets avslutande

Ordföranden avslutar sammanträdet.
"""


@dataclass(frozen=True)
class Site:
    """Where the services answer: `addresses` gives, for a service, the base addresses that may answer just now."""

    addresses: Callable[[str], Sequence[str]]
    token: str


def site_of(cluster: Cluster) -> Site:
    return Site(cluster.upstreams, cluster.tokens[Role.SECRETARY])


@dataclass
class Signer:
    """`given`: the sender knows the name, so that the signer need not enter it."""

    role: str
    email: str
    name: str
    given: bool
    ip: str


@dataclass(frozen=True)
class Hop:
    """Monotonic seconds: the signature was asked for, answered, and the next signer's mail was accepted."""

    asked: float
    signed: float
    mailed: float

    @property
    def seconds(self) -> float:
        """From "signed" to the next mail. Slightly negative when the mail was faster than the page."""
        return self.mailed - self.signed


@dataclass
class Agreement:
    """One agreement and what came of it. `troubled` is the place that bounces or is reminded. Times are monotonic."""

    number: int
    id: str
    road: Road
    sender: str
    signers: list[Signer]
    troubled: int
    alternate: Signer
    began: float = 0.0
    ended: float = 0.0
    hops: list[Hop] = field(default_factory=list)

    @property
    def signing(self) -> list[Signer]:
        """Who signs at last, in order."""
        return [
            self.alternate if self.road == "bounced" and place == self.troubled else signer
            for place, signer in enumerate(self.signers)
        ]


class Gone(AssertionError):
    """What was asked for did not come in time, or was refused."""


class Workload:
    """`feed` agreements, `finish` them; at most `in_flight` are played at a time.

    `copies`: each ends with the last of its mails (the sealed copies, the receipts), else with its completion. `plain`:
    no bounces and no reminders. `patience` is seconds for each. `first` numbers them, for a second workload on the same
    services: addresses hold the number.
    """

    def __init__(
        self,
        site: Site,
        sink: SmtpSink,
        chance: random.Random,
        *,
        in_flight: int = 16,
        copies: bool = True,
        plain: bool = False,
        patience: float = 180.0,
        first: int = 1,
    ) -> None:
        self.agreements: list[Agreement] = []
        self._asking = Asking(site, patience)
        self._sink = sink
        self._chance = chance
        self._copies = copies
        self._plain = plain
        self._patience = patience
        self._first = first
        self._room = asyncio.Semaphore(in_flight)
        self._playing: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for task in self._playing:
            task.cancel()
        await asyncio.gather(*self._playing, return_exceptions=True)
        await self._asking.close()

    @property
    def done(self) -> int:
        return sum(1 for agreement in self.agreements if agreement.ended)

    @property
    def under_way(self) -> int:
        """Begun and not ended."""
        return sum(1 for agreement in self.agreements if agreement.began and not agreement.ended)

    def feed(self, count: int) -> None:
        """Let `count` more agreements begin, as soon as there is room."""
        for _ in range(count):
            agreement = self._invent(self._first + len(self.agreements))
            self.agreements.append(agreement)
            self._playing.append(asyncio.create_task(self._play(agreement)))

    def check(self) -> None:
        """Raise at once what one of them failed with already."""
        for task in self._playing:
            if task.done():
                task.result()

    async def finish(self, *, seconds: float) -> list[Agreement]:
        """Wait for all that were fed. Raises what one of them failed with, Gone after `seconds`."""
        if self._playing:
            done, late = await asyncio.wait(self._playing, timeout=seconds, return_when=asyncio.FIRST_EXCEPTION)
            for task in done:
                task.result()
            if late:
                waiting = [agreement.number for agreement in self.agreements if not agreement.ended]
                raise Gone(f"{len(late)} agreements are not done within {seconds:.0f} s: {waiting[:20]}")
        return self.agreements

    def _invent(self, number: int) -> Agreement:
        chance = self._chance
        road: Road = "plain"
        signers = [self._signer(number, *person) for person in _PEOPLE[: chance.choice((2, 3, 3))]]
        if not self._plain:
            road = chance.choices(("plain", "bounced", "reminded"), (16, 3, 1))[0]
        local, domain, name = _ALTERNATE
        return Agreement(
            number,
            base64.urlsafe_b64encode(chance.randbytes(33)).decode(),
            road,
            f"karin.ek-{number}@norrdalen.example",
            signers,
            chance.randrange(len(signers)),
            Signer("", f"{local}-{number}@{domain}", name, False, "203.0.113.58"),
        )

    def _signer(self, number: int, role: str, local: str, domain: str, name: str) -> Signer:
        ip = f"198.51.100.{number % 250 + 1}"
        return Signer(role, f"{local}-{number}@{domain}", name, self._chance.random() < 0.5, ip)

    async def _play(self, agreement: Agreement) -> None:
        async with self._room:
            agreement.began = time.monotonic()
            try:
                async with asyncio.timeout(self._patience):
                    await self._whole(agreement)
            except TimeoutError:
                raise Gone(f"agreement {agreement.number} ({agreement.road}, {agreement.id}) stands still") from None
            agreement.ended = time.monotonic()

    async def _whole(self, agreement: Agreement) -> None:
        if agreement.road == "bounced":
            self._sink.refused.add(agreement.signers[agreement.troubled].email)
        await self._draft(agreement)
        await self._send_off(agreement)
        asked = signed = 0.0
        for place, signer in enumerate(agreement.signing):
            by_alternate = signer is agreement.alternate
            if by_alternate:
                await self._name_alternate(agreement)
            mail = await self._sink.mail(signer.email, "request")
            if place and not by_alternate:
                agreement.hops.append(Hop(asked, signed, mail.accepted_at))
            if agreement.road == "reminded" and place == agreement.troubled:
                await self._remind(agreement, signer)
            asked, signed = await sign(self._asking, signer, mail)
        await (self._all_mailed(agreement) if self._copies else self._completed(agreement))

    async def _draft(self, agreement: Agreement) -> None:
        body = f"Nämnd {agreement.number % _BODIES + 1}"
        times = {"starts": "2026-09-23T13:00", "ends": "2026-09-23T15:00"}
        details = {"body": body, "title": "Sammanträde", "place": "Digitalt", **times}
        meeting = await self._asking.ask("meetings", "POST", "/meetings", json=details)
        drafting = {
            "sender": {"name": "Karin Ek", "email": agreement.sender},
            "signers": [
                {"role": signer.role, "email": signer.email, **({"name": signer.name} if signer.given else {})}
                for signer in agreement.signers
            ],
            "transaction_id": agreement.id,
        }
        minutes = {"markdown": _MINUTES.format(body=body), "drafting": drafting}
        path = f"/meetings/{meeting.json()['id']}/minutes"
        await self._asking.ask("meetings", "POST", path, json=minutes, once=True)

    async def _send_off(self, agreement: Agreement) -> None:
        """The agreement stands ready once signing has heard of the draft."""
        pause = _READY_SECONDS
        await asyncio.sleep(pause)
        path = f"/agreements/{agreement.id}/send"
        while (await self._asking.ask("signing", "POST", path, once=True, also=404)).status_code == 404:
            pause = min(2 * pause, _LOOK_SECONDS)
            await asyncio.sleep(pause)

    async def _name_alternate(self, agreement: Agreement) -> None:
        """Once the sender can read of the bounce."""
        original = agreement.signers[agreement.troubled].email
        path = f"/agreements/{agreement.id}"
        await self._look(f"{path}/report", lambda answer: "studsade" in answer.text)
        body = {"original": original, "email": agreement.alternate.email}
        await self._asking.ask("signing", "POST", f"{path}/alternates", json=body, once=True)

    async def _remind(self, agreement: Agreement, signer: Signer) -> None:
        await self._asking.ask("signing", "POST", f"/agreements/{agreement.id}/remind")
        await self._sink.mail(signer.email, "request", 2)

    async def _completed(self, agreement: Agreement) -> None:
        await self._look(f"/agreements/{agreement.id}", lambda answer: answer.json()["status"] == "completed")

    async def _look(self, path: str, found: Callable[[Answer], bool]) -> None:
        while True:
            if found(await self._asking.ask("signing", "GET", path)):
                return
            await asyncio.sleep(_LOOK_SECONDS)

    async def _all_mailed(self, agreement: Agreement) -> None:
        await self._sink.mail(agreement.sender, "copy")
        for signer in agreement.signing:
            await self._sink.mail(signer.email, "note")
            await self._sink.mail(signer.email, "copy")


async def sign(asking: "Asking", signer: Signer, mail: SinkMail) -> tuple[float, float]:
    """The mailed link, the document opened, the signature; when it was asked for and answered."""
    opened = await asking.ask("signing", "GET", urlsplit(mail.link).path, ip=signer.ip, public=True)
    cookie = opened.headers["set-cookie"].partition(";")[0]
    path = urlsplit(opened.headers["location"]).path
    start = await asking.ask("signing", "GET", path, cookie=cookie, ip=signer.ip, public=True)
    csrf = CSRF.search(start.text)
    assert csrf is not None, start.text
    form = {"csrf": csrf.group(1)}
    await asking.ask("signing", "POST", f"{path}/view", form=form, cookie=cookie, ip=signer.ip, public=True)
    if not signer.given:
        form["name"] = signer.name
    asked = time.monotonic()
    await asking.ask("signing", "POST", f"{path}/sign", form=form, cookie=cookie, ip=signer.ip, public=True)
    return asked, time.monotonic()


class Asking:
    """One HTTP client for all. Asks again while services are down, at another instance where there is one."""

    def __init__(self, site: Site, patience: float) -> None:
        self._site = site
        self._patience = patience
        self._turn = 0
        self._client = LeanHttp(timeout=_REQUEST_SECONDS)

    async def close(self) -> None:
        await self._client.close()

    async def ask(
        self,
        service: str,
        method: str,
        path: str,
        *,
        json: Any = None,
        form: dict[str, str] | None = None,
        cookie: str = "",
        ip: str = "192.0.2.12",
        public: bool = False,
        once: bool = False,
        also: int = 0,
        key: str = "",
    ) -> Answer:
        """The answer, a success or a redirect. `public`: a person's page, addressed as mailed links are.

        `key`: what is sent again under it is answered as the first time, once that is done.

        `once`: it can take effect only once, so that a repetition of a request whose answer was lost may be refused
        (409). `also` is a status that is an answer as well. Raises Gone.
        """
        headers = {"x-forwarded-for": ip, "cookie": cookie} if cookie else {"x-forwarded-for": ip}
        if key:
            headers["idempotency-key"] = f'"{key}"'
        if not public:
            headers["authorization"] = f"Bearer {self._site.token}"
            path = f"/{service}{path}"
        deadline = time.monotonic() + self._patience
        repeated, answer = False, None
        while time.monotonic() < deadline:
            answer = await self._try(service, method, path, headers, json, form)
            if answer is not None and not _is_to_be_sent_again(answer):
                if answer.status_code < 400 or answer.status_code == also:
                    return answer
                if once and repeated and answer.status_code == 409:
                    return answer
                raise Gone(f"{method} {path}: {answer.status_code} {answer.text[:500]}")
            repeated = True
            await asyncio.sleep(random.uniform(*_PAUSES))
        told = f"{answer.status_code} {answer.text[:200]}" if answer is not None else "no answer"
        raise Gone(f"{method} {path}: {told} within {self._patience:.0f} s")

    async def _try(
        self, service: str, method: str, path: str, headers: dict[str, str], json: Any, form: dict[str, str] | None
    ) -> Answer | None:
        addresses = self._site.addresses(service)
        if not addresses:
            return None
        self._turn += 1
        address = addresses[self._turn % len(addresses)]
        try:
            return await self._client.request(method, f"{address}{path}", headers, json=json, form=form)
        except NoAnswer:
            return None


def _is_to_be_sent_again(answer: Answer) -> bool:
    """Somebody is away; or the same request, sent under a key before, is still being answered."""
    return answer.status_code in (502, 503, 504) or (answer.status_code == 409 and StillRunning.slug in answer.text)
