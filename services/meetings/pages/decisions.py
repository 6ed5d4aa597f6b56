"""The page of the decision register: what was decided, over all years, by words, body, person and days."""

from fastapi import APIRouter, Request
from fastapi.responses import Response

from services.meetings.decision.api import skipped_by
from services.meetings.decision.commands import Find, Finds
from services.meetings.decision.decision import Stretch, Wanted, pieces
from services.meetings.pages.office import READER, Fields, OfficePages, day_of, get, is_id, is_wrong, line_error, wrong
from shared.auth import Principal
from shared.errors import InvalidInput
from shared.text import clean_line
from shared.web import Field

_NAMES = ("words", "body", "person", "since", "until")
_A_PAGE = 20


class DecisionPages(OfficePages):
    def add_to(self, router: APIRouter) -> None:
        get(router, "/office/decisions", self.office_decisions)

    async def office_decisions(self, request: Request, principal: Principal = READER) -> Response:
        """The search stands in the address, so that it can be kept and sent to others."""
        query = request.query_params
        fields = {name: Field(name, query.get(name, "").strip()) for name in _NAMES}
        wanted = _wanted(fields)
        try:
            skipped = skipped_by(query.get("after"))
            found = await self._commands.decisions.find(
                principal.organisation, wanted or Wanted(), skipped=skipped, most=_A_PAGE
            )
        except InvalidInput:  # an address that somebody changed by hand
            skipped, found = 0, Finds([], 0, None)
        bodies = await self._commands.bodies.bodies(principal.organisation)
        return self._page(
            request,
            "office/decisions.html",
            principal,
            fields=fields,
            finds=[(one, *_shown(one)) for one in found.finds] if wanted is not None else [],
            total=found.total,
            first=skipped + 1,
            next=found.next,
            kept=[(name, field.value) for name, field in fields.items() if field.value],
            searched=wanted is None or wanted.is_something,
            empty=not found.total and await self._commands.decisions.is_empty(principal.organisation),
            bodies=bodies,
        )


def _wanted(fields: Fields) -> Wanted | None:
    """None when something was put at a field."""
    for name in ("words", "person"):
        wrong(fields, name, line_error(lambda text: clean_line(text, "line"), fields[name].value, required=False))
    since, until = day_of(fields, "since"), day_of(fields, "until")
    if since and until and until < since:
        wrong(fields, "until", "decisions.until")
    body = fields["body"].value
    wrong(fields, "body", None if not body or is_id(body) else "choice")
    if is_wrong(fields):
        return None
    return Wanted(words=fields["words"].value, body=body, person=fields["person"].value, since=since, until=until)


def _shown(find: Find) -> tuple[list[Stretch], list[Stretch], list[Stretch]]:
    """Heading, decision, background: with what was found, or as they are. Where nothing is called a decision, and no
    words were looked for, the background is what there is to read."""
    heading = pieces(find.marked_heading) or [Stretch(text=find.entry.heading)]
    decision = pieces(find.marked_decision) or [Stretch(text=find.entry.decision)]
    background = pieces(find.marked_background)
    if not any(piece.found for piece in background):
        background = [] if find.entry.decision else [Stretch(text=find.entry.background)]
    return heading, decision, background
