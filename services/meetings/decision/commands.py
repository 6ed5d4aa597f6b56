"""What people ask of the decision register: a search, and that older minutes are entered."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from services.meetings.decision.decision import MOST_FOUND, Entry, Signed, Wanted, cleaned
from services.meetings.decision.entering import all_signed
from services.meetings.transaction import MeetingsTransaction
from shared.errors import InvalidInput
from shared.events import BlobRef
from shared.messaging.transaction import UnitOfWork


@dataclass(frozen=True, slots=True)
class Completed:
    """An agreement that everyone signed, as the journal has it."""

    agreement_id: str
    signed_at: datetime
    render_input: BlobRef | None


@dataclass(frozen=True, slots=True)
class Find:
    """An entry of the register with where it stands. `marked_…`: the texts with `FOUND` and `FOUND_END` around what was
    found, of the background only those parts; empty where no words were looked for."""

    meeting_id: str
    agreement_id: str
    document_name: str
    body_id: str | None
    body: str
    held_on: Any
    language: str
    entry: Entry
    marked_heading: str
    marked_decision: str
    marked_background: str


@dataclass(frozen=True, slots=True)
class Finds:
    """`next`: how many come before the next page; None on the last, or where a search reaches no further."""

    finds: list[Find]
    total: int
    next: int | None


class DecisionCommands:
    def __init__(self, unit_of_work: UnitOfWork[MeetingsTransaction]) -> None:
        self._unit_of_work = unit_of_work

    async def find(self, organisation: str, wanted: Wanted, *, skipped: int = 0, most: int = 20) -> Finds:
        """The best first; without words, the latest. Raises InvalidInput."""
        if not 0 <= skipped < MOST_FOUND:
            raise InvalidInput(f"after: reaches no further than {MOST_FOUND} decisions", hint="look for something less")
        wanted = cleaned(wanted)
        async with self._unit_of_work.begin() as transaction:
            rows, total = await transaction.find_decisions(organisation, wanted, skipped=skipped, most=most)
        after = skipped + len(rows)
        more = after < min(total, MOST_FOUND) and bool(rows)
        return Finds([_find(row) for row in rows], total, after if more else None)

    async def decision(self, organisation: str, meeting_id: str, paragraph: int) -> Find:
        """Raises NotFound."""
        async with self._unit_of_work.begin() as transaction:
            return _find(await transaction.decision(organisation, meeting_id, paragraph))

    async def is_empty(self, organisation: str) -> bool:
        """Whether the register has nothing in it yet."""
        async with self._unit_of_work.begin() as transaction:
            return not await transaction.has_decisions(organisation)

    async def enter_signed(self, organisation: str, agreements: Sequence[Completed]) -> list[Signed]:
        """Minutes that were signed before the register was kept. What is known already is left as it is."""

        async def work(transaction: MeetingsTransaction) -> list[Signed]:
            return [
                Signed(
                    one.agreement_id,
                    await all_signed(transaction, organisation, one.agreement_id, one.signed_at, one.render_input),
                )
                for one in sorted(agreements, key=lambda one: one.agreement_id)
            ]

        return await self._unit_of_work.run(work)


def _find(row: Any) -> Find:
    entry = Entry.model_validate(row, from_attributes=True)
    names = ("meeting_id", "agreement_id", "document_name", "body_id", "body", "held_on", "language")
    marked = ("marked_heading", "marked_decision", "marked_background")
    return Find(entry=entry, **{name: getattr(row, name, "") for name in (*names, *marked)})
