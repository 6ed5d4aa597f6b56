"""The page that shows what a later version of minutes took away and added."""

from fastapi import APIRouter, Request
from fastapi.responses import Response

from services.meetings.pages.office import READER, OfficePages, get
from shared.auth import Principal
from shared.errors import NotFound


class VersionPages(OfficePages):
    def add_to(self, router: APIRouter) -> None:
        get(router, "/office/meetings/{meeting_id}/minutes/difference/{before}/{after}", self.office_minutes_difference)

    async def office_minutes_difference(
        self, request: Request, meeting_id: str, before: str, after: str, principal: Principal = READER
    ) -> Response:
        versions = version_number(before), version_number(after)
        found = await self._commands.versions.difference(principal.organisation, meeting_id, *versions)
        meeting = await self._commands.meetings.meeting(principal.organisation, meeting_id)
        every = await self._commands.minutes.versions(principal.organisation, meeting_id)
        return self._page(
            request,
            "office/difference.html",
            principal,
            meeting=meeting,
            difference=found,
            others=[one.version for one in every if one.has_html and one.version not in versions],
        )


def version_number(text: str) -> int:
    """Raises NotFound for what is none."""
    if not (text.isascii() and text.isdigit() and len(text) < 6):
        raise NotFound("the meeting's minutes have no such version")
    return int(text)
