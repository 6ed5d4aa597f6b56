"""What the sender does when a signer cannot be reached, a link is in the wrong hands, or time runs short."""

from datetime import date, datetime, time
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Request
from fastapi.responses import Response

from services.signing.agreement import TERMINAL, Status
from services.signing.pages.senders import CHANGEABLE, SENDER, SendersPages, asked, back, get, post
from services.signing.views import AgreementOverview
from shared.auth import Principal
from shared.errors import InvalidInput, Refused
from shared.text import MAX_EMAIL, MAX_NAME, clean_mailbox, clean_name, same_mailbox
from shared.web import Field, form_text, text_error

_LAST_MOMENT = time(23, 59, 59)


class RemedyPages(SendersPages):
    def add_to(self, router: APIRouter) -> None:
        agreement = "/overview/{agreement_id}"
        get(router, f"{agreement}/alternate/{{request_id}}", self.overview_alternate)
        post(router, f"{agreement}/alternate/{{request_id}}", self.overview_alternate_add)
        get(router, f"{agreement}/address/{{request_id}}", self.overview_address)
        post(router, f"{agreement}/address/{{request_id}}", self.overview_address_correct)
        post(router, f"{agreement}/again/{{request_id}}", self.overview_ask_again)
        get(router, f"{agreement}/link/{{request_id}}", self.overview_link)
        post(router, f"{agreement}/link/{{request_id}}", self.overview_link_revoke)
        get(router, f"{agreement}/links", self.overview_links)
        post(router, f"{agreement}/links", self.overview_links_revoke)
        get(router, f"{agreement}/deadline", self.overview_deadline)
        post(router, f"{agreement}/deadline", self.overview_deadline_extend)

    async def overview_alternate(
        self, request: Request, agreement_id: str, request_id: str, principal: Principal = SENDER
    ) -> Response:
        agreement = await self._queries.agreement(principal.organisation, agreement_id)
        place, original = asked(agreement, request_id)
        if agreement.status not in CHANGEABLE or place.signed:
            return back(request, agreement_id, "changed")
        before = await self._queries.alternate_before(principal.organisation, agreement_id, original.email)
        email, name = (before.email, before.name or "") if before else ("", "")
        fields = [Field("email", email), Field("name", name)]
        return self._alternate_page(request, agreement, request_id, fields, proposed=before is not None)

    async def overview_alternate_add(
        self, request: Request, agreement_id: str, request_id: str, principal: Principal = SENDER
    ) -> Response:
        agreement = await self._queries.agreement(principal.organisation, agreement_id)
        _, original = asked(agreement, request_id)
        email, name = await form_text(request, "email"), (await form_text(request, "name")).strip()
        fields = [Field("email", email, _email_error(agreement, email)), Field("name", name, _name_error(name))]
        if any(field.error for field in fields):
            return self._alternate_page(request, agreement, request_id, fields)
        try:
            await self._commands.add_alternate(
                principal.organisation,
                agreement_id,
                original.email,
                email,
                name=name or None,
                ip=self._caller(request),
            )
        except Refused:
            return back(request, agreement_id, "changed")
        return back(request, agreement_id, "alternate")

    def _alternate_page(
        self,
        request: Request,
        agreement: AgreementOverview,
        request_id: str,
        fields: list[Field],
        *,
        proposed: bool = False,
    ) -> Response:
        """`proposed`: the fields hold who was let sign for the address before."""
        place, original = asked(agreement, request_id)
        return self._page(
            request,
            "overview/alternate.html",
            agreement=agreement,
            place=place,
            original=original,
            fields=fields,
            proposed=proposed,
        )

    async def overview_address(
        self, request: Request, agreement_id: str, request_id: str, principal: Principal = SENDER
    ) -> Response:
        agreement = await self._queries.agreement(principal.organisation, agreement_id)
        place, _ = asked(agreement, request_id)
        if agreement.status not in CHANGEABLE or place.signed:
            return back(request, agreement_id, "changed")
        return self._one_page(request, "overview/address.html", agreement, request_id, [Field("email")])

    async def overview_address_correct(
        self, request: Request, agreement_id: str, request_id: str, principal: Principal = SENDER
    ) -> Response:
        agreement = await self._queries.agreement(principal.organisation, agreement_id)
        _, one = asked(agreement, request_id)
        email = await form_text(request, "email")
        fields = [Field("email", email, _email_error(agreement, email))]
        if any(field.error for field in fields):
            return self._one_page(request, "overview/address.html", agreement, request_id, fields)
        try:
            await self._commands.correct_address(
                principal.organisation, agreement_id, one.email, email, ip=self._caller(request)
            )
        except Refused:
            return back(request, agreement_id, "changed")
        return back(request, agreement_id, "corrected")

    async def overview_ask_again(
        self, request: Request, agreement_id: str, request_id: str, principal: Principal = SENDER
    ) -> Response:
        agreement = await self._queries.agreement(principal.organisation, agreement_id)
        _, one = asked(agreement, request_id)
        try:
            await self._commands.ask_again(principal.organisation, agreement_id, one.email)
        except Refused:
            return back(request, agreement_id, "changed")
        return back(request, agreement_id, "again")

    async def overview_link(
        self, request: Request, agreement_id: str, request_id: str, principal: Principal = SENDER
    ) -> Response:
        agreement = await self._queries.agreement(principal.organisation, agreement_id)
        _, one = asked(agreement, request_id)
        if one.requested_at is None:
            return back(request, agreement_id, "changed")
        return self._link_page(request, agreement, request_id)

    async def overview_link_revoke(
        self, request: Request, agreement_id: str, request_id: str, principal: Principal = SENDER
    ) -> Response:
        agreement = await self._queries.agreement(principal.organisation, agreement_id)
        _, one = asked(agreement, request_id)
        return await self._revoke(request, principal, agreement_id, one.email)

    async def overview_links(self, request: Request, agreement_id: str, principal: Principal = SENDER) -> Response:
        agreement = await self._queries.agreement(principal.organisation, agreement_id)
        if agreement.sent_off_at is None:
            return back(request, agreement_id, "changed")
        return self._link_page(request, agreement, None)

    async def overview_links_revoke(
        self, request: Request, agreement_id: str, principal: Principal = SENDER
    ) -> Response:
        return await self._revoke(request, principal, agreement_id, None)

    def _link_page(self, request: Request, agreement: AgreementOverview, request_id: str | None) -> Response:
        """Of one who was asked, or of everyone (None)."""
        place, one = asked(agreement, request_id) if request_id is not None else (None, None)
        may_mail = agreement.sealed_copy is not None and (one is None or one.signed_at is not None)
        over = agreement.status in TERMINAL
        return self._page(
            request, "overview/link.html", agreement=agreement, place=place, one=one, over=over, may_mail=may_mail
        )

    async def _revoke(self, request: Request, principal: Principal, agreement_id: str, email: str | None) -> Response:
        """The form's two buttons differ by `new`."""
        new_link = await form_text(request, "new") == "yes"
        try:
            revoked = await self._commands.revoke_link(
                principal.organisation, agreement_id, email, new_link=new_link, ip=self._caller(request)
            )
        except Refused:
            return back(request, agreement_id, "changed")
        if revoked.state.status not in TERMINAL:
            return back(request, agreement_id, "revoked")
        return back(request, agreement_id, "renewed" if new_link else "ended")

    async def overview_deadline(self, request: Request, agreement_id: str, principal: Principal = SENDER) -> Response:
        agreement = await self._queries.agreement(principal.organisation, agreement_id)
        if agreement.status is not Status.OUT:
            return back(request, agreement_id, "changed")
        return self._page(request, "overview/deadline.html", agreement=agreement, fields=[Field("day")])

    async def overview_deadline_extend(
        self, request: Request, agreement_id: str, principal: Principal = SENDER
    ) -> Response:
        agreement = await self._queries.agreement(principal.organisation, agreement_id)
        day = (await form_text(request, "day")).strip()
        expires = _end_of(day, agreement.timezone)
        error = "error.day.malformed"
        if expires is not None:
            try:
                await self._commands.extend(principal.organisation, agreement_id, expires, ip=self._caller(request))
                return back(request, agreement_id, "extended")
            except Refused:
                return back(request, agreement_id, "changed")
            except InvalidInput:
                error = "error.day.range"
        fields = [Field("day", day, error)]
        return self._page(request, "overview/deadline.html", agreement=agreement, fields=fields)

    def _one_page(
        self, request: Request, template: str, agreement: AgreementOverview, request_id: str, fields: list[Field]
    ) -> Response:
        place, one = asked(agreement, request_id)
        return self._page(request, template, agreement=agreement, place=place, one=one, fields=fields)


def _email_error(agreement: AgreementOverview, email: str) -> str | None:
    if error := text_error(clean_mailbox, email, longest=MAX_EMAIL):
        return "error.email.empty" if error == "empty" else "error.email.malformed"
    asked = (one.email for place in agreement.places for one in place.requests)
    return "alternate.taken" if any(same_mailbox(clean_mailbox(email), other) for other in asked) else None


def _name_error(name: str) -> str | None:
    error = text_error(clean_name, name, longest=MAX_NAME) if name else None
    return f"error.name.{error}" if error else None


def _end_of(day: str, zone: str) -> datetime | None:
    """The last second of a day such as `2026-09-28`, where the agreement is; None for what is no day."""
    try:
        return datetime.combine(date.fromisoformat(day), _LAST_MOMENT, ZoneInfo(zone))
    except (ValueError, OverflowError):
        return None
