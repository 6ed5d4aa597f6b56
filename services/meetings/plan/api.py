"""The HTTP API of plans: thin; the rules are in `plan`, `changes` and `clashes`, the work in `commands`."""

from fastapi import APIRouter, Response
from pydantic import BaseModel, ConfigDict, Field

from services.meetings.callers import Secretary
from services.meetings.plan.changes import PlanChange
from services.meetings.plan.clashes import Clash
from services.meetings.plan.commands import PlanCommands
from services.meetings.plan.plan import MAX_PLAN
from services.meetings.register.api import RegisterProblem
from shared.idempotency import Once
from shared.routes import LazyRoute


class PlanFile(BaseModel):
    """A plan as YAML (docs/plan.md)."""

    model_config = ConfigDict(extra="forbid")

    text: str = Field(max_length=MAX_PLAN)


class PlanToApply(PlanFile):
    """`digest`: what a check answered; refused when it would do anything else by now. `despite_clashes`: all meant.

    `tell`: the members of each body whose meetings change, by mail.
    """

    digest: str | None = Field(None, max_length=64)
    despite_clashes: bool = False
    tell: bool = True


class CheckedPlanFile(BaseModel):
    """What applying would do, and what is in its way; or, with problems, nothing."""

    digest: str
    changes: list[PlanChange]
    clashes: list[Clash]
    problems: list[RegisterProblem]


class AppliedPlan(BaseModel):
    changes: list[PlanChange]
    clashes: list[Clash]


def router(commands: PlanCommands) -> APIRouter:
    routes = APIRouter(tags=["plans"], route_class=LazyRoute)

    @routes.post("/plans/check")
    async def check_plan(file: PlanFile, caller: Secretary) -> CheckedPlanFile:
        """What applying a plan would change, what is in its way, and all that is wrong with it. Changes nothing."""
        found = await commands.check(caller.organisation, file.text)
        problems = [RegisterProblem(where=one.where, what=one.what) for one in found.problems]
        return CheckedPlanFile(digest=found.digest, changes=found.changes, clashes=found.clashes, problems=problems)

    @routes.post("/plans", response_model=AppliedPlan)
    async def apply_plan(file: PlanToApply, once: Once, caller: Secretary) -> Response:
        """Bring the meetings of a plan to what it says, whole or not at all; again, nothing changes."""
        applying = commands.apply(
            caller.organisation, file.text, digest=file.digest, despite_clashes=file.despite_clashes, tell=file.tell
        )
        return await once.answer(caller, applying, lambda done: AppliedPlan(changes=done.changes, clashes=done.clashes))

    return routes
