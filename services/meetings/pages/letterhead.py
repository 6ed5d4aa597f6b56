"""The page of the association's letterhead: what stands on its documents, and how they look with it."""

from base64 import b64encode

from fastapi import APIRouter, Request
from fastapi.responses import Response
from pydantic import ValidationError

from services.meetings.letterhead.letterhead import LetterheadDetails, LogoFile, mark_of
from services.meetings.letterhead.logo import MOST_BYTES
from services.meetings.pages.office import (
    READER,
    SECRETARY,
    Fields,
    OfficePages,
    back,
    get,
    post,
    post_file,
    typed,
    wrong,
)
from shared.auth import Principal
from shared.errors import InvalidInput, Refused
from shared.rendering.minutes import Letterhead
from shared.web import Field, form_file, form_text

_NAMES = ("colour", "foot", "alt")
_DONE = frozenset({"letterhead-saved", "letterhead-removed"})
_REFUSED = {"colour": "letterhead.colour", "foot": "characters", "alt": "letterhead.alt", "logo": "letterhead.logo"}


class LetterheadPages(OfficePages):
    def add_to(self, router: APIRouter) -> None:
        get(router, "/office/letterhead", self.office_letterhead)
        post_file(router, "/office/letterhead", self.office_letterhead_save)
        get(router, "/office/letterhead/sample.pdf", self.office_letterhead_sample)
        post(router, "/office/letterhead/remove", self.office_letterhead_remove)

    async def office_letterhead(self, request: Request, done: str = "", principal: Principal = READER) -> Response:
        there = await self._commands.letterhead.letterhead(principal.organisation)
        return self._form(request, principal, there, _filled(there), done=done if done in _DONE else "")

    async def office_letterhead_save(self, request: Request, principal: Principal = SECRETARY) -> Response:
        """A logo that is there stays, unless another is chosen or it is to be left out."""
        there = await self._commands.letterhead.letterhead(principal.organisation)
        fields = await typed(request, _NAMES)
        fields["logo"] = Field("logo")
        content, seen = await form_file(request, "logo"), await form_text(request, "seen")
        if seen != mark_of(there):
            return self._form(request, principal, there, fields, meanwhile=True, chosen=bool(content))
        chosen = bool(content)
        if not content and there is not None and there.logo and await form_text(request, "no_logo") != "yes":
            content = there.logo.content
        try:
            if len(content) > MOST_BYTES:
                raise InvalidInput(f"logo: a logo has at most {MOST_BYTES // 1024} KiB")
            logo = LogoFile(content=b64encode(content).decode(), alt=fields["alt"].value) if content else None
            details = LetterheadDetails(colour=fields["colour"].value, foot=fields["foot"].value, logo=logo)
            await self._commands.letterhead.save(principal.organisation, details, seen=seen)
        except ValidationError as error:  # longer than any that could be fit
            name = str(error.errors(include_url=False)[0]["loc"][-1])
            wrong(fields, name, _REFUSED[name])
            return self._form(request, principal, there, fields)
        except InvalidInput as error:
            subject, _, why = error.message.partition(":")
            if subject not in _REFUSED:
                raise
            wrong(fields, subject, _REFUSED[subject])
            return self._form(
                request, principal, there, fields, why=f"{why.strip()} ({error.hint})" if error.hint else why
            )
        except Refused:
            there = await self._commands.letterhead.letterhead(principal.organisation)
            return self._form(request, principal, there, fields, meanwhile=True, chosen=chosen)
        return back(request, "office_letterhead", "letterhead-saved")

    async def office_letterhead_remove(self, request: Request, principal: Principal = SECRETARY) -> Response:
        try:
            await self._commands.letterhead.remove(principal.organisation, seen=await form_text(request, "seen"))
        except Refused:
            there = await self._commands.letterhead.letterhead(principal.organisation)
            return self._form(request, principal, there, _filled(there), meanwhile=True)
        return back(request, "office_letterhead", "letterhead-removed")

    async def office_letterhead_sample(self, principal: Principal = READER) -> Response:
        there = await self._commands.letterhead.letterhead(principal.organisation)
        return Response(await self._commands.letterhead.sample(there), media_type="application/pdf")

    def _form(
        self,
        request: Request,
        principal: Principal,
        there: Letterhead | None,
        fields: Fields,
        *,
        done: str = "",
        why: str = "",
        meanwhile: bool = False,
        chosen: bool = False,
    ) -> Response:
        """`meanwhile`: someone else changed it. What was typed stays, beside how it is now; but for a file that was
        `chosen`, which browsers do not keep."""
        now = _filled(there)
        logo = there.logo if there else None
        kind = {"png": "image/png", "svg": "image/svg+xml"}[logo.type] if logo else ""
        return self._page(
            request,
            "office/letterhead.html",
            principal,
            fields=fields,
            refused=meanwhile,
            there=there,
            seen=mark_of(there),
            meanwhile=meanwhile,
            chosen=chosen,
            differing=[now[name] for name in _NAMES if now[name].value != fields[name].value] if meanwhile else [],
            logo=f"data:{kind};base64,{b64encode(logo.content).decode()}" if logo else "",
            most=MOST_BYTES,
            done=done,
            why=why,
        )


def _filled(there: Letterhead | None) -> Fields:
    alt = there.logo.alt if there and there.logo else ""
    values = {"colour": there.colour if there else "", "foot": there.foot if there else "", "alt": alt, "logo": ""}
    return {name: Field(name, value) for name, value in values.items()}
