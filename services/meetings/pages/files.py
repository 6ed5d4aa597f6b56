"""The pages of files: a plan or a register, pasted or chosen, is shown for what it would do, and then applied."""

import hashlib
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from http import HTTPStatus
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response

from services.meetings.body.body import Body, BodyKind
from services.meetings.pages.meetings import holiday_of
from services.meetings.pages.office import SECRETARY, OfficePages, back, get, post_file, version_of
from services.meetings.plan.changes import PlanChange
from services.meetings.plan.clashes import Clash
from services.meetings.plan.plan import MAX_PLAN
from services.meetings.register.changes import Change, FieldChange
from services.meetings.register.commands import Format
from services.meetings.register.csv_file import headings_of
from services.meetings.register.register import MAX_REGISTER, Problem
from services.meetings.register.yaml_file import names_of
from shared import readable
from shared.auth import Principal
from shared.errors import InvalidInput, JusteraError, Refused
from shared.plain_text import printable
from shared.text_file import decoded, is_workbook, looks_like_a_table
from shared.web import Field, Look, form_file, form_text, path_for

_VALUES = {"mode": "mode.", "occasion": "occasion.", "role": "seat.role.", "kind": "kind.", "language": "language."}
"""Fields whose values have words, and where these stand."""
_PARTS = ("people", "bodies", "members")
"""Of a register in YAML, as places in it are named."""
_COUNTED = re.compile(r"(line|number) ([0-9]+)")
_LABELS = {"participants": "meeting.asked", "starts": "field.begins_at", "ends": "field.ends_at", "key": "body.key"}


@dataclass(frozen=True, slots=True)
class Told:
    """Something that is wrong, in the reader's language; `english`, where it has no words there."""

    where: str
    what: str
    english: bool


@dataclass(frozen=True, slots=True)
class Shown:
    """What a file would do, or what is wrong with it. `pin`: for applying just this."""

    pin: str
    changes: list[tuple[str, list[str]]]
    problems: list[Told]
    clashes: list[tuple[Clash, str]]


class FilePages(OfficePages):
    def add_to(self, router: APIRouter) -> None:
        get(router, "/office/plan", self.office_plan)
        post_file(router, "/office/plan", self.office_plan_sent)
        get(router, "/office/register", self.office_register)
        post_file(router, "/office/register", self.office_register_sent)

    async def office_plan(self, request: Request, principal: Principal = SECRETARY) -> Response:
        return await self._plan(request, principal, "")

    async def office_plan_sent(self, request: Request, principal: Principal = SECRETARY) -> Response:
        """Looked at, and applied when asked to: just what was shown."""
        text, unfit = await _sent(request)
        if unfit:
            return await self._plan(request, principal, text, error=unfit)
        if not text.strip():
            return await self._plan(request, principal, text, error="file.empty")
        plans, words = self._commands.plans, _Words(self._look, request)
        moved = False
        try:
            if await form_text(request, "act") == "apply":
                pin = await form_text(request, "pin")
                try:
                    tell = await form_text(request, "tell") == "yes"
                    done = await plans.apply(principal.organisation, text, digest=pin, despite_clashes=True, tell=tell)
                    return _to_the_year(request, done.changes)
                except Refused:
                    moved = True
                except InvalidInput:
                    pass  # looking at it below tells all that is wrong
            found = await plans.check(principal.organisation, text)
        except InvalidInput as error:
            return await self._plan(request, principal, text, shown=_wrong(words, error))
        shown = Shown(
            found.digest,
            [words.plan_change(one) for one in found.changes],
            [words.problem(one) for one in found.problems],
            [(one, holiday_of(one)) for one in found.clashes],
        )
        return await self._plan(request, principal, text, shown=shown, moved=moved)

    async def office_register(self, request: Request, principal: Principal = SECRETARY) -> Response:
        return self._register(request, principal, "")

    async def office_register_sent(self, request: Request, principal: Principal = SECRETARY) -> Response:
        """Looked at, and applied when asked to: just what was shown."""
        text, unfit = await _sent(request)
        if unfit:
            return self._register(request, principal, text, error=unfit)
        if not text.strip():
            return self._register(request, principal, text, error="file.empty")
        registers, form = self._commands.register, _format_of(text)
        words = _Words(self._look, request, form, headings_of(text) if form == "csv" else names_of(text))
        moved = False
        try:
            if await form_text(request, "act") == "apply":
                seen = _seen_version(await form_text(request, "pin"), text)
                try:
                    await registers.apply(principal.organisation, text, form, version=seen)
                    return back(request, "office_bodies", "imported")
                except Refused:
                    moved = True
                except InvalidInput:
                    pass  # looking at it below tells all that is wrong
            found = await registers.check(principal.organisation, text, form)
        except InvalidInput as error:
            return self._register(request, principal, text, shown=_wrong(words, error))
        shown = Shown(
            _pin(found.version, text),
            [words.change(one) for one in found.changes],
            [words.problem(one) for one in found.problems],
            [],
        )
        return self._register(request, principal, text, shown=shown, moved=moved)

    async def _plan(self, request: Request, principal: Principal, text: str, error: str = "", **more: Any) -> Response:
        bodies = await self._commands.bodies.bodies(principal.organisation)
        example = _example_plan([one for one in bodies if one.closed is None], self._today().year + 1)
        return self._file(request, principal, "plan", text, error, example=example, **more)

    def _register(self, request: Request, principal: Principal, text: str, error: str = "", **more: Any) -> Response:
        return self._file(request, principal, "register", text, error, example=_EXAMPLE_REGISTER, **more)

    def _file(
        self,
        request: Request,
        principal: Principal,
        what: str,
        text: str,
        error: str,
        *,
        example: str,
        shown: Shown | None = None,
        moved: bool = False,
    ) -> Response:
        """`moved`: what was shown is not what it would do any more."""
        return self._page(
            request,
            "office/file.html",
            principal,
            fields={"text": Field("text", text, error or None)},
            refused=moved or (shown is not None and bool(shown.problems)),
            what=what,
            most=MAX_PLAN if what == "plan" else MAX_REGISTER,
            example=example,
            shown=shown,
            moved=moved,
        )


