"""The page on which a draft is put forward: who signs, in which order, and whether somebody reads it first."""

from collections.abc import Mapping, Sequence

from fastapi import APIRouter, Request
from fastapi.responses import Response

from services.meetings.manuscript.forward import Place, Proposal
from services.meetings.pages.manuscript_desk import AT, facts_of, there_on
from services.meetings.pages.manuscript_troubles import of_fields, of_text, place_of
from services.meetings.pages.office import (
    SECRETARY,
    Fields,
    SendingPages,
    back,
    get,
    is_wrong,
    line_error,
    post,
    typed,
    version_of,
    wrong,
)
from shared.auth import Principal
from shared.errors import InvalidInput, JusteraError, Refused, Unavailable
from shared.events import Person, SignerInvitation
from shared.forwarding import client_ip
from shared.text import MAX_EMAIL, MAX_NAME, MAX_REASON, clean_mailbox, clean_name, clean_reason
from shared.web import Field, form_text


class ManuscriptForwardPages(SendingPages):
    def add_to(self, router: APIRouter) -> None:
        get(router, f"{AT}/forward", self.office_manuscript_forward)
        post(router, f"{AT}/forward", self.office_manuscript_put_forward)
        get(router, f"{AT}/paragraphs/{{piece_id}}/at-once", self.office_paragraph_at_once)
        post(router, f"{AT}/paragraphs/{{piece_id}}/at-once", self.office_paragraph_adjust)
        post(router, f"{AT}/paragraphs/{{piece_id}}/unlock", self.office_paragraph_unlock)

    async def office_manuscript_forward(
        self, request: Request, meeting_id: str, principal: Principal = SECRETARY
    ) -> Response:
        return await self._asked(request, principal, meeting_id, None)

    async def office_manuscript_put_forward(
        self, request: Request, meeting_id: str, principal: Principal = SECRETARY
    ) -> Response:
        """`act` is sign where nobody reads it first; else the review's form comes next."""
        return await self._put(request, principal, meeting_id, None)

    async def office_paragraph_at_once(
        self, request: Request, meeting_id: str, piece_id: str, principal: Principal = SECRETARY
    ) -> Response:
        return await self._asked(request, principal, meeting_id, piece_id)

    async def office_paragraph_adjust(
        self, request: Request, meeting_id: str, piece_id: str, principal: Principal = SECRETARY
    ) -> Response:
        """A paragraph is approved on its own, before the rest: it is sent to be signed."""
        return await self._put(request, principal, meeting_id, piece_id)

    async def office_paragraph_unlock(
        self, request: Request, meeting_id: str, piece_id: str, principal: Principal = SECRETARY
    ) -> Response:
        """One that is out to be approved at once is to be changed."""
        desk = await self._commands.manuscripts.desk(principal.organisation, meeting_id)
        agreement_id = there_on(desk).piece(piece_id).at_once
        reason = (await typed(request, ("reason",)))["reason"].value
        done = "paragraph-not-unlocked"
        if agreement_id and not line_error(clean_reason, reason, longest=MAX_REASON):
            ip = client_ip(request, self._proxies)
            try:
                await self._commands.unlocking.unlock(
                    principal.organisation, meeting_id, reason, ip=ip, at_once=agreement_id
                )
                done = "paragraph-unlocked"
            except Refused:  # everyone signed meanwhile, or it ended: the page says how it stands
                done = ""
        return back(request, "office_paragraph", done, meeting_id=meeting_id, piece_id=piece_id)

    async def _asked(self, request: Request, principal: Principal, meeting_id: str, piece_id: str | None) -> Response:
        found = await self._commands.forward.proposal(principal.organisation, meeting_id)
        fields = {"sender_name": Field("sender_name", found.sender.name)}
        fields |= {"sender_email": Field("sender_email", found.sender.email)}
        fields |= {_signer(n): Field(_signer(n), place.email) for n, place in enumerate(found.places, 1)}
        return self._form(request, principal, found, fields, piece_id)

    async def _put(self, request: Request, principal: Principal, meeting_id: str, piece_id: str | None) -> Response:
        found = await self._commands.forward.proposal(principal.organisation, meeting_id)
        signers = [_signer(n) for n in range(1, len(found.places) + 1)]
        fields = await typed(request, ("sender_name", "sender_email", *signers))
        if found.trouble:
            return self._form(request, principal, found, fields, piece_id, why="not_whole")
        seen = version_of(await form_text(request, "version"))
        signs = await form_text(request, "act") == "sign"
        if seen != found.version:
            return self._form(request, principal, found, fields, piece_id, why="meanwhile")
        if not _is_fit(fields, found.places):
            return self._form(request, principal, found, fields, piece_id)
        try:
            await self._commands.forward.put_forward(
                principal.organisation,
                meeting_id,
                Person(email=fields["sender_email"].value, name=fields["sender_name"].value, language="sv"),
                [
                    SignerInvitation(role=place.role, name=place.name or None, email=fields[_signer(n)].value)
                    for n, place in enumerate(found.places, 1)
                ],
                seen=seen,
                ip=client_ip(request, self._proxies),
                release=signs,
                piece_id=piece_id,
            )
        except (Refused, InvalidInput, Unavailable) as error:
            found = await self._commands.forward.proposal(principal.organisation, meeting_id)
            if found.desk.stands is not None:  # somebody else put it forward at this moment
                return back(request, "office_meeting", "put-forward-before", meeting_id=meeting_id)
            why = _why(error, found, seen)
            values = dict(error.says.values) if error.says else {}
            return self._form(request, principal, found, fields, piece_id, why=why, values=values, error=error)
        if piece_id is not None:
            return back(request, "office_manuscript", "adjusted-at-once", meeting_id=meeting_id)
        if signs:
            return back(request, "office_meeting", "sent-to-sign", meeting_id=meeting_id)
        return back(request, "office_review_new", "put-forward", meeting_id=meeting_id)

    def _form(
        self,
        request: Request,
        principal: Principal,
        found: Proposal,
        fields: Fields,
        piece_id: str | None,
        *,
        why: str = "",
        values: Mapping[str, object] | None = None,
        error: JusteraError | None = None,
    ) -> Response:
        """`piece_id`: of one paragraph, to be approved at once. `why`: it was refused, with what fills the text in;
        `error`: what it was refused by. What has no words of its own there is told by where it stands: at a paragraph,
        or in the fields."""
        manuscript = there_on(found.desk)
        piece = manuscript.piece(piece_id) if piece_id is not None else None
        at_fault = place_of(error, manuscript) if error and why == "other" else None
        trouble = None
        if error is not None and why == "other":
            trouble = of_text(error)[1] if at_fault else of_fields(error)
            why = "paragraph" if at_fault else "fields"
        return self._page(
            request,
            "office/manuscript_forward.html",
            principal,
            fields=fields,
            refused=bool(why),
            found=found,
            places=[(_signer(n), place) for n, place in enumerate(found.places, 1)],
            piece=piece,
            number=found.desk.first + manuscript.place(piece.id) if piece else 0,
            last=found.desk.first + len(manuscript.pieces) - 1,
            why=why,
            values=values or {},
            trouble=trouble,
            at_fault=at_fault,
            fault_number=found.desk.first + manuscript.place(at_fault.id) if at_fault else 0,
            **facts_of(found.desk),
        )


