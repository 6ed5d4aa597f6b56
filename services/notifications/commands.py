"""What people, replays and pages ask of notifications. Each change is one transaction."""

from collections.abc import Mapping, Sequence
from email.message import EmailMessage

from services.notifications.agreement import store as known_agreements
from services.notifications.delivery import delivery as rules
from services.notifications.delivery import store
from services.notifications.delivery.composing import TO_MEMBERS, Composer
from services.notifications.delivery.delivery import ASKING, INVITING, Delivery, Status
from services.notifications.delivery.mailer import Mailer
from services.notifications.delivery.transport import Accepted, Outcome
from services.notifications.invitation import store as invited
from services.notifications.invitation.simulated_reply import Said, reply_mail
from services.notifications.letter.letter import Purpose
from services.notifications.report import unmatched
from services.notifications.report.bounces import DeliveryReports
from services.notifications.report.simulated_report import Failure, failed_report
from services.notifications.report.unmatched import UnmatchedReport
from services.notifications.transaction import NotificationsTransaction
from shared.clock import Clock
from shared.errors import NotFound, Refused, Unavailable
from shared.logging import get_logger
from shared.messaging.transaction import UnitOfWork
from shared.row_security import acting_for, for_all
from shared.wakeup import Wakeup

log = get_logger(__name__)


