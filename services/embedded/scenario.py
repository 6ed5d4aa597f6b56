"""Scenario files: what people and mail servers did, and when. Parsing only; `replay` drives the services with it.

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
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from services.meetings.minutes.commands import Drafting, clean_drafting, known_transaction_id
from services.meetings.minutes.minutes import MAX_MINUTES, MinutesDraft, parse_minutes
from shared.clock import timestamp
from shared.errors import InvalidInput, JusteraError
from shared.events import Person, SignerInvitation
from shared.text import clean_email, clean_ip, clean_name, clean_reason
from shared.yaml_text import load_plain

MAX_SCENARIO = 1_048_576
MAX_STEPS = 10_000
_FIELDS = ("language", "timezone", "minutes", "transaction_id", "sender", "signers", "steps")


class RefusedScenario(JusteraError):
    """One line for a person: `scenario: …`, or `step N (what): …`. Nothing was written."""

    slug = "refused-scenario"


@dataclass(frozen=True, slots=True)
class StepKind:
    """A step's arguments: those it needs, those it may have, and which of them names it in an error."""

    required: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()
    subject: str | None = None


STEP_KINDS: Mapping[str, StepKind] = {
    "create": StepKind(required=("ip",)),
    "send": StepKind(optional=("ip",)),
    "deliver": StepKind(required=("to",), subject="to"),
    "view": StepKind(required=("email", "ip"), subject="email"),
    "enter_name": StepKind(required=("email", "name", "ip"), subject="email"),
    "sign": StepKind(required=("email", "ip"), subject="email"),
    "bounce": StepKind(required=("to", "status"), subject="to"),
    "add_alternate": StepKind(required=("for", "email", "ip"), optional=("name",), subject="for"),
    "correct_address": StepKind(required=("for", "email", "ip"), subject="for"),
    "ask_again": StepKind(required=("email",), subject="email"),
    "revoke": StepKind(required=("email", "ip"), subject="email"),
    "extend": StepKind(required=("until", "ip")),
    "decline": StepKind(required=("email", "reason", "ip"), subject="email"),
    "cancel": StepKind(required=("reason", "ip")),
    "new_version": StepKind(required=("minutes", "ip"), optional=("transaction_id",), subject="minutes"),
    "remind": StepKind(),
    "expire": StepKind(),
}
_CLEANERS: Mapping[str, Callable[[str], str]] = {
    "ip": clean_ip,
    "to": clean_email,
    "email": clean_email,
    "for": clean_email,
    "name": clean_name,
    "reason": clean_reason,
    "minutes": str,  # read with the scenario
    "transaction_id": known_transaction_id,
}


@dataclass(frozen=True, slots=True)
class Step:
    """`number` counts from 1. `arguments` are cleaned text."""

    number: int
    at: datetime
    kind: str
    arguments: Mapping[str, str]

    @property
    def label(self) -> str:
        subject = STEP_KINDS[self.kind].subject
        return f"step {self.number} ({self.kind}{f' {self.arguments[subject]}' if subject else ''})"

    def refused(self, error: JusteraError) -> RefusedScenario:
        return RefusedScenario(f"{self.label}: {_one_line(error.message)}")


@dataclass(frozen=True, slots=True)
class Minutes:
    text: str
    draft: MinutesDraft


@dataclass(frozen=True)
class Scenario:
    """A scenario that is well-formed; whether the system allows its steps is found by driving it.

    `corrected`: the minutes of later versions, by the file that the step names.
    """

    drafting: Drafting
    minutes: Minutes
    steps: tuple[Step, ...]
    corrected: Mapping[str, Minutes]

    @property
    def language(self) -> str:
        return self.drafting.language


def load_scenario(path: Path) -> Scenario:
    """Read and check a scenario and its minutes. Raises RefusedScenario."""
    try:
        fields = _fields(path)
        _known(fields, _FIELDS)
        drafting = clean_drafting(_drafting(fields))
        minutes = _minutes(path, _text(fields, "minutes"))
    except JusteraError as error:
        raise RefusedScenario(f"scenario: {_one_line(error.message)}") from error
    steps = _steps(fields)
    return Scenario(drafting, minutes, steps, _corrected(path, steps))


def _fields(path: Path) -> dict[str, Any]:
    value = load_plain(_read(path, MAX_SCENARIO), where="the file")
    if not value:
        raise InvalidInput(f"{path.name} is empty; docs/scenarios.md shows what a scenario holds")
    return _mapping(value, "the file")


def _drafting(fields: Mapping[str, Any]) -> Drafting:
    language = _text(fields, "language")
    if language not in ("sv", "en"):
        raise InvalidInput(f"language: {language[:20]!r} is neither sv nor en")
    sender = _mapping(fields.get("sender"), "sender")
    _known(sender, ("name", "email"), "sender")
    signers = fields.get("signers")
    if not isinstance(signers, list) or not signers:
        raise InvalidInput("signers: needs at least one")
    if len(signers) > 20:
        raise InvalidInput("signers: at most 20")
    return Drafting(
        sender=Person(email=_text(sender, "email", "sender"), name=_text(sender, "name", "sender"), language=language),
        signers=tuple(_signer(signer, number, language) for number, signer in enumerate(signers, 1)),
        language=language,
        timezone=_text(fields, "timezone"),
        transaction_id=_text(fields, "transaction_id") if "transaction_id" in fields else None,
    )


