"""The pages of memberships: who gets a place in a body, which, and until when."""

from fastapi import APIRouter, Request
from fastapi.responses import Response

from services.meetings.body.body import Body
from services.meetings.body.commands import Member
from services.meetings.body.membership import MemberRole, Seat, mark_of
from services.meetings.pages.office import (
    SECRETARY,
    Fields,
    OfficePages,
    back,
    day_of,
    get,
    is_id,
    is_wrong,
    number_of,
    post,
    refused,
    typed,
    wrong,
)
from shared.auth import Principal
from shared.errors import InvalidInput, NotFound, Refused
from shared.web import Field, form_text

_NAMES = ("person", "role", "order", "begins", "ends")
_REFUSED = {
    "person_id": ("person", "seat.there"),
    "role": ("role", "seat.taken"),
    "order": ("order", "seat.order"),
    "ends": ("ends", "seat.ends"),
}
_MOST_PEOPLE = 5000


class MemberPages(OfficePages):
    def add_to(self, router: APIRouter) -> None:
        members = "/office/bodies/{body_id}/members"
        get(router, f"{members}/new", self.office_member_new)
        post(router, f"{members}/new", self.office_member_begin)
        get(router, f"{members}/{{membership_id}}", self.office_member_form)
        post(router, f"{members}/{{membership_id}}", self.office_member_change)
        get(router, f"{members}/{{membership_id}}/end", self.office_member_ending)
        post(router, f"{members}/{{membership_id}}/end", self.office_member_end)

    async def office_member_new(
        self, request: Request, body_id: str, person: str = "", done: str = "", principal: Principal = SECRETARY
    ) -> Response:
        """`person`: the id of the one that is chosen, who may just have been added."""
        body = await self._commands.bodies.body(principal.organisation, body_id)
        body.require_open()
        values = {"person": person, "role": MemberRole.MEMBER, "begins": self._today(body).isoformat()}
        fields = {name: Field(name, str(values.get(name, ""))) for name in _NAMES}
        done = done if done == "person-registered" else ""
        return await self._form(request, principal, body, None, fields, done=done)

    async def office_member_begin(self, request: Request, body_id: str, principal: Principal = SECRETARY) -> Response:
        body = await self._commands.bodies.body(principal.organisation, body_id)
        fields = await typed(request, _NAMES)
        wrong(fields, "person", None if is_id(fields["person"].value) else "seat.nobody")
        seat = _seat(fields, fields["person"].value)
        if seat is not None:
            try:
                await self._commands.bodies.begin(principal.organisation, body_id, seat)
                return back(request, "office_body", "begun", body_id=body_id)
            except NotFound:
                wrong(fields, "person", "seat.nobody")
            except (Refused, InvalidInput) as error:
                if not refused(fields, error, _REFUSED):
                    raise
        return await self._form(request, principal, body, None, fields)

    async def office_member_form(
        self, request: Request, body_id: str, membership_id: str, principal: Principal = SECRETARY
    ) -> Response:
        body, member = await self._member(principal, body_id, membership_id)
        return await self._form(request, principal, body, member, _filled(member.membership.seat))

    async def office_member_change(
        self, request: Request, body_id: str, membership_id: str, principal: Principal = SECRETARY
    ) -> Response:
        body, member = await self._member(principal, body_id, membership_id)
        fields = await typed(request, _NAMES)
        seen = await form_text(request, "seen")
        seat = _seat(fields, member.membership.seat.person_id)
        if seen != mark_of(member.membership.seat):
            return await self._form(request, principal, body, member, fields, meanwhile=True)
        if seat is not None:
            seat = seat.model_copy(update={"basis": member.membership.seat.basis})
            try:
                await self._commands.bodies.change_membership(
                    principal.organisation, body_id, membership_id, seat, seen=seen
                )
                return back(request, "office_body", "seat-changed", body_id=body_id)
            except (Refused, InvalidInput) as error:
                if not refused(fields, error, _REFUSED):
                    body, member = await self._member(principal, body_id, membership_id)
                    if seen == mark_of(member.membership.seat):
                        raise
                    return await self._form(request, principal, body, member, fields, meanwhile=True)
        return await self._form(request, principal, body, member, fields)

    async def office_member_ending(
        self, request: Request, body_id: str, membership_id: str, principal: Principal = SECRETARY
    ) -> Response:
        body, member = await self._member(principal, body_id, membership_id)
        fields = {"on": Field("on", self._today(body).isoformat())}
        return self._page(request, "office/end.html", principal, body=body, member=member, fields=fields)

    async def office_member_end(
        self, request: Request, body_id: str, membership_id: str, principal: Principal = SECRETARY
    ) -> Response:
        body, member = await self._member(principal, body_id, membership_id)
        fields = await typed(request, ("on",))
        day = day_of(fields, "on")
        wrong(fields, "on", None if day else "day")
        if is_wrong(fields):
            return self._page(request, "office/end.html", principal, body=body, member=member, fields=fields)
        await self._commands.bodies.end(principal.organisation, body_id, membership_id, day)
        return back(request, "office_body", "ended", body_id=body_id)

    async def _member(self, principal: Principal, body_id: str, membership_id: str) -> tuple[Body, Member]:
        """Raises NotFound; Refused for a closed body."""
        body = await self._commands.bodies.body(principal.organisation, body_id)
        body.require_open()
        for member in await self._commands.bodies.memberships(principal.organisation, body_id):
            if member.membership.id == membership_id:
                return body, member
        raise NotFound("there is no such membership in this body")

    async def _form(
        self,
        request: Request,
        principal: Principal,
        body: Body,
        member: Member | None,
        fields: Fields,
        *,
        meanwhile: bool = False,
        done: str = "",
    ) -> Response:
        """`meanwhile`: someone else changed the place. What was typed stays, beside how it is now."""
        now = _filled(member.membership.seat) if member else {}
        differing = [one for name, one in now.items() if name != "person" and one.value != fields[name].value]
        people = [] if member else await self._commands.people.people(principal.organisation, None, _MOST_PEOPLE)
        return self._page(
            request,
            "office/member_form.html",
            principal,
            fields=fields,
            refused=meanwhile,
            body=body,
            member=member,
            seen=mark_of(member.membership.seat) if member else "",
            meanwhile=meanwhile,
            done=done,
            differing=differing,
            people=people,
            roles=tuple(MemberRole),
        )


def _filled(seat: Seat) -> Fields:
    """The form as it is opened."""
    values = {
        "person": seat.person_id,
        "role": seat.role,
        "order": seat.order or "",
        "begins": seat.begins or "",
        "ends": seat.ends or "",
    }
    return {name: Field(name, str(values[name])) for name in _NAMES}


def _seat(fields: Fields, person_id: str) -> Seat | None:
    """None when something was put at a field. What is no substitute's has no order."""
    wrong(fields, "role", None if fields["role"].value in tuple(MemberRole) else "choice")
    order = number_of(fields, "order", 1, 1000)
    begins, ends = day_of(fields, "begins"), day_of(fields, "ends")
    if is_wrong(fields):
        return None
    role = MemberRole(fields["role"].value)
    return Seat(
        person_id=person_id,
        role=role,
        order=order if role is MemberRole.SUBSTITUTE else None,
        begins=begins,
        ends=ends,
    )
