"""The office's pages of reviews: who is asked to read drafted minutes, what they say, and how it ends."""

from collections import defaultdict
from datetime import timedelta

from fastapi import APIRouter, Request
from fastapi.responses import Response

from services.meetings.pages.office import (
    READER,
    SECRETARY,
    Fields,
    OfficePages,
    back,
    day_of,
    get,
    is_wrong,
    line_error,
    post,
    refused,
    typed,
    wrong,
)
from services.meetings.review.commands import Reviewable, ReviewView
from services.meetings.review.review import Comment
from shared.auth import Principal
from shared.errors import InvalidInput, NotFound, Refused
from shared.text import MAX_REASON, clean_reason
from shared.web import Field, form_text

_DAYS_TO_ANSWER = timedelta(days=7)
_REFUSED = {"people": ("reviewers", "review.people"), "answer_by": ("answer_by", "review.answer_by")}
_DONE = frozenset({"asked", "put-forward-again", "answered", "sent", "called-off-review", "asked-again"})


class ReviewPages(OfficePages):
    def add_to(self, router: APIRouter) -> None:
        get(router, "/office/meetings/{meeting_id}/review/new", self.office_review_new)
        post(router, "/office/meetings/{meeting_id}/review/new", self.office_review_open)
        get(router, "/office/reviews/{review_id}", self.office_review)
        post(router, "/office/reviews/{review_id}/comments/{comment_id}", self.office_review_answer)
        post(router, "/office/reviews/{review_id}/people/{person_id}/ask-again", self.office_review_ask_again)
        post(router, "/office/reviews/{review_id}/send", self.office_review_send)
        get(router, "/office/reviews/{review_id}/call-off", self.office_review_calling_off)
        post(router, "/office/reviews/{review_id}/call-off", self.office_review_call_off)

    async def office_review_new(
        self, request: Request, meeting_id: str, done: str = "", principal: Principal = SECRETARY
    ) -> Response:
        """`done`: put-forward, just now."""
        latest = await self._commands.reviews.latest(principal.organisation, meeting_id)
        if latest is not None and latest.review.is_open:
            again = "put-forward-again" if done == "put-forward" else ""
            return back(request, "office_review", again, review_id=latest.review.id)
        found = await self._commands.reviews.reviewable(principal.organisation, meeting_id)
        chosen = frozenset(one.person.id for one in found.candidates if one.usual)
        answer_by = (self._today() + _DAYS_TO_ANSWER).isoformat()
        fields = {"reviewers": Field("reviewers"), "answer_by": Field("answer_by", answer_by), "note": Field("note")}
        return self._form(request, principal, found, fields, chosen, done=done if done == "put-forward" else "")

    async def office_review_open(self, request: Request, meeting_id: str, principal: Principal = SECRETARY) -> Response:
        found = await self._commands.reviews.reviewable(principal.organisation, meeting_id)
        fields = await typed(request, ("answer_by", "note"))
        fields["reviewers"] = Field("reviewers")
        sent = frozenset(one for one in (await request.form()).getlist("person") if isinstance(one, str))
        chosen = [one.person.id for one in found.candidates if one.person.id in sent]
        wrong(fields, "reviewers", None if chosen else "review.people")
        answer_by = day_of(fields, "answer_by")
        wrong(fields, "answer_by", None if answer_by else "day")
        error = line_error(clean_reason, fields["note"].value, longest=MAX_REASON, required=False)
        wrong(fields, "note", f"comment.{error}" if error else None)
        if not is_wrong(fields) and answer_by is not None:
            try:
                made = await self._commands.reviews.open(
                    principal.organisation, meeting_id, chosen, answer_by=answer_by, note=fields["note"].value
                )
                return back(request, "office_review", "asked", review_id=made.review.id)
            except InvalidInput as invalid:
                if not refused(fields, invalid, _REFUSED):
                    raise
            except Refused:  # somebody else asked them, or the minutes were unlocked
                return back(request, "office_meeting", "", meeting_id=meeting_id)
        return self._form(request, principal, found, fields, frozenset(chosen))

    def _form(
        self,
        request: Request,
        principal: Principal,
        found: Reviewable,
        fields: Fields,
        chosen: frozenset[str],
        *,
        done: str = "",
    ) -> Response:
        order = ("reviewers", "answer_by", "note")
        return self._page(
            request,
            "office/review_form.html",
            principal,
            fields={name: fields[name] for name in order},
            found=found,
            meeting=found.meeting,
            chosen=chosen,
            done=done,
        )

    async def office_review(
        self, request: Request, review_id: str, done: str = "", principal: Principal = READER
    ) -> Response:
        view = await self._commands.reviews.review(principal.organisation, review_id)
        return await self._shown(request, principal, view, {}, done=done if done in _DONE else "")

    async def _shown(
        self, request: Request, principal: Principal, view: ReviewView, fields: Fields, *, done: str = "", why: str = ""
    ) -> Response:
        """`why`: it could not be sent."""
        review = view.review
        versions = await self._commands.minutes.versions(principal.organisation, review.meeting_id)
        by_paragraph: dict[tuple[int, int, str], list[Comment]] = defaultdict(list)
        for one in view.comments:
            by_paragraph[(-one.minutes_version, one.paragraph, one.heading)].append(one)
        return self._page(
            request,
            "office/review.html",
            principal,
            fields=fields,
            refused=bool(why),
            view=view,
            review=review,
            meeting=view.meeting,
            commented=[(-key[0], key[1], key[2], by_paragraph[key]) for key in sorted(by_paragraph)],
            is_current=bool(versions) and versions[0].version == review.minutes_version and versions[0].may_unlock,
            before=review.minutes_version - 1,
            done=done,
            why=why,
        )

    async def office_review_answer(
        self, request: Request, review_id: str, comment_id: str, principal: Principal = SECRETARY
    ) -> Response:
        view = await self._commands.reviews.review(principal.organisation, review_id)
        found = next((one for one in view.comments if one.id == comment_id), None)
        if found is None:
            raise NotFound("there is no such comment in the review")
        name = f"reply-{comment_id}"
        fields = await typed(request, (name,))
        error = line_error(clean_reason, fields[name].value, longest=MAX_REASON, required=False)
        wrong(fields, name, f"comment.{error}" if error else None)
        act = await form_text(request, "act")
        if is_wrong(fields):
            return await self._shown(request, principal, view, fields)
        settled = act == "settle" or (act != "reopen" and found.settled_at is not None)
        await self._commands.reviews.answer(
            principal.organisation, review_id, comment_id, fields[name].value, settled=settled
        )
        return back(request, "office_review", "answered", review_id=review_id)

    async def office_review_ask_again(
        self, request: Request, review_id: str, person_id: str, principal: Principal = SECRETARY
    ) -> Response:
        try:
            await self._commands.reviews.ask_again(principal.organisation, review_id, person_id)
        except Refused:  # it has ended: the page says how
            return back(request, "office_review", "", review_id=review_id)
        return back(request, "office_review", "asked-again", review_id=review_id)

    async def office_review_send(self, request: Request, review_id: str, principal: Principal = SECRETARY) -> Response:
        try:
            await self._commands.reviews.send(principal.organisation, review_id)
        except Refused:  # someone takes their word back, or it was unlocked: the page says how it stands
            view = await self._commands.reviews.review(principal.organisation, review_id)
            return await self._shown(request, principal, view, {}, why="not_sent")
        return back(request, "office_review", "sent", review_id=review_id)

    async def office_review_calling_off(
        self, request: Request, review_id: str, principal: Principal = SECRETARY
    ) -> Response:
        view = await self._commands.reviews.review(principal.organisation, review_id)
        view.review.require_open()
        return self._call_off_page(request, principal, view, {"reason": Field("reason")})

    async def office_review_call_off(
        self, request: Request, review_id: str, principal: Principal = SECRETARY
    ) -> Response:
        view = await self._commands.reviews.review(principal.organisation, review_id)
        fields = await typed(request, ("reason",))
        error = line_error(clean_reason, fields["reason"].value, longest=MAX_REASON)
        wrong(fields, "reason", f"reason.{error}" if error else None)
        if is_wrong(fields):
            return self._call_off_page(request, principal, view, fields)
        try:
            await self._commands.reviews.call_off(principal.organisation, review_id, fields["reason"].value)
        except Refused:  # it has ended: the page says how
            return back(request, "office_review", "", review_id=review_id)
        return back(request, "office_review", "called-off-review", review_id=review_id)

    def _call_off_page(self, request: Request, principal: Principal, view: ReviewView, fields: Fields) -> Response:
        return self._page(
            request, "office/review_call_off.html", principal, fields=fields, review=view.review, meeting=view.meeting
        )
