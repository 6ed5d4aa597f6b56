"""What is asked of an association's letterhead."""

from datetime import datetime

from services.meetings.letterhead import letterhead as rules
from services.meetings.letterhead.letterhead import LetterheadDetails
from services.meetings.transaction import MeetingsTransaction
from shared.clock import Clock
from shared.errors import InvalidInput
from shared.messaging.transaction import UnitOfWork
from shared.rendering.minutes import Letterhead, MinutesDocument, Paragraph, Run, Text, standard_places
from shared.rendering.press import CannotBeSet, Press
from shared.rendering.render import minutes_job

_TRIAL_SECONDS = 5.0


class LetterheadCommands:
    def __init__(self, unit_of_work: UnitOfWork[MeetingsTransaction], clock: Clock, press: Press) -> None:
        self._unit_of_work = unit_of_work
        self._clock = clock
        self._press = press

    async def letterhead(self, organisation: str) -> Letterhead | None:
        async with self._unit_of_work.begin() as transaction:
            return await transaction.letterhead(organisation)

    async def save(self, organisation: str, details: LetterheadDetails, *, seen: str | None = None) -> Letterhead:
        """It is tried on a page first: a logo that cannot be set is refused here, not when minutes are drafted.

        `seen`: the mark of the one that this was made from. Raises Refused, InvalidInput, Unavailable.
        """
        made = rules.cleaned(details)
        await self.sample(made)

        async def work(transaction: MeetingsTransaction) -> Letterhead:
            rules.require_unchanged(await transaction.lock_letterhead(organisation), seen)
            await transaction.save_letterhead(organisation, made)
            return made

        return await self._unit_of_work.run(work)

    async def remove(self, organisation: str, *, seen: str | None = None) -> None:
        """Documents look as Justera's again. `seen`: as of `save`. Raises Refused."""

        async def work(transaction: MeetingsTransaction) -> None:
            rules.require_unchanged(await transaction.lock_letterhead(organisation), seen)
            await transaction.remove_letterhead(organisation)

        await self._unit_of_work.run(work)

    async def sample(self, letterhead: Letterhead | None) -> bytes:
        """Two pages as they will look, as PDF. Raises InvalidInput, Unavailable."""
        now = self._clock.now()
        try:
            return await self._press.set_as_it_is(minutes_job(_sample(letterhead, now), at=now), seconds=_TRIAL_SECONDS)
        except CannotBeSet as error:
            raise InvalidInput(
                "logo: cannot be set on a page", hint="save it once more with another program, or as PNG"
            ) from error


def _sample(letterhead: Letterhead | None, now: datetime) -> MinutesDocument:
    when = now.replace(tzinfo=None, minute=0, second=0, microsecond=0)
    text = (Text(runs=(Run(text="Styrelsen beslutar att godkänna delårsrapporten."),)),)
    return MinutesDocument(
        title="Protokoll styrelsen",
        reference="KF 14",
        body="Styrelsen",
        place="Granvik",
        starts=when,
        ends=when,
        secretary="Maja Lind",
        chair="Olof Berg",
        places=standard_places("sv", "Maja Lind", "Olof Berg", ["Sven Dahl"]),
        paragraphs=(Paragraph(number=28, heading="Delårsrapport", blocks=text),),
        letterhead=letterhead,
    )
