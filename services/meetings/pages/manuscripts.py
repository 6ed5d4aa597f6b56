"""The pages of minutes in writing: the draft as a whole, one of its paragraphs, and its fields."""

from collections.abc import Sequence
from http import HTTPStatus

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response

from services.meetings.manuscript.commands import Desk, is_whole
from services.meetings.manuscript.manuscript import Piece
from services.meetings.pages.manuscript_desk import AT, facts_of, numbered, there_on
from services.meetings.pages.manuscript_troubles import of_fields, of_text, place_of
from services.meetings.pages.manuscript_word import not_kept_of
from services.meetings.pages.office import (
    READER,
    SECRETARY,
    STEPS,
    Fields,
    OfficePages,
    back,
    direction_of,
    get,
    post,
    post_file,
    typed,
    version_of,
    wrong,
)
from shared.auth import Principal
from shared.errors import InvalidInput, JusteraError, NotFound, Refused, TooLarge
from shared.web import Field, form_text, path_for

_DONE = frozenset(
    {
        "written",
        "paragraph-saved",
        "fields-saved",
        "paragraph-added",
        "paragraph-removed",
        "word-read",
        "text-read",
        "discarded",
        "caught-up",
        "caught-up-partly",
        "adjusted-at-once",
        "paragraph-unlocked",
        "paragraph-not-unlocked",
    }
)
_PARAGRAPH = ("heading", "below")


