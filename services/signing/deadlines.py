"""When an agreement runs out, and when its signers are reminded. Timers run while it is out for signature."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta

from services.signing import decisions
from services.signing.agreement import Status
from services.signing.transaction import OpenAgreement, SigningTransaction
from shared.clock import Clock
from shared.logging import get_logger
from shared.timers import Timer, clear_timers, set_timer

log = get_logger(__name__)

TimerHandler = Callable[[SigningTransaction, Timer], Awaitable[None]]

EXPIRY = "agreement-expiry"
REMINDER = "agreement-reminder"


class Deadlines:
    """`agreement_days` from sending off to expiry, `reminder_days` from one reminder to the next."""

    def __init__(self, clock: Clock, *, agreement_days: int, reminder_days: int) -> None:
        self._clock = clock
        self._agreement = timedelta(days=agreement_days)
        self._reminder = timedelta(days=reminder_days)

    def expiry(self, sent_off: datetime) -> datetime:
        return sent_off + self._agreement

    async def begin(self, transaction: SigningTransaction, agreement: OpenAgreement, sent_off: datetime) -> None:
        expires = self.expiry(sent_off)
        await set_timer(transaction.connection, _timer(agreement, EXPIRY, expires))
        await self._remind_after(transaction, agreement, sent_off, expires)

    async def end_when_over(self, transaction: SigningTransaction, agreement: OpenAgreement) -> None:
        """Nobody is waited for any more: no timers either."""
        if agreement.state.status is not Status.OUT:
            await clear_timers(transaction.connection, agreement.organisation, agreement.state.agreement_id)

    def handlers(self) -> Mapping[str, TimerHandler]:
        return {EXPIRY: self._expire, REMINDER: self._remind}

    async def _expire(self, transaction: SigningTransaction, timer: Timer) -> None:
        agreement = await transaction.agreement(timer.organisation, timer.subject)
        if agreement.state.status is not Status.OUT:
            return
        transaction.append(agreement, decisions.expire(agreement.state, at=self._clock.now()))
        await self.end_when_over(transaction, agreement)
        log.info("agreement.expired", agreement_id=timer.subject)

    async def _remind(self, transaction: SigningTransaction, timer: Timer) -> None:
        """Nobody is reminded sooner than `reminder_days` after they were asked: the turn may have come only now.

        The next one is counted from now, not from when this was due: after a long stop there is no volley.
        """
        agreement = await transaction.agreement(timer.organisation, timer.subject)
        state, now = agreement.state, self._clock.now()
        asked = [request.requested_at for request in state.open_requests() if request.requested_at is not None]
        if not asked or state.sent_off_at is None:
            return
        expires = self.expiry(state.sent_off_at)
        if now < max(asked) + self._reminder:
            await self._remind_after(transaction, agreement, max(asked), expires)
            return
        transaction.append(agreement, decisions.remind(state, at=now))
        await self._remind_after(transaction, agreement, now, expires)
        log.info("agreement.reminded", agreement_id=timer.subject)

    async def _remind_after(
        self, transaction: SigningTransaction, agreement: OpenAgreement, moment: datetime, expires: datetime
    ) -> None:
        if moment + self._reminder < expires:
            await set_timer(transaction.connection, _timer(agreement, REMINDER, moment + self._reminder))


def _timer(agreement: OpenAgreement, kind: str, due_at: datetime) -> Timer:
    return Timer(agreement.organisation, kind, agreement.state.agreement_id, due_at)
