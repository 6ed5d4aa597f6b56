"""The page on which minutes that were drafted, or are out for signature, are opened again."""

from fastapi import APIRouter, Request
from fastapi.responses import Response

from services.meetings.minutes.commands import DraftedVersion
from services.meetings.pages.office import SECRETARY, SendingPages, back, get, is_wrong, line_error, post, typed, wrong
from shared.auth import Principal
from shared.errors import Refused
from shared.forwarding import client_ip
from shared.text import MAX_REASON, clean_reason
from shared.web import Field


class UnlockPages(SendingPages):
    def add_to(self, router: APIRouter) -> None:
        get(router, "/office/meetings/{meeting_id}/minutes/unlock", self.office_unlocking)
        post(router, "/office/meetings/{meeting_id}/minutes/unlock", self.office_unlock)

    async def office_unlocking(self, request: Request, meeting_id: str, principal: Principal = SECRETARY) -> Response:
        return await self._form(request, principal, meeting_id, Field("reason"))

    async def office_unlock(self, request: Request, meeting_id: str, principal: Principal = SECRETARY) -> Response:
        fields = await typed(request, ("reason",))
        error = line_error(clean_reason, fields["reason"].value, longest=MAX_REASON)
        wrong(fields, "reason", f"reason.{error}" if error else None)
        if not is_wrong(fields):
            ip = client_ip(request, self._proxies)
            try:
                reason = fields["reason"].value
                made = await self._commands.unlocking.unlock(principal.organisation, meeting_id, reason, ip=ip)
                done = "unlocked-draft" if made.is_draft else "unlocked"
                return back(request, "office_meeting", done, meeting_id=meeting_id)
            except Refused:  # everyone signed meanwhile, or it has ended: the page says which
                pass
        return await self._form(request, principal, meeting_id, fields["reason"], refused=True)

    async def _form(
        self, request: Request, principal: Principal, meeting_id: str, reason: Field, *, refused: bool = False
    ) -> Response:
        meeting = await self._commands.meetings.meeting(principal.organisation, meeting_id)
        versions = await self._commands.minutes.versions(principal.organisation, meeting_id)
        why = _why(versions)
        return self._page(
            request,
            "office/unlock.html",
            principal,
            fields={"reason": reason},
            refused=refused,
            meeting=meeting,
            minutes=versions[0] if versions else None,
            why=why,
        )


def _why(versions: list[DraftedVersion]) -> str:
    """Why the last version cannot be unlocked, by its words; empty when it can."""
    if not versions:
        return "none"
    last = versions[0]
    return "signed" if last.signed_at else "ended" if last.ended else "again" if last.unlocked_at else ""