# Those that have words of their own on the page.
_WHYS = frozenset(
    {
        "whole_before",
        "at_once_before",
        "at_once_waits",
        "at_once_differs",
        "not_whole",
        "changed_meanwhile",
        "unlocking",
        "number_taken",
        "number_gap",
        "number_of_meeting",
        "drafted_before",
        "kept_year",
        "kept_first",
        "kept_count",
        "minutes_of_another_body",
    }
)


def _signer(number: int) -> str:
    return f"signer_{number}"


def _is_fit(fields: Fields, places: Sequence[Place]) -> bool:
    """Whether everything can be mailed; what cannot is put at its field."""
    error = line_error(clean_name, fields["sender_name"].value, longest=MAX_NAME)
    wrong(fields, "sender_name", f"person.{error}" if error else None)
    given = set[str]()
    for name in ("sender_email", *(_signer(n + 1) for n in range(len(places)))):
        value = fields[name].value
        wrong(fields, name, "email.malformed" if line_error(clean_mailbox, value, longest=MAX_EMAIL) else None)
        if name != "sender_email":
            wrong(fields, name, "email_twice" if value.casefold() in given else None)
            given.add(value.casefold())
    return not is_wrong(fields)


def _why(error: Refused | InvalidInput | Unavailable, found: Proposal, seen: int) -> str:
    if isinstance(error, Unavailable):
        return "busy"
    if found.version != seen:
        return "meanwhile"
    return error.says.key if error.says and error.says.key in _WHYS else "other"