def _signer(value: Any, number: int, language: str) -> SignerInvitation:
    where = f"signers: number {number}"
    signer = _mapping(value, where)
    _known(signer, ("role", "email", "name"), where)
    return SignerInvitation(
        role=_text(signer, "role", where),
        email=_text(signer, "email", where),
        name=_text(signer, "name", where) if "name" in signer else None,
        language=language,
    )


def _minutes(scenario: Path, name: str) -> Minutes:
    text = _read(scenario.parent / name, MAX_MINUTES)
    try:
        return Minutes(text, parse_minutes(text))
    except InvalidInput as error:
        raise InvalidInput(f"{name}: {error.message}") from error


def _corrected(scenario: Path, steps: Sequence[Step]) -> dict[str, Minutes]:
    found: dict[str, Minutes] = {}
    for step in steps:
        if step.kind == "new_version" and (name := step.arguments["minutes"]) not in found:
            try:
                found[name] = _minutes(scenario, name)
            except JusteraError as error:
                raise step.refused(error) from error
    return found


def _steps(fields: Mapping[str, Any]) -> tuple[Step, ...]:
    items = fields.get("steps")
    if not isinstance(items, list) or not items:
        raise RefusedScenario("scenario: steps: needs at least one")
    if len(items) > MAX_STEPS:
        raise RefusedScenario(f"scenario: steps: at most {MAX_STEPS}")
    steps: list[Step] = []
    for number, item in enumerate(items, 1):
        step = _step(number, item)
        if steps and step.at < steps[-1].at:
            raise RefusedScenario(f"{step.label}: its time is before that of step {number - 1}")
        steps.append(step)
    return tuple(steps)


def _step(number: int, item: Any) -> Step:
    kinds = [str(key) for key in item if key != "at"] if isinstance(item, dict) else []
    label = f"step {number}"
    try:
        if len(kinds) != 1:
            raise InvalidInput("needs `at` and one action")
        label = f"step {number} ({_printable(kinds[0])})"
        if kinds[0] not in STEP_KINDS:
            raise InvalidInput(f"unknown step; known are {', '.join(STEP_KINDS)}")
        at = _moment(item.get("at"))
        given = item[kinds[0]] or {}
        label = _label_of(number, kinds[0], given)
        return Step(number, at, kinds[0], _arguments(STEP_KINDS[kinds[0]], given))
    except InvalidInput as error:
        raise RefusedScenario(f"{label}: {_one_line(error.message)}") from error


def _label_of(number: int, kind: str, given: Any) -> str:
    subject = STEP_KINDS[kind].subject
    value = given.get(subject) if isinstance(given, dict) and subject else None
    return f"step {number} ({kind}{f' {_printable(value)}' if isinstance(value, str) else ''})"


def _arguments(kind: StepKind, given: Any) -> dict[str, str]:
    values = _mapping(given, "its arguments")
    _known(values, (*kind.required, *kind.optional))
    missing = [name for name in kind.required if name not in values]
    if missing:
        raise InvalidInput(f"{missing[0]} is missing")
    return {name: _clean(name, _text(values, name)) for name in values}


def _clean(name: str, text: str) -> str:
    if name == "status":
        return _status(text)
    if name == "until":
        return timestamp(_moment(text, name))
    return _CLEANERS[name](text)


def _status(text: str) -> str:
    """An enhanced status code (RFC 3463) of class 4 or 5: only those are bounces."""
    parts = text.split(".")
    if len(parts) != 3 or not all(part.isascii() and part.isdigit() and len(part) <= 3 for part in parts):
        raise InvalidInput(f"status {_printable(text)} is no status code like 5.1.1")
    if parts[0] not in ("4", "5"):
        raise InvalidInput(f"status {text} is no failure: it begins with 4 or 5")
    return text


def _moment(value: Any, name: str = "at") -> datetime:
    """`at` is UTC; one without a zone is taken as that."""
    if not isinstance(value, str):
        raise InvalidInput(f"{name} is missing")
    try:
        moment = datetime.fromisoformat(value)
    except ValueError as error:
        raise InvalidInput(f"{name}: {_printable(value)} is no time like 2022-09-26T08:41:44Z") from error
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _mapping(value: Any, where: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise InvalidInput(f"{where}: needs fields" if value else f"{where} is missing")
    return value


def _known(fields: Mapping[str, Any], names: tuple[str, ...], where: str = "") -> None:
    unknown = [str(name) for name in fields if name not in names]
    if unknown:
        prefix = f"{where}: " if where else ""
        raise InvalidInput(f"{prefix}unknown field {_printable(unknown[0])}; known are {', '.join(names)}")


def _text(fields: Mapping[str, Any], name: str, where: str = "") -> str:
    prefix = f"{where}: " if where else ""
    if name not in fields:
        raise InvalidInput(f"{prefix}{name} is missing")
    value = fields[name]
    if not isinstance(value, str) or not value:
        raise InvalidInput(f"{prefix}{name} needs a text")
    return value


def _read(path: Path, limit: int) -> str:
    try:
        with path.open("rb") as file:
            data = file.read(limit + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "not a file name"
        raise InvalidInput(f"{path.name}: cannot be read: {reason}") from error
    if len(data) > limit:
        raise InvalidInput(f"{path.name}: larger than {limit} bytes")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InvalidInput(f"{path.name}: not UTF-8") from error


def _printable(text: str) -> str:
    shown = "".join(char if char.isprintable() else "�" for char in text)
    return shown if len(shown) <= 80 else shown[:79] + "…"


def _one_line(text: str) -> str:
    return " ".join("".join(char if char.isprintable() else " " for char in text).split())
