"""A notice to a congress: from the fact to the moment when a mail server has taken the last delegate's mail.

    outcome = await notices(machine, delegates=65)
    outcome.accepted, outcome.cpu

The service runs in this process with an own database; the mail server is a lean one in the same loop, so that what it
takes is counted, too. Each notice has twenty items, a note and an invitation.
"""

import asyncio
import time
from dataclasses import dataclass
from datetime import UTC, datetime

from pydantic import SecretStr

from services.notifications.main import build
from shared.auth import Access
from shared.clock import ManualClock
from shared.events import MembershipBegun, NoticeIssued
from shared.events.base import Event, event_type
from shared.events.envelope import Envelope, kafka_headers
from shared.events.notices import AgendaLine, AskedMember
from shared.ids import new_id
from shared.keys import new_keys
from shared.messaging.message import RawMessage
from shared.messaging.signatures import new_event_keys
from shared.service import Service
from shared.settings import load_settings
from tests.benchmarks.servers import Servers
from tests.support.smtp_sink import SmtpSink

_ROUNDS = 3
_BODY = "congress"
_ISSUED = datetime(2023, 3, 1, 7, tzinfo=UTC)
_AGENDA = tuple(
    AgendaLine(title=f"Ärende {number}, om något som tar sin tid att säga", kind="decision", minutes=10)
    for number in range(1, 21)
)


@dataclass(frozen=True)
class Notices:
    """Seconds, of the median round: until the last mail was taken, until that was on record, of this process's CPU."""

    delegates: int
    accepted: float
    recorded: float
    cpu: float
    connections: int


async def notices(machine: Servers, *, delegates: int) -> Notices:
    url = await machine.postgres.create_database("notifications")
    async with SmtpSink() as sink:
        settings = load_settings(
            database_url=url,
            organisation="norrdalen",
            organisation_name="Kommunalförbundet Norrdalen",
            public_url="https://justera.norrdalen.example",
            link_keys=SecretStr(new_keys()),
            copy_link_keys=SecretStr(new_keys()),
            member_link_keys=SecretStr(new_keys()),
            event_keys=SecretStr(new_event_keys()),
            bounce_keys=SecretStr(new_keys()),
            mail_from="justera@norrdalen.example",
            bounce_domain="bounces.norrdalen.example",
            smtp_host="127.0.0.1",
            smtp_port=sink.port,
            smtp_security="none",
        )
        service = build(settings, clock=ManualClock(_ISSUED), access=Access((), None))
        people = tuple(
            AskedMember(person_id=f"p{n}", email=f"delegat{n}@kommun{n % 30}.example", name=f"Delegat {n}")
            for n in range(delegates)
        )
        handle = service.gates[0].behind.handle
        await handle([_told(_membership(person)) for person in people])
        for worker in service.workers:
            worker.start()
        try:
            rounds = [await _round(service, sink, people, number) for number in range(1, _ROUNDS + 2)][1:]
        finally:
            for worker in service.workers:
                await worker.stop()
            await service.database.close()
    return sorted(rounds, key=lambda one: one.accepted)[len(rounds) // 2]


async def _round(service: Service, sink: SmtpSink, people: tuple[AskedMember, ...], number: int) -> Notices:
    before, cpu, began = len(sink.mails), time.process_time(), time.monotonic()
    issued = NoticeIssued(
        meeting_id=f"01a2235c-37b5-7303-9bfc-e1d05ccd59{number:02}",
        body_id=_BODY,
        body="Förbundsmötet",
        title="Förbundsmöte 2023",
        place="Forsby",
        mode="physical",
        starts="2023-04-20T09:00",
        ends="2023-04-20T16:00",
        timezone="Europe/Stockholm",
        sequence=1,
        people=people,
        kind="notice",
        answer_by="2023-04-06",
        agenda=_AGENDA,
        note="Anmäl specialkost till kansliet.",
    )
    await service.gates[0].behind.handle([_told(issued)])
    while True:  # a sink tells nobody how many it has
        if len(sink.mails) >= before + len(people):
            break
        await asyncio.sleep(0.002)
    accepted = max(mail.accepted_at for mail in sink.mails[before:]) - began
    while True:
        if await service.commands.count_waiting() == 0:
            break
        await asyncio.sleep(0.005)
    recorded = time.monotonic() - began
    connections = len({id(mail.conversation) for mail in sink.mails[before:]})
    return Notices(len(people), accepted, recorded, time.process_time() - cpu, connections)


def _membership(person: AskedMember) -> MembershipBegun:
    seat = f"seat-{person.person_id}"
    return MembershipBegun(body_id=_BODY, membership_id=seat, person_id=person.person_id, role="member")


def _told(event: Event) -> RawMessage:
    key = event.meeting_id if isinstance(event, NoticeIssued) else _BODY
    envelope = Envelope(
        id=new_id(),
        source="/services/meetings",
        type=event_type(event),
        subject=key,
        time=_ISSUED,
        organisation="norrdalen",
        sequence=1,
        correlation_id=key,
        key=key,
        data=event.to_json(),
    )
    return RawMessage(event.topic, 0, 0, key, tuple(kafka_headers(envelope.attributes())), envelope.data.encode())
