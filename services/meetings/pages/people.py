"""The pages of people: all of them, one of them with their places, and the form of a person."""

from http import HTTPStatus

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response

from services.meetings.body.body import Body
from services.meetings.pages.office import (
    READER,
    SECRETARY,
    Fields,
    OfficePages,
    back,
    day_of,
    get,
    is_id,
    is_wrong,
    line_error,
    post,
    refused,
    typed,
    version_of,
    wrong,
)
from services.meetings.person.api import cursor_after, cursor_of
from services.meetings.person.person import Person, PersonDetails
from shared.auth import Principal
from shared.errors import InvalidInput, Refused
from shared.rendering.minutes import Language
from shared.text import MAX_EMAIL, MAX_NAME, clean_email, clean_line, clean_name
from shared.web import Field, form_text, path_for

_NAMES = ("name", "email", "party", "municipality", "language")
_REFUSED = {"email": ("email", "person.taken")}
_LANGUAGES = ("sv", "en")
_A_PAGE = 100
_DONE = frozenset({"person-registered", "person-changed", "left", "links-ended"})


class PeoplePages(OfficePages):
    def add_to(self, router: APIRouter) -> None:
        get(router, "/office/people", self.office_people)
        get(router, "/office/people/new", self.office_person_new)
        post(router, "/office/people/new", self.office_person_register)
        get(router, "/office/people/{person_id}", self.office_person)
        get(router, "/office/people/{person_id}/change", self.office_person_form)
        post(router, "/office/people/{person_id}/change", self.office_person_change)
        get(router, "/office/people/{person_id}/leave", self.office_person_leaving)
        post(router, "/office/people/{person_id}/leave", self.office_person_leave)
        get(router, "/office/people/{person_id}/end-links", self.office_person_ending_links)
        post(router, "/office/people/{person_id}/end-links", self.office_person_end_links)

    async def office_people(
        self, request: Request, after: str | None = None, principal: Principal = READER
    ) -> Response:
        people = await self._commands.people.people(principal.organisation, cursor_after(after), _A_PAGE)
        more = cursor_of(people[-1]) if len(people) == _A_PAGE else None
        return self._page(request, "office/people.html", principal, people=people, more=more, first=after is None)

    async def office_person(
        self, request: Request, person_id: str, done: str = "", principal: Principal = READER
    ) -> Response:
        career = await self._commands.people.career(principal.organisation, person_id)
        today = self._today()
        return self._page(
            request,
            "office/person.html",
            principal,
            person=career.person,
            places=career.places,
            sits=any(
                place.membership.seat.ends is None or place.membership.seat.ends >= today for place in career.places
            ),
            today=today,
            done=done if done in _DONE else "",
        )

    async def office_person_new(self, request: Request, body: str = "", principal: Principal = SECRETARY) -> Response:
        """`body`: the id of the one in which the person is to sit, whose form it leads back to."""
        seated_in = await self._seated_in(principal, body)
        language = seated_in.details.rules.language if seated_in else self._look.preferred(request)
        return self._form(request, principal, None, _filled(None, language), body=seated_in)

    async def office_person_register(self, request: Request, principal: Principal = SECRETARY) -> Response:
        fields = await typed(request, _NAMES)
        body = await self._seated_in(principal, await form_text(request, "body"))
        details = _details(fields)
        if details is not None:
            try:
                person = await self._commands.people.register(principal.organisation, details)
                if body is not None:
                    seat = path_for(request, "office_member_new", body_id=body.id)
                    return RedirectResponse(f"{seat}?person={person.id}&done=person-registered", HTTPStatus.SEE_OTHER)
                return back(request, "office_person", "person-registered", person_id=person.id)
            except (Refused, InvalidInput) as error:
                if not refused(fields, error, _REFUSED):
                    raise
        return self._form(request, principal, None, fields, body=body)

    async def office_person_form(self, request: Request, person_id: str, principal: Principal = SECRETARY) -> Response:
        person = (await self._commands.people.career(principal.organisation, person_id)).person
        return self._form(request, principal, person, _filled(person))

    async def office_person_change(
        self, request: Request, person_id: str, principal: Principal = SECRETARY
    ) -> Response:
        person = (await self._commands.people.career(principal.organisation, person_id)).person
        fields = await typed(request, _NAMES)
        seen = version_of(await form_text(request, "version"))
        details = _details(fields)
        if seen != person.version:
            return self._form(request, principal, person, fields, meanwhile=True)
        if details is not None:
            try:
                await self._commands.people.change(principal.organisation, person_id, details, version=seen)
                return back(request, "office_person", "person-changed", person_id=person_id)
            except (Refused, InvalidInput) as error:
                if not refused(fields, error, _REFUSED):
                    person = (await self._commands.people.career(principal.organisation, person_id)).person
                    return self._form(request, principal, person, fields, meanwhile=True)
        return self._form(request, principal, person, fields)

    async def office_person_leaving(
        self, request: Request, person_id: str, principal: Principal = SECRETARY
    ) -> Response:
        career = await self._commands.people.career(principal.organisation, person_id)
        fields = {"on": Field("on", self._today().isoformat())}
        return self._page(request, "office/leave.html", principal, person=career.person, fields=fields)

    async def office_person_leave(self, request: Request, person_id: str, principal: Principal = SECRETARY) -> Response:
        career = await self._commands.people.career(principal.organisation, person_id)
        fields = await typed(request, ("on",))
        day = day_of(fields, "on")
        wrong(fields, "on", None if day else "day")
        if is_wrong(fields):
            return self._page(request, "office/leave.html", principal, person=career.person, fields=fields)
        await self._commands.bodies.leave(principal.organisation, person_id, day)
        return back(request, "office_person", "left", person_id=person_id)

    async def office_person_ending_links(
        self, request: Request, person_id: str, principal: Principal = SECRETARY
    ) -> Response:
        person = (await self._commands.people.career(principal.organisation, person_id)).person
        return self._page(request, "office/end_links.html", principal, person=person)

    async def office_person_end_links(
        self, request: Request, person_id: str, principal: Principal = SECRETARY
    ) -> Response:
        await self._commands.people.end_links(principal.organisation, person_id)
        return back(request, "office_person", "links-ended", person_id=person_id)

    async def _seated_in(self, principal: Principal, body_id: str) -> Body | None:
        """None also for a body that is not there, or is closed: the person is added all the same."""
        bodies = await self._commands.bodies.bodies(principal.organisation) if is_id(body_id) else []
        return next((one for one in bodies if one.id == body_id and one.closed is None), None)

    def _form(
        self,
        request: Request,
        principal: Principal,
        person: Person | None,
        fields: Fields,
        *,
        meanwhile: bool = False,
        body: Body | None = None,
    ) -> Response:
        """`meanwhile`: someone else changed the person. What was typed stays, beside how it is now. `body`: in which a
        new one is to sit."""
        now = _filled(person)
        differing = [now[name] for name in _NAMES if now[name].value != fields[name].value] if meanwhile else []
        return self._page(
            request,
            "office/person_form.html",
            principal,
            fields=fields,
            refused=meanwhile,
            person=person,
            body=body,
            languages=_LANGUAGES,
            meanwhile=meanwhile,
            differing=differing,
        )


def _filled(person: Person | None, language: Language = "sv") -> Fields:
    """The form as it is opened. `language`: in which someone new is written to, unless another is chosen."""
    details = person.details.model_dump() if person else {"language": language}
    return {name: Field(name, details.get(name) or "") for name in _NAMES}


def _details(fields: Fields) -> PersonDetails | None:
    """None when something was put at a field."""
    value = {name: field.value for name, field in fields.items()}
    if error := line_error(clean_name, value["name"], longest=MAX_NAME):
        wrong(fields, "name", f"person.{error}")
    if line_error(clean_email, value["email"], longest=MAX_EMAIL, required=False):
        wrong(fields, "email", "email.malformed")
    for name in ("party", "municipality"):
        wrong(fields, name, line_error(lambda text: clean_line(text, "line"), value[name], required=False))
    wrong(fields, "language", None if value["language"] in _LANGUAGES else "choice")
    if is_wrong(fields):
        return None
    return PersonDetails(
        name=value["name"],
        email=value["email"] or None,
        language="en" if value["language"] == "en" else "sv",
        party=value["party"] or None,
        municipality=value["municipality"] or None,
    )
