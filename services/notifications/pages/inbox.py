"""Reading the mails of embedded mode in the browser."""

import re
from dataclasses import dataclass

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, Response

from services.notifications.invitation.invitation import Invitation, Method, calendar
from services.notifications.letter.languages import Language, capital, language_of
from services.notifications.pages.mails import Mails
from shared.auth import Principal, Role, requires
from shared.errors import NotFound
from shared.readable import span
from shared.web import Look

_READER = requires(Role.SECRETARY)  # a mail holds a signer's link, which auditors and operators must not get
_MOST = 100
_ZONE = "Europe/Stockholm"  # what documents are in unless they say otherwise; a mail names none
_FILE = "invitation.ics"
_LINK = re.compile(r"https?://[^\s<>\"]+[^\s<>\".,;:!?)]")
# A mail's own styles stand in its tags; it gets no scripts, forms or pictures, and an origin of its own.
_MAIL_POLICY = "sandbox allow-popups allow-popups-to-escape-sandbox; default-src 'none'; style-src 'unsafe-inline'"


class InboxPages:
    def __init__(self, look: Look, mails: Mails) -> None:
        self._look = look
        self._mails = mails

    def add_to(self, router: APIRouter) -> None:
        router.add_api_route("/inbox", self.inbox, methods=["GET"], response_model=None)
        router.add_api_route("/inbox/{mail_id}", self.inbox_mail, methods=["GET"], response_model=None)
        router.add_api_route("/inbox/{mail_id}/html", self.inbox_mail_html, methods=["GET"], response_model=None)
        router.add_api_route("/inbox/{mail_id}/calendar", self.inbox_calendar, methods=["GET"], response_model=None)

    async def inbox(self, request: Request, principal: Principal = _READER) -> Response:
        mails = await self._mails.latest(_MOST)
        language = self._look.preferred(request)
        return self._look.page(request, "inbox/list.html", language, mails=mails, zone=_ZONE)

    async def inbox_mail(self, request: Request, mail_id: str, principal: Principal = _READER) -> Response:
        mail = await self._mails.mail(mail_id)
        language = self._look.preferred(request)
        invited = shown(mail.invitation, language_of(language)) if mail.invitation else None
        return self._look.page(
            request, "inbox/mail.html", language, mail=mail, invited=invited, parts=linked(mail.text), zone=_ZONE
        )

    async def inbox_mail_html(self, request: Request, mail_id: str, principal: Principal = _READER) -> Response:
        """The mail's own HTML, as a mail program would show it."""
        mail = await self._mails.mail(mail_id)
        return HTMLResponse(mail.html, headers={"content-security-policy": _MAIL_POLICY})

    async def inbox_calendar(self, request: Request, mail_id: str, principal: Principal = _READER) -> Response:
        """The mail's invitation as a file, as a mail program would hand it to a calendar."""
        mail = await self._mails.mail(mail_id)
        if mail.invitation is None:
            raise NotFound("the mail carries no invitation")
        headers = {"content-disposition": f'attachment; filename="{_FILE}"'}
        kind = f"text/calendar; method={mail.invitation.method.value}; charset=utf-8"
        return Response(calendar(mail.invitation), media_type=kind, headers=headers)


@dataclass(frozen=True, slots=True)
class Invited:
    """An invitation as a calendar program shows it. `does`: a word of the page's texts for what it does there."""

    does: str
    method: str
    title: str
    when: str
    place: str


def shown(invitation: Invitation, language: Language) -> Invited:
    """In words of the page's language; the time zone is named where it is another than the association's."""
    zone = "" if invitation.timezone == _ZONE else f" ({invitation.timezone})"
    return Invited(
        does=_does(invitation),
        method=invitation.method.value,
        title=invitation.title,
        when=f"{capital(span(invitation.starts, invitation.ends, language))}{zone}",
        place=invitation.place,
    )


def _does(invitation: Invitation) -> str:
    if invitation.method is Method.CANCEL:
        return "released" if invitation.attendee_only else "cancelled"
    return "tentative" if invitation.tentative else "asked"


def linked(text: str) -> list[tuple[str, bool]]:
    """The text in pieces, each with whether it is an address to click."""
    pieces: list[tuple[str, bool]] = []
    end = 0
    for match in _LINK.finditer(text):
        pieces += [(text[end : match.start()], False), (match.group(), True)]
        end = match.end()
    return [*pieces, (text[end:], False)]
