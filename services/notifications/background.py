"""Loops beside the mailer: the listener and the mailbox that take delivery reports, and the inbox's own bounces."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

from services.notifications.inbox.transport import SendReport, send_due_report
from services.notifications.report.bounces import DeliveryReports
from services.notifications.report.listener import ListenerSettings, ReportListener
from services.notifications.report.mailbox import ReportMailbox
from shared.database import Database
from shared.settings import BadConfiguration, Settings
from shared.workers import Worker

_MAILBOX_SECONDS = 10.0
_INBOX_SECONDS = 0.5


class Loop:
    """Runs `work(stopping)` until stopped; again, with backoff, when it fails (an address in use, a folder away)."""

    def __init__(self, name: str, work: Callable[[asyncio.Event], Awaitable[None]]) -> None:
        self._stopping = asyncio.Event()
        self._worker = Worker(name, lambda: work(self._stopping))

    def start(self) -> None:
        self._worker.start()

    async def stop(self) -> None:
        self._stopping.set()
        await self._worker.stop()


def report_inlets(settings: Settings, reports: DeliveryReports) -> list[Loop]:
    """What the configuration asks for; none is fine (refused recipients are bounces, too). Raises BadConfiguration."""
    loops = []
    if settings.bounce_listen:
        loops.append(Loop("report-listener", _listening(settings, reports)))
    if settings.bounce_maildir:
        mailbox = ReportMailbox(settings.bounce_maildir, take=reports.take)

        async def poll(stopping: asyncio.Event) -> None:
            await mailbox.poll()
            await _wait(stopping, _MAILBOX_SECONDS)

        loops.append(Loop("report-mailbox", poll))
    return loops


def inbox_bounces(database: Database, send: SendReport) -> Loop:
    """Delivery reports of the embedded inbox."""

    async def send_reports(stopping: asyncio.Event) -> None:
        if not await send_due_report(database, send):
            await _wait(stopping, _INBOX_SECONDS)

    return Loop("inbox-bounces", send_reports)


def _listening(settings: Settings, reports: DeliveryReports) -> Callable[[asyncio.Event], Awaitable[None]]:
    host, port = _address(settings.bounce_listen or "")
    listener_settings = ListenerSettings(host, port, settings.bounce_domain)

    async def listen(stopping: asyncio.Event) -> None:
        await reports.ready()
        async with ReportListener(
            listener_settings, is_ours=reports.is_ours, take=reports.take, further_domains=reports.further_domains
        ):
            await stopping.wait()

    return listen


def _address(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    if not host or not port.isascii() or not port.isdigit() or int(port) > 65_535:
        raise BadConfiguration("JUSTERA_BOUNCE_LISTEN: give host:port, for example 0.0.0.0:2525")
    return host.removeprefix("[").removesuffix("]"), int(port)


async def _wait(stopping: asyncio.Event, seconds: float) -> None:
    with suppress(TimeoutError):
        await asyncio.wait_for(stopping.wait(), seconds)
