"""One transaction of notifications: mails that events ask for, and what became of mails."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from services.notifications.agreement import store as known_agreements
from services.notifications.agreement.store import AgreementContext, AgreementKey
from services.notifications.delivery import store, withdrawing
from services.notifications.delivery.delivery import Change, Delivery, NewDelivery
from services.notifications.delivery.store import DeliveryKey
from services.notifications.delivery.withdrawing import Ended, EndedCopies, EndedNotices
from services.notifications.invitation import store as invited
from services.notifications.member import held
from shared import tracing
from shared.messaging.message import Poison
from shared.messaging.transaction import Received, Transaction
from shared.wakeup import Wakeup


class NotificationsTransaction(Transaction):
    """`mailer_wakeup` is nudged once new mails are committed."""

    source = "notifications"

    def __init__(self, connection: AsyncConnection, mailer_wakeup: Wakeup) -> None:
        super().__init__(connection)
        self._mailer_wakeup = mailer_wakeup
        self._agreements: dict[AgreementKey, AgreementContext] = {}
        self._changed_agreements: set[AgreementKey] = set()
        self._mails: list[NewDelivery] = []
        self._ended: list[Ended] = []
        self._ended_copies: list[EndedCopies] = []
        self._ended_notices: list[EndedNotices] = []
        self._changes: list[Change] = []

    async def prepare(self, batch: Sequence[Received[Any]]) -> None:
        keys = {
            (received.envelope.organisation, received.event.agreement_id)
            for received in batch
            if hasattr(received.event, "agreement_id")
        }
        self._agreements.update(await known_agreements.agreements(self.connection, keys))
        bodies = {
            (received.envelope.organisation, received.event.body_id)
            for received in batch
            if hasattr(received.event, "body_id")
        }
        await held.lock(self.connection, bodies)

    def agreement(self, organisation: str, agreement_id: str) -> AgreementContext:
        """What is known of it; nothing yet for one that is new."""
        return self._agreements.setdefault((organisation, agreement_id), AgreementContext())

    def agreement_changed(self, organisation: str, agreement_id: str) -> None:
        self._changed_agreements.add((organisation, agreement_id))

    def send(self, mail: NewDelivery) -> None:
        """Queue a mail; it is sent after the commit, once for its cause.

        Raises Poison for one that would go to anybody but people of an agreement that signing made known: else who
        forges one event gets a genuine link.
        """
        if not self.agreement(mail.organisation, mail.agreement_id).knows(mail.recipient):
            raise Poison("would mail somebody who is not known to be part of the agreement")
        self._mails.append(replace(mail, traceparent=tracing.current()))
        self.nudge(self._mailer_wakeup)

    def send_to_member(self, mail: NewDelivery) -> None:
        """Queue a mail about a body's meetings, to someone whom `members` knows there (`mailing.send_to_members`)."""
        self._mails.append(replace(mail, traceparent=tracing.current()))
        self.nudge(self._mailer_wakeup)

    def send_extract(self, mail: NewDelivery) -> None:
        """Queue a mail that brings an extract, or tells who sent it that it did not arrive.

        It goes to whom the archive names, who need be nobody of the agreement: its link opens only what the archive
        itself knows to have sent to that address.
        """
        self._mails.append(replace(mail, traceparent=tracing.current()))
        self.nudge(self._mailer_wakeup)

    def withdraw(self, ended: Ended) -> None:
        """Applies to what was queued before it, in this transaction too: no mail that asks follows its end."""
        self._ended.append(ended)

    def withdraw_copies(self, ended: EndedCopies) -> None:
        """As `withdraw`."""
        self._ended_copies.append(ended)

    def withdraw_notices(self, ended: EndedNotices) -> None:
        """As `withdraw`."""
        self._ended_notices.append(ended)

    async def lock(self, keys: Sequence[DeliveryKey]) -> dict[DeliveryKey, Delivery]:
        return await store.lock(self.connection, keys)

    def change(self, change: Change) -> None:
        """Keep what became of a locked delivery, and publish the fact if it is one."""
        delivery = change.delivery
        self._changes.append(change)
        if change.event is None:
            return
        self.publish(
            change.event,
            organisation=delivery.organisation,
            subject=delivery.id,
            key=delivery.agreement_id,
            sequence=delivery.version,
            time=change.at,
            correlation_id=delivery.correlation_id,
            cause=delivery.cause_id,
            traceparent=delivery.traceparent,
        )

    async def flush(self) -> None:
        changed = [(key, self._agreements[key]) for key in self._changed_agreements]
        await known_agreements.save_agreements(self.connection, changed)
        await store.insert_deliveries(self.connection, self._mails)
        await invited.add(self.connection, self._mails)
        await withdrawing.withdraw(self.connection, self._ended)
        await withdrawing.withdraw_copies(self.connection, self._ended_copies)
        await withdrawing.withdraw_notices(self.connection, self._ended_notices)
        await store.save(self.connection, [(change.delivery, change.retry_in) for change in self._changes])
        self._changed_agreements.clear()
        self._mails.clear()
        self._ended.clear()
        self._ended_copies.clear()
        self._ended_notices.clear()
        self._changes.clear()
        await super().flush()
