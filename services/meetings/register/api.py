"""The HTTP API of registers: thin; the rules are in `register` and `changes`, the work in `commands`."""

from fastapi import APIRouter, Response
from pydantic import BaseModel, ConfigDict, Field

from services.meetings.callers import Secretary
from services.meetings.register.changes import Change
from services.meetings.register.commands import Format, RegisterCommands, names_in
from services.meetings.register.register import MAX_REGISTER
from shared.idempotency import Once
from shared.routes import LazyRoute


class RegisterFile(BaseModel):
    """A register as text, in one of its two formats (docs/register.md)."""

    model_config = ConfigDict(extra="forbid")

    text: str = Field(max_length=MAX_REGISTER)
    format: Format = "yaml"


class RegisterToApply(RegisterFile):
    """`version`: what a check answered; refused when anything was changed since."""

    version: int | None = Field(None, ge=0, le=2**63 - 2)


class RegisterProblem(BaseModel):
    """Something that is wrong: where in the file, and what."""

    where: str
    what: str


class CheckedRegister(BaseModel):
    """What applying would do, in order; or, with problems, nothing. `written`: how the file calls fields, by our names
    of them, where it calls them otherwise."""

    version: int
    changes: list[Change]
    problems: list[RegisterProblem]
    written: dict[str, str] = {}


class AppliedRegister(BaseModel):
    changes: list[Change]


def router(commands: RegisterCommands) -> APIRouter:
    routes = APIRouter(tags=["register"], route_class=LazyRoute)

    @routes.post("/register/check")
    async def check_register(file: RegisterFile, caller: Secretary) -> CheckedRegister:
        """What applying a register would change, and all that is wrong with it. Changes nothing."""
        found = await commands.check(caller.organisation, file.text, file.format)
        problems = [RegisterProblem(where=one.where, what=one.what) for one in found.problems]
        written = names_in(file.text, file.format) if found.changes else {}
        return CheckedRegister(version=found.version, changes=found.changes, problems=problems, written=written)

    @routes.post("/register", response_model=AppliedRegister)
    async def apply_register(file: RegisterToApply, once: Once, caller: Secretary) -> Response:
        """Bring bodies, people and memberships to what a register says, whole or not at all; again, nothing changes."""
        applying = commands.apply(caller.organisation, file.text, file.format, version=file.version)
        return await once.answer(caller, applying, lambda changes: AppliedRegister(changes=changes))

    return routes
