"""The page that shows the room where one is: on a screen there, without login, by a link that ends with the sitting.

Whoever has the link reads what the room sees: the item, its proposals, votes and decision, and the speakers' list.
"""

from datetime import timedelta
from http import HTTPStatus
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Request
from fastapi.responses import Response

from services.meetings.commands import MeetingsCommands
from services.meetings.meeting.meeting import MeetingStatus
from services.meetings.pages.sitting_said import facts_of
from services.meetings.sitting.commands import Scene
from services.meetings.sitting.in_order import latest_of
from services.meetings.sitting.sitting import SittingStatus
from shared import links
from shared.auth import public
from shared.clock import Clock
from shared.errors import NotFound
from shared.forwarding import Proxies, client_ip, network_key
from shared.keys import KeyRing
from shared.links import BadLink
from shared.row_security import act_for
from shared.web import Look, RateLimit, path_for, wrong_guesses
from shared.web.live import followed
from shared.web.page_route import problem_page

_BY_LINK = "who is in the room is known by nothing but the link"
_FORGOTTEN = timedelta(days=1)
"""So long after its last step, or its meeting, a sitting that nobody closed is over for the link."""


class RoomPages:
    """`link_keys`: those that the links are derived under."""

    def __init__(
        self, look: Look, commands: MeetingsCommands, clock: Clock, link_keys: KeyRing, proxies: Proxies
    ) -> None:
        self._look = look
        self._commands = commands
        self._clock = clock
        self._link_keys = link_keys
        self._proxies = proxies
        self._bad_links = wrong_guesses(burst=60, per_second=0.5)
        # A screen asks every four seconds; a room has some.
        self._looks = RateLimit(burst=600, per_second=20)

    def add_to(self, router: APIRouter) -> None:
        router.add_api_route(
            "/room/{token}", self.room, methods=["GET"], response_model=None, dependencies=[public(_BY_LINK)]
        )

    def path(self, request: Request, organisation: str, meeting_id: str) -> str:
        """Where a meeting's room is shown."""
        return path_for(request, "room", token=links.issue(self._link_keys, links.room_link(organisation, meeting_id)))

    async def room(self, request: Request, token: str) -> Response:
        """A link that is not ours is told so. One that has ended says that the sitting is over, and no more."""
        try:
            link = links.read(self._link_keys, links.ROOM, token)
            act_for(link.organisation)
            scene = await self._commands.sittings.scene(link.organisation, link.subject)
        except (BadLink, NotFound):
            self._bad_links.spend(network_key(client_ip(request, self._proxies)))
            return problem_page(self._look, request, BadLink.slug, HTTPStatus.NOT_FOUND)
        self._looks.spend(link.subject)
        page = self._look.page(
            request,
            "office/sitting_room.html",
            self._look.preferred(request),
            shown_at=self._clock.now(),
            over=self._is_over(scene),
            **facts_of(scene),
        )
        return followed(request, page)

    def _is_over(self, scene: Scene) -> bool:
        details, state = scene.meeting.details, scene.state
        if scene.meeting.status is MeetingStatus.CANCELLED or (state and state.status is SittingStatus.CLOSED):
            return True
        last = max(details.ends, latest_of(state)) if state else details.ends
        return self._clock.now() > last.replace(tzinfo=ZoneInfo(details.timezone)) + _FORGOTTEN
