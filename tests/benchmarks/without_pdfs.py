"""The four services as `justera run` makes them, but without documents and mail servers, and signed by a robot.

Only what moves events is left: rules, tables, outbox, relay, Kafka, consumer, inbox. Minutes are read and numbered, but
a constant stands for every PDF, and no blob is stored; a mail is accepted as soon as it is composed; and as soon as
signing knows that the mail of a request was sent, a robot in its process views and signs, one transaction each.

`POST /benchmark/{count}` of meetings schedules that many meetings and drafts their minutes.
"""

import asyncio
import hashlib
import itertools
from collections.abc import Callable, Coroutine, Sequence
from datetime import datetime
from email.message import EmailMessage
from functools import partial
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse

from services.archive import archiving
from services.archive import main as archive
from services.cli.main import main as justera
from services.embedded import single
from services.meetings import main as meetings
from services.meetings.commands import MeetingsCommands
from services.meetings.meeting.meeting import MeetingDetails
from services.meetings.minutes import commands as minutes_commands
from services.meetings.minutes.drafting import Drafting
from services.notifications import main as notifications
from services.notifications.delivery.transport import Accepted
from services.signing import main as signing
from services.signing.commands import SigningCommands
from shared.blobs import BlobStore
from shared.events import BlobRef, EmailSent, Person, ProtocolDrafted, SignerInvitation
from shared.events.base import event_type
from shared.logging import get_logger
from shared.messaging.message import RawMessage, type_of
from shared.rendering.minutes import MinutesDocument
from shared.row_security import for_all
from shared.service import Service, Subscription
from shared.settings import Settings

log = get_logger(__name__)

PDF = b"%PDF-1.7\n"
SIGNERS = 3
AT_ONCE = 16  # commands under way, in meetings and in signing
_IP = "192.0.2.12"
_REQUEST_MAIL = "signature-request"
_JSON = "application/json"
_NO_MINUTES = (
    MinutesDocument(
        title="Protokoll",
        body="Nämnd",
        place="Digitalt",
        starts=datetime(2022, 9, 23, 13),
        ends=datetime(2022, 9, 23, 15),
        secretary="Maja Lind",
        paragraphs=(),
    )
    .model_dump_json()
    .encode()
)

_MINUTES = """\
---
title: Protokoll {body} Kommunalförbundet Norrdalen
body: {body}
place: Digitalt
starts: 2022-09-23T13:00
ends: 2022-09-23T15:00
present:
  - {{name: Olof Berg, party: S, municipality: Björkå, role: ordförande}}
  - {{name: Sven Dahl, party: C, municipality: Granvik}}
secretary: Maja Lind
adjuster: Sven Dahl
---
## Ledningens information

### Beslut

Styrelsen beslutar att

- Lägga informationen till handlingarna.
"""


class NoBlobs(BlobStore):
    """References to documents that nobody keeps.

    But for what minutes are set from: meetings reads its own again for the decision register. To the archive, which
    looks for annexes there, a constant says that there are none.
    """

    def __init__(self) -> None:
        self._said: dict[str, bytes] = {}

    async def put(self, organisation: str, data: bytes, media_type: str) -> BlobRef:
        ref = BlobRef(sha256=hashlib.sha256(data).hexdigest(), size=len(data), media_type=media_type)
        if media_type == _JSON:
            self._said[ref.sha256] = data
        return ref

    async def get(self, organisation: str, ref: BlobRef) -> bytes:
        return self._said.get(ref.sha256, _NO_MINUTES) if ref.media_type == _JSON else PDF


class NoMailServer:
    async def send(self, message: EmailMessage, *, return_path: str, recipient: str, envelope_id: str) -> Accepted:
        return Accepted("250 2.0.0 OK")

    async def aclose(self) -> None:
        return None


