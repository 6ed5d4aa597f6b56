"""What an operator of the installation asks of its organisations; each command is one transaction."""

from collections.abc import Awaitable, Callable, Sequence
from functools import partial

from services.meetings.organisation import organisation as rules
from services.meetings.organisation.organisation import MOST_ORGANISATIONS, Organisation, OrganisationDetails
from services.meetings.transaction import MeetingsTransaction
from services.meetings.versions import require_version
from shared.clock import Clock
from shared.errors import Refused
from shared.events import Event
from shared.messaging.transaction import UnitOfWork
from shared.organisations import KnownOrganisations


class OrganisationCommands:
    """`own`: the installation's own organisation, which the settings say and nobody suspends."""

    def __init__(
        self,
        unit_of_work: UnitOfWork[MeetingsTransaction],
        clock: Clock,
        known_organisations: KnownOrganisations,
        own: str,
    ) -> None:
        self._unit_of_work = unit_of_work
        self._clock = clock
        self._known = known_organisations
        self._own = own

    async def organisations(self) -> Sequence[Organisation]:
        """By their short names."""
        async with self._unit_of_work.begin() as transaction:
            return await transaction.organisations()

    async def add(self, organisation_id: str, details: OrganisationDetails) -> Organisation:
        """Raises Refused for a short name that another has, InvalidInput."""
        made, fact = rules.add(organisation_id, details)
        self._require_other(organisation_id)

        async def work(transaction: MeetingsTransaction) -> Organisation:
            if await transaction.lock_organisations() >= MOST_ORGANISATIONS:
                raise Refused(
                    f"there are {MOST_ORGANISATIONS} organisations, and there may be no more",
                    hint="use another installation for it",
                )
            found = await transaction.find_organisation(organisation_id)
            if found is not None and found.erased_at is not None:
                raise Refused(f"id: {organisation_id} was erased", hint="its short name is never used again")
            if found is not None:
                raise Refused(f"id: there is an organisation {organisation_id}", hint="choose another short name")
            await self._told(transaction, made, fact)
            return made

        return await self._run(work)

    async def change(
        self, organisation_id: str, details: OrganisationDetails, *, version: int | None = None
    ) -> Organisation:
        """`version`: the one that the change was made from. Raises NotFound, Refused, InvalidInput."""

        async def work(transaction: MeetingsTransaction) -> Organisation:
            found = await transaction.lock_organisation(organisation_id)
            require_version(found.details.name, found.version, version)
            changed, fact = rules.change(found, details)
            if fact is not None:
                await self._told(transaction, changed, fact)
            return changed

        self._require_other(organisation_id)
        return await self._run(work)

    async def suspend(self, organisation_id: str, reason: str = "") -> Organisation:
        """Raises NotFound, Refused, InvalidInput."""
        return await self._step(organisation_id, partial(rules.suspend, reason=reason))

    async def resume(self, organisation_id: str) -> Organisation:
        """Raises NotFound, Refused."""
        return await self._step(organisation_id, rules.resume)

    async def erase(self, organisation_id: str, confirmed: str) -> Organisation:
        """Each service erases what it holds, as soon as it hears of it. Raises NotFound, Refused, InvalidInput."""
        return await self._step(organisation_id, partial(rules.erase, confirmed=confirmed, at=self._clock.now()))

    async def _step(
        self, organisation_id: str, rule: Callable[[Organisation], tuple[Organisation, Event]]
    ) -> Organisation:
        async def work(transaction: MeetingsTransaction) -> Organisation:
            changed, fact = rule(await transaction.lock_organisation(organisation_id))
            await self._told(transaction, changed, fact)
            return changed

        self._require_other(organisation_id)
        return await self._run(work)

    async def _run(self, work: Callable[[MeetingsTransaction], Awaitable[Organisation]]) -> Organisation:
        done = await self._unit_of_work.run(work)
        self._known.forget()
        return done

    async def _told(self, transaction: MeetingsTransaction, organisation: Organisation, fact: Event) -> None:
        at = self._clock.now()
        await transaction.save_organisation(organisation, at)
        transaction.tell_organisation(organisation, fact, at)

    def _require_other(self, organisation_id: str) -> None:
        if organisation_id == self._own:
            raise Refused(
                f"{organisation_id} is the installation's own organisation",
                hint="it is what JUSTERA_ORGANISATION, JUSTERA_ORGANISATION_NAME and JUSTERA_LANGUAGE say",
            )
