"""What every step of a year has: how its meeting is named, and how what it was given is read and refused."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any, ClassVar, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError

from services.embedded.fields import known, printable
from shared import invalid
from shared.errors import InvalidInput


@dataclass(frozen=True, slots=True)
class MeetingName:
    """`body`: its key. `at`: the hour, when the day alone does not tell."""

    body: str
    day: date
    at: datetime | None = None

    @classmethod
    def read(cls, given: object) -> "MeetingName":
        """Raises ValueError."""
        words = given.split() if isinstance(given, str) else []
        try:
            body, when = words
            at = datetime.fromisoformat(when)
        except ValueError:
            raise ValueError("is no meeting like styrelsen 2023-10-27") from None
        return cls(body, at.date(), at if "T" in when else None)

    def __str__(self) -> str:
        return f"{self.body} {self.at.isoformat(timespec='minutes') if self.at else self.day}"


Named = Annotated[MeetingName, BeforeValidator(MeetingName.read)]


class YearStep(BaseModel):
    """What a step is given. `subject`: the field that names it in an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)
    subject: ClassVar[str | None] = None

    @classmethod
    def read(cls, given: Mapping[str, Any], folder: Path) -> Self:
        """`folder`: the scenario's, from which files are named. Raises InvalidInput."""
        known(given, [field.alias or name for name, field in cls.model_fields.items()])
        try:
            return cls.model_validate(given)
        except ValidationError as error:
            raise refused(error) from None


def refused(error: ValidationError, written: Mapping[str, str] = MappingProxyType({})) -> InvalidInput:
    """The first thing that is wrong, with its field. `written`: what fields are called in a scenario, where that is
    another name."""
    first = error.errors()[0]
    parts = [part for part in first["loc"] if part != "[key]"]
    field = ", ".join(str(part + 1) if isinstance(part, int) else written.get(part, part) for part in parts)
    if first["type"] == "missing":
        return InvalidInput(f"{field} is missing")
    if first["type"].startswith("datetime"):
        return InvalidInput(f"{field}: is no local time like 2023-10-27T09:00")
    if first["type"].startswith("date_"):
        return InvalidInput(f"{field}: is no day like 2023-10-27")
    if first["type"] in ("too_short", "tuple_type", "dict_type"):
        return InvalidInput(f"{field}: needs a list with at least one")
    return InvalidInput(f"{field}: {printable(invalid.what(first), 200)}")
