"""A member's way in: the mailed link, the meetings that are theirs, and those as a calendar to subscribe to."""

from email.utils import format_datetime
from http import HTTPStatus

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response

from services.meetings.commands import MeetingsCommands
from services.meetings.member.feed import feed, is_known, is_of, tag_of
from services.meetings.pages.office import is_id
from services.meetings.pages.own import OwnPages, Visit, Visits, get
from services.meetings.person.person import Person
from services.meetings.reply.reply import Answer
from shared import links
from shared.errors import NotFound
from shared.forwarding import Proxies, client_ip, network_key
from shared.keys import KeyRing
from shared.links import BadLink
from shared.row_security import act_for
from shared.settings import Settings
from shared.suspension import name_here
from shared.web import Look, RateLimit, path_for, wrong_guesses
from shared.web.page_route import problem_page


class OwnStartPages(OwnPages):
    """`link_keys`: those that mails derive members' links under."""

    def __init__(
        self, look: Look, commands: MeetingsCommands, visits: Visits, link_keys: KeyRing, settings: Settings
    ) -> None:
        super().__init__(look, commands, visits)
        self._link_keys = link_keys
        self._proxies = Proxies.of(settings)
        self._public_url = settings.public_url.rstrip("/")
        self._organisation_name = settings.organisation_name
        self._bad_links = wrong_guesses(burst=60, per_second=0.5)
        self._feeds = RateLimit(burst=30, per_second=1 / 60)  # programs ask every quarter of an hour at most

    def add_to(self, router: APIRouter) -> None:
        get(router, "/my/{token}", self.own_link)
        get(router, "/member/{person_id}", self.own_start)
        get(router, "/calendar/{token}", self.own_calendar)

    async def own_link(
        self, request: Request, token: str, meeting: str = "", answer: str = "", poll: str = "", review: str = ""
    ) -> Response:
        """Exchange the link for a cookie. A link that is not ours, or opens nothing any more, is told so alike."""
        try:
            link = links.read(self._link_keys, links.MEMBER, token)
            act_for(link.organisation)
            person = await self._queries.member(link.organisation, link.subject, link.version)
        except (BadLink, NotFound):
            self._bad_links.spend(network_key(client_ip(request, self._proxies)))
            return problem_page(self._look, request, BadLink.slug, HTTPStatus.NOT_FOUND)
        start = path_for(request, "own_start", person_id=person.id)
        response = RedirectResponse(self._wanted(request, person, meeting, answer, poll, review), HTTPStatus.SEE_OTHER)
        self._visits.open(response, link.organisation, person, start)
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
        visit = await self._visits.of(request, person_id)
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

    async def own_calendar(self, request: Request, token: str) -> Response:
        """The member's meetings as a calendar to subscribe to (RFC 5545). Its link opens nothing else."""
        try:
            link = links.read(self._link_keys, links.CALENDAR, token)
            act_for(link.organisation)
            person = await self._queries.member(link.organisation, link.subject, link.version)
        except (BadLink, NotFound):
            self._bad_links.spend(network_key(client_ip(request, self._proxies)))
            return problem_page(self._look, request, BadLink.slug, HTTPStatus.NOT_FOUND)
        self._feeds.spend(person.id)
        found = await self._queries.meetings(link.organisation, person)
        pages = f"{self._public_url}/meetings/member/{person.id}/meetings/"
        name = name_here() or self._organisation_name
        tag = tag_of(found, name, pages, person.details.language)
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
        text = feed(found, name, self._queries.now, pages, person.details.language)
        return Response(text, media_type="text/calendar; charset=utf-8", headers=headers)

    def _feed_of(self, visit: Visit) -> dict[str, str]:
        """The addresses of the calendar: the one that programs subscribe to when it is opened, and to be copied."""
        link = links.calendar_link(visit.organisation, visit.person.id, visit.person.page_version)
        address = f"{self._public_url}/meetings/calendar/{links.issue(self._link_keys, link)}"
        return {"webcal": f"webcal:{address.partition(':')[2]}", "address": address}