class Crew:
    """At most AT_ONCE pieces of work at a time, in the order in which they came."""

    def __init__(self) -> None:
        self._waiting: asyncio.Queue[Callable[[], Coroutine[Any, Any, object]]] = asyncio.Queue()
        self._tasks: list[asyncio.Task[None]] = []

    def add(self, work: Callable[[], Coroutine[Any, Any, object]]) -> None:
        if not self._tasks:
            self._tasks = [asyncio.create_task(self._work()) for _ in range(AT_ONCE)]
        self._waiting.put_nowait(work)

    async def finished(self) -> None:
        await self._waiting.join()

    async def _work(self) -> None:
        while True:
            work = await self._waiting.get()
            try:
                with for_all("a benchmark, which comes by no door"):
                    await work()
            except Exception:
                log.exception("benchmark.work_failed")
            self._waiting.task_done()


def build_meetings(settings: Settings, **parts: Any) -> Service:
    async def no_setting(*_: object, **__: object) -> bytes:
        return PDF

    minutes_commands.set_minutes = no_setting
    service = meetings.build(settings, **{**parts, "blobs": NoBlobs()})
    crew, numbers = Crew(), itertools.count()

    async def benchmark(request: Request) -> JSONResponse:
        for _ in range(request.path_params["count"]):
            crew.add(partial(_draft, service.commands, settings.organisation, next(numbers)))
        await crew.finished()
        return JSONResponse({})

    service.app.router.add_route("/benchmark/{count:int}", benchmark, methods=["POST"])
    return service


async def _draft(commands: MeetingsCommands, organisation: str, number: int) -> None:
    body = f"Nämnd {number % 50}"
    details = MeetingDetails(
        body=body, title="Sammanträde", place="Digitalt", starts="2022-09-23T13:00", ends="2022-09-23T15:00"
    )
    meeting = await commands.meetings.schedule(organisation, details)
    drafting = Drafting(
        sender=Person(email="karin.ek@norrdalen.example", name="Karin Ek"),
        signers=tuple(
            SignerInvitation(email=f"{role}.{number}@norrdalen.example", role=role)
            for role in ("secretary", "chair", "adjuster")
        ),
    )
    await commands.minutes.draft_minutes(organisation, meeting.id, _MINUTES.format(body=body), drafting, ip=_IP)


def build_signing(settings: Settings, **parts: Any) -> Service:
    service = signing.build(settings, **{**parts, "blobs": NoBlobs()})
    (own,) = service.subscriptions
    robot = Robot(service.commands, settings.organisation)

    async def handle(batch: Sequence[RawMessage]) -> None:
        await own.handle(batch)
        robot.act_on(batch)

    service.subscriptions = [Subscription(own.group, own.topics, handle)]
    return service


class Robot:
    """The sender, and every signer."""

    def __init__(self, commands: SigningCommands, organisation: str) -> None:
        self._commands = commands
        self._organisation = organisation
        self._crew = Crew()

    def act_on(self, batch: Sequence[RawMessage]) -> None:
        for raw in batch:
            kind = type_of(raw)
            if kind == event_type(ProtocolDrafted):
                drafted = ProtocolDrafted.from_json(raw.body or b"")
                self._crew.add(partial(self._commands.send_off, self._organisation, drafted.agreement_id))
            elif kind == event_type(EmailSent):
                sent = EmailSent.from_json(raw.body or b"")
                if sent.purpose == _REQUEST_MAIL and sent.request_id:
                    self._crew.add(partial(self._sign, sent.request_id))

    async def _sign(self, request_id: str) -> None:
        await self._commands.view(self._organisation, request_id, ip=_IP)
        await self._commands.sign(self._organisation, request_id, name="Maja Lind", ip=_IP)


def build_notifications(settings: Settings, **parts: Any) -> Service:
    return notifications.build(settings, **parts, transport=NoMailServer())


def build_archive(settings: Settings, **parts: Any) -> Service:
    async def no_comparison(*_: object) -> dict[str, Any]:
        return {}

    async def no_copy(*_: object, **__: object) -> bytes:
        return PDF

    archiving.checked_history = lambda agreement, sources: None
    archiving.Archiving._compare = no_comparison
    archiving.make_final_copy = no_copy
    return archive.build(settings, **{**parts, "blobs": NoBlobs()})


def main() -> None:
    single.BUILDERS = {
        "meetings": build_meetings,
        "signing": build_signing,
        "notifications": build_notifications,
        "archive": build_archive,
    }
    justera()
