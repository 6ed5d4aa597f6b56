"""Looking at what a register would change, and applying it: whole, or not at all."""

from dataclasses import dataclass
from typing import Literal

from services.meetings.notice.telling import follow_days
from services.meetings.register.changes import Change, Known, Outcome, apply
from services.meetings.register.csv_file import headings_of, read_csv
from services.meetings.register.register import MAX_REGISTER, Problem, Problems
from services.meetings.register.written import error_as_written, problem_as_written
from services.meetings.register.yaml_file import names_of, read_yaml
from services.meetings.transaction import MeetingsTransaction
from shared.clock import Clock
from shared.errors import InvalidInput, Refused, says
from shared.ids import new_id
from shared.messaging.transaction import UnitOfWork

Format = Literal["yaml", "csv"]


@dataclass(frozen=True, slots=True)
class Checked:
    """What applying would do, or what is wrong. `version`: of what is there, for applying just this."""

    version: int
    changes: list[Change]
    problems: list[Problem]


class RegisterCommands:
    def __init__(self, unit_of_work: UnitOfWork[MeetingsTransaction], clock: Clock) -> None:
        self._unit_of_work = unit_of_work
        self._clock = clock

    async def check(self, organisation: str, text: str, form: Format) -> Checked:
        """Changes nothing. Raises InvalidInput for what is no register at all."""
        async with self._unit_of_work.begin() as transaction:
            version = await transaction.register_version(organisation)
            problems = Problems()
            outcome = self._work_out(await _known(transaction, organisation), text, form, problems)
        return Checked(version, [] if problems.found else outcome.changes, problems.found)

    async def apply(self, organisation: str, text: str, form: Format, *, version: int | None = None) -> list[Change]:
        """`version`: what `check` answered; refused when anything was changed since. Raises Refused, InvalidInput."""

        async def work(transaction: MeetingsTransaction) -> list[Change]:
            locked = await transaction.lock_register(organisation)
            if version is not None and version != locked - 1:
                raise Refused("bodies or people were changed since you looked", hint="look again what it would do")
            problems, known = Problems(), await _known(transaction, organisation)
            before = {body.id: body for body in known.bodies}
            outcome = self._work_out(known, text, form, problems)
            problems.refuse()
            await self._save(transaction, organisation, outcome)
            for body in outcome.bodies.values():
                transaction.follow_rules(organisation, body, before.get(body.id), self._clock.now())
            changed = [(before.get(body.id), body) for body in outcome.bodies.values()]
            await follow_days(transaction, organisation, changed, self._clock.now())
            return outcome.changes

        return await self._unit_of_work.run(work)

    def _work_out(self, known: Known, text: str, form: Format, problems: Problems) -> Outcome:
        if len(text) > MAX_REGISTER or len(text.encode("utf-8", "surrogatepass")) > MAX_REGISTER:
            raise InvalidInput(
                f"the register is longer than {MAX_REGISTER // 1024} KiB",
                says=says("long_file", most=MAX_REGISTER // 1024),
            )
        outcome = Outcome()
        try:
            wanted = (
                read_csv(text, known.people, known.bodies, problems, known.memberships)
                if form == "csv"
                else read_yaml(text, problems)
            )
        except InvalidInput as error:
            raise error_as_written(error, names_in(text, form)) from error
        if not problems.found:  # what would follow from half a register is no news
            outcome = apply(known, wanted, now=self._clock.now(), new_id=new_id, problems=problems)
        if problems.found:
            written = names_in(text, form)
            problems.found = [problem_as_written(one, written) for one in problems.found]
        return outcome

    async def _save(self, transaction: MeetingsTransaction, organisation: str, outcome: Outcome) -> None:
        await transaction.save_people(organisation, list(outcome.people.values()))
        await transaction.save_bodies(organisation, list(outcome.bodies.values()))
        for named, before in outcome.named:
            await transaction.take_name(organisation, named, before)
        await transaction.save_memberships(organisation, list(outcome.memberships.values()))
        await transaction.remove_memberships(organisation, outcome.gone)
        now = self._clock.now()
        for person, told in outcome.person_facts:
            transaction.tell(organisation, person, told, now)
        for body, fact in outcome.body_facts:
            transaction.tell(organisation, body, fact, now)


def names_in(text: str, form: Format) -> dict[str, str]:
    """How fields are called in the file, by our names of them."""
    return headings_of(text) if form == "csv" else names_of(text)


async def _known(transaction: MeetingsTransaction, organisation: str) -> Known:
    return Known(
        people=await transaction.all_people(organisation),
        bodies=await transaction.bodies(organisation),
        memberships=await transaction.memberships(organisation),
    )