class NotificationsCommands:
    def __init__(
        self,
        unit_of_work: UnitOfWork[NotificationsTransaction],
        clock: Clock,
        composer: Composer,
        mailer: Mailer,
        mailer_wakeup: Wakeup,
        reports: DeliveryReports,
        organisation: str,
    ) -> None:
        self._organisation = organisation
        self._unit_of_work = unit_of_work
        self._clock = clock
        self._composer = composer
        self._mailer = mailer
        self._mailer_wakeup = mailer_wakeup
        self._reports = reports

    async def waiting(self, organisation: str, address: str) -> Delivery:
        """The oldest waiting mail to an address, requests before other mails. Raises Refused when none waits."""
        async with self._unit_of_work.database.single() as connection:
            found = await store.waiting_for(connection, organisation, address)
        if found is None:
            raise Refused(f"no mail is waiting for {address}")
        return found

    async def deliver(self, organisation: str, delivery_id: str) -> Outcome:
        """Send one waiting mail now, at the clock's time, and record what became of it. Raises Refused."""
        return await self._mailer.deliver((organisation, delivery_id))

    async def deliver_next(self, organisation: str, address: str) -> None:
        """Send the oldest waiting mail to an address. Raises Refused when none waits, Unavailable when the mail server
        did not take it (which is recorded)."""
        found = await self.waiting(organisation, address)
        outcome = await self.deliver(organisation, found.id)
        if not isinstance(outcome, Accepted):
            raise Unavailable(f"the mail server did not take the mail: {outcome.diagnostic}")

    def composed(self, delivery: Delivery) -> EmailMessage:
        """The mail as it is, or was, handed to a server."""
        return self._composer.compose(delivery).message

    async def bounce(self, organisation: str, address: str, status: str, diagnostic: str = "") -> None:
        """A delivery report about the last mail delivered to an address comes back, through the real parser.

        Raises Refused when no request, notice or extract was delivered to it, InvalidInput for a status that is no
        failure's.
        """
        async with self._unit_of_work.database.single() as connection:
            delivered = await store.sent_to(connection, organisation, address)
        if not any(one.purpose in ASKING | INVITING | {Purpose.EXTRACT} for one in delivered):
            raise Refused(f"no request or notice reached {address}")
        await self._report(delivered[0], Failure(status, diagnostic))

    async def answer_by_calendar(self, organisation: str, meeting_id: str, address: str, said: Said) -> str:
        """A calendar program answers the last invitation to a meeting that an address got, through the real parser.

        Returns why it is kept for a person, empty when it is not. Raises Refused when no invitation was delivered to
        the address, InvalidInput.
        """
        async with self._unit_of_work.database.single() as connection:
            delivered = await store.sent_to(connection, organisation, address)
        found = next((one for one in delivered if one.agreement_id == meeting_id and one.purpose in INVITING), None)
        if found is None:
            raise Refused(f"no invitation to that meeting reached {address}")
        raw = reply_mail(self.composed(found), said, at=self._clock.now())
        await self._reports.take(raw, None)
        async with self._unit_of_work.database.single() as connection:
            return await unmatched.reason(connection, organisation, unmatched.fingerprint(raw))

    async def members_token(self, organisation: str, address: str) -> str:
        """Of the link to the reader's own page, in the last mail to an address that has one. Raises Refused."""
        async with self._unit_of_work.database.single() as connection:
            delivered = await store.sent_to(connection, organisation, address)
        found = next((one for one in delivered if one.purpose in TO_MEMBERS), None)
        if found is None:
            raise Refused(f"no mail with a link to their own page reached {address}")
        return self._composer.members_token(found)

    async def report_simulated_bounce(self, organisation: str, delivery_id: str) -> None:
        """A delivery report says that this mail's address does not exist. Raises NotFound."""
        await self._report(await self.delivery(organisation, delivery_id), Failure())

    async def retry(self, organisation: str, delivery_id: str) -> Delivery:
        """Have a waiting or bounced mail tried again at once, under the same Message-ID. Raises NotFound, Refused."""

        async def work(transaction: NotificationsTransaction) -> Delivery:
            key, connection = (organisation, delivery_id), transaction.connection
            seen = await store.find(connection, key)
            if seen is None:  # or of a purpose that a newer release made
                raise NotFound("there is no such delivery")
            opens = await known_agreements.hold_link(connection, seen)
            found = (await transaction.lock([key]))[key]
            rules.check_retry(found, await invited.last_sequence(connection, found), opens)
            await store.requeue(connection, key)
            transaction.nudge(self._mailer_wakeup)
            log.info("mail.retried", delivery_id=delivery_id)
            return (await transaction.lock([key]))[key]

        return await self._unit_of_work.run(work)

    async def delivery(self, organisation: str, delivery_id: str) -> Delivery:
        """Raises NotFound."""
        async with self._unit_of_work.database.single() as connection:
            found = await store.find(connection, (organisation, delivery_id))
        if found is None:
            raise NotFound("there is no such delivery")
        return found

    async def deliveries(
        self,
        organisation: str,
        *,
        agreement_id: str | None = None,
        status: Status | None = None,
        after: str | None = None,
        before: str | None = None,
        most: int = 50,
    ) -> list[Delivery]:
        """In the order of queueing, from those after an id; or the last ones before one, of all for an empty one."""
        async with self._unit_of_work.database.single() as connection:
            return await store.page(
                connection,
                organisation,
                agreement_id=agreement_id,
                status=status,
                after=after,
                before=before,
                most=most,
            )

    async def unmatched_reports(
        self,
        organisation: str,
        *,
        before: unmatched.Position | None = None,
        most: int = 50,
        delivery_id: str | None = None,
        unread: bool = False,
    ) -> list[UnmatchedReport]:
        """What is kept for a human, the newest first."""
        async with self._unit_of_work.database.single() as connection:
            return await unmatched.page(
                connection, organisation, before=before, most=most, delivery_id=delivery_id, unread=unread
            )

    async def unread_of(self, organisation: str, deliveries: Sequence[Delivery]) -> Mapping[str, int]:
        """How many replies are kept with each of these mails and wait for a person."""
        async with self._unit_of_work.database.single() as connection:
            return await unmatched.unread_of(connection, organisation, [one.id for one in deliveries])

    async def settle_report(self, organisation: str, sha256: str) -> None:
        """A person has looked at what was kept: nobody else needs to. Raises NotFound."""

        async def work(transaction: NotificationsTransaction) -> None:
            if not await unmatched.settle(transaction.connection, organisation, sha256):
                raise NotFound("there is no such report")

        await self._unit_of_work.run(work)

    async def count_unread(self) -> int:
        """Replies that are kept with a mail and wait for a person."""
        with acting_for(self._organisation):
            async with self._unit_of_work.database.single() as connection:
                return await unmatched.count_unread(connection, self._organisation)

    async def count_waiting(self) -> int:
        """Mails that no server has taken yet, also for want of a server."""
        with for_all("counted for the installation as a whole"):
            async with self._unit_of_work.database.single() as connection:
                return await store.count_waiting(connection)

    async def _report(self, delivery: Delivery, failure: Failure) -> None:
        mail = self._composer.compose(delivery)
        raw = failed_report(mail, failure, at=self._clock.now())
        await self._reports.take(raw, None)