class ManuscriptPages(OfficePages):
    def add_to(self, router: APIRouter) -> None:
        at = AT
        get(router, at, self.office_manuscript)
        post(router, f"{at}/write", self.office_manuscript_write)
        get(router, f"{at}/preview.pdf", self.office_manuscript_preview)
        post(router, f"{at}/add", self.office_manuscript_add)
        post(router, f"{at}/discard", self.office_manuscript_discard)
        post(router, f"{at}/catch-up", self.office_manuscript_catch_up)
        get(router, f"{at}/paragraphs/{{piece_id}}", self.office_paragraph)
        post_file(router, f"{at}/paragraphs/{{piece_id}}", self.office_paragraph_save)
        post(router, f"{at}/paragraphs/{{piece_id}}/step", self.office_paragraph_step)
        post(router, f"{at}/paragraphs/{{piece_id}}/remove", self.office_paragraph_remove)

    # --- the whole

    async def office_manuscript(
        self, request: Request, meeting_id: str, done: str = "", principal: Principal = READER
    ) -> Response:
        return await self._whole(request, principal, meeting_id, done=done if done in _DONE else "")

    async def office_manuscript_write(
        self, request: Request, meeting_id: str, principal: Principal = SECRETARY
    ) -> Response:
        """Of what was recorded; a draft that is there already is opened."""
        try:
            await self._commands.manuscripts.write_from_sitting(principal.organisation, meeting_id, by=principal.name)
        except Refused as error:
            if "already" in error.message:
                return _to(request, meeting_id)
            why = "not_recorded" if "opened" in error.message or "taken up" in error.message else "not_held"
            return await self._whole(request, principal, meeting_id, why=why)
        return back(request, "office_manuscript", "written", meeting_id=meeting_id)

    async def office_manuscript_preview(self, meeting_id: str, principal: Principal = READER) -> Response:
        pdf = await self._commands.manuscripts.preview(principal.organisation, meeting_id)
        return Response(pdf, media_type="application/pdf")

    async def office_manuscript_add(
        self, request: Request, meeting_id: str, principal: Principal = SECRETARY
    ) -> Response:
        fields = await typed(request, ("heading",))
        try:
            made = await self._commands.manuscripts.add(principal.organisation, meeting_id, fields["heading"].value)
        except NotFound:
            raise
        except JusteraError as error:
            wrong(fields, "heading", _heading_error(fields["heading"].value, error))
            return await self._whole(request, principal, meeting_id, fields=fields)
        page = path_for(request, "office_paragraph", meeting_id=meeting_id, piece_id=made.pieces[-1].id)
        return RedirectResponse(f"{page}?done=paragraph-added", HTTPStatus.SEE_OTHER)

    async def office_manuscript_discard(
        self, request: Request, meeting_id: str, principal: Principal = SECRETARY
    ) -> Response:
        seen = version_of(await form_text(request, "version"))
        try:
            await self._commands.manuscripts.discard(principal.organisation, meeting_id, seen=seen)
        except Refused:
            return await self._whole(request, principal, meeting_id, why="meanwhile")
        return back(request, "office_manuscript", "discarded", meeting_id=meeting_id)

    async def office_manuscript_catch_up(
        self, request: Request, meeting_id: str, principal: Principal = SECRETARY
    ) -> Response:
        """What was corrected in the sitting is taken over, a paragraph at a time."""
        seen, key = version_of(await form_text(request, "version")), await form_text(request, "key")
        try:
            whole = await self._commands.manuscripts.catch_up(principal.organisation, meeting_id, key, seen=seen)
        except (InvalidInput, TooLarge):
            return await self._whole(request, principal, meeting_id, why="catch_up")
        except Refused:
            return await self._whole(request, principal, meeting_id, why="meanwhile")
        return back(request, "office_manuscript", "caught-up" if whole else "caught-up-partly", meeting_id=meeting_id)

    async def _whole(
        self,
        request: Request,
        principal: Principal,
        meeting_id: str,
        *,
        done: str = "",
        why: str = "",
        fields: Fields | None = None,
    ) -> Response:
        desk = await self._commands.manuscripts.desk(principal.organisation, meeting_id)
        sitting = await self._commands.sittings.scene(principal.organisation, meeting_id)
        trouble = is_whole(desk.manuscript) if desk.manuscript else None
        place = place_of(trouble, desk.manuscript) if trouble and desk.manuscript else None
        corrected = await self._commands.manuscripts.news(principal.organisation, meeting_id)
        return self._page(
            request,
            "office/manuscript.html",
            principal,
            fields=fields or {"heading": Field("heading")},
            refused=bool(why),
            why=why,
            done=done,
            trouble=(of_text(trouble)[1] if place else of_fields(trouble)) if trouble else None,
            corrected=[] if numbered(desk) else corrected,
            not_kept=not_kept_of(desk.manuscript) if desk.manuscript else [],
            place_of_trouble=place,
            to_adjust={
                item.id
                for item in (sitting.state.items if sitting.state else ())
                if item.decision and item.decision.adjusted_at_once
            },
            taken_up=bool(sitting.state and sitting.state.items),
            closed=bool(sitting.state and sitting.state.closed_at),
            **facts_of(desk),
        )

    # --- a paragraph

    async def office_paragraph(
        self, request: Request, meeting_id: str, piece_id: str, done: str = "", principal: Principal = READER
    ) -> Response:
        desk = await self._commands.manuscripts.desk(principal.organisation, meeting_id)
        piece = there_on(desk).piece(piece_id)
        return self._paragraph(request, principal, desk, piece, _filled(piece), done=done if done in _DONE else "")

    async def office_paragraph_save(
        self, request: Request, meeting_id: str, piece_id: str, principal: Principal = SECRETARY
    ) -> Response:
        fields = await typed_text(request)
        if await form_text(request, "act") == "look":
            return await self._paragraph_picture(request, principal, meeting_id, piece_id, fields)
        seen = version_of(await form_text(request, "version"))
        line, meanwhile = 0, False
        try:
            await self._commands.manuscripts.write(
                principal.organisation,
                meeting_id,
                piece_id,
                fields["heading"].value,
                fields["below"].value,
                seen=seen,
            )
            page = path_for(request, "office_manuscript", meeting_id=meeting_id)
            return RedirectResponse(f"{page}?done=paragraph-saved#{piece_id}", HTTPStatus.SEE_OTHER)
        except Refused:  # changed, numbered or put forward on its own meanwhile: what was typed is shown
            meanwhile = True
        except (InvalidInput, TooLarge) as error:
            line = put_wrong(fields, error)
        desk = await self._commands.manuscripts.desk(principal.organisation, meeting_id)
        piece = there_on(desk).piece(piece_id)
        return self._paragraph(request, principal, desk, piece, fields, line=line, meanwhile=meanwhile)

    async def _paragraph_picture(
        self, request: Request, principal: Principal, meeting_id: str, piece_id: str, fields: Fields
    ) -> Response:
        """How the page will look with what is typed; nothing is saved."""
        desk = await self._commands.manuscripts.desk(principal.organisation, meeting_id)
        piece = there_on(desk).piece(piece_id)
        pictures, line = list[str](), 0
        try:
            pictures = await self._commands.manuscripts.picture(
                desk, piece_id, fields["heading"].value, fields["below"].value
            )
        except (InvalidInput, TooLarge) as error:
            line = put_wrong(fields, error)
        return self._paragraph(request, principal, desk, piece, fields, line=line, pictures=pictures)

    async def office_paragraph_step(
        self, request: Request, meeting_id: str, piece_id: str, principal: Principal = SECRETARY
    ) -> Response:
        direction = await direction_of(request)
        await self._commands.manuscripts.step(principal.organisation, meeting_id, piece_id, STEPS[direction])
        page = path_for(request, "office_manuscript", meeting_id=meeting_id)
        return RedirectResponse(f"{page}#{direction}-{piece_id}", HTTPStatus.SEE_OTHER)

    async def office_paragraph_remove(
        self, request: Request, meeting_id: str, piece_id: str, principal: Principal = SECRETARY
    ) -> Response:
        seen = version_of(await form_text(request, "version"))
        try:
            await self._commands.manuscripts.remove(principal.organisation, meeting_id, piece_id, seen=seen)
        except Refused as error:
            desk = await self._commands.manuscripts.desk(principal.organisation, meeting_id)
            piece = there_on(desk).piece(piece_id)
            why = "last" if "one paragraph" in error.message else "meanwhile"
            return self._paragraph(request, principal, desk, piece, _filled(piece), why=why)
        return back(request, "office_manuscript", "paragraph-removed", meeting_id=meeting_id)

    def _paragraph(
        self,
        request: Request,
        principal: Principal,
        desk: Desk,
        piece: Piece,
        fields: Fields,
        *,
        line: int = 0,
        done: str = "",
        why: str = "",
        meanwhile: bool = False,
        pictures: Sequence[str] = (),
    ) -> Response:
        manuscript = there_on(desk)
        place = manuscript.place(piece.id)
        now = _filled(piece)
        return self._page(
            request,
            "office/manuscript_paragraph.html",
            principal,
            fields=fields,
            refused=meanwhile or bool(why),
            piece=piece,
            number=desk.first + place,
            before=manuscript.pieces[place - 1] if place else None,
            after=manuscript.pieces[place + 1] if place + 1 < len(manuscript.pieces) else None,
            line=line,
            pictures=pictures,
            done=done,
            why=why,
            meanwhile=meanwhile,
            differing=[now[name] for name in _PARAGRAPH if now[name].value != fields[name].value] if meanwhile else [],
            **facts_of(desk),
        )


async def typed_text(request: Request) -> Fields:
    """A paragraph as it was typed: the lines of its text keep their number."""
    below = (await form_text(request, "below")).replace("\r\n", "\n").rstrip()
    return {"heading": (await typed(request, ("heading",)))["heading"], "below": Field("below", below)}


def put_wrong(fields: Fields, error: JusteraError) -> int:
    """At the heading, or at the text; the line of the text, or 0."""
    line, trouble = of_text(error)
    if line < 1:
        wrong(fields, "heading", _heading_error(fields["heading"].value, error))
        return 0
    wrong(fields, "below", f"manuscript.{trouble.key}")
    return line


def _heading_error(heading: str, error: JusteraError) -> str:
    if "holds" in error.message:
        return "characters"
    return "manuscript.heading_empty" if not heading else "too_long" if len(heading) > 300 else "manuscript.no_room"


def _filled(piece: Piece) -> Fields:
    return {"heading": Field("heading", piece.heading), "below": Field("below", piece.below)}


def _to(request: Request, meeting_id: str) -> Response:
    return RedirectResponse(path_for(request, "office_manuscript", meeting_id=meeting_id), HTTPStatus.SEE_OTHER)
