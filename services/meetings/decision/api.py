"""The HTTP API of the decision register: thin; the rules are in `decision`, the work in `commands`."""

from datetime import date
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Response
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from services.meetings.callers import Operator, Reader
from services.meetings.decision.commands import Completed, DecisionCommands, Find
from services.meetings.decision.decision import Signed, Stretch, Wanted, pieces
from services.meetings.minutes.drafting import known_transaction_id
from services.meetings.task.task import suggested
from shared.errors import InvalidInput
from shared.events import BlobRef
from shared.idempotency import Once
from shared.routes import LazyRoute
from shared.text import MAX_LINE

_MOST = 50


class FoundDecision(BaseModel):
    """A paragraph of minutes that everyone signed. `agreement_id` names its sealed copy in the archive."""

    meeting_id: str
    agreement_id: str
    document_name: str
    body_id: str | None
    body: str
    date: date
    paragraph: int
    heading: str
    decision: str = Field(description="what stands below its heading Beslut; empty where it has none")
    background: str = Field(description="all else of the paragraph")
    people: list[str] = Field(description="whom the minutes name as there, absent, signing")
    language: Literal["sv", "en"]
    suggested_task: str = Field(description="what the decision seems to ask somebody to do; empty: nobody")
    marked_heading: list[Stretch] = Field(description="the heading, with what was found; empty without `words`")
    marked_decision: list[Stretch]
    marked_background: list[Stretch] = Field(description="the parts of the background in which something was found")


class DecisionPage(BaseModel):
    """`total`: how many were found. `next`: pass it as `after` for the following page; absent on the last."""

    decisions: list[FoundDecision]
    total: int
    next: str | None = None


class SignedAgreement(BaseModel):
    """As the journal's `AgreementCompleted` has it."""

    model_config = ConfigDict(extra="forbid")

    agreement_id: str
    signed_at: AwareDatetime
    render_input: BlobRef | None = Field(None, description="used where meetings has not kept it")


class SignedAgreements(BaseModel):
    model_config = ConfigDict(extra="forbid")

    agreements: list[SignedAgreement] = Field(max_length=100)


class EnteredAgreements(BaseModel):
    """Each one once: `entered` (its paragraphs come a moment later), `known` already, `unknown` (no minutes, or ended),
    `unreadable` (nothing is left of what it was set from)."""

    agreements: list[Signed]


def router(commands: DecisionCommands) -> APIRouter:
    routes = APIRouter(tags=["decisions"], route_class=LazyRoute)

    @routes.get("/decisions")
    async def find_decisions(
        caller: Reader,
        words: Annotated[
            str, Query(max_length=MAX_LINE, description='searched by their stems; "a phrase", or, -not')
        ] = "",
        body: Annotated[str, Query(max_length=MAX_LINE, description="a body's id")] = "",
        person: Annotated[
            str, Query(max_length=MAX_LINE, description="a name of the minutes' front matter, or a part of one")
        ] = "",
        since: Annotated[date | None, Query(description="the first day of the meetings")] = None,
        until: Annotated[date | None, Query(description="the last day of the meetings")] = None,
        after: Annotated[str | None, Query(max_length=10)] = None,
        limit: Annotated[int, Query(ge=1, le=_MOST)] = 20,
    ) -> DecisionPage:
        """Search the paragraphs of signed minutes: the best first; without `words`, those of the latest meetings."""
        wanted = Wanted(words=words, body=body, person=person, since=since, until=until)
        found = await commands.find(caller.organisation, wanted, skipped=skipped_by(after), most=limit)
        more = str(found.next) if found.next is not None else None
        return DecisionPage(decisions=[_view(one) for one in found.finds], total=found.total, next=more)

    @routes.post("/decisions/signed", response_model=EnteredAgreements)
    async def enter_signed(signed: SignedAgreements, once: Once, caller: Operator) -> Response:
        """Enter minutes that everyone signed before the register was kept. Sent again, it changes nothing."""
        given = [
            Completed(known_transaction_id(one.agreement_id), one.signed_at, one.render_input)
            for one in signed.agreements
        ]
        entering = commands.enter_signed(caller.organisation, given)
        return await once.answer(caller, entering, lambda found: EnteredAgreements(agreements=found))

    return routes


def skipped_by(after: str | None) -> int:
    """How many finds come before a page. Raises InvalidInput."""
    if after is None:
        return 0
    if not (after.isascii() and after.isdigit() and len(after) < 10):
        raise InvalidInput("after: pass the `next` of the page before")
    return int(after)


def _view(find: Find) -> FoundDecision:
    return FoundDecision(
        meeting_id=find.meeting_id,
        agreement_id=find.agreement_id,
        document_name=find.document_name,
        body_id=find.body_id,
        body=find.body,
        date=find.held_on,
        language="en" if find.language == "en" else "sv",
        suggested_task=suggested(find.entry.decision),
        marked_heading=pieces(find.marked_heading),
        marked_decision=pieces(find.marked_decision),
        marked_background=pieces(find.marked_background),
        **find.entry.model_dump(),
    )
