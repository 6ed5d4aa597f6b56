"""The pages of bodies: all of them, one of them, and the form of its name, kind and rules."""

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from services.meetings.body import membership as seats
from services.meetings.body.body import (
    MOST_DAYS,
    MOST_YEARS,
    OWN_DEADLINES,
    WHO_MAY_READ,
    Annexes,
    Body,
    BodyDetails,
    BodyKind,
    BodyRules,
    DeadlineProfile,
    ItemKind,
    Numbering,
    StandingItem,
    Substitution,
)
from services.meetings.pages.office import (
    READER,
    SECRETARY,
    Fields,
    OfficePages,
    back,
    day_of,
    get,
    is_wrong,
    line_error,
    number_of,
    post,
    refused,
    typed,
    version_of,
    wrong,
)
from shared.auth import Principal
from shared.errors import InvalidInput, Refused
from shared.rendering.minutes import Language
from shared.text import clean_line
from shared.web import Field, form_text

_NAMES = (
    "name",
    "kind",
    "quorum",
    "notice_days",
    "substitutes",
    "adjusters",
    "numbering",
    "annexes",
    "deadline_profile",
    "adjust_days",
    "post_days",
    "posted_days",
    "standing_items",
    "language",
    "join_link",
    "public",
    "public_archive",
    "archive_years",
)
_REFUSED = {
    "name": ("name", "body.taken"),
    "join_link": ("join_link", "link"),
    **{name: (name, "law_says") for name in OWN_DEADLINES},
    "standing_items": ("standing_items", "characters"),
}
_OPTIONS = {
    "kind": tuple(BodyKind),
    "substitutes": tuple(Substitution),
    "adjusters": ("1", "2", "0"),
    "numbering": tuple(Numbering),
    "annexes": tuple(Annexes),
    "deadline_profile": tuple(DeadlineProfile),
    "language": ("sv", "en"),
    "public": ("no", "yes"),
    "public_archive": ("no", "yes"),
}
_AS_NOW = "as-now"
_DONE = frozenset({"imported", "registered", "changed", "closed", "begun", "seat-changed", "ended"})


class BodyPages(OfficePages):
    def add_to(self, router: APIRouter) -> None:
        get(router, "/office/bodies", self.office_bodies)
        get(router, "/office/bodies/new", self.office_body_new)
        post(router, "/office/bodies/new", self.office_body_register)
        get(router, "/office/bodies/{body_id}", self.office_body)
        get(router, "/office/bodies/{body_id}/change", self.office_body_form)
        post(router, "/office/bodies/{body_id}/change", self.office_body_change)
        get(router, "/office/bodies/{body_id}/close", self.office_body_closing)
        post(router, "/office/bodies/{body_id}/close", self.office_body_close)

    async def office_bodies(self, request: Request, done: str = "", principal: Principal = READER) -> Response:
        bodies = await self._commands.bodies.bodies(principal.organisation)
        return self._page(
            request,
            "office/bodies.html",
            principal,
            bodies=[body for body in bodies if body.closed is None],
            closed=[body for body in bodies if body.closed is not None],
            done=done if done in _DONE else "",
        )

    async def office_body(
        self, request: Request, body_id: str, done: str = "", principal: Principal = READER
    ) -> Response:
        sitting = await self._commands.bodies.sitting(principal.organisation, body_id)
        ever = await self._commands.bodies.memberships(principal.organisation, body_id)
        now = {member.membership.id for member in sitting.members}
        others = [member for member in ever if member.membership.id not in now]
        return self._page(
            request,
            "office/body.html",
            principal,
            body=sitting.body,
            sitting=sitting,
            coming=[one for one in others if one.membership.seat.begins and one.membership.seat.begins > sitting.day],
            former=[one for one in others if one.membership.seat.ends and one.membership.seat.ends < sitting.day],
            members=seats.MEMBERS,
            done=done if done in _DONE else "",
        )

    async def office_body_new(self, request: Request, principal: Principal = SECRETARY) -> Response:
        return self._form(request, principal, None, _filled(None, self._look.preferred(request)))

    async def office_body_register(self, request: Request, principal: Principal = SECRETARY) -> Response:
        fields = await typed(request, _NAMES)
        details = _details(fields, None)
        if details is not None:
            try:
                body = await self._commands.bodies.register(principal.organisation, details)
                return back(request, "office_body", "registered", body_id=body.id)
            except (Refused, InvalidInput) as error:
                if not refused(fields, error, _REFUSED):
                    raise
        return self._form(request, principal, None, fields)

    async def office_body_form(self, request: Request, body_id: str, principal: Principal = SECRETARY) -> Response:
        body = await self._commands.bodies.body(principal.organisation, body_id)
        return self._form(request, principal, body, _filled(body))

    async def office_body_change(self, request: Request, body_id: str, principal: Principal = SECRETARY) -> Response:
        body = await self._commands.bodies.body(principal.organisation, body_id)
        fields = await typed(request, _NAMES) if body.closed is None else _filled(body)
        if body.closed is not None:
            fields |= await typed(request, WHO_MAY_READ)
        seen = version_of(await form_text(request, "version"))
        details = _details(fields, body)
        if seen != body.version:
            return self._form(request, principal, body, fields, meanwhile=True)
        if details is not None:
            try:
                await self._commands.bodies.change(principal.organisation, body_id, details, version=seen)
                return back(request, "office_body", "changed", body_id=body_id)
            except (Refused, InvalidInput) as error:
                if not refused(fields, error, _REFUSED):
                    body = await self._commands.bodies.body(principal.organisation, body_id)
                    return self._form(request, principal, body, fields, meanwhile=True)
        return self._form(request, principal, body, fields)

    async def office_body_closing(self, request: Request, body_id: str, principal: Principal = SECRETARY) -> Response:
        body = await self._commands.bodies.body(principal.organisation, body_id)
        body.require_open()
        fields = {"on": Field("on", self._today(body).isoformat())}
        return self._page(request, "office/close.html", principal, body=body, fields=fields)

    async def office_body_close(self, request: Request, body_id: str, principal: Principal = SECRETARY) -> Response:
        body = await self._commands.bodies.body(principal.organisation, body_id)
        fields = await typed(request, ("on",))
        day = day_of(fields, "on")
        wrong(fields, "on", None if day else "day")
        if is_wrong(fields):
            return self._page(request, "office/close.html", principal, body=body, fields=fields)
        await self._commands.bodies.close(principal.organisation, body_id, day)
        return back(request, "office_body", "closed", body_id=body_id)

    def _form(
        self, request: Request, principal: Principal, body: Body | None, fields: Fields, *, meanwhile: bool = False
    ) -> Response:
        """`meanwhile`: someone else changed the body. What was typed stays, beside how it is now."""
        options = dict(_OPTIONS)
        if body is not None and _adjusters(body.details.rules) == _AS_NOW:
            options["adjusters"] = (_AS_NOW, *options["adjusters"])
        now = _filled(body)
        differing = [now[name] for name in _NAMES if now[name].value != fields[name].value] if meanwhile else []
        return self._page(
            request,
            "office/body_form.html",
            principal,
            fields=fields,
            refused=meanwhile,
            body=body,
            options=options,
            meanwhile=meanwhile,
            differing=differing,
        )


