"""The page of a draft's fields: who was there, where and when, who signs."""

from collections.abc import Sequence

from fastapi import APIRouter, Request
from fastapi.responses import Response

from services.meetings.manuscript.commands import Desk
from services.meetings.manuscript.manuscript import Manuscript
from services.meetings.minutes.fields import COLUMNS, LINES, in_a_form
from services.meetings.pages.manuscript_desk import AT, facts_of, there_on
from services.meetings.pages.manuscript_troubles import FIELDS, of_fields
from services.meetings.pages.office import (
    READER,
    SECRETARY,
    Fields,
    OfficePages,
    back,
    get,
    post_file,
    typed,
    version_of,
    wrong,
)
from shared.auth import Principal
from shared.errors import InvalidInput, Refused, TooLarge
from shared.web import Field, form_text


class ManuscriptFieldPages(OfficePages):
    def add_to(self, router: APIRouter) -> None:
        get(router, f"{AT}/fields", self.office_manuscript_fields)
        post_file(router, f"{AT}/fields", self.office_manuscript_fields_save)

    async def office_manuscript_fields(
        self, request: Request, meeting_id: str, principal: Principal = READER
    ) -> Response:
        desk = await self._commands.manuscripts.desk(principal.organisation, meeting_id)
        return self._fields(request, principal, desk, _filled_fields(there_on(desk)))

    async def office_manuscript_fields_save(
        self, request: Request, meeting_id: str, principal: Principal = SECRETARY
    ) -> Response:
        fields = {f"minutes_{name}": Field(f"minutes_{name}") for name in FIELDS}
        fields |= await typed(request, fields)
        form = {name: fields[f"minutes_{name}"].value for name in FIELDS}
        look = await form_text(request, "act") == "look"
        seen = version_of(await form_text(request, "version"))
        row, meanwhile = 0, False
        desk = await self._commands.manuscripts.desk(principal.organisation, meeting_id)
        try:
            if look:
                pictures = await self._commands.manuscripts.first_page(desk, form)
                return self._fields(request, principal, desk, fields, pictures=pictures)
            await self._commands.manuscripts.write_fields(principal.organisation, meeting_id, form, seen=seen)
            return back(request, "office_manuscript", "fields-saved", meeting_id=meeting_id)
        except Refused:
            meanwhile = True
        except TooLarge:
            wrong(fields, "minutes_present", "manuscript.too_long")
        except InvalidInput as error:
            row = _put_wrong_field(fields, error)
        desk = await self._commands.manuscripts.desk(principal.organisation, meeting_id)
        return self._fields(request, principal, desk, fields, row=row, meanwhile=meanwhile)

    def _fields(
        self,
        request: Request,
        principal: Principal,
        desk: Desk,
        fields: Fields,
        *,
        row: int = 0,
        meanwhile: bool = False,
        pictures: Sequence[str] = (),
    ) -> Response:
        now = _filled_fields(there_on(desk))
        differing = [now[name] for name in now if now[name].value != fields[name].value] if meanwhile else []
        return self._page(
            request,
            "office/manuscript_fields.html",
            principal,
            fields=fields,
            refused=meanwhile,
            row=row,
            pictures=pictures,
            meanwhile=meanwhile,
            differing=differing,
            lines=[f"minutes_{name}" for name in LINES],
            people=[f"minutes_{name}" for name in COLUMNS],
            **facts_of(desk),
        )


def _put_wrong_field(fields: Fields, error: InvalidInput) -> int:
    """At its field; the number of the person in it, or 0."""
    trouble = of_fields(error)
    wrong(fields, f"minutes_{trouble.field or 'title'}", f"manuscript.{trouble.key}")
    return trouble.number if trouble.field else 0


def _filled_fields(manuscript: Manuscript) -> Fields:
    try:
        form = in_a_form(manuscript.fields)
    except InvalidInput:  # handed in as a text that is no YAML: to be written anew
        form = dict.fromkeys(FIELDS, "")
    return {f"minutes_{name}": Field(f"minutes_{name}", form[name]) for name in FIELDS}
