"""A member's way: the mailed link, their meetings, what they answer.

The link is exchanged for a cookie that opens one member's pages only, at their address. Nothing is changed by GET,
since mail scanners open links: an answer that a mail's link names is only chosen beforehand. Every page works without
script, and wherever the service runs: no browser is logged in here.
"""

from collections.abc import Callable
from dataclasses import dataclass
from email.utils import format_datetime
from http import HTTPStatus
from typing import Any, ClassVar

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response

from services.meetings.attachment.api import file_answer
from services.meetings.body.membership import MemberRole
from services.meetings.commands import MeetingsCommands
from services.meetings.member.feed import feed, is_known, is_of, tag_of
from services.meetings.member.member import OwnMeeting, Part
from services.meetings.member.queries import MemberQueries, OwnMeetingPage
from services.meetings.pages.office import Fields, is_id, is_wrong, line_error, typed, wrong
from services.meetings.pages.polls import answered, answers_typed, over_of
from services.meetings.pages.proposals import PROPOSAL_FIELDS, proposal_details
from services.meetings.papers.api import pdf_answer
from services.meetings.person.person import Person
from services.meetings.poll.commands import PollView
from services.meetings.poll.poll import Can, PollStatus, mark_of
from services.meetings.proposal.proposal import proposed_again
from services.meetings.reply import reply as replies
from services.meetings.reply.reply import Answer, Via
from shared import links
from shared.auth import Access, public
from shared.errors import NotAuthenticated, NotFound, Refused
from shared.forwarding import Proxies, client_ip, network_key
from shared.keys import KeyRing
from shared.links import BadLink
from shared.settings import Settings
from shared.text import MAX_REASON, clean_reason
from shared.web import Field, Look, RateLimit, TooMany, form_text, path_for, small_form, wrong_guesses
from shared.web.page_route import problem_page

COOKIE = "justera_member"
COOKIE_SECONDS = 8 * 3600

_BY_LINK = "a member is known by the mailed link"


class NoVisit(NotAuthenticated):
    """The cookie of this member is missing, has ended, or belongs to another member."""

    slug: ClassVar[str] = "no-visit"
    status: ClassVar[HTTPStatus] = HTTPStatus.FORBIDDEN


@dataclass(frozen=True, slots=True)
class Visit:
    organisation: str
    cookie: str
    person: Person


