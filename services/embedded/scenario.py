"""Scenario files: what people and mail servers did, and when. Parsing only; `replay` drives the services with it.

Of a year that signs nothing the head is `language` and `timezone` alone; of one that writes its minutes, all but them.

language: sv
timezone: Europe/Stockholm
minutes: minutes.md               # relative to the scenario
transaction_id: …                 # optional, 44 base64url characters
sender: {name: …, email: …}
signers:
  - {role: secretary, email: …, name: …}
steps:
  - {at: 2022-09-26T08:41:44Z, create: {ip: 192.0.2.1}}
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

from services.embedded.fields import known, mapping, moment, one_line, printable, read_bytes, read_file, text_of
from services.embedded.known_steps import YEAR_STEPS, read_step
from services.embedded.step_base import MeetingName, YearStep
from services.meetings.attachment.file_type import clean_file_name
from services.meetings.meeting.meeting import known_timezone
from services.meetings.minutes.drafting import Drafting, clean_drafting, known_transaction_id
from services.meetings.minutes.minutes import MAX_MINUTES, MinutesDraft, parse_minutes
from shared.clock import timestamp
from shared.errors import InvalidInput, JusteraError
from shared.events import Person, SignerInvitation
from shared.rendering.minutes import Language
from shared.text import clean_email, clean_ip, clean_line, clean_name, clean_reason
from shared.yaml_text import lines_of_fields, load_plain

MAX_SCENARIO = 1_048_576
MAX_STEPS = 10_000
MAX_ANNEX = 25 * 1024 * 1024
_FIELDS = ("language", "timezone", "minutes", "transaction_id", "sender", "signers", "steps")


class RefusedScenario(JusteraError):
    """One line for a person: `scenario: …`, or `step N (what), line M: …`. Nothing was written."""

    slug = "refused-scenario"


@dataclass(frozen=True, slots=True)
class StepKind:
    """A step's arguments: those it needs, those it may have, and which of them names it in an error.

    `about`: an agreement, which must have been created; or anything, also before.
    """

    required: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()
    subject: str | None = None
    about: Literal["agreement", "anything"] = "agreement"


STEP_KINDS: Mapping[str, StepKind] = {
    "create": StepKind(required=("ip",), optional=("meeting",), about="anything"),
    "adjust_at_once": StepKind(
        required=("meeting", "paragraph", "ip"), optional=("transaction_id",), subject="paragraph", about="anything"
    ),
    "send": StepKind(optional=("ip",)),
    "deliver": StepKind(required=("to",), subject="to", about="anything"),
    "view": StepKind(required=("email", "ip"), subject="email"),
    "enter_name": StepKind(required=("email", "name", "ip"), subject="email"),
    "sign": StepKind(required=("email", "ip"), subject="email"),
    "bounce": StepKind(required=("to", "status"), subject="to", about="anything"),
    "add_alternate": StepKind(required=("for", "email", "ip"), optional=("name",), subject="for"),
    "correct_address": StepKind(required=("for", "email", "ip"), subject="for"),
    "ask_again": StepKind(required=("email",), subject="email"),
    "revoke": StepKind(required=("email", "ip"), subject="email"),
    "extend": StepKind(required=("until", "ip")),
    "decline": StepKind(required=("email", "reason", "ip"), subject="email"),
    "cancel": StepKind(required=("reason", "ip")),
    "new_version": StepKind(required=("ip",), optional=("minutes", "transaction_id"), subject="minutes"),
    "remind": StepKind(),
    "expire": StepKind(),
    **{name: StepKind(subject=step.subject, about="anything") for name, step in YEAR_STEPS.items()},
}
_LANGUAGES: Mapping[str, Language] = {"sv": "sv", "en": "en"}
_SIGNING = ("minutes", "transaction_id", "sender", "signers")  # of the head: what an agreement needs
_CLEANERS: Mapping[str, Callable[[str], str]] = {
    "ip": clean_ip,
    "to": clean_email,
    "email": clean_email,
    "for": clean_email,
    "name": clean_name,
    "paragraph": lambda given: clean_line(given, "paragraph"),
    "reason": clean_reason,
    "minutes": str,  # read with the scenario
    "transaction_id": known_transaction_id,
    "meeting": lambda given: str(_meeting(given)),
}


@dataclass(frozen=True, slots=True)
class Step:
    """`number` and `line`, of the file, count from 1. `arguments` are cleaned text; `given` is what a step of the year
    was given; `say`: a sentence about it, for who tells the scenario, empty for none."""

    number: int
    line: int
    at: datetime
    kind: str
    arguments: Mapping[str, str]
    given: YearStep | None = None
    say: str = ""

    @property
    def label(self) -> str:
        subject = STEP_KINDS[self.kind].subject
        named = self.arguments.get(subject) if subject else None
        return f"step {self.number} ({self.kind}{f' {named}' if named else ''})"

    def refused(self, error: JusteraError) -> RefusedScenario:
        return self.refusal(error.message)

    def refusal(self, message: str) -> RefusedScenario:
        return _refusal(self.label, self.line, message)


@dataclass(frozen=True, slots=True)
class Minutes:
    """`annexes`: the files that they name, by name, as far as they lie beside them."""

    text: str
    draft: MinutesDraft
    annexes: Mapping[str, bytes] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Signing:
    """`minutes`: None where they are what is written for a meeting of the year."""

    drafting: Drafting
    minutes: Minutes | None


@dataclass(frozen=True)
class Scenario:
    """A scenario that is well-formed; whether the system allows its steps is found by driving it.

    `signing`: what an agreement is made of; None in a year that signs nothing. `corrected`: the minutes of later
    versions, by the file that the step names.
    """

    language: str
    timezone: str
    signing: Signing | None
    steps: tuple[Step, ...]
    corrected: Mapping[str, Minutes]


def load_scenario(path: Path) -> Scenario:
    """Read and check a scenario and its minutes. Raises RefusedScenario."""
    try:
        text = read_file(path, MAX_SCENARIO)
        fields = _fields(path, text)
        known(fields, _FIELDS)
        language, timezone = _language(fields), known_timezone(text_of(fields, "timezone"))
        signing = _signing(path, fields) if _signs(fields) else None
    except JusteraError as error:
        raise RefusedScenario(f"scenario: {one_line(error.message)}") from error
    steps = _steps(path, fields, lines_of_fields(text))
    _require_minutes(signing, steps)
    return Scenario(language, timezone, signing, steps, _corrected(path, steps))


def _fields(path: Path, text: str) -> dict[str, Any]:
    value = load_plain(text, where="the file")
    if not value:
        raise InvalidInput(f"{path.name} is empty; docs/scenarios.md shows what a scenario holds")
    return mapping(value, "the file")


def _signs(fields: Mapping[str, Any]) -> bool:
    """Whether anything in it is about an agreement."""
    return (
        not _has_year(fields)
        or bool({"create", "adjust_at_once"} & set(_named(fields)))
        or any(name in fields for name in _SIGNING)
    )


def _has_year(fields: Mapping[str, Any]) -> bool:
    return any(name in YEAR_STEPS for name in _named(fields))


def _named(fields: Mapping[str, Any]) -> list[str]:
    """What its steps do, as far as that can be read."""
    steps = fields.get("steps")
    return [name for step in steps if isinstance(step, dict) for name in step] if isinstance(steps, list) else []


def _signing(path: Path, fields: Mapping[str, Any]) -> Signing:
    has_none = "minutes" not in fields and _has_year(fields)
    return Signing(clean_drafting(_drafting(fields)), None if has_none else _minutes(path, text_of(fields, "minutes")))


def _language(fields: Mapping[str, Any]) -> Language:
    language = text_of(fields, "language")
    if language in _LANGUAGES:
        return _LANGUAGES[language]
    raise InvalidInput(f"language: {language[:20]!r} is neither sv nor en")


def _drafting(fields: Mapping[str, Any]) -> Drafting:
    language = _language(fields)
    sender = mapping(fields.get("sender"), "sender")
    known(sender, ("name", "email"), "sender")
    signers = fields.get("signers")
    if not isinstance(signers, list) or not signers:
        raise InvalidInput("signers: needs at least one")
    if len(signers) > 20:
        raise InvalidInput("signers: at most 20")
    return Drafting(
        sender=Person(
            email=text_of(sender, "email", "sender"), name=text_of(sender, "name", "sender"), language=language
        ),
        signers=tuple(_signer(signer, number, language) for number, signer in enumerate(signers, 1)),
        language=language,
        timezone=text_of(fields, "timezone"),
        transaction_id=text_of(fields, "transaction_id") if "transaction_id" in fields else None,
    )


def _signer(value: Any, number: int, language: str) -> SignerInvitation:
    where = f"signers: number {number}"
    signer = mapping(value, where)
    known(signer, ("role", "email", "name"), where)
    return SignerInvitation(
        role=text_of(signer, "role", where),
        email=text_of(signer, "email", where),
        name=text_of(signer, "name", where) if "name" in signer else None,
        language=language,
    )


def _minutes(scenario: Path, name: str) -> Minutes:
    file = scenario.parent / name
    text = read_file(file, MAX_MINUTES)
    try:
        draft = parse_minutes(text)
        named = {clean_file_name(one.file): file.parent / clean_file_name(one.file) for one in draft.front.annexes}
        return Minutes(text, draft, {one: read_bytes(path, MAX_ANNEX) for one, path in named.items() if path.is_file()})
    except InvalidInput as error:
        raise InvalidInput(f"{name}: {error.message}") from error


def _require_minutes(signing: Signing | None, steps: Sequence[Step]) -> None:
    """Without a file of them, they are what is written for the meeting that a step names."""
    is_written = signing is not None and signing.minutes is None
    for step in steps:
        if step.kind == "create" and is_written and "meeting" not in step.arguments:
            raise step.refusal("meeting is missing, since the scenario names no minutes")
        if step.kind == "new_version" and not is_written and "minutes" not in step.arguments:
            raise step.refusal("minutes is missing")


def _corrected(scenario: Path, steps: Sequence[Step]) -> dict[str, Minutes]:
    found: dict[str, Minutes] = {}
    for step in steps:
        if step.kind == "new_version" and (name := step.arguments.get("minutes")) and name not in found:
            try:
                found[name] = _minutes(scenario, name)
            except JusteraError as error:
                raise step.refused(error) from error
    return found


def _steps(path: Path, fields: Mapping[str, Any], lines: Mapping[str, int]) -> tuple[Step, ...]:
    items = fields.get("steps")
    if not isinstance(items, list) or not items:
        raise RefusedScenario("scenario: steps: needs at least one")
    if len(items) > MAX_STEPS:
        raise RefusedScenario(f"scenario: steps: at most {MAX_STEPS}")
    steps: list[Step] = []
    for number, item in enumerate(items, 1):
        step = _step(number, lines[f"steps, number {number}"], item, path.parent)
        if steps and step.at < steps[-1].at:
            raise step.refusal(f"its time is before that of step {number - 1}")
        steps.append(step)
    return tuple(steps)


def _step(number: int, line: int, item: Any, folder: Path) -> Step:
    kinds = [str(key) for key in item if key not in ("at", "say")] if isinstance(item, dict) else []
    label = f"step {number}"
    try:
        if len(kinds) != 1:
            raise InvalidInput("needs `at` and one action")
        label = f"step {number} ({printable(kinds[0])})"
        if kinds[0] not in STEP_KINDS:
            raise InvalidInput(f"unknown step; known are {', '.join(STEP_KINDS)}")
        at, say = moment(item.get("at")), text_of(item, "say") if "say" in item else ""
        given = item[kinds[0]] or {}
        label = _label_of(number, kinds[0], given)
        if kinds[0] in YEAR_STEPS:
            subject = STEP_KINDS[kinds[0]].subject
            shown = {subject: given[subject]} if subject and isinstance(given, dict) and subject in given else {}
            return Step(number, line, at, kinds[0], shown, read_step(kinds[0], given, folder), say)
        return Step(number, line, at, kinds[0], _arguments(STEP_KINDS[kinds[0]], given), say=say)
    except InvalidInput as error:
        raise _refusal(label, line, error.message) from error


def _refusal(label: str, line: int, message: str) -> RefusedScenario:
    return RefusedScenario(f"{label}, line {line}: {one_line(message)}")


def _label_of(number: int, kind: str, given: Any) -> str:
    subject = STEP_KINDS[kind].subject
    value = given.get(subject) if isinstance(given, dict) and subject else None
    return f"step {number} ({kind}{f' {printable(value)}' if isinstance(value, str) else ''})"


def _arguments(kind: StepKind, given: Any) -> dict[str, str]:
    values = mapping(given, "its arguments")
    known(values, (*kind.required, *kind.optional))
    missing = [name for name in kind.required if name not in values]
    if missing:
        raise InvalidInput(f"{missing[0]} is missing")
    return {name: _clean(name, text_of(values, name)) for name in values}


def _clean(name: str, text: str) -> str:
    if name == "status":
        return _status(text)
    if name == "until":
        return timestamp(moment(text, name))
    return _CLEANERS[name](text)


def _status(text: str) -> str:
    """An enhanced status code (RFC 3463) of class 4 or 5: only those are bounces."""
    parts = text.split(".")
    if len(parts) != 3 or not all(part.isascii() and part.isdigit() and len(part) <= 3 for part in parts):
        raise InvalidInput(f"status {printable(text)} is no status code like 5.1.1")
    if parts[0] not in ("4", "5"):
        raise InvalidInput(f"status {text} is no failure: it begins with 4 or 5")
    return text


def _meeting(given: str) -> MeetingName:
    try:
        return MeetingName.read(given)
    except ValueError as error:
        raise InvalidInput(f"meeting: {printable(given)} {error}") from None
