"""When an agreement runs out, and when its signers are reminded. Timers run while it is out for signature."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta

from services.signing import decisions, notices
from services.signing.agreement import Agreement, Status
from services.signing.asking import expires_of, is_overdue
from services.signing.growth import is_full
from services.signing.transaction import OpenAgreement, SigningTransaction
from shared.clock import Clock, parse_timestamp
from shared.logging import get_logger
from shared.timers import Timer

log = get_logger(__name__)

TimerHandler = Callable[[SigningTransaction, Timer], Awaitable[None]]

EXPIRY = "agreement-expiry"
REMINDER = "agreement-reminder"
NEAR = "agreement-deadline-near"

# How long before the deadline the sender is told of it; of a short time to sign, its last quarter.
_WARNED_BEFORE = timedelta(days=3)


class Deadlines:
    """`agreement_days` from sending off to expiry, `reminder_days` from one reminder to the next."""

    def __init__(self, clock: Clock, *, agreement_days: int, reminder_days: int) -> None:
        self._clock = clock
        self._agreement = timedelta(days=agreement_days)
        self._reminder = timedelta(days=reminder_days)

    def expiry(self, sent_off: datetime) -> datetime:
        return sent_off + self._agreement

    def next_reminder(self, state: Agreement) -> datetime | None:
        """When those who may sign now are reminded next; None when nobody can be, or the deadline comes first."""
        asked = [
            request.asked_at or request.requested_at for request in state.open_requests() if not request.undeliverable
        ]
        last = max((moment for moment in asked if moment is not None), default=None)
        if last is None or state.expires is None:
            return None
        due = last + self._reminder
        return due if due < parse_timestamp(state.expires) else None

    def begin(self, transaction: SigningTransaction, agreement: OpenAgreement, moment: datetime) -> None:
        """When it is sent off, and anew when its deadline is extended."""
        expires = _expires(agreement.state)
        transaction.set_timer(_timer(agreement, EXPIRY, expires))
        warned = expires - min(_WARNED_BEFORE, (expires - moment) / 4)
        transaction.set_timer(_timer(agreement, NEAR, warned))
        self._remind_after(transaction, agreement, moment, expires)

    def end_when_over(self, transaction: SigningTransaction, agreement: OpenAgreement) -> None:
        """Nobody is waited for any more: no timers either."""
        if agreement.state.status is not Status.OUT:
            transaction.clear_timers(agreement)

    def handlers(self) -> Mapping[str, TimerHandler]:
        return {EXPIRY: self._expire, REMINDER: self._remind, NEAR: self._warn}

    async def _expire(self, transaction: SigningTransaction, timer: Timer) -> None:
        """An extension may have moved the deadline while this one was being fired."""
        agreement = await transaction.agreement(timer.organisation, timer.subject)
        state, now = agreement.state, self._clock.now()
        if state.status is not Status.OUT:
            return
        if not is_overdue(state, now):
            transaction.set_timer(_timer(agreement, EXPIRY, _expires(state)))
            return
        transaction.append(agreement, decisions.expire(state, at=now))
        self.end_when_over(transaction, agreement)
        log.info("agreement.expired", agreement_id=timer.subject)

    async def _warn(self, transaction: SigningTransaction, timer: Timer) -> None:
        agreement = await transaction.agreement(timer.organisation, timer.subject)
        now = self._clock.now()
        if (notice := notices.of_deadline(agreement.state, now)) is not None:
            transaction.tell(agreement, notice, now)
            log.info("agreement.deadline_near", agreement_id=timer.subject)

    async def _remind(self, transaction: SigningTransaction, timer: Timer) -> None:
        """Nobody is reminded sooner than `reminder_days` after they were asked or reminded last.

        The next one is counted from now, not from when this was due: after a long stop there is no volley. It is also
        set when nobody can be reached now, since an address may be corrected by then.
        """
        agreement = await transaction.agreement(timer.organisation, timer.subject)
        state, now = agreement.state, self._clock.now()
        if state.status is not Status.OUT or is_overdue(state, now):
            return
        expires, due = _expires(state), self.next_reminder(state)
        if due is not None and now < due:
            self._remind_after(transaction, agreement, due - self._reminder, expires)
            return
        if due is not None and not is_full(state):
            transaction.append(agreement, decisions.remind_reachable(state, at=now))
            log.info("agreement.reminded", agreement_id=timer.subject)
        self._remind_after(transaction, agreement, now, expires)

    def _remind_after(
        self, transaction: SigningTransaction, agreement: OpenAgreement, moment: datetime, expires: datetime
    ) -> None:
        if moment + self._reminder < expires:
            transaction.set_timer(_timer(agreement, REMINDER, moment + self._reminder))


def _expires(state: Agreement) -> datetime:
    return parse_timestamp(expires_of(state))


def _timer(agreement: OpenAgreement, kind: str, due_at: datetime) -> Timer:
    return Timer(agreement.organisation, kind, agreement.state.agreement_id, due_at)