class OwnPages:
    """`link_keys`: those that mails derive members' links under. They sign visits, too: a deployment of this service
    has no key of sessions."""

    def __init__(
        self,
        look: Look,
        commands: MeetingsCommands,
        queries: MemberQueries,
        link_keys: KeyRing,
        settings: Settings,
        *,
        secure: bool,
    ) -> None:
        self._look = look
        self._commands = commands
        self._queries = queries
        self._link_keys = link_keys
        self._proxies = Proxies.of(settings)
        self._public_url = settings.public_url.rstrip("/")
        self._organisation_name = settings.organisation_name
        self._visits = Access((), link_keys.mac(link_keys.current, "justera-visits"), secure=secure)
        self._cookie = f"__Secure-{COOKIE}" if secure else COOKIE
        self._bad_links = wrong_guesses(burst=60, per_second=0.5)
        self._posts = RateLimit(burst=30, per_second=0.5)
        self._answers = RateLimit(burst=6, per_second=1 / 600)  # each may mail a substitute: called, or not
        self._feeds = RateLimit(burst=30, per_second=1 / 60)  # programs ask every quarter of an hour at most

    def add_to(self, router: APIRouter) -> None:
        self._get(router, "/my/{token}", self.own_link)
        self._get(router, "/member/{person_id}", self.own_start)
        self._get(router, "/member/{person_id}/meetings/{meeting_id}", self.own_meeting)
        self._post(router, "/member/{person_id}/meetings/{meeting_id}/answer", self.own_answer)
        self._get(router, "/member/{person_id}/meetings/{meeting_id}/papers", self.own_papers)
        self._get(router, "/member/{person_id}/meetings/{meeting_id}/files/{attachment_id}", self.own_file)
        self._get(router, "/member/{person_id}/meetings/{meeting_id}/propose", self.own_proposals)
        self._post(router, "/member/{person_id}/meetings/{meeting_id}/propose", self.own_propose)
        self._get(router, "/member/{person_id}/polls/{poll_id}", self.own_poll)
        self._post(router, "/member/{person_id}/polls/{poll_id}", self.own_poll_answer)
        self._get(router, "/calendar/{token}", self.own_calendar)

    def _get(self, router: APIRouter, path: str, handler: Callable[..., Any]) -> None:
        router.add_api_route(path, handler, methods=["GET"], response_model=None, dependencies=[public(_BY_LINK)])

    def _post(self, router: APIRouter, path: str, handler: Callable[..., Any]) -> None:
        dependencies = [public(_BY_LINK), small_form]
        router.add_api_route(path, handler, methods=["POST"], response_model=None, dependencies=dependencies)

    async def own_link(
        self, request: Request, token: str, meeting: str = "", answer: str = "", poll: str = "", review: str = ""
    ) -> Response:
        """Exchange the link for a cookie. A link that is not ours, or opens nothing any more, is told so alike."""
        try:
            link = links.read(self._link_keys, links.MEMBER, token)
            person = await self._queries.member(link.organisation, link.subject, link.version)
        except (BadLink, NotFound):
            self._bad_links.spend(network_key(client_ip(request, self._proxies)))
            return problem_page(self._look, request, BadLink.slug, HTTPStatus.NOT_FOUND)
        start = path_for(request, "own_start", person_id=person.id)
        response = RedirectResponse(self._wanted(request, person, meeting, answer, poll, review), HTTPStatus.SEE_OTHER)
        response.set_cookie(
            self._cookie,
            self._visits.sign(
                "member", {"o": link.organisation, "p": person.id, "v": person.page_version}, COOKIE_SECONDS
            ),
            max_age=COOKIE_SECONDS,
            path=start,
            secure=self._visits.secure,
            httponly=True,
            samesite="lax",
        )
        return response

    def _wanted(self, request: Request, person: Person, meeting: str, answer: str, poll: str, review: str) -> str:
        """The page that a mail's link names, always one of this member's."""
        if is_id(review):
            return path_for(request, "own_review", person_id=person.id, review_id=review)
        if is_id(poll):
            return path_for(request, "own_poll", person_id=person.id, poll_id=poll)
        if not is_id(meeting):
            return path_for(request, "own_start", person_id=person.id)
        path = path_for(request, "own_meeting", person_id=person.id, meeting_id=meeting)
        return f"{path}?answer={answer}" if answer in tuple(Answer) else path

    async def own_start(self, request: Request, person_id: str) -> Response:
        visit = await self._visit(request, person_id)
        found = await self._queries.meetings(visit.organisation, visit.person)
        polls = await self._queries.polls(visit.organisation, person_id)
        return self._page(
            request,
            visit,
            "own/start.html",
            polls=polls,
            reviews=await self._commands.reviews.asking(visit.organisation, person_id),
            coming=found.coming,
            past=found.past,
            feed=self._feed_of(visit),
        )

    async def own_meeting(self, request: Request, person_id: str, meeting_id: str, answer: str = "") -> Response:
        """`answer`: chosen beforehand."""
        visit = await self._visit(request, person_id)
        page = await self._queries.meeting(visit.organisation, visit.person, meeting_id)
        fields = _as_said(page.own)
        if answer in tuple(Answer):
            fields["answer"] = Field("answer", answer)
        is_new = bool(answer) and fields["answer"].value != page.own.answer
        return self._meeting_page(request, visit, page, fields, is_new=is_new, done="done" in request.query_params)

    async def own_answer(self, request: Request, person_id: str, meeting_id: str) -> Response:
        visit = await self._posted(request, person_id)
        page = await self._queries.meeting(visit.organisation, visit.person, meeting_id)
        fields = await typed(request, ("answer", "comment"))
        wrong(fields, "answer", None if fields["answer"].value in tuple(Answer) else "answer")
        error = line_error(clean_reason, fields["comment"].value, longest=MAX_REASON, required=False)
        wrong(fields, "comment", f"comment.{error}" if error else None)
        if is_wrong(fields):
            return self._meeting_page(request, visit, page, fields)
        address = path_for(request, "own_meeting", person_id=person_id, meeting_id=meeting_id)
        said, comment = Answer(fields["answer"].value), fields["comment"].value
        if said != page.own.answer:
            try:
                self._answers.spend(f"{person_id} {meeting_id}")
            except TooMany:
                wrong(fields, "answer", "answers")
                return self._meeting_page(request, visit, page, fields)
        again = {name: one.value for name, one in _as_said(page.own).items()} == {"answer": said, "comment": comment}
        seen = None if again else await form_text(request, "seen")  # who presses twice is told nothing
        try:
            await self._commands.replies.answer(
                visit.organisation, meeting_id, person_id, said, Via.PAGE, comment, seen=seen
            )
        except Refused:
            page = await self._queries.meeting(visit.organisation, visit.person, meeting_id)
            if _may_answer(page) and seen != _mark_of(page.own):
                return self._meeting_page(request, visit, page, fields, meanwhile=True)
            # It was cancelled or held, or they are asked no more: the page says how things stand.
            return self._meeting_page(request, visit, page, fields, too_late=True)
        return RedirectResponse(f"{address}?done", HTTPStatus.SEE_OTHER)

    async def own_papers(self, request: Request, person_id: str, meeting_id: str) -> Response:
        """As they were published last, with what is confidential for who reads that."""
        visit = await self._visit(request, person_id)
        page = await self._queries.meeting(visit.organisation, visit.person, meeting_id)
        a_member = page.reads_confidential
        return pdf_answer(*await self._commands.papers.read(visit.organisation, meeting_id, a_member=a_member))

    async def own_file(self, request: Request, person_id: str, meeting_id: str, attachment_id: str) -> Response:
        visit = await self._visit(request, person_id)
        page = await self._queries.meeting(visit.organisation, visit.person, meeting_id)
        found = await self._commands.papers.read_file(
            visit.organisation, meeting_id, attachment_id, a_member=page.reads_confidential
        )
        return file_answer(*found)

    async def own_proposals(self, request: Request, person_id: str, meeting_id: str) -> Response:
        """What they proposed for the meeting, and what became of it; and proposing more."""
        visit = await self._visit(request, person_id)
        page = await self._queries.meeting(visit.organisation, visit.person, meeting_id)
        fields = {name: Field(name) for name in PROPOSAL_FIELDS}
        done = next((one for one in ("done", "again") if one in request.query_params), "")
        return await self._proposals_page(request, visit, page, fields, done=done)

    async def own_propose(self, request: Request, person_id: str, meeting_id: str) -> Response:
        visit = await self._posted(request, person_id)
        page = await self._queries.meeting(visit.organisation, visit.person, meeting_id)
        fields = await typed(request, PROPOSAL_FIELDS)
        details = proposal_details(fields)
        if details is None:
            return await self._proposals_page(request, visit, page, fields)
        address = path_for(request, "own_proposals", person_id=person_id, meeting_id=meeting_id)
        there = (await self._commands.proposals.of_meeting(visit.organisation, meeting_id)).proposals
        again = proposed_again(there, person_id, details) is not None
        try:
            await self._commands.proposals.propose(visit.organisation, meeting_id, person_id, details)
        except Refused:  # the page says why, and what was written stands there
            page = await self._queries.meeting(visit.organisation, visit.person, meeting_id)
            return await self._proposals_page(request, visit, page, fields, refused=True)
        return RedirectResponse(f"{address}?{'again' if again else 'done'}", HTTPStatus.SEE_OTHER)

    async def _proposals_page(
        self,
        request: Request,
        visit: Visit,
        page: OwnMeetingPage,
        fields: Fields,
        *,
        done: str = "",
        refused: bool = False,
    ) -> Response:
        """`refused`: it is told why nothing can be proposed, beside what was written."""
        meeting = page.own.meeting
        found = await self._commands.proposals.of_meeting(visit.organisation, meeting.id)
        why = "cancelled" if page.own.is_cancelled else "held" if page.is_over else "many" if found.is_open else "late"
        return self._page(
            request,
            visit,
            "own/proposals.html",
            status=HTTPStatus.UNPROCESSABLE_ENTITY if refused or is_wrong(fields) else HTTPStatus.OK,
            meeting=meeting,
            details=meeting.details,
            may_propose=found.is_open and not page.own.is_cancelled,
            until=found.until,
            proposals=[one for one in found.proposals if one.person_id == visit.person.id],
            fields=fields,
            refused=refused,
            why=why,
            done=done,
        )

    async def own_poll(self, request: Request, person_id: str, poll_id: str) -> Response:
        visit = await self._visit(request, person_id)
        view = await self._asked(visit, poll_id)
        fields = answered(view, person_id)
        return self._poll_page(request, visit, view, fields, done="done" in request.query_params)

    async def own_poll_answer(self, request: Request, person_id: str, poll_id: str) -> Response:
        visit = await self._posted(request, person_id)
        view = await self._asked(visit, poll_id)
        fields, said = await answers_typed(request, view, person_id, self._queries.now)
        if is_wrong(fields):
            return self._poll_page(request, visit, view, fields)
        address = path_for(request, "own_poll", person_id=person_id, poll_id=poll_id)
        comment, seen = fields["comment"].value, await form_text(request, "seen")
        try:
            await self._commands.polls.answer(visit.organisation, poll_id, person_id, said, comment, seen=seen)
        except Refused:
            view = await self._asked(visit, poll_id)
            if view.poll.status is PollStatus.OPEN and seen != mark_of(view.answers.get(person_id)):
                return self._poll_page(request, visit, view, fields, meanwhile=True)
            # Its days are over, or it has ended: the page says how, beside what was written.
            return self._poll_page(request, visit, view, fields, refused=True)
        return RedirectResponse(f"{address}?done", HTTPStatus.SEE_OTHER)

    async def _asked(self, visit: Visit, poll_id: str) -> PollView:
        """Raises NotFound, also for a poll that does not ask them."""
        view = await self._commands.polls.poll(visit.organisation, poll_id)
        if visit.person.id not in view.poll.people:
            raise NotFound("they are not asked")
        return view

    def _poll_page(
        self,
        request: Request,
        visit: Visit,
        view: PollView,
        fields: Fields,
        *,
        done: bool = False,
        meanwhile: bool = False,
        refused: bool = False,
    ) -> Response:
        """`meanwhile`: the office noted an answer, or it was given on another page. What was chosen stays, beside
        that. `refused`: nothing can be answered any more."""
        poll = view.poll
        stands = answered(view, visit.person.id)
        return self._page(
            request,
            visit,
            "own/poll.html",
            status=HTTPStatus.UNPROCESSABLE_ENTITY if meanwhile or refused or is_wrong(fields) else HTTPStatus.OK,
            meanwhile=meanwhile,
            refused=refused,
            over=over_of(view, self._queries.now),
            differing=[one for name, one in stands.items() if one.value != fields[name].value],
            seen=mark_of(view.answers.get(visit.person.id)),
            poll=poll,
            meeting=view.meeting,
            chosen=poll.time(poll.chosen) if poll.chosen else None,
            is_open=poll.status is PollStatus.OPEN,
            answered=visit.person.id in view.answers,
            fields=fields,
            cans=tuple(Can),
            done=done,
        )

    async def own_calendar(self, request: Request, token: str) -> Response:
        """The member's meetings as a calendar to subscribe to (RFC 5545). Its link opens nothing else."""
        try:
            link = links.read(self._link_keys, links.CALENDAR, token)
            person = await self._queries.member(link.organisation, link.subject, link.version)
        except (BadLink, NotFound):
            self._bad_links.spend(network_key(client_ip(request, self._proxies)))
            return problem_page(self._look, request, BadLink.slug, HTTPStatus.NOT_FOUND)
        self._feeds.spend(person.id)
        found = await self._queries.meetings(link.organisation, person)
        tag = tag_of(found, self._organisation_name)
        headers = {"etag": tag, "cache-control": "private, no-cache"}
        since = await self._queries.calendar_since(link.organisation, person.id, tag)
        if since is not None:
            headers["last-modified"] = format_datetime(since, usegmt=True)
        asked = request.headers
        known = (
            is_known(tag, asked["if-none-match"])
            if "if-none-match" in asked
            else is_of(since, asked.get("if-modified-since", ""))
        )
        if known:
            return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=headers)
        headers["content-disposition"] = 'inline; filename="meetings.ics"'
        text = feed(found, self._organisation_name, self._queries.now)
        return Response(text, media_type="text/calendar; charset=utf-8", headers=headers)

    def _feed_of(self, visit: Visit) -> dict[str, str]:
        """The addresses of the calendar: the one that programs subscribe to when it is opened, and to be copied."""
        link = links.calendar_link(visit.organisation, visit.person.id, visit.person.page_version)
        address = f"{self._public_url}/meetings/calendar/{links.issue(self._link_keys, link)}"
        return {"webcal": f"webcal:{address.partition(':')[2]}", "address": address}

    def _meeting_page(
        self,
        request: Request,
        visit: Visit,
        page: OwnMeetingPage,
        fields: Fields,
        *,
        is_new: bool = False,
        done: bool = False,
        meanwhile: bool = False,
        too_late: bool = False,
    ) -> Response:
        """`is_new`: a mail's link chose an answer, which is not given yet. `meanwhile`: the office recorded another, or
        a calendar gave it. What was chosen stays, beside that. `too_late`: the answer was not taken, and none is any
        more."""
        own = page.own
        return self._page(
            request,
            visit,
            "own/meeting.html",
            status=HTTPStatus.UNPROCESSABLE_ENTITY if meanwhile or too_late or is_wrong(fields) else HTTPStatus.OK,
            meanwhile=meanwhile,
            too_late=too_late,
            differing=[one for name, one in _as_said(own).items() if one.value != fields[name].value],
            seen=_mark_of(own),
            own=own,
            meeting=own.meeting,
            details=own.meeting.details,
            is_over=page.is_over,
            items=page.items,
            files=page.files,
            published=page.published,
            taken_over_by=page.taken_over_by,
            took_over=page.took_over,
            standing=page.standing,
            fields=fields,
            answers=tuple(Answer),
            may_answer=_may_answer(page),
            is_new=is_new,
            done=done,
        )

    async def _visit(self, request: Request, person_id: str) -> Visit:
        """Raises NoVisit unless the cookie is this member's, and of the link that holds now."""
        cookie = request.cookies.get(self._cookie, "")
        try:
            claims = self._visits.verify("member", cookie)
        except NotAuthenticated as error:
            raise NoVisit("the visit has ended") from error
        if claims.get("p") != person_id:
            raise NoVisit("the visit is another member's")
        try:
            person = await self._queries.member(claims["o"], person_id, claims["v"])
        except NotFound as error:
            raise NoVisit("the link that opened the visit holds no more") from error
        return Visit(claims["o"], cookie, person)

    async def _posted(self, request: Request, person_id: str) -> Visit:
        """A visit that changes something. Raises NoVisit, NotAllowed, TooMany."""
        visit = await self._visit(request, person_id)
        self._visits.check_csrf(visit.cookie, await form_text(request, "csrf"))
        self._posts.spend(person_id)
        return visit

    def _page(
        self, request: Request, visit: Visit, template: str, *, status: int = HTTPStatus.OK, **facts: Any
    ) -> Response:
        return self._look.page(
            request,
            template,
            visit.person.details.language,
            status=status,
            person=visit.person,
            csrf=self._visits.csrf_token(visit.cookie),
            **facts,
        )


def _may_answer(page: OwnMeetingPage) -> bool:
    return page.own.part is Part.ASKED and not page.own.is_cancelled and not page.is_over


def _as_said(own: OwnMeeting) -> Fields:
    """The form as it is opened."""
    comment = (own.reply.comment if own.reply else None) or ""
    return {"answer": Field("answer", own.answer or ""), "comment": Field("comment", comment)}


def _mark_of(own: OwnMeeting) -> str:
    """Who said nothing yet may have no row."""
    return replies.mark_of(own.reply or replies.Reply(person_id="", role=MemberRole.MEMBER))
