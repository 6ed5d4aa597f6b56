"""What a received delivery report does: the mail it is about is found, and what became of it is recorded.

A mail is found by the signed token of its return path, or by the same token as its envelope id. Nothing else names a
mail, whichever inlet a report came by: a Message-ID can be told to anyone. A token that we did not sign is a forgery,
and nothing else in such a report is believed.

An answer of a calendar program comes to the organiser's address of an invitation, or to the return path of the mail
that carried it. It is never a report, nor a report an answer: each is believed only of what its address was signed for.
"""

import asyncio
from collections.abc import Collection
from dataclasses import dataclass

from services.notifications import verp
from services.notifications.delivery import delivery as rules
from services.notifications.delivery import store
from services.notifications.delivery.composing import Composer
from services.notifications.delivery.delivery import INVITING, UNINVITING, Change, Delivery, Trouble
from services.notifications.delivery.store import DeliveryKey
from services.notifications.invitation import answers
from services.notifications.invitation.calendar_replies import CalendarReply, NotBelieved, read_reply
from services.notifications.report import unmatched
from services.notifications.report.report import DeliveryReport, organiser_token, read_report, return_path_token
from services.notifications.transaction import NotificationsTransaction
from services.notifications.verp import ORGANISER_PREFIX, SignedInvitation, token_of_envelope_id
from shared.clock import Clock
from shared.errors import InvalidInput
from shared.logging import get_logger
from shared.messaging.transaction import UnitOfWork
from shared.organisations import KnownOrganisations
from shared.row_security import acting_for
from shared.web.limits import RateLimit

log = get_logger(__name__)

_AN_ANSWER = "an answer of a person or a machine, no report"