class _Words:
    """What a change comes to, and what is wrong with a file, in the reader's language.

    `written`: how fields are called in the file, by our names of them.
    """

    def __init__(
        self, look: Look, request: Request, form: Format = "yaml", written: Mapping[str, str] | None = None
    ) -> None:
        self._texts = look.texts
        self._language = look.preferred(request)
        self._form = form
        self._written = written or {}

    def plan_change(self, change: PlanChange) -> tuple[str, list[str]]:
        starts, ends = datetime.fromisoformat(change.starts), datetime.fromisoformat(change.ends)
        when = readable.span(starts, ends, self._language)
        line = self._text("change." + change.kind, body=change.body, title=change.title, when=when)
        by_order = [self._text("change.by_order")] if change.by_order else []
        return line, self._fields(change.fields) + by_order

    def change(self, change: Change) -> tuple[str, list[str]]:
        role = self._text("seat.role." + change.role.value) if change.role else ""
        line = self._text(
            "change." + change.kind, body=change.body or "", person=change.person or "", role=role.lower()
        )
        return line, [] if change.kind.endswith("registered") else self._fields(change.fields)

    def problem(self, problem: Problem) -> Told:
        """Fields and columns are named as they are in the file, within a sentence of the reader's."""
        said = problem.says
        if said is None or not self._texts.has("wrong." + said.key):
            return Told(problem.where, problem.what, english=self._language != "en")
        values = {name: self._said(name, value) for name, value in said.values.items()}
        what = self._text("wrong." + said.key, **values)
        if said.field:
            key = "wrong.column" if self._form == "csv" else "wrong.field"
            parts = (self._field(part) for part in said.field.split(", "))
            what = self._text(key, field=self._counted(parts), what=what)
        return Told(self._place(problem.where), what, english=False)

    def _place(self, where: str) -> str:
        """`bodies, styrelsen, meetings, number 3`, `line 4`."""
        return self._counted(self._field(word) if word in _PARTS else word for word in where.split(", "))

    def _counted(self, words: Iterable[str]) -> str:
        counted = ((word, _COUNTED.fullmatch(word)) for word in words)
        return ", ".join(self._text("wrong." + found[1], number=found[2]) if found else word for word, found in counted)

    def _field(self, name: str) -> str:
        """As it is called in the file; what is not there, as the reader's language calls a column."""
        name = printable(self._written.get(name, name))
        is_there = name in self._written.values()
        if self._form == "csv" and not is_there and self._texts.has("heading." + name):
            return self._text("heading." + name)
        return name

    def _said(self, name: str, value: object) -> object:
        if isinstance(value, date):
            return readable.day(value, self._language)
        if isinstance(value, tuple):
            return ", ".join(self._field(str(one)) for one in value)
        if name.endswith("field"):
            return self._field(str(value))
        if name == "role":
            return self._text(f"seat.role.{value}").lower()
        if name.endswith("weekday"):
            return self._text(f"weekday.{value}")
        return printable(value) if isinstance(value, str) else value

    def _fields(self, changes: Iterable[FieldChange]) -> list[str]:
        return [
            f"{self._label(one.field)}: {self._value(one.field, one.before)} → {self._value(one.field, one.after)}"
            for one in changes
        ]

    def _label(self, field: str) -> str:
        key = _LABELS.get(field, f"field.{field}")
        return self._text(key) if self._texts.has(key) else field

    def _value(self, field: str, value: str | None) -> str:
        if value is None:
            return "–"
        if field in ("starts", "begins", "ends"):
            moment = datetime.fromisoformat(value)
            return readable.moment(moment, self._language) if "T" in value else readable.day(moment, self._language)
        key = _VALUES.get(field, "") + value
        return self._text(key) if field in _VALUES and self._texts.has(key) else value

    def _text(self, key: str, /, **values: object) -> str:
        return self._texts.text(self._language, key, **values)


