"""The seed's history through four processes, with mails by SMTP and a real delivery report to our listener."""

import asyncio
from collections import Counter
from dataclasses import dataclass
from email.message import EmailMessage
from pathlib import Path

import aiosmtplib

from services.notifications.delivery.composing import Outgoing
from services.notifications.report.simulated_report import Failure, failed_report
from services.notifications.verp import from_xtext
from shared.clock import SystemClock
from tests.integration.processes.story import (
    ADJUSTER,
    ALTERNATE,
    CHAIR,
    SECRETARY,
    SENDER,
    Story,
    check_by_commands,
    copy_link,
    expected_report,
    without_times,
)
from tests.support.cluster import Cluster, own_topics
from tests.support.forms import sign_by_forms
from tests.support.kafka import Kafka
from tests.support.postgres import Postgres
from tests.support.processes import free_ports, until
from tests.support.smtp_server import Mail, RecordingSmtpServer


@dataclass
class ByForms:
    """Mails are those that the SMTP server took; signers post forms; the bounce is a report that we send."""

    cluster: Cluster
    server: RecordingSmtpServer
    listener_port: int

    async def mail(self, address: str, number: int) -> EmailMessage:
        return (await self._mail(address, number)).message

    async def sign(self, link: str, name: str | None, ip: str) -> None:
        async with self.cluster.person(ip) as person:
            await sign_by_forms(person, link, name)

    async def bounce(self) -> None:
        mail = await self._mail(ADJUSTER, 1)
        envelope_id = next(option[6:] for option in mail.mail_options if option.startswith("ENVID="))
        outgoing = Outgoing(mail.message, mail.mail_from, mail.recipient, from_xtext(envelope_id))
        report = failed_report(outgoing, Failure("5.1.1"), at=SystemClock().now())
        async with aiosmtplib.SMTP(hostname="127.0.0.1", port=self.listener_port, timeout=30) as client:
            await client.sendmail("", [mail.mail_from], report)

    async def _mail(self, address: str, number: int) -> Mail:
        async def arrived() -> Mail | None:
            mails = self.server.mails_to(address)
            return mails[number - 1] if len(mails) >= number else None

        return await until(arrived, what=f"mail {number} to {address}")


async def test_the_seeds_history_through_four_processes(tmp_path: Path, kafka: Kafka, postgres: Postgres) -> None:
    (listener_port,) = free_ports(1)
    async with (
        asyncio.timeout(160),
        own_topics(kafka, tmp_path) as bootstrap,
        RecordingSmtpServer() as server,
        Cluster(
            tmp_path / "cluster",
            kafka=bootstrap,
            database_url=await postgres.create_service_databases(),
            environment={
                "JUSTERA_SMTP_PORT": str(server.port),
                "JUSTERA_BOUNCE_LISTEN": f"127.0.0.1:{listener_port}",
            },
        ) as cluster,
    ):
        ways = ByForms(cluster, server, listener_port)
        story = Story(cluster, ways)
        agreement = await story.play()
        report = await story.report(agreement)
        assert without_times(report) == without_times(expected_report())
        sealed = await story.copy(copy_link(server.mails_to(SENDER)[-1].message))
        await check_by_commands(cluster, agreement, report, sealed, tmp_path)

        # Requests; a receipt for whoever signed; the archived copy for signers and sender; to whom the bounce was told.
        assert Counter(mail.recipient for mail in server.mails) == {
            SECRETARY: 3,
            CHAIR: 3,
            ADJUSTER: 1,
            ALTERNATE: 3,
            SENDER: 2,
        }
        message_ids = [mail.message["Message-ID"] for mail in server.mails]
        assert len(set(message_ids)) == len(message_ids)