class DeliveryReports:
    """Takes reports and answers from the listener and the mailbox. `organisation` is the installation's own, which
    keeps what is about no mail; `known_organisations`: the others whose mails they are about."""

    def __init__(
        self,
        unit_of_work: UnitOfWork[NotificationsTransaction],
        clock: Clock,
        composer: Composer,
        organisation: str,
        known_organisations: KnownOrganisations | None = None,
    ) -> None:
        self._unit_of_work = unit_of_work
        self._clock = clock
        self._composer = composer
        self._organisation = organisation
        self._known = known_organisations
        self._answers = RateLimit(burst=6, per_second=1 / 600)  # each may mail a substitute: called, or not

    async def ready(self) -> None:
        """Before `is_ours` is asked: whose tokens there may be is known. Raises Unavailable."""
        if self._known is not None:
            await self._known.surely()

    def is_ours(self, token: str) -> bool:
        """Whether we signed this token of a return path, or local part of an organiser's address."""
        try:
            if token.startswith(ORGANISER_PREFIX):
                self._invitation_of(token)
            else:
                self._key_of(token)
        except InvalidInput:
            return False
        return True

    async def take(self, raw: bytes, token: str | None) -> None:
        """Record what one received mail reports or answers; returns when that is committed.

        `token` is the return path's, or an organiser's whole local part, where the receiver knows it. What is neither
        report nor answer is kept for a human, with the mail whose return path it came to. Raises what the database
        raises: then nothing was recorded, and it may be taken again.
        """
        # Reading what strangers send may take seconds of computing.
        reading = await asyncio.to_thread(_read, raw)
        await self.ready()
        with acting_for(self._organisation):
            await self._take(reading, raw, token)

    async def _take(self, reading: "_Reading", raw: bytes, token: str | None) -> None:
        organiser = token if token is not None and token.startswith(ORGANISER_PREFIX) else None
        if token is None and not reading.reports:
            organiser = reading.organiser
        try:
            if organiser is not None and not reading.reports:
                invitation = self._invitation_of(organiser)
                if self._is_erased(invitation.organisation):
                    return
                taken = await self._take_at_organiser(invitation, reading, raw)
            else:
                key = self._find(reading, None if organiser else token)
                if key is not None and self._is_erased(key[0]):
                    return
                taken = key is not None and await self._record(key, reading, raw)
        except InvalidInput as error:
            await self._keep(raw, error.message)
            return
        if not taken and (reading.reports or reading.unread or reading.reply or organiser):
            what = "report" if reading.reports else "answer"
            await self._keep(raw, reading.unread or f"the {what} is about no mail of ours")

    def _find(self, reading: "_Reading", token: str | None) -> DeliveryKey | None:
        """Raises InvalidInput for a forged token."""
        found = token or reading.token
        for report in reading.reports:
            found = found or report.return_path_token or token_of_envelope_id(report.envelope_id or "")
        return self._key_of(found) if found else None

    def _key_of(self, token: str) -> DeliveryKey:
        signed = verp.decode(token, organisations=self._served, ring=self._composer.bounce_keys)
        return signed.organisation, signed.delivery_id

    def _invitation_of(self, local_part: str) -> SignedInvitation:
        return verp.decode_organiser(local_part, organisations=self._served, ring=self._composer.bounce_keys)

    def _is_erased(self, organisation: str) -> bool:
        """Then what comes about its mails is nobody's: the installation's own keeps none of it."""
        if self._known is None or not self._known.is_erased(organisation):
            return False
        log.info("report.of_an_erased_organisation", organisation=organisation)
        return True

    def further_domains(self) -> Collection[str]:
        """Of return paths: those that are some organisation's own."""
        return () if self._known is None else self._known.bounce_domains

    @property
    def _served(self) -> Collection[str]:
        return [self._organisation] if self._known is None else self._known.served

    async def _record(self, key: DeliveryKey, reading: "_Reading", raw: bytes) -> bool:
        """False when there is no such mail."""

        async def work(transaction: NotificationsTransaction) -> bool:
            if reading.reply is not None:
                # Not locked: an answer locks its invitation first, at whichever address it came.
                seen = await store.find(transaction.connection, key)
                if seen is not None and seen.purpose in INVITING | UNINVITING:
                    invitation = SignedInvitation(seen.organisation, seen.invitation_id)
                    return await self._answer(transaction, invitation, reading, raw)
            delivery = (await transaction.lock([key])).get(key)
            if delivery is None:
                return False
            if not reading.reports:
                await self._keep_with(transaction, delivery, raw, reading.unread)
                return True
            change = self._decide(delivery, reading.reports, unmatched.fingerprint(raw))
            if change is not None:
                transaction.change(change)
                log.info("report.recorded", delivery_id=delivery.id, fact=type(change.event).__name__)
            return True

        with acting_for(key[0]):
            return await self._unit_of_work.run(work)

    async def _take_at_organiser(self, invitation: SignedInvitation, reading: "_Reading", raw: bytes) -> bool:
        """False when there is no such invitation."""

        async def work(transaction: NotificationsTransaction) -> bool:
            return await self._answer(transaction, invitation, reading, raw)

        with acting_for(invitation.organisation):
            return await self._unit_of_work.run(work)

    async def _answer(
        self, transaction: NotificationsTransaction, invitation: SignedInvitation, reading: "_Reading", raw: bytes
    ) -> bool:
        """Record an answer, or keep what came in its place with the last mail to that person about that meeting."""
        found = await answers.found(transaction, invitation.organisation, invitation.invitation_id)
        if found is None:
            return False
        if reading.reply is None:
            await self._keep_with(transaction, found.delivery, raw, reading.unread)
            return True
        try:
            await answers.record(transaction, found, reading.reply, self._clock.now(), self._answers)
        except NotBelieved as error:
            await self._keep_with(transaction, found.delivery, raw, error.message)
        return True

    async def _keep_with(
        self, transaction: NotificationsTransaction, delivery: Delivery, raw: bytes, unread: str
    ) -> None:
        """`unread`: why a person has to read it; empty for an answer that nobody has to."""
        first = await unmatched.keep(
            transaction.connection,
            delivery.organisation,
            raw,
            unread or _AN_ANSWER,
            delivery_id=delivery.id,
            answer=not unread,
        )
        if first:
            transaction.change(rules.left_unread(delivery, at=self._clock.now()))
        log.info("report.kept", delivery_id=delivery.id, unread=bool(unread))

    def _decide(self, delivery: Delivery, reports: tuple[DeliveryReport, ...], fingerprint: str) -> Change | None:
        """A failure outweighs a delay; that a mail was delivered or relayed is no news."""
        at = self._clock.now()
        for report in reports:
            if report.is_failure:
                trouble = Trouble(report.status, report.diagnostic)
                return rules.reported_failed(
                    delivery, trouble, permanent=report.is_permanent, report=fingerprint, at=at
                )
        for report in reports:
            if report.is_delayed:
                trouble = Trouble(report.status, report.diagnostic)
                return rules.reported_delayed(delivery, trouble, report=fingerprint, at=at)
        return None

    async def _keep(self, raw: bytes, reason: str) -> None:
        async def work(transaction: NotificationsTransaction) -> None:
            await unmatched.keep(transaction.connection, self._organisation, raw, reason)

        await self._unit_of_work.run(work)
        log.warning("report.unmatched", report=unmatched.fingerprint(raw)[:16])


@dataclass(frozen=True)
class _Reading:
    """`unread`: why it could not be read, empty for a report and for an answer. `token`, `organiser`: in the mail's
    headers."""

    reports: tuple[DeliveryReport, ...]
    unread: str
    token: str | None
    organiser: str | None
    reply: CalendarReply | None


def _read(raw: bytes) -> _Reading:
    reports: tuple[DeliveryReport, ...] = ()
    reply, unread = None, ""
    try:
        reply = read_reply(raw)
        if reply is None:
            reports = read_report(raw)
    except InvalidInput as error:
        unread = error.message
    return _Reading(reports, unread, return_path_token(raw), organiser_token(raw), reply)
