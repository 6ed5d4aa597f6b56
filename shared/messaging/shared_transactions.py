"""Group commit: commands that come while a transaction is under way share the next one (docs/decisions/0035).

A command names what it is about, its target, and a rule: pure work on what is loaded. A transaction locks all targets
of its commands in one statement, without waiting for who else holds one, runs the rules in the order in which the
commands came, and writes what they changed in bulk. So a quiet service answers as fast as with a transaction each, and
a busy one commits less often than it is asked.

Nobody answers for a neighbour: a refused command has changed nothing, and hears so after the commit; one whose target
is held elsewhere, or is not there, runs by itself; and when a batch fails, each of its commands does.
"""

import asyncio
import contextvars
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from sqlalchemy.exc import TimeoutError as PoolTimeout

from shared import tracing
from shared.database import is_transient
from shared.errors import JusteraError, Unavailable
from shared.logging import get_logger
from shared.messaging.answers import KEEPING, AnsweredBefore, Keeping
from shared.messaging.transaction import OutcomeUnknown, Transaction, UnitOfWork
from shared.panics import ends
from shared.row_security import acting_within, scope

log = get_logger(__name__)

MOST = 100

Result = TypeVar("Result")


class SharedTransaction(Transaction, ABC):
    """A transaction that several commands can share: it finds what they are about."""

    @abstractmethod
    async def reach(self, targets: Sequence[Any]) -> Mapping[Any, Any]:
        """Load and lock the targets of commands that share this transaction, in one statement.

        Waits for no lock: what another transaction holds, or is not there, is missing in what is returned.
        """

    @abstractmethod
    async def hold(self, target: Any) -> Any:
        """Load and lock the target of one command; waits for who holds it. Raises NotFound."""


SharedT = TypeVar("SharedT", bound=SharedTransaction)


class _ByItself(Exception):
    """The command is to be run in a transaction of its own, by who asked for it."""


class _RefusedHalfway(Exception):
    """A command was refused after it had changed something."""


@dataclass(eq=False, slots=True)
class _Command(Generic[SharedT]):
    target: Hashable
    work: Callable[[SharedT, Any], Any]
    keeping: Keeping | None
    answer: "asyncio.Future[Any]"
    around: contextvars.Context | None
    scope: str

    def tell(self, outcome: Any) -> None:
        """An exception is raised where the command was called, anything else returned. Who was cancelled hears
        nothing."""
        if self.answer.done():
            return
        if isinstance(outcome, BaseException):
            self.answer.set_exception(outcome)
        else:
            self.answer.set_result(outcome)


class SharedTransactions(Generic[SharedT]):
    """One transaction at a time, of at most `most` commands. See `SharedTransaction` for targets."""

    def __init__(self, unit_of_work: UnitOfWork[SharedT], *, most: int = MOST) -> None:
        self._unit_of_work = unit_of_work
        self._most = most
        self._waiting: deque[_Command[SharedT]] = deque()
        self._working: asyncio.Task[None] | None = None

    async def run(self, target: Hashable, work: Callable[[SharedT, Any], Result]) -> Result:
        """What `work(transaction, found)` returns, once it is committed; `found` is the target, loaded and locked.

        `work` may run several times, and refuses (JusteraError) before it changes anything. Raises what `work` raises,
        and what `UnitOfWork.run` does. Who is cancelled before the transaction begins has asked nothing; later, the
        command takes effect all the same.
        """
        answer = asyncio.get_running_loop().create_future()
        command = _Command(target, work, KEEPING.get(), answer, tracing.around(), scope())
        self._waiting.append(command)
        if self._working is None:
            # A context of its own: nothing of the caller's (its key, the names in its log lines) is its neighbours'.
            self._working = asyncio.create_task(self._work_off(), context=contextvars.Context())
        try:
            result: Result = await command.answer
        except _ByItself:
            return await self._by_itself(target, work)
        return result

    async def _by_itself(self, target: Hashable, work: Callable[[SharedT, Any], Result]) -> Result:
        async def alone(transaction: SharedT) -> Result:
            return work(transaction, await transaction.hold(target))

        return await self._unit_of_work.run(alone)

    async def _work_off(self) -> None:
        try:
            while self._waiting:
                if batch := self._next():
                    await self._run(batch)
        finally:
            self._working = None
            while self._waiting:  # only when this task is cancelled
                self._waiting.popleft().answer.cancel()

    def _next(self) -> list[_Command[SharedT]]:
        """Those that came first. Who was cancelled meanwhile is left out."""
        taken = [self._waiting.popleft() for _ in range(min(self._most, len(self._waiting)))]
        return [command for command in taken if not command.answer.done()]

    async def _run(self, batch: Sequence[_Command[SharedT]]) -> None:
        scopes = (command.scope for command in batch)
        try:
            with acting_within(*scopes):
                async with self._unit_of_work.begin() as transaction:
                    outcomes = await self._outcomes(transaction, batch)
        except BaseException as error:
            if ends(error):
                for command in batch:
                    command.answer.cancel()
                raise
            self._failed(batch, error)
            return
        for command, outcome in zip(batch, outcomes, strict=True):
            command.tell(outcome)

    async def _outcomes(self, transaction: SharedT, batch: Sequence[_Command[SharedT]]) -> list[Any]:
        """For each command its result, or why it has none. Raises what is nobody's refusal."""
        answered = {command: outcome for command in batch if (outcome := await _answered(transaction, command))}
        reached = await transaction.reach([command.target for command in batch if command not in answered])
        outcomes: list[Any] = []
        for command in batch:
            if command in answered:
                outcomes.append(answered[command])
            elif command.target in reached:
                outcomes.append(await _outcome(transaction, command, reached[command.target]))
            else:
                outcomes.append(_ByItself())
        return outcomes

    def _failed(self, batch: Sequence[_Command[SharedT]], error: BaseException) -> None:
        """One of them, or the database. Where that is known to be all the same to each, each is told; else each runs
        by itself, so that only who failed has failed."""
        same_for_all = isinstance(error, OutcomeUnknown | PoolTimeout)
        if same_for_all or (len(batch) == 1 and not is_transient(error) and not isinstance(error, _RefusedHalfway)):
            for command in batch:
                command.tell(error)
            return
        log.warning("commands.run_by_themselves", count=len(batch), error=type(error).__name__)
        for command in batch:
            command.tell(_ByItself())


async def _answered(transaction: SharedT, command: _Command[SharedT]) -> Exception | None:
    """What a request with a key hears without its command being run. The key's lock waits for nobody."""
    if command.keeping is None:
        return None
    try:
        await command.keeping.begin(transaction.connection)
    except (AnsweredBefore, JusteraError) as outcome:
        return outcome
    return None


async def _outcome(transaction: SharedT, command: _Command[SharedT], found: Any) -> Any:
    before = transaction.pending()
    try:
        if command.around is None:
            result = command.work(transaction, found)
        else:
            result = command.around.run(command.work, transaction, found)
    except Unavailable:
        raise
    except JusteraError as refusal:
        if transaction.pending() != before:
            raise _RefusedHalfway from refusal
        return refusal
    if command.keeping is not None:
        await command.keeping.keep(transaction.connection, result)
    return result
