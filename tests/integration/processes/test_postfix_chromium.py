"""The seed's history with nothing simulated: Kafka, PostgreSQL, four processes, Postfix, and signers in Chromium."""

import asyncio
from collections.abc import Callable, Collection
from dataclasses import dataclass
from email.message import EmailMessage
from pathlib import Path

import pytest
from playwright.async_api import Browser

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
from tests.support.kafka import Kafka
from tests.support.postfix import Postfix
from tests.support.postgres import Postgres
from tests.support.processes import free_ports, until

pytestmark = [pytest.mark.slow, pytest.mark.kafka, pytest.mark.postgres, pytest.mark.browser, pytest.mark.postfix]

REPORT_DOMAIN = "bounces.norrdalen.example"
_PAGE_MS = 30_000


@dataclass
class InBrowsers:
    """Mails are those in the mailboxes; signers click; ADJUSTER has no mailbox, so Postfix itself returns the mail."""

    browser: Browser
    postfix: Postfix

    async def mail(self, address: str, number: int) -> EmailMessage:
        async def delivered() -> EmailMessage | None:
            mails = self.postfix.mails(address)
            return mails[number - 1] if len(mails) >= number else None

        return await until(delivered, what=f"mail {number} to {address}")

    async def sign(self, link: str, name: str | None, ip: str) -> None:
        context = await self.browser.new_context(locale="sv-SE", extra_http_headers={"x-forwarded-for": ip})
        context.set_default_timeout(_PAGE_MS)
        page = await context.new_page()
        await page.goto(link)
        await page.get_by_role("button", name="Öppna dokumentet").click()
        await page.locator(".viewer[data-ready=true]").wait_for()
        if name is not None:
            await page.get_by_label("Ditt namn").fill(name)
        await page.get_by_role("button", name="Signera protokollet").click()
        await page.get_by_role("heading", name="Du har signerat").wait_for()
        await context.close()

    async def bounce(self) -> None:
        """Nothing to do."""


async def test_the_seeds_history_on_real_parts(
    tmp_path: Path,
    kafka: Kafka,
    postgres: Postgres,
    browser: Browser,
    start_postfix: Callable[[Collection[str], int, str], Postfix],
) -> None:
    (listener_port,) = free_ports(1)
    postfix = start_postfix((SENDER, SECRETARY, CHAIR, ALTERNATE), listener_port, REPORT_DOMAIN)
    async with (
        asyncio.timeout(160),
        own_topics(kafka, tmp_path) as bootstrap,
        Cluster(
            tmp_path / "cluster",
            kafka=bootstrap,
            database_url=await postgres.create_service_databases(),
            environment={
                "JUSTERA_SMTP_PORT": str(postfix.port),
                "JUSTERA_BOUNCE_DOMAIN": REPORT_DOMAIN,
                "JUSTERA_BOUNCE_LISTEN": f"127.0.0.1:{listener_port}",
            },
        ) as cluster,
    ):
        ways = InBrowsers(browser, postfix)
        story = Story(cluster, ways)
        agreement = await story.play()
        report = await story.report(agreement)
        assert without_times(report) == without_times(expected_report())
        sealed = await story.copy(copy_link(await ways.mail(SENDER, 2)))
        await check_by_commands(cluster, agreement, report, sealed, tmp_path)

        for address in (SECRETARY, CHAIR, ALTERNATE):
            await ways.mail(address, 3)  # the request, the receipt, the archived copy
        mails = [mail for address in (SENDER, SECRETARY, CHAIR, ALTERNATE) for mail in postfix.mails(address)]
        message_ids = [mail["Message-ID"] for mail in mails]
        assert len(message_ids) == len(set(message_ids)) == 11
        assert postfix.log.count(f"to=<{ADJUSTER}>") == 1
