"""The steps of a sitting in a scenario: opened with its roll call, and whatever else is recorded of it.

`record` takes every step that a secretary may record (`services.meetings.sitting.steps`) by its own name, with people
by their keys and items by their titles. `year_sitting` drives the services with them.
"""

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any, ClassVar, Self, get_args

from pydantic import BaseModel, Field, ValidationError

from services.embedded.fields import known, printable
from services.embedded.step_base import Named, YearStep, refused
from services.meetings.sitting.steps import SaidStep
from shared.errors import InvalidInput

SAID: Mapping[str, type[BaseModel]] = {
    model.model_fields["do"].default: model for model in get_args(get_args(SaidStep)[0])
}
"""What can be recorded, by its name."""

_WRITTEN: Mapping[str, str] = MappingProxyType({"person_id": "person", "item_id": "item"})
_OF_THE_AGENDA: Mapping[str, tuple[str, ...]] = {"item_begun": ("title", "kind")}
_ABOUT = ("meeting", "do", "corrects", "after", "reason")


class OpenSitting(YearStep):
    """`present`: the keys of those who answer the roll call; left out, those who said that they come."""

    subject: ClassVar[str | None] = "meeting"
    meeting: Named
    present: tuple[str, ...] | None = None
    at: datetime | None = None


class Record(YearStep):
    """`said`: what is recorded, with keys and titles in the place of ids. `corrects`, `after`: the number of a step."""

    subject: ClassVar[str | None] = "do"
    meeting: Named
    said: BaseModel
    corrects: int | None = Field(None, ge=1)
    after: int | None = Field(None, ge=1)
    reason: str | None = None

    @classmethod
    def read(cls, given: Mapping[str, Any], folder: Path) -> Self:
        do = given.get("do")
        if do is None:
            raise InvalidInput("do is missing")
        if not isinstance(do, str) or do not in SAID:
            raise InvalidInput(f"do: {printable(str(do))} is nothing to record; known are {', '.join(SAID)}")
        apart = ("do", *_OF_THE_AGENDA.get(do, ()))
        fields = {_WRITTEN.get(name, name): name for name in SAID[do].model_fields if name not in apart}
        known(given, (*_ABOUT, *fields))
        said = {fields[name]: value for name, value in given.items() if name in fields}
        if isinstance(ballots := said.get("ballots"), dict):
            said["ballots"] = [{"person_id": person, "choice": choice} for person, choice in ballots.items()]
        about = {name: value for name, value in given.items() if name in _ABOUT and name != "do"}
        try:
            return cls.model_validate({**about, "said": SAID[do].model_validate(said)})
        except ValidationError as error:
            raise refused(error, _WRITTEN) from None