def _filled(body: Body | None, language: Language = "sv") -> Fields:
    """The form as it is opened. `language`: that of a new body, unless another is chosen."""
    usual = BodyDetails(name="-", kind=BodyKind.BOARD, rules=BodyRules(language=language))
    details = body.details if body else usual
    rules = details.rules
    values = {
        "name": body.details.name if body else "",
        "kind": details.kind,
        "quorum": str(rules.quorum or ""),
        "notice_days": str(rules.notice_days),
        "substitutes": rules.substitutes,
        "adjusters": _adjusters(rules),
        "numbering": rules.numbering,
        "annexes": rules.annexes,
        "deadline_profile": rules.deadline_profile,
        **{name: "" if (days := getattr(rules, name)) is None else str(days) for name in OWN_DEADLINES},
        "standing_items": "\n".join(item.title for item in rules.standing_items),
        "language": rules.language,
        "join_link": rules.join_link or "",
        "public": "yes" if rules.public else "no",
        "public_archive": "yes" if rules.public_archive else "no",
        "archive_years": str(rules.archive_years or ""),
    }
    return {name: Field(name, str(values[name])) for name in _NAMES}


def _details(fields: Fields, body: Body | None) -> BodyDetails | None:
    """None when something was put at a field."""
    rules = body.details.rules if body else BodyRules()
    wrong(fields, "name", _keyed(line_error(lambda text: clean_line(text, "name"), fields["name"].value)))
    quorum = number_of(fields, "quorum", 1, 10_000)
    notice_days = number_of(fields, "notice_days", 0, 365)
    own = {name: number_of(fields, name, 0 if name == "post_days" else 1, MOST_DAYS) for name in OWN_DEADLINES}
    archive_years = number_of(fields, "archive_years", 1, MOST_YEARS)
    wrong(fields, "notice_days", None if notice_days is not None else "number")
    for name, options in _OPTIONS.items():
        given = fields[name].value
        if given not in options and not (name == "adjusters" and body is not None and given == _AS_NOW):
            wrong(fields, name, "choice")
    if is_wrong(fields) or notice_days is None:
        return None
    value = {name: field.value for name, field in fields.items()}
    shown: dict[str, Any] = {name: value[name] == "yes" for name in ("public", "public_archive")}
    shown["archive_years"] = archive_years
    if body is not None and body.closed is not None:
        return body.details.model_copy(update={"rules": rules.model_copy(update=shown)})
    adjusters = value["adjusters"]
    signers = rules.signers if adjusters == _AS_NOW else ("secretary", "chair", *["adjuster"] * int(adjusters))
    return BodyDetails(
        name=value["name"],
        kind=BodyKind(value["kind"]),
        rules=rules.model_copy(
            update={
                "quorum": quorum,
                "notice_days": notice_days,
                "substitutes": Substitution(value["substitutes"]),
                "signers": signers,
                "numbering": Numbering(value["numbering"]),
                "annexes": Annexes(value["annexes"]),
                "deadline_profile": DeadlineProfile(value["deadline_profile"]),
                **own,
                "standing_items": _items(value["standing_items"], rules),
                "language": value["language"],
                "join_link": value["join_link"] or None,
                **shown,
            }
        ),
    )


def _items(text: str, rules: BodyRules) -> tuple[StandingItem, ...]:
    """One a line. An item keeps its kind by its title."""
    kinds = {item.title: item.kind for item in rules.standing_items}
    titles = [line.strip() for line in text.splitlines() if line.strip()]
    return tuple(StandingItem(title=title, kind=kinds.get(title, ItemKind.INFORMATION)) for title in titles)


def _adjusters(rules: BodyRules) -> str:
    number = rules.signers.count("adjuster")
    usual = rules.signers == ("secretary", "chair", *["adjuster"] * number) and number <= 2
    return str(number) if usual else _AS_NOW


def _keyed(error: str | None) -> str | None:
    return f"body.{error}" if error else None
