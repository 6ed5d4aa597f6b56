"""A reviewer's way: the mailed link opens the drafted minutes, to comment on paragraph by paragraph, or to agree to."""

from collections.abc import Mapping
from http import HTTPStatus

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response

from services.meetings.pages.office import Fields, is_wrong, line_error, typed, version_of, wrong
from services.meetings.pages.own import OwnPages, Visit, get
from services.meetings.review.commands import LongOver, ReviewView
from services.meetings.review.review import WHOLE
from shared.auth import public
from shared.errors import NotFound, Refused
from shared.rendering.html import facts_of
from shared.rendering.minutes import MinutesDocument
from shared.rendering.people import changes_of, people_of
from shared.text import MAX_REASON, clean_reason
from shared.web import Field, file_form, form_text, path_for

_BY_LINK = "who is asked to read minutes is known by the mailed link"
_FIELD = "comment-"


class OwnReviewPages(OwnPages):
    def add_to(self, router: APIRouter) -> None:
        path = "/member/{person_id}/reviews/{review_id}"
        get(router, path, self.own_review)
        get(router, f"{path}/difference", self.own_review_difference)
        # Many comments are more than a small form.
        dependencies = [public(_BY_LINK), file_form]
        router.add_api_route(
            path, self.own_review_say, methods=["POST"], response_model=None, dependencies=dependencies
        )

    async def own_review(self, request: Request, person_id: str, review_id: str) -> Response:
        visit = await self._visits.of(request, person_id)
        try:
            view = await self._commands.reviews.read(visit.organisation, review_id, person_id)
        except LongOver as over:
            return self._over(request, visit, over)
        done = request.query_params.get("done", "")
        return await self._review_page(request, visit, view, {}, done=done if done in ("commented", "agreed") else "")

    async def own_review_say(self, request: Request, person_id: str, review_id: str) -> Response:
        visit = await self._visits.posted(request, person_id)
        commands = self._commands.reviews
        try:
            view = await commands.read(visit.organisation, review_id, person_id)
        except LongOver as over:
            return self._over(request, visit, over)
        seen = version_of(await form_text(request, "seen"))
        fields, texts = await _comments_typed(request, await self._document(visit, view))
        agrees = await form_text(request, "act") == "agree"
        if agrees and texts:
            first = f"{_FIELD}{min(texts)}"
            wrong(fields, first, "review.agree_with_comments")
        elif not agrees and not texts:
            wrong(fields, f"{_FIELD}{WHOLE}", "review.nothing")
        meanwhile = False
        if not is_wrong(fields):
            try:
                if agrees:
                    await commands.agree(visit.organisation, review_id, person_id, seen=seen)
                else:
                    await commands.comment(visit.organisation, review_id, person_id, texts, seen=seen)
                address = path_for(request, "own_review", person_id=person_id, review_id=review_id)
                done = "agreed" if agrees else "commented"
                return RedirectResponse(f"{address}?done={done}", HTTPStatus.SEE_OTHER)
            except (
                Refused,
                NotFound,
            ):  # a later version, or it has ended: the page says which, and keeps what was typed
                meanwhile = True
                view = await commands.read(visit.organisation, review_id, person_id)
        return await self._review_page(request, visit, view, fields, meanwhile=meanwhile)

    async def own_review_difference(self, request: Request, person_id: str, review_id: str) -> Response:
        """What the version that is read changed of the one before."""
        visit = await self._visits.of(request, person_id)
        try:
            view = await self._commands.reviews.read(visit.organisation, review_id, person_id)
        except LongOver as over:
            return self._over(request, visit, over)
        now = view.review.minutes_version
        found = await self._commands.versions.difference(visit.organisation, view.review.meeting_id, now - 1, now)
        return self._page(request, visit, "own/review_difference.html", review=view.review, difference=found)

    def _over(self, request: Request, visit: Visit, over: LongOver) -> Response:
        """What the link was for, how that ended, and who has the minutes."""
        return self._page(
            request,
            visit,
            "own/review_over.html",
            status=HTTPStatus.GONE,
            review=over.view.review,
            meeting=over.view.meeting,
            secretaries=over.secretaries,
        )

    async def _document(self, visit: Visit, view: ReviewView) -> MinutesDocument:
        review = view.review
        return await self._commands.reviews.document(visit.organisation, review.id, review.minutes_version)

    async def _review_page(
        self,
        request: Request,
        visit: Visit,
        view: ReviewView,
        fields: Fields,
        *,
        meanwhile: bool = False,
        done: str = "",
    ) -> Response:
        """`meanwhile`: what they sent was about something that is otherwise now."""
        document = await self._document(visit, view)
        names = [f"{_FIELD}{number}" for number in (WHOLE, *(one.number for one in document.paragraphs))]
        refused = meanwhile or is_wrong(fields)
        return self._page(
            request,
            visit,
            "own/review.html",
            status=HTTPStatus.UNPROCESSABLE_ENTITY if refused else HTTPStatus.OK,
            view=view,
            review=view.review,
            late=self._is_past(view.review.answer_by, view.meeting.details.timezone),
            agreed=visit.person.id not in view.review.waiting_for,
            document=document,
            facts=facts_of(document),
            lists=people_of(document),
            changes=changes_of(document),
            fields={name: fields.get(name, Field(name)) for name in names},
            unsent=[one.value for name, one in fields.items() if one.value and name not in names],
            meanwhile=meanwhile,
            done=done,
        )


async def _comments_typed(request: Request, document: MinutesDocument) -> tuple[Fields, Mapping[int, str]]:
    """The comments by paragraph; what is wrong is put at its field."""
    numbers = [WHOLE, *(one.number for one in document.paragraphs)]
    fields = await typed(request, [f"{_FIELD}{number}" for number in numbers])
    texts = {}
    for number in numbers:
        name = f"{_FIELD}{number}"
        error = line_error(clean_reason, fields[name].value, longest=MAX_REASON, required=False)
        wrong(fields, name, f"comment.{error}" if error else None)
        if fields[name].value:
            texts[number] = fields[name].value
    return fields, texts