def _to_the_year(request: Request, changes: Sequence[PlanChange]) -> Response:
    """The meetings of the year that the plan is about; of what changed nothing, this year's."""
    year = f"year={changes[0].starts[:4]}&" if changes else ""
    return RedirectResponse(f"{path_for(request, 'office_meetings')}?{year}done=planned", HTTPStatus.SEE_OTHER)


def _wrong(words: _Words, error: JusteraError) -> Shown:
    """What is no such file at all."""
    what = f"{error.message}{f' ({error.hint})' if error.hint else ''}"
    return Shown("", [], [words.problem(Problem("", what, error.says))], [])


async def _sent(request: Request) -> tuple[str, str]:
    """The chosen file, else what was pasted; and the text key of why the file is none of ours: what was pasted stays
    then. Tables may come as Windows writes them."""
    content = await form_file(request, "file")
    pasted = (await form_text(request, "text")).replace("\r\n", "\n")
    if not content:
        return pasted, ""
    if is_workbook(content):
        return pasted, "file.workbook"
    text = decoded(content)
    return (pasted, "file.no_text") if text is None or "\0" in text else (text, "")


def _format_of(text: str) -> Format:
    return "csv" if looks_like_a_table(text) else "yaml"


def _pin(version: int, text: str) -> str:
    """What a register would do follows from what is there, and from the register."""
    return f"{version}.{hashlib.sha256(text.encode('utf-8', 'surrogatepass')).hexdigest()}"


def _seen_version(pin: str, text: str) -> int:
    """-1, which none is, when another text was looked at."""
    version = version_of(pin.partition(".")[0])
    return version if pin == _pin(version, text) else -1


def _example_plan(bodies: list[Body], year: int) -> str:
    """Of the bodies that are there: what can be pasted, and only its dates be changed."""
    board = next((one for one in bodies if one.details.kind is BodyKind.BOARD), bodies[0] if bodies else None)
    if board is None:
        return ""
    committee = next((one for one in bodies if one.details.kind is BodyKind.COMMITTEE), None)
    lines = [
        f"plan: {year}",
        f"year: {year}",
        "bodies:",
        f"  {board.key}:",
        f"    title: {_quoted(board.details.name)}",
        "    time: 09:00-12:00",
        "    mode: digital",
        "    meetings:",
        f"      - date: {year}-02-15",
        f"      - {{date: {year}-04-05, mode: physical, place: …}}",
    ]
    if committee is not None and committee is not board:
        lines += [
            f"  {committee.key}:",
            f"    title: {_quoted(committee.details.name)}",
            "    time: 08:15-09:00",
            "    mode: digital",
            f"    follows: {board.key}",
            "    days_before: 7",
        ]
    return "\n".join(lines) + "\n"


def _quoted(name: str) -> str:
    """As a YAML scalar, whatever is in it: JSON's strings are YAML's (YAML 1.2, section 1.3)."""
    return json.dumps(name, ensure_ascii=False)


_EXAMPLE_REGISTER = """\
people:
  maja-lind: {name: Maja Lind, email: maja.lind@norrdalen.example, party: S, municipality: Björka}
  olof-berg: {name: Olof Berg, email: olof.berg@bjorka.example}
bodies:
  styrelsen:
    name: Styrelsen
    kind: board
    members:
      - {person: olof-berg, role: ordförande, from: 2023-01-01, to: 2026-12-31}
      - {person: maja-lind, role: sekreterare}
"""
