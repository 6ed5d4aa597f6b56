"""A register as someone wrote it: the people and bodies that there should be, and who sits in what. Pure.

What a register names, it describes whole; what it does not name, it leaves alone. A body with members names them all.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date

from services.meetings.body.body import BodyDetails
from services.meetings.body.membership import Basis, MemberRole
from services.meetings.person.person import PersonDetails
from shared.errors import InvalidInput, JusteraError, Says

MAX_REGISTER = 1_048_576
"""Bytes of UTF-8 in one file."""
MOST_PEOPLE = 5000
MOST_PROBLEMS = 50


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that is wrong with a file: where in it, and what; `says` for pages in other languages."""

    where: str
    what: str
    says: Says | None = None

    def __str__(self) -> str:
        return f"{self.where}: {self.what}"


@dataclass(slots=True)
class Problems:
    """All that is wrong with a register, so that its writer need not find it out piece by piece."""

    found: list[Problem] = field(default_factory=list)

    def add(self, where: str, what: str, says: Says | None = None) -> None:
        if len(self.found) < MOST_PROBLEMS:
            self.found.append(Problem(where, what, says))

    @contextmanager
    def at(self, where: str) -> Iterator[None]:
        """What is refused inside is a problem of this place, and reading goes on behind it."""
        try:
            yield
        except JusteraError as error:
            self.add_all(where, (error,))

    def add_all(self, where: str, errors: Iterable[JusteraError]) -> None:
        for error in errors:
            self.add(where, f"{error.message}{f' ({error.hint})' if error.hint else ''}", error.says)

    def refuse(self) -> None:
        """Raises InvalidInput when anything was found."""
        if self.found:
            more = f" (and {len(self.found) - 1} more)" if len(self.found) > 1 else ""
            raise InvalidInput(f"{self.found[0]}{more}", hint="nothing was changed; check the file to see all")


@dataclass(frozen=True, slots=True)
class WantedSeat:
    """A place in a body. `person`: the person's key.

    `begins` None is not said: as it is, or, of a new place in a body that is known, today. `ends` None is until further
    notice. `basis` None is not said.
    """

    person: str
    role: MemberRole
    order: int | None = None
    begins: date | None = None
    ends: date | None = None
    basis: Basis | None = None


@dataclass(frozen=True, slots=True)
class WantedBody:
    """`details` None: they stay as they are. `members` None: nothing is said of them. `where`: for messages."""

    key: str
    where: str
    details: BodyDetails | None
    members: tuple[WantedSeat, ...] | None


@dataclass(frozen=True, slots=True)
class Register:
    """People by their key."""

    people: dict[str, PersonDetails]
    bodies: tuple[WantedBody, ...]
